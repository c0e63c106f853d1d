//! Lets a thread sleep until a time, or until another thread wakes it.

use crate::pool::sync::{Condvar, Mutex};
use std::time::Instant;

#[derive(Default)]
pub(super) struct Alarm {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Alarm {
    /// Wakes the thread that sleeps. If none does, the next sleep ends at once.
    pub(super) fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_all();
    }

    pub(super) fn sleep(&self, until: Option<Instant>) {
        let mut rung = self.rung.lock();
        while !*rung {
            match until {
                None => self.changed.wait(&mut rung),
                Some(until) if self.changed.wait_until(&mut rung, until).timed_out() => break,
                Some(_) => {}
            }
        }
        *rung = false;
    }
}
