//! The polling thread: which one it is, and how long one turn of it has lasted.
//!
//! Log lines, credit, bodies and the end of the log all come from the polling thread. So it must not
//! wait for any of them: it would wait for itself. That is asked here.

use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
    /// When the applications that the polling thread runs should let others have their turn.
    static TURN_ENDS: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The calling thread is the one that polls and submits, from now on.
pub fn mark() {
    IS_HERE.set(true);
}

/// Whether the calling thread polls.
pub fn is_here() -> bool {
    IS_HERE.get()
}

/// Before a wait that the polling thread ends: in debug builds it panics on that thread, where the
/// wait would last as long as the process.
pub fn assert_not_polling_thread(wait: &str) {
    debug_assert!(!is_here(), "the polling thread would wait for itself: {wait}");
}

/// While it lives, the calling thread runs applications, and [`is_turn_over`] says when others should
/// have their turn.
pub struct Turn(());

impl Turn {
    /// None: there is no limit.
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

/// Whether the applications of this turn have had their time. Of a thread without a turn: never.
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
