//! A host that records its callbacks, for the tests of this layer.

use super::callbacks::{Gone, Host, HostRequest, Level, Outcome};
use super::exchange::Exchange;
use super::hub::Hub;
use super::request::Request;
use super::response::buffer::Buffers;
use super::response::head::Head;
use crate::pool::sync::Mutex;
use std::sync::Arc;

/// One word or line for each callback.
pub type Said = Arc<Mutex<Vec<String>>>;

/// It is event-driven. A line for the log is recorded as `log: ...` with a request, and as `past:
/// ...` without.
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

    fn finish(&self, _: HostRequest, outcome: Outcome) {
        let _ = self.say(format!("finish {outcome:?}"));
    }

    fn want_body(&self, _: HostRequest) -> Result<(), Gone> {
        self.say("want body")
    }

    fn log(&self, request: Option<HostRequest>, _: Level, line: &str) {
        let about = if request.is_some() { "log" } else { "past" };
        let _ = self.say(format!("{about}: {line}"));
    }

    fn is_event_driven(&self) -> bool {
        true
    }

    fn has_early_hints(&self) -> bool {
        true
    }

    fn has_want_body(&self) -> bool {
        true
    }
}

pub fn hub(log_line_size: usize) -> (Arc<Hub>, Said) {
    let said = Said::default();
    (Hub::new(Box::new(Recorder(said.clone())), log_line_size, 100), said)
}

/// An exchange that the host knows of and a thread has begun.
pub fn begun(hub: &Arc<Hub>) -> Arc<Exchange> {
    let request = Box::new(Request::with_capacity(0, 0, 0));
    let host_request = HostRequest(std::ptr::null_mut());
    let (exchange, _) = hub.accept(request, host_request).expect("there is room");
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
