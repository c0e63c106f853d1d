//! How much of all responses together may be on its way before applications wait.

use crate::pool::credit::Credit;
use std::sync::atomic::{AtomicBool, Ordering};

/// If more bytes of large blocks, of all responses together, wait for the polling thread,
/// applications wait before their next block.
const UNDELIVERED_BYTES: usize = 8 * 1024 * 1024;

pub struct Pressure {
    /// The bytes of large blocks that wait for the polling thread. It may be slower than the
    /// threads that make them.
    undelivered: Credit,
    /// One byte over its limit while the host makes applications wait.
    output: Credit,
    paused: AtomicBool,
}

impl Pressure {
    pub(in crate::host) fn new() -> Self {
        Pressure {
            undelivered: Credit::new(UNDELIVERED_BYTES),
            output: Credit::new(0),
            paused: AtomicBool::new(false),
        }
    }

    /// Makes each application wait before it hands over a block, until this is called with false.
    /// Only on the polling thread.
    pub fn pause_output(&self, pause: bool) {
        match (self.paused.swap(pause, Ordering::Relaxed), pause) {
            (false, true) => self.output.reserve(1),
            (true, false) => self.output.release(1),
            _ => {}
        }
    }

    /// Whether there is too much output to begin a response on the polling thread, which must not
    /// wait in the middle of one.
    pub fn is_high(&self) -> bool {
        self.output.is_over() || self.undelivered.is_over()
    }

    pub(in crate::host) fn undelivered(&self) -> &Credit {
        &self.undelivered
    }

    pub(in crate::host) fn output(&self) -> &Credit {
        &self.output
    }

    /// From now on no application waits.
    pub(in crate::host) fn end(&self) {
        self.undelivered.end();
        self.output.end();
    }
}
