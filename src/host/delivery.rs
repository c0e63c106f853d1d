//! What an exchange says to its host: events, on their way from the thread that runs the application
//! to the callbacks.

use super::Level;
use super::event::{Deliver, Delivered, Event, Events, Steps, deliver};
use super::exchange::Exchange;
use super::hub::Delivery;
use super::log::Line;
use crate::python::thread::is_forked;
use std::sync::Arc;

#[derive(Default, Debug)]
pub(super) struct Out {
    events: Events,
    /// The hub has this exchange in its list.
    listed: bool,
}

impl Exchange {
    /// Hands `events` over to the polling thread, and leaves `events` empty.
    ///
    /// In a forked child they go nowhere: there is no polling thread, and it may have held the lock at
    /// the fork. Nor are they dropped, since a buffer gives its credit back.
    pub fn publish(self: &Arc<Self>, events: &mut Events) {
        if is_forked() {
            return std::mem::forget(std::mem::take(events));
        }
        let mut out = self.out.lock();
        if self.wants() == Deliver::Nothing {
            drop(out);
            return self.drop_but_lines(events);
        }
        if self.wants() == Deliver::EndOnly {
            events.retain(Event::outlives_client);
        }
        let joined = join_first(&mut out.events, events);
        if out.events.is_empty() {
            std::mem::swap(&mut out.events, events);
        } else {
            out.events.append(events);
        }
        let list = !std::mem::replace(&mut out.listed, true);
        drop(out);
        // Not under the lock: a buffer gives its credit back.
        drop(joined);
        if list {
            self.hub().list(Delivery::Exchange(self.clone()));
        }
    }

    /// Tells the host that body is wanted, once until it has heard it.
    pub(super) fn want_body(self: &Arc<Self>) {
        let told = matches!(self.out.lock().events.back(), Some(Event::WantBody));
        if !told {
            self.publish(&mut Events::from([Event::WantBody]));
        }
    }

    /// A line for the log, in its place between the other events.
    pub(super) fn log(self: &Arc<Self>, level: Level, line: Line) {
        self.publish(&mut Events::from([Event::Log(level, line)]));
    }

    /// The same at once, on the polling thread and outside of callbacks. Lines of other threads that
    /// wait come first.
    pub(super) fn log_now(&self, level: Level, line: &str) {
        let mut out = self.out.lock();
        let logs = out.events.iter().take_while(|event| matches!(event, Event::Log(..))).count();
        let waiting: Vec<_> = out.events.drain(..logs).collect();
        drop(out);
        let about = (self.wants() != Deliver::Nothing).then_some(self.host_request);
        self.hub().polling(|| {
            for (level, line) in waiting.into_iter().filter_map(Event::into_line) {
                self.hub().host().log(about, level, &line);
            }
            self.hub().host().log(about, level, line);
        });
    }

    /// Calls the host's callbacks for what was published, until `steps` are done. True if something
    /// is left: then the hub must keep the exchange in its list. On the polling thread.
    pub(super) fn deliver_some(&self, steps: &mut Steps) -> bool {
        self.deliver(steps);
        let mut out = self.out.lock();
        out.listed = !out.events.is_empty();
        out.listed
    }

    /// The same, from inside of an application that runs on the polling thread. The hub keeps
    /// the exchange in its list, and the caller, who holds the GIL next, drops what was retired.
    pub(super) fn deliver_now(&self) {
        self.hub().polling(|| self.deliver(&mut Steps::all()));
    }

    fn deliver(&self, steps: &mut Steps) {
        let mut events = std::mem::take(&mut self.out.lock().events);
        let host = self.hub().host();
        let delivered = deliver(host, self.host_request, &mut events, || (self.wants(), ()), steps);
        self.put_back(events);
        match delivered {
            Delivered::Open => {}
            Delivered::Finished => self.drop_events(),
            Delivered::Gone => self.cancel(),
        }
    }

    /// Events that were not delivered come before those that were published meanwhile.
    fn put_back(&self, mut events: Events) {
        if events.is_empty() {
            return;
        }
        let mut out = self.out.lock();
        events.append(&mut out.events);
        out.events = events;
    }

    /// From now on only what outlives the client is said.
    pub(super) fn drop_what_ends_with_client(&self) {
        let mut out = self.out.lock();
        if self.wants() == Deliver::All {
            self.set_wants(Deliver::EndOnly);
        }
        let (kept, dropped): (Vec<_>, Vec<_>) =
            std::mem::take(&mut out.events).into_iter().partition(Event::outlives_client);
        out.events = kept.into();
        drop(out);
        // Not under the lock: a buffer gives its credit back.
        drop(dropped);
    }

    /// Nothing is said about the request any more.
    pub(super) fn drop_events(&self) {
        let mut out = self.out.lock();
        self.set_wants(Deliver::Nothing);
        let mut events = std::mem::take(&mut out.events);
        drop(out);
        // Not under the lock: a buffer gives its credit back.
        self.drop_but_lines(&mut events);
        self.hub().forget(self);
    }

    /// What the log is told of a request that is over comes without it.
    fn drop_but_lines(&self, events: &mut Events) {
        for (level, line) in events.drain(..).filter_map(Event::into_line) {
            self.hub().list(Delivery::Log(level, line));
        }
    }
}

/// Moves the bytes of the first of `new` to the last of `waiting`, if both are small blocks that the
/// host has not got yet. What is left of it is for the caller to drop.
fn join_first(waiting: &mut Events, new: &mut Events) -> Option<Event> {
    let (last, Event::Data(first)) = (waiting.back_mut()?, new.front()?) else { return None };
    if last.join(first.bytes()) { new.pop_front() } else { None }
}
