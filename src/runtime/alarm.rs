//! A thread that sleeps until a time, or until another thread has something for it.

use crate::pool::sync::{Condvar, Mutex};
use std::time::Instant;

#[derive(Default)]
pub(super) struct Alarm {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Alarm {
    /// Wakes the thread that sleeps, or the next one that is about to.
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
