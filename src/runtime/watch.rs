//! What is done about threads that are late: they are counted and replaced, up to a bound.
//!
//! The thread `wsgi-watch` never takes the GIL, so it tells the time even if nobody gets that. What
//! needs the GIL, the stacks of the late, is left to [`super::inspector`], whom it watches too.

use super::Runtime;
use super::inspector::{Inspector, Report};
use super::seats::{Late, Seat, Seats, State};
use super::unheard::Unheard;
use super::worker;
use crate::host::Level;
use crate::host::exchange::{Exchange, Phase};
use crate::host::hub::Delivery;
use crate::pool::sync::{AtomicBool, AtomicUsize, Condvar, Mutex, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How the host gives up an exchange: see `wsgi_abandon`.
pub struct Abandon {
    /// What log lines call the request.
    pub about: String,
    /// The application may take so long to come back.
    pub late_after: Duration,
    /// An exception is raised in it if it does not.
    pub interrupt: bool,
}

#[derive(Default)]
pub(super) struct Watch {
    pub(super) seats: Seats,
    pub(super) inspector: Inspector,
    /// Threads that are late.
    stuck: AtomicUsize,
    /// The host has been told that there are too many.
    told: AtomicBool,
    /// Something may be due earlier than was known.
    changed: Mutex<bool>,
    wake: Condvar,
}

impl Watch {
    pub(super) fn stuck(&self) -> usize {
        self.stuck.load(Ordering::Acquire)
    }

    pub(super) fn look(&self) {
        *self.changed.lock() = true;
        self.wake.notify_all();
    }

    fn sleep(&self, until: Option<Instant>) {
        let mut changed = self.changed.lock();
        while !*changed {
            match until {
                None => self.wake.wait(&mut changed),
                Some(until) if self.wake.wait_until(&mut changed, until).timed_out() => break,
                Some(_) => {}
            }
        }
        *changed = false;
    }
}

impl Runtime {
    /// The one of this process, if it was started.
    pub fn current() -> Option<&'static Self> {
        super::RUNTIME.get()
    }

    /// See `wsgi_abandon`. On the polling thread.
    pub fn abandon(&self, exchange: &Exchange, how: Abandon) {
        let about: Arc<str> = how.about.into();
        let now = Instant::now();
        let late = Late {
            about: about.clone(),
            due: now.checked_add(how.late_after).unwrap_or(now),
            interrupt: how.interrupt,
            state: State::Expected,
        };
        // Before the cancel, after which the pointer may be dangling.
        let watched = self.watch.seats.expect(exchange, &late);
        let was_queued = exchange.phase().0 == Phase::Queued;
        exchange.cancel();
        if watched {
            self.watch.look();
        } else if was_queued && how.late_after.is_zero() && self.threads > 0 {
            self.watch.inspector.ask(Report::Busy { about });
        }
    }

    /// Counts and replaces who has become late; says when to look again.
    fn look_for_late(&'static self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for seat in self.watch.seats.all() {
            let due = seat.with_late(|exchange, late| {
                if late.state != State::Expected {
                    return None;
                }
                if late.due > now {
                    return Some(late.due);
                }
                self.count(&seat, late);
                let (seat, exchange) = (seat.clone(), exchange.clone());
                let (about, interrupt) = (late.about.clone(), late.interrupt);
                self.watch.inspector.ask(Report::Late { seat, exchange, about, interrupt });
                None
            });
            next = next.into_iter().chain(due.flatten()).min();
        }
        next
    }

    /// Under the mutex of the seat, so that the thread cannot come back between the decision and
    /// what follows from it.
    fn count(&'static self, seat: &Seat, late: &mut Late) {
        late.state = State::Stuck;
        let stuck = self.watch.stuck.fetch_add(1, Ordering::AcqRel) + 1;
        let max = self.max_stuck;
        if max == 0 {
            return;
        }
        // The one that is too many has a successor still: what this process has taken in is to be
        // answered by a whole pool.
        let what = if stuck > max + 1 {
            String::from("it is not replaced")
        } else {
            match worker::spawn_one(self) {
                Ok(name) => {
                    late.state = State::Replaced;
                    format!("{name} takes its place")
                }
                Err(error) => format!("it cannot be replaced: {error}"),
            }
        };
        let text = format!(
            "WSGI0007 the thread {} is stuck in {}; with it {stuck} are, of at most {max}; {what}",
            seat.name, late.about
        );
        self.hub.log(None, Level::Warn, &text);
        if stuck > max && !self.watch.told.swap(true, Ordering::AcqRel) {
            self.hub.list(Delivery::Exhausted(stuck));
        }
    }

    /// A thread has come back from an application that was watched. True: its place is taken.
    pub(super) fn came_back(&self, seat: &Seat, late: &Late) -> bool {
        if late.state == State::Expected {
            return false;
        }
        self.watch.stuck.fetch_sub(1, Ordering::AcqRel);
        let text = format!(
            "WSGI0008 the thread {} has come back from {}, {} ms too late",
            seat.name,
            late.about,
            late.due.elapsed().as_millis()
        );
        self.hub.log(None, Level::Warn, &text);
        late.state == State::Replaced
    }
}

/// What the thread `wsgi-watch` does, for ever.
pub(super) fn watch(runtime: &'static Runtime) {
    let mut unheard = Unheard::default();
    loop {
        let now = Instant::now();
        let late = runtime.look_for_late(now);
        let inspector = runtime.watch.inspector.look(runtime, now);
        // After a stop a host need not fetch anything.
        let news = match runtime.check_running() {
            Ok(()) => unheard.look(&runtime.hub, now),
            Err(_) => None,
        };
        runtime.watch.sleep(late.into_iter().chain(inspector).chain(news).min());
    }
}
