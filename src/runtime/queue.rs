//! What waits for Python: requests that the host has submitted, and those among them that it has
//! cancelled since.

use super::Runtime;
use super::worker::Job;
use crate::host::hub::Delivery;
use std::time::Duration;

impl Runtime {
    pub(super) fn hand_over(&self, job: Job) {
        match &self.bunch {
            Some(bunch) => {
                bunch.lock().push_back(job);
                self.hub.host().owe_poll();
            }
            // Refused only after a stop, which has cancelled the exchange.
            None => drop(self.handoff.push(job)),
        }
    }

    /// From Python's main thread, which cannot count on a poll to come.
    pub(super) fn hand_over_now(&self, job: Job) {
        if self.is_inline() {
            self.hand_over(job);
            self.hub.list(Delivery::Wake);
        } else {
            // Refused only after a stop, which has cancelled the exchange.
            drop(self.handoff.push(job));
        }
    }

    /// Applications that run here have `limit`; what is left of the bunch waits for the next poll.
    pub(super) fn hand_over_bunch(&self, limit: Option<Duration>) {
        let Some(bunch) = &self.bunch else { return };
        if self.is_inline() {
            self.run_inline(bunch, limit);
            return;
        }
        let mut jobs = std::mem::take(&mut *bunch.lock());
        if !jobs.is_empty() {
            self.handoff.push_all(&mut jobs);
        }
    }

    /// Drops the requests that were cancelled while they waited, if there are more of them than of
    /// the others: a client that begins and resets requests would make the queue grow without a
    /// bound. So a request pays for a constant number of steps, however many are cancelled.
    pub(super) fn sweep(&self) {
        if !self.hub.has_many_cancelled() {
            return;
        }
        let waits = |job: &Job| job.exchange.is_queued();
        let mut swept = self.handoff.retain(waits).len();
        if let Some(bunch) = &self.bunch {
            let mut jobs = bunch.lock();
            let before = jobs.len();
            jobs.retain(waits);
            swept += before - jobs.len();
        }
        let apps: Vec<_> = self.apps.lock().values().cloned().collect();
        swept += apps.iter().map(|app| app.sweep()).sum::<usize>();
        self.hub.forget_cancelled(swept);
    }
}
