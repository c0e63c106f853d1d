//! What an exchange waits for, and since when.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// What an exchange waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// A thread, or the import of its application.
    Queued,
    /// The application.
    Running,
    /// The host: credit or body.
    Host,
    /// The polling thread, or nothing if it is finished.
    Done,
}

/// Milliseconds since the runtime was started.
#[derive(Debug)]
pub struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Clock(Instant::now())
    }

    pub fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Later than each real time.
const STILL_QUEUED: u64 = u64::MAX;

/// The phase of one exchange and its times.
pub(super) struct Progress {
    phase: AtomicU8,
    /// How many threads of the application wait for the host. One may read while another writes.
    waiting: AtomicUsize,
    /// When the phase began.
    since: AtomicU64,
    submitted: u64,
    /// When it left the queue, or `STILL_QUEUED`.
    begun: AtomicU64,
}

impl Progress {
    pub(super) fn new(clock: &Clock) -> Self {
        let now = clock.now();
        Progress {
            phase: AtomicU8::new(Phase::Queued as u8),
            waiting: AtomicUsize::new(0),
            since: AtomicU64::new(now),
            submitted: now,
            begun: AtomicU64::new(STILL_QUEUED),
        }
    }

    pub(super) fn is_queued(&self) -> bool {
        self.phase.load(Ordering::Acquire) == Phase::Queued as u8
    }

    /// Takes the exchange out of the queue. Only the first of all callers gets true.
    pub(super) fn leave_queue(&self, to: Phase, clock: &Clock) -> bool {
        let left = self.phase.compare_exchange(
            Phase::Queued as u8,
            to as u8,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if left.is_ok() {
            let now = clock.now();
            self.begun.store(now, Ordering::Relaxed);
            self.since.store(now, Ordering::Relaxed);
        }
        left.is_ok()
    }

    pub(super) fn set(&self, phase: Phase, clock: &Clock) {
        self.since.store(clock.now(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Runs `wait`, which waits for the host. As long as any thread does so, the phase is
    /// [`Phase::Host`].
    pub(super) fn while_waiting<R>(&self, clock: &Clock, wait: impl FnOnce() -> R) -> R {
        self.since.store(clock.now(), Ordering::Relaxed);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let result = wait();
        // The time is set first, so that no thread reads the new phase with the old time.
        self.since.store(clock.now(), Ordering::Relaxed);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        result
    }

    /// The phase and how many milliseconds it has lasted.
    pub(super) fn phase(&self, clock: &Clock) -> (Phase, u64) {
        let phase = match self.phase.load(Ordering::Acquire) {
            0 => Phase::Queued,
            1 if self.waiting.load(Ordering::Acquire) > 0 => Phase::Host,
            1 => Phase::Running,
            2 => Phase::Host,
            _ => Phase::Done,
        };
        (phase, clock.now().saturating_sub(self.since.load(Ordering::Relaxed)))
    }

    /// How many milliseconds have passed since the submit, and how many of them it was queued.
    pub(super) fn times(&self, clock: &Clock) -> (u64, u64) {
        let now = clock.now();
        let begun = self.begun.load(Ordering::Relaxed).min(now);
        (now.saturating_sub(self.submitted), begun.saturating_sub(self.submitted))
    }
}
