//! The queue of jobs, and the rule by which threads take turns at it. The picture is in `pool`.

use super::sync::{Condvar, Mutex};
use std::collections::VecDeque;

/// Jobs on their way from a thread that must not block to threads that need the GIL to run them.
///
/// A thread of the pool does this until it gets `None`:
///
/// ```text
/// while let Some(turn) = without the GIL { handoff.wait_turn() } {
///     for job in turn { run it }       // holding the GIL
/// }
/// ```
///
/// Invariant: whenever the mutex is free and there is work, there is a standby, or no thread is
/// idle. So no wake-up can be lost.
pub struct Handoff<J> {
    jobs: Mutex<Jobs<J>>,
    /// A standby was appointed, or the handoff was closed.
    appointed: Condvar,
}

struct Jobs<J> {
    queue: VecDeque<J>,
    /// Threads inside `wait_turn` that wait for a signal.
    idle: usize,
    standby: Standby,
    /// `wake` was called, and no turn has ended since then.
    turn_wanted: bool,
    closed: bool,
}

/// The one thread that is on its way to the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standby {
    None,
    /// An idle thread was signalled. The idle thread that wakes first becomes the standby.
    Woken,
    /// A thread has a `Turn` and waits for the GIL.
    Taking,
}

impl<J> Jobs<J> {
    fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.turn_wanted
    }

    /// Makes an idle thread the standby if one is needed. Returns true if the caller must signal.
    fn appoint(&mut self) -> bool {
        let needed = self.has_work() && self.standby == Standby::None && self.idle > 0;
        if needed {
            self.standby = Standby::Woken;
        }
        needed
    }
}

impl<J> Default for Handoff<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J> Handoff<J> {
    pub fn new() -> Self {
        Handoff {
            jobs: Mutex::new(Jobs {
                queue: VecDeque::new(),
                idle: 0,
                standby: Standby::None,
                turn_wanted: false,
                closed: false,
            }),
            appointed: Condvar::new(),
        }
    }

    /// Queues a job. Returns it if the handoff is closed. Never waits for a thread.
    pub fn push(&self, job: J) -> Result<(), J> {
        let mut jobs = self.jobs.lock();
        if jobs.closed {
            return Err(job);
        }
        jobs.queue.push_back(job);
        let signal = jobs.appoint();
        drop(jobs);
        self.signal_if(signal);
        Ok(())
    }

    /// Moves all of `new` to the queue, with at most one signal. Drops them if the handoff is
    /// closed.
    pub fn push_all(&self, new: &mut VecDeque<J>) {
        let mut jobs = self.jobs.lock();
        if jobs.closed {
            drop(jobs);
            new.clear();
            return;
        }
        jobs.queue.append(new);
        let signal = jobs.appoint();
        drop(jobs);
        self.signal_if(signal);
    }

    /// Makes a thread take a turn that ends after this call, even if no job is queued.
    ///
    /// So a thread soon does the work that it does with the GIL at the end of a turn. It is late
    /// only if every thread is busy.
    pub fn wake(&self) {
        let mut jobs = self.jobs.lock();
        jobs.turn_wanted = true;
        let signal = jobs.appoint();
        drop(jobs);
        self.signal_if(signal);
    }

    /// Waits until the calling thread is the standby. The thread must then take the GIL and use its
    /// turn. `None` once the handoff is closed. Not with the GIL held.
    pub fn wait_turn(&self) -> Option<Turn<'_, J>> {
        let mut jobs = self.jobs.lock();
        // A job may have come since this thread's last turn ended. This thread was not idle then,
        // so perhaps no standby was appointed for that job. Without this check the job might have
        // to wait until the next one comes.
        let needed = jobs.has_work() && jobs.standby == Standby::None;
        if !needed {
            jobs.idle += 1;
            while jobs.standby != Standby::Woken && !jobs.closed {
                self.appointed.wait(&mut jobs);
            }
            jobs.idle -= 1;
        }
        if jobs.closed {
            return None;
        }
        jobs.standby = Standby::Taking;
        Some(Turn { handoff: self, standby: true })
    }

    /// From now on accepts no job. Ends every wait, and returns the jobs that no thread has popped.
    pub fn close(&self) -> Vec<J> {
        let mut jobs = self.jobs.lock();
        jobs.closed = true;
        let left = std::mem::take(&mut jobs.queue);
        drop(jobs);
        self.appointed.notify_all();
        left.into()
    }

    /// Removes and returns the jobs for which `keep` is false. `keep` runs under the mutex.
    pub fn retain(&self, keep: impl FnMut(&J) -> bool) -> Vec<J> {
        let mut jobs = self.jobs.lock();
        let queue = std::mem::take(&mut jobs.queue);
        let (kept, taken): (Vec<J>, Vec<J>) = queue.into_iter().partition(keep);
        jobs.queue = kept.into();
        taken
    }

    /// How many jobs are queued.
    pub fn queued(&self) -> usize {
        self.jobs.lock().queue.len()
    }

    /// Signals. The caller must have released the mutex, so that the thread that wakes finds it
    /// free.
    fn signal_if(&self, signal: bool) {
        if signal {
            self.appointed.notify_one();
        }
    }
}

