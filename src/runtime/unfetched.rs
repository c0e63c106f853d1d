//! Notifies the host again of news that it does not fetch: see `host::news`.

use crate::host::hub::Hub;
use std::time::{Duration, Instant};

/// How long news may wait. The time doubles after each notification without an effect.
const PATIENCE: Duration = Duration::from_millis(25);
const MOST_PATIENCE: Duration = Duration::from_secs(5);

/// After this time without news the watch stops its checks until there are some.
const QUIET: Duration = Duration::from_secs(1);

/// News that wait.
struct Waiting {
    /// How often the host had polled.
    polls: usize,
    notified: Instant,
    patience: Duration,
}

/// What the watch keeps from one check to the next.
#[derive(Default)]
pub(super) struct Unfetched {
    waiting: Option<Waiting>,
    quiet: Option<Instant>,
}

impl Unfetched {
    /// Checks, and returns when the next check must be, if there must be one.
    pub(super) fn look(&mut self, hub: &Hub, now: Instant) -> Option<Instant> {
        if !hub.is_watched() {
            return None;
        }
        match hub.unfetched() {
            Some(polls) => self.wait(hub, polls, now),
            None => {
                self.waiting = None;
                if *self.quiet.get_or_insert(now) + QUIET <= now {
                    self.quiet = None;
                    hub.unwatch();
                    return hub.is_watched().then_some(now);
                }
            }
        }
        Some(now + PATIENCE)
    }

    fn wait(&mut self, hub: &Hub, polls: usize, now: Instant) {
        self.quiet = None;
        match &mut self.waiting {
            Some(waiting) if waiting.polls == polls => {
                if waiting.notified + waiting.patience <= now {
                    hub.host().notify();
                    waiting.notified = now;
                    waiting.patience = (waiting.patience * 2).min(MOST_PATIENCE);
                }
            }
            _ => self.waiting = Some(Waiting { polls, notified: now, patience: PATIENCE }),
        }
    }
}
