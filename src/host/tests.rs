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
pub type Calls = Arc<Mutex<Vec<String>>>;

/// An event-driven host. It records a log line as `log: ...` if it has a request, and as `past:
/// ...` if not.
struct Recorder(Calls);

impl Recorder {
    fn record(&self, what: impl Into<String>) -> Result<(), Gone> {
        self.0.lock().push(what.into());
        Ok(())
    }
}

impl Host for Recorder {
    fn early_hints(&self, _: HostRequest, _: &Head) -> Result<(), Gone> {
        self.record("hints")
    }

    fn start(&self, _: HostRequest, head: &Head) -> Result<(), Gone> {
        self.record(format!("start {}", head.status))
    }

    fn write(&self, _: HostRequest, buffers: Buffers, last: bool) -> Result<(), Gone> {
        let last = if last { " last" } else { "" };
        self.record(format!("write {}{last}", buffers.len()))
    }

    fn finish(&self, _: HostRequest, outcome: Outcome) {
        let _ = self.record(format!("finish {outcome:?}"));
    }

    fn want_body(&self, _: HostRequest) -> Result<(), Gone> {
        self.record("want body")
    }

    fn log(&self, request: Option<HostRequest>, _: Level, line: &str) {
        let about = if request.is_some() { "log" } else { "past" };
        let _ = self.record(format!("{about}: {line}"));
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

pub fn hub(log_line_size: usize) -> (Arc<Hub>, Calls) {
    let calls = Calls::default();
    (Hub::new(Box::new(Recorder(calls.clone())), log_line_size, 100), calls)
}

/// An exchange that the host knows of and a thread has begun.
pub fn begun(hub: &Arc<Hub>) -> Arc<Exchange> {
    let request = Box::new(Request::with_capacity(0, 0, 0));
    let host_request = HostRequest(std::ptr::null_mut());
    let (exchange, _) = hub.accept(request, host_request).expect("there is room");
    exchange.begin().expect("it was not cancelled");
    exchange
}

/// The calls since the last time.
pub fn take(calls: &Calls) -> Vec<String> {
    std::mem::take(&mut calls.lock())
}

/// Runs `work` on a thread that is not the polling one.
pub fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"))
}
