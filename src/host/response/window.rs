//! How much of one response the host may hold before the application waits or pauses.

use crate::pool::credit::Credit;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Window {
    /// Ended once the client is gone.
    credit: Credit,
    /// The application gave more than the host can take. It runs on the polling thread, which must
    /// not wait. It goes on once this is false.
    paused: AtomicBool,
}

impl Window {
    pub(in crate::host) fn new(limit: usize) -> Self {
        Window { credit: Credit::new(limit), paused: AtomicBool::new(false) }
    }

    pub fn credit(&self) -> &Credit {
        &self.credit
    }

    /// Whether the application must wait before it hands over more.
    pub(in crate::host) fn is_over(&self) -> bool {
        self.credit.is_over() && !self.credit.is_ended()
    }

    pub(in crate::host) fn is_ended(&self) -> bool {
        self.credit.is_ended()
    }

    pub(in crate::host) fn pause(&self) {
        self.paused.store(true, Ordering::Release);
    }

    pub(in crate::host) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// The host releases `bytes`. Returns true if a paused application can go on.
    #[must_use = "the polling thread must learn that an application can go on"]
    pub(in crate::host) fn release(&self, bytes: usize) -> bool {
        self.credit.release(bytes);
        self.resumes()
    }

    /// The host will release nothing more. Returns true if a paused application can go on.
    #[must_use = "the polling thread must learn that an application can go on"]
    pub(in crate::host) fn end(&self) -> bool {
        self.credit.end();
        self.resumes()
    }

    fn resumes(&self) -> bool {
        self.is_paused() && self.credit.is_low() && self.paused.swap(false, Ordering::AcqRel)
    }
}
