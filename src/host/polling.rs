//! The polling thread: which one it is, whether it is in callbacks, and how long its turn lasts.
//!
//! The polling thread delivers log lines, credit and bodies. If it waited for any of them, it would
//! wait for itself. So code that waits checks here first.

use crate::pool::sync::{AtomicBool, Ordering};
use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
    /// When the applications on the polling thread must pause, so that other work has its turn.
    static TURN_ENDS: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// From now on the calling thread is the one that polls and submits.
pub fn mark() {
    IS_HERE.set(true);
}

/// Whether the calling thread is the one that polls.
pub fn is_here() -> bool {
    IS_HERE.get()
}

/// Must be called before a wait that the polling thread ends. In debug builds it panics on that
/// thread, since the wait would never end there.
pub fn assert_not_polling_thread(wait: &str) {
    debug_assert!(!is_here(), "the polling thread would wait for itself: {wait}");
}

/// Whether callbacks of the host are in progress on the polling thread.
#[derive(Default)]
pub(super) struct Callbacks(AtomicBool);

impl Callbacks {
    pub(super) fn are_in_progress(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Runs `work`, which calls callbacks.
    pub(super) fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = self.0.swap(true, Ordering::AcqRel);
        let result = work();
        self.0.store(before, Ordering::Release);
        result
    }
}

/// While it lives, the calling thread runs applications. [`is_turn_over`] returns true once other
/// work of the thread must have its turn.
pub struct Turn(());

impl Turn {
    /// `None` means that there is no limit.
    pub fn begin(limit: Option<Duration>) -> Self {
        TURN_ENDS.set(limit.and_then(|limit| Instant::now().checked_add(limit)));
        Turn(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURN_ENDS.set(None);
    }
}

/// Whether the applications of this turn have used up their time. False on a thread without a turn.
pub fn is_turn_over() -> bool {
    TURN_ENDS.get().is_some_and(|end| Instant::now() >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_over_after_its_time_and_only_on_its_thread() {
        assert!(!is_turn_over());
        let turn = Turn::begin(Some(Duration::ZERO));
        assert!(is_turn_over());
        assert!(!std::thread::spawn(is_turn_over).join().expect("it does not panic"));
        drop(turn);
        assert!(!is_turn_over());
        let _endless = Turn::begin(None);
        assert!(!is_turn_over());
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_wait_on_the_polling_thread_is_a_bug() {
        assert_not_polling_thread("nothing");
        let waits = || {
            mark();
            assert_not_polling_thread("the log");
        };
        assert!(std::thread::spawn(waits).join().is_err());
    }
}