/// The right to pop jobs, as an iterator over them. Its thread must hold the GIL.
///
/// The first `next` frees the place of the standby, or the drop of the turn does.
#[must_use = "no other thread becomes the standby before this turn is used or dropped"]
pub struct Turn<'a, J> {
    handoff: &'a Handoff<J>,
    /// This thread still has the place of the standby.
    standby: bool,
}

impl<J> Iterator for Turn<'_, J> {
    type Item = J;

    /// Pops a job. `None` ends the turn: no job is queued, or the handoff is closed.
    fn next(&mut self) -> Option<J> {
        let mut jobs = self.handoff.jobs.lock();
        // The thread frees the place even if another one has emptied the queue meanwhile. No thread
        // is signalled while the place is taken, so it must not stay taken without a thread.
        if std::mem::take(&mut self.standby) {
            jobs.standby = Standby::None;
        }
        let job = jobs.queue.pop_front();
        if job.is_none() {
            jobs.turn_wanted = false;
        }
        let signal = jobs.appoint();
        drop(jobs);
        self.handoff.signal_if(signal);
        job
    }
}

impl<J> Drop for Turn<'_, J> {
    fn drop(&mut self) {
        if self.standby {
            let mut jobs = self.handoff.jobs.lock();
            jobs.standby = Standby::None;
            let signal = jobs.appoint();
            drop(jobs);
            self.handoff.signal_if(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_pops_in_order_and_ends() {
        let handoff = Handoff::new();
        assert!((1..=3).all(|job| handoff.push(job).is_ok()));
        assert_eq!(handoff.queued(), 3);
        let turn = handoff.wait_turn().expect("it is open");
        assert_eq!(turn.collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn close_returns_what_is_queued_and_refuses_the_rest() {
        let handoff = Handoff::new();
        assert!((1..=3).all(|job| handoff.push(job).is_ok()));
        let mut turn = handoff.wait_turn().expect("it is open");
        assert_eq!(turn.next(), Some(1));
        assert_eq!(handoff.close(), [2, 3]);
        assert_eq!(turn.next(), None);
        assert_eq!(handoff.push(4), Err(4));
        assert!(handoff.wait_turn().is_none());
    }

    #[test]
    fn retain_takes_jobs_out_and_keeps_the_order_of_the_rest() {
        let handoff = Handoff::new();
        handoff.push_all(&mut (1..=6).collect());
        assert_eq!(handoff.retain(|job| job % 2 == 0), [1, 3, 5]);
        let turn = handoff.wait_turn().expect("it is open");
        assert_eq!(turn.collect::<Vec<_>>(), [2, 4, 6]);
        handoff.push_all(&mut (1..=6).collect());
        assert_eq!(handoff.retain(|_| false).len(), 6);
        assert_eq!(handoff.queued(), 0);
    }

    #[test]
    fn an_unused_turn_leaves_the_place_to_the_next() {
        let handoff = Handoff::new();
        assert_eq!(handoff.push(1), Ok(()));
        drop(handoff.wait_turn());
        let turn = handoff.wait_turn().expect("it is open");
        assert_eq!(turn.collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_wake_gives_an_empty_turn_once() {
        let handoff = Handoff::<()>::new();
        handoff.wake();
        let mut turn = handoff.wait_turn().expect("it is open");
        assert_eq!(turn.next(), None);
        assert!(!handoff.jobs.lock().has_work());
    }
}
