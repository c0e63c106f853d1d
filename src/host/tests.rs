//! A host that records what it is told, for the tests of this layer.

use super::buffer::Buffers;
use super::event::{Head, Outcome};
use super::hub::Hub;
use super::request::Request;
use super::{FileRange, Gone, Host, HostRequest, Level, exchange::Exchange};
use crate::pool::sync::Mutex;
use std::sync::Arc;

/// What was said, one word or line each.
pub type Said = Arc<Mutex<Vec<String>>>;

/// It drives events; its log lines are said as `log: ...` with a request, and as `past: ...` without.
struct Recorder(Said);

impl Recorder {
    fn say(&self, what: impl Into<String>) -> Result<(), Gone> {
        self.0.lock().push(what.into());
        Ok(())
    }
}

impl Host for Recorder {
    fn early_hints(&self, _: HostRequest, _: &Head) -> Result<(), Gone> {
        self.say("hints")
    }

    fn start(&self, _: HostRequest, head: &Head) -> Result<(), Gone> {
        self.say(format!("start {}", head.status))
    }

    fn write(&self, _: HostRequest, buffers: Buffers, last: bool) -> Result<(), Gone> {
        let last = if last { " last" } else { "" };
        self.say(format!("write {}{last}", buffers.len()))
    }

    fn takes_files(&self) -> bool {
        false
    }

    fn send_file(&self, _: HostRequest, _: FileRange, _: bool) -> Result<(), Gone> {
        self.say("file")
    }

    fn finish(&self, _: HostRequest, outcome: Outcome) {
        let _ = self.say(format!("finish {outcome:?}"));
    }

    fn want_body(&self, _: HostRequest) -> Result<(), Gone> {
        self.say("want body")
    }

    fn read(&self, _: HostRequest, _: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }

    fn log(&self, request: Option<HostRequest>, _: Level, line: &str) {
        let about = if request.is_some() { "log" } else { "past" };
        let _ = self.say(format!("{about}: {line}"));
    }

    fn notify(&self) {}

    fn exhausted(&self, _: usize) {}

    fn is_event_driven(&self) -> bool {
        true
    }

    fn has_early_hints(&self) -> bool {
        true
    }

    fn has_want_body(&self) -> bool {
        true
    }

    fn has_read(&self) -> bool {
        false
    }
}

pub fn hub(log_line_size: usize) -> (Arc<Hub>, Said) {
    let said = Said::default();
    (Hub::new(Box::new(Recorder(said.clone())), log_line_size, 100), said)
}

/// An exchange that the host knows of and a thread has begun.
pub fn begun(hub: &Arc<Hub>) -> Arc<Exchange> {
    hub.enter_queue().expect("there is room");
    let request = Box::new(Request::with_capacity(0, 0, 0));
    let exchange = Exchange::new(request, HostRequest(std::ptr::null_mut()), hub);
    hub.lend(exchange.clone());
    exchange.begin().expect("it was not cancelled");
    exchange
}

/// What was said since the last time.
pub fn take(said: &Said) -> Vec<String> {
    std::mem::take(&mut said.lock())
}

/// Runs `work` on a thread that is not the polling one.
pub fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"))
}
