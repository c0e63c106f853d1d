//! A time limit for each call. A test that hangs is a failure that has a name.

use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Far longer than any call takes, also on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(30);

/// From `begin` until it is dropped, the test of the calling thread has `LIMIT`.
pub struct Limit {
    _ended: Sender<()>,
}

impl Limit {
    pub fn begin() -> Self {
        let test = thread::current().name().unwrap_or("without a name").to_owned();
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            if end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                // Not eprintln!: the tests' output is kept until their end, which does not come.
                let _ = writeln!(std::io::stderr(), "test {test} hangs: ended after {LIMIT:?}");
                // A thread that waits for Python cannot be ended alone.
                std::process::abort();
            }
        });
        Limit { _ended: ended }
    }
}
