//! Counts and replaces threads that are late, up to a limit.
//!
//! The thread `wsgi-watch` never takes the GIL, so it notices that a time is over even if no thread
//! gets the GIL. To log the stacks of late threads needs the GIL, so [`super::inspector`] does
//! that. The watch checks how long the inspector waits.

use super::alarm::Alarm;
use super::inspector::{Inspection, Inspector};
use super::pool::Pool;
use super::threads::{Late, Lateness, PoolThread};
use super::unfetched::Unfetched;
use super::worker;
use crate::host::Level;
use crate::host::exchange::Exchange;
use crate::host::hub::Delivery;
use crate::host::progress::Phase;
use crate::pool::sync::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The deadline of an exchange that the host gives up: see `wsgi_cancel_watched`.
pub struct Deadline {
    /// The name of the request in log lines.
    pub about: String,
    /// How long the application may take to come back.
    pub late_after: Duration,
    /// If the application takes longer, an exception is raised in it.
    pub interrupt: bool,
}

#[derive(Default)]
pub(super) struct Watch {
    pub(super) inspector: Inspector,
    pub(super) alarm: Alarm,
    /// The host has been notified that too many threads are stuck.
    reported: AtomicBool,
}

impl Watch {
    /// See `wsgi_cancel_watched`. Only on the polling thread.
    pub(super) fn cancel(&self, pool: &Pool, exchange: &Exchange, deadline: Deadline) {
        let about: Arc<str> = deadline.about.into();
        let now = Instant::now();
        let late = Late {
            about: about.clone(),
            due: now.checked_add(deadline.late_after).unwrap_or(now),
            interrupt: deadline.interrupt,
            lateness: Lateness::Expected,
        };
        // This comes before the cancel, since the cancel may drop the exchange.
        let watched = pool.threads.expect(exchange, &late);
        let was_queued = exchange.phase().0 == Phase::Queued;
        exchange.cancel();
        if watched {
            self.alarm.ring();
        } else if was_queued && deadline.late_after.is_zero() && pool.size > 0 {
            self.inspector.ask(Inspection::Busy { about });
        }
    }

    /// Counts and replaces the threads that have become late. Returns when the next check must be.
    fn look_for_late(&self, pool: &'static Pool, now: Instant) -> Option<Instant> {
        let mut next = None;
        for thread in pool.threads.all() {
            let due = thread.with_late(|exchange, late| {
                if late.lateness != Lateness::Expected {
                    return None;
                }
                if late.due > now {
                    return Some(late.due);
                }
                self.count(pool, &thread, late);
                let (thread, exchange) = (thread.clone(), exchange.clone());
                let (about, interrupt) = (late.about.clone(), late.interrupt);
                self.inspector.ask(Inspection::Late { thread, exchange, about, interrupt });
                None
            });
            next = next.into_iter().chain(due.flatten()).min();
        }
        next
    }

    /// Counts a thread as stuck, and replaces it. The caller holds the thread's mutex, so that the
    /// thread cannot come back in between.
    fn count(&self, pool: &'static Pool, thread: &PoolThread, late: &mut Late) {
        late.lateness = Lateness::Stuck;
        let stuck = pool.threads.count_stuck();
        let max = pool.max_stuck;
        if max == 0 {
            return;
        }
        // The first thread above `max` is still replaced, so that a full pool answers the requests
        // that were accepted.
        let what = if stuck > max + 1 {
            String::from("it is not replaced")
        } else {
            match worker::spawn_one(pool) {
                Ok(name) => {
                    late.lateness = Lateness::Replaced;
                    format!("{name} takes its place")
                }
                Err(error) => format!("it cannot be replaced: {error}"),
            }
        };
        let text = format!(
            "WSGI0007 the thread {} is stuck in {}; with it {stuck} are, of at most {max}; {what}",
            thread.name, late.about
        );
        pool.hub.log(None, Level::Warn, &text);
        if stuck > max && !self.reported.swap(true, Ordering::AcqRel) {
            pool.hub.deliver(Delivery::Exhausted(stuck));
        }
    }
}

/// The work of the thread `wsgi-watch` until the process ends.
pub(super) fn watch(pool: &'static Pool, watch: &Watch) {
    let mut unfetched = Unfetched::default();
    loop {
        let now = Instant::now();
        let late = watch.look_for_late(pool, now);
        let inspector = watch.inspector.look(&pool.hub, now);
        // After a stop a host may stop fetching news.
        let news = match pool.check_running() {
            Ok(()) => unfetched.look(&pool.hub, now),
            Err(_) => None,
        };
        watch.alarm.sleep(late.into_iter().chain(inspector).chain(news).min());
    }
}
