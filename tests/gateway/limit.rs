//! A time limit for each call, so that a test that hangs fails, and its name is printed.

use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Far longer than any call takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Between `begin` and its drop, the test of the calling thread may take `LIMIT`.
pub struct Limit {
    _ended: Sender<()>,
}

impl Limit {
    pub fn begin() -> Self {
        let test = thread::current().name().unwrap_or("without a name").to_owned();
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            if end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                // Not eprintln!: its output is kept until the end of the test, which does not come.
                let _ = writeln!(std::io::stderr(), "test {test} hangs: ended after {LIMIT:?}");
                // A thread that waits for Python cannot be ended alone.
                std::process::abort();
            }
        });
        Limit { _ended: ended }
    }
}
