//! Counts the bytes in flight to the host, and makes producers wait that are too fast.

use super::sync::{AtomicUsize, Condvar, Mutex, Ordering};

/// Set by `end`, and never cleared.
const ENDED: usize = 1;
/// A producer is parked, or about to park. A thread that releases bytes must check whether to wake
/// it.
const PARKED: usize = 2;
/// Set from `open` until `close`. Producers do not wait.
const OPEN: usize = 4;
/// One byte in flight. The count is above the flags.
const BYTE: usize = 8;

/// The bytes that producers have handed out and that are not released yet.
///
/// Count and flags share one atomic. So a thread that releases bytes sees that a producer is
/// parked, or the producer sees the lower count before it parks.
pub struct Credit {
    limit: usize,
    state: AtomicUsize,
    /// A producer holds it from the moment it sets PARKED until it sleeps, so that no wake-up falls
    /// in between.
    parking: Mutex<()>,
    wake: Condvar,
}

impl Credit {
    /// If more than `limit` bytes are in flight, producers must wait.
    pub fn new(limit: usize) -> Self {
        Credit { limit, state: AtomicUsize::new(0), parking: Mutex::new(()), wake: Condvar::new() }
    }

    /// Counts `bytes`. A producer must call it before it hands them out, since they may be released
    /// at once. They may exceed the limit, since a block is never divided.
    pub fn reserve(&self, bytes: usize) {
        self.state.fetch_add(bytes * BYTE, Ordering::AcqRel);
    }

    /// Releases `bytes` that were reserved. Any thread may call it. It is one atomic operation if
    /// no producer is parked.
    pub fn release(&self, bytes: usize) {
        let before = self.state.fetch_sub(bytes * BYTE, Ordering::AcqRel);
        debug_assert!(before / BYTE >= bytes, "more bytes were released than reserved");
        if before & PARKED != 0 && self.leaves_low(before - bytes * BYTE) {
            self.wake();
        }
    }

    /// Whether a producer should `wait` before it hands out more.
    pub fn is_over(&self) -> bool {
        self.in_flight() > self.limit
    }

    /// Parks the caller until at most half of the limit is in flight. Returns false if the credit
    /// has ended. Not with the GIL held.
    ///
    /// It is half of the limit, so that a producer does not wake up for each block that is sent.
    pub fn wait(&self) -> bool {
        let mut parking = self.parking.lock();
        loop {
            let state = self.state.fetch_or(PARKED, Ordering::AcqRel);
            if state & (ENDED | OPEN) != 0 || self.leaves_low(state) {
                // Others may still sleep, but this may clear the flag: the `release` that made the
                // count low wakes all of them.
                self.state.fetch_and(!PARKED, Ordering::AcqRel);
                return state & ENDED == 0;
            }
            self.wake.wait(&mut parking);
        }
    }

    /// Notes that no bytes will be released any more. Wakes the producers that are parked. None
    /// parks again.
    pub fn end(&self) {
        if self.state.fetch_or(ENDED, Ordering::AcqRel) & PARKED != 0 {
            self.wake();
        }
    }

    /// Until `close`, producers do not wait, and those that are parked go on. The thread that
    /// releases bytes calls this before it does something that may wait for a producer.
    pub fn open(&self) {
        if self.state.fetch_or(OPEN, Ordering::AcqRel) & PARKED != 0 {
            self.wake();
        }
    }

    pub fn close(&self) {
        self.state.fetch_and(!OPEN, Ordering::AcqRel);
    }

    /// How many bytes are in flight.
    pub fn in_flight(&self) -> usize {
        self.state.load(Ordering::Acquire) / BYTE
    }

    /// Whether all that was reserved is released.
    pub fn is_whole(&self) -> bool {
        self.in_flight() == 0
    }

    pub fn is_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) & ENDED != 0
    }

    /// Whether a producer that waits would go on. It does so too if the credit has ended.
    pub fn is_low(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state & ENDED != 0 || self.leaves_low(state)
    }

    fn leaves_low(&self, state: usize) -> bool {
        state / BYTE <= self.limit / 2
    }

    fn wake(&self) {
        // Once this thread has had the lock, each producer sleeps, or will read the new state.
        drop(self.parking.lock());
        self.wake.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_beyond_the_limit_only() {
        let credit = Credit::new(10);
        credit.reserve(10);
        assert!(!credit.is_over());
        credit.reserve(1);
        assert!(credit.is_over());
        credit.release(1);
        assert!(!credit.is_over());
    }

    #[test]
    fn wait_returns_at_once_at_half_of_the_limit_or_when_ended() {
        let credit = Credit::new(10);
        credit.reserve(5);
        assert!(credit.wait());
        credit.reserve(100);
        credit.end();
        assert!(!credit.wait());
        assert!(credit.is_ended());
    }

    #[test]
    fn no_producer_waits_while_it_is_open() {
        let credit = Credit::new(10);
        credit.open();
        credit.reserve(100);
        assert!(credit.wait(), "an open credit has not ended");
        credit.close();
        assert!(credit.is_over() && !credit.is_low());
        assert_eq!(credit.in_flight(), 100);
    }
}
