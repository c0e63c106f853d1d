//! Gives turns: one thread at a time has a turn, in the order in which the threads came.
//!
//! A mutex is not enough. A thread that asks for a turn that it already has must get an answer
//! instead of waiting for itself. And a turn that is handed to a waiting thread must not depend on
//! a guard, since a guard cannot be carried from code without the GIL to code with it.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The lowest bit of `Turns::owner`: a thread waits. No thread has a number with this bit.
const WAITED_FOR: usize = 1;

#[derive(Default)]
pub(super) struct Turns {
    /// [`this_thread`] of the thread whose turn it is, or 0. While threads wait it never becomes 0:
    /// a turn is handed to the first of them, so that a thread that comes again and again does not
    /// keep them out.
    owner: AtomicUsize,
    waiting: Mutex<VecDeque<usize>>,
    handed_over: Condvar,
}

/// The result of [`Turns::try_take`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is the caller's turn, until [`Turns::give`].
    Taken,
    /// It was the caller's turn already.
    Mine,
    Others,
}

impl Turns {
    #[inline]
    pub(super) fn try_take(&self) -> Asked {
        let me = this_thread();
        match self.owner.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Asked::Taken,
            Err(owner) if owner & !WAITED_FOR == me => Asked::Mine,
            Err(_) => Asked::Others,
        }
    }

    /// Waits until it is the caller's turn. Not with the GIL held, and not if it is already.
    pub(super) fn wait(&self) {
        let me = this_thread();
        let mut waiting = self.waiting.lock();
        let wanted = |owner| if owner == 0 { me } else { owner | WAITED_FOR };
        let before = self
            .owner
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |owner| Some(wanted(owner)))
            .unwrap_or_default();
        if before == 0 {
            return;
        }
        waiting.push_back(me);
        while self.owner.load(Ordering::Acquire) & !WAITED_FOR != me {
            self.handed_over.wait(&mut waiting);
        }
    }

    /// Ends the turn of the caller. Takes a lock only if a thread waits.
    #[inline]
    pub(super) fn give(&self) {
        let me = this_thread();
        if self.owner.compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed).is_err() {
            self.hand_over();
        }
    }

    #[cold]
    fn hand_over(&self) {
        // A thread sets the mark and joins the queue in one step under this lock.
        let mut waiting = self.waiting.lock();
        let next = waiting.pop_front().unwrap_or_default();
        let mark = if waiting.is_empty() { 0 } else { WAITED_FOR };
        self.owner.store(next | mark, Ordering::Release);
        drop(waiting);
        self.handed_over.notify_all();
    }
}

/// A number that no two threads have at the same time: an address. (`thread::current().id()` counts
/// a reference up and down, several times in a request.)
#[inline]
fn this_thread() -> usize {
    thread_local!(static HERE: u64 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    #[test]
    fn a_turn_is_of_one_thread() {
        let turns = Arc::new(Turns::default());
        assert_eq!(turns.try_take(), Asked::Taken);
        assert_eq!(turns.try_take(), Asked::Mine);
        let other = turns.clone();
        assert_eq!(thread::spawn(move || other.try_take()).join().unwrap(), Asked::Others);
        turns.give();
        assert_eq!(turns.try_take(), Asked::Taken);
    }

    fn wait_until(turns: &Turns, count: usize) {
        while turns.waiting.lock().len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn turns_go_round_in_the_order_in_which_threads_came() {
        let turns = Arc::new(Turns::default());
        assert_eq!(turns.try_take(), Asked::Taken);
        let order = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (other, order) = (turns.clone(), order.clone());
                let thread = thread::spawn(move || {
                    other.wait();
                    assert_eq!(other.try_take(), Asked::Mine);
                    order.lock().push(number);
                    other.give();
                });
                wait_until(&turns, number + 1);
                thread
            })
            .collect();
        turns.give();
        turns.wait();
        assert_eq!(*order.lock(), [0, 1, 2, 3], "one that comes again is the last");
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn no_two_threads_have_a_turn_at_the_same_time() {
        let (turns, users) = (Arc::new(Turns::default()), Arc::new(AtomicU32::new(0)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (turns, users) = (turns.clone(), users.clone());
                thread::spawn(move || {
                    for _ in 0..2000 {
                        if turns.try_take() == Asked::Others {
                            turns.wait();
                        }
                        assert_eq!(users.fetch_add(1, Ordering::Relaxed), 0);
                        users.fetch_sub(1, Ordering::Relaxed);
                        turns.give();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(turns.owner.load(Ordering::Relaxed), 0);
    }
}
