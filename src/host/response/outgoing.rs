//! The events of one exchange between the thread that publishes them and the one that polls.

use super::event::{Deliver, Event, Events};
use crate::host::callbacks::Level;
use crate::host::line::Line;
use crate::pool::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

pub(in crate::host) struct Outgoing {
    waiting: Mutex<Waiting>,
    /// A [`Deliver`]. It changes under the lock of `waiting`, so that no event is added in between.
    deliver: AtomicU8,
}

#[derive(Default)]
struct Waiting {
    events: Events,
    /// The hub has the exchange in its mailbox.
    posted: bool,
}

/// The result of adding events.
pub(in crate::host) enum Added {
    /// They wait, and the exchange must be posted.
    Post,
    /// They wait, and the exchange is in the mailbox already.
    Waits,
    /// The host gets nothing any more. The caller still has the events.
    Refused,
}

impl Outgoing {
    pub(in crate::host) fn new() -> Self {
        let deliver = AtomicU8::new(Deliver::All as u8);
        Outgoing { waiting: Mutex::default(), deliver }
    }

    pub(in crate::host) fn deliver(&self) -> Deliver {
        match self.deliver.load(Ordering::Acquire) {
            0 => Deliver::All,
            1 => Deliver::EndOnly,
            _ => Deliver::Nothing,
        }
    }

    /// Under the lock of `waiting`.
    fn set_deliver(&self, deliver: Deliver) {
        self.deliver.store(deliver as u8, Ordering::Release);
    }

    /// Takes all of `events`, unless it refuses them.
    pub(in crate::host) fn add(&self, events: &mut Events) -> Added {
        let mut waiting = self.waiting.lock();
        match self.deliver() {
            Deliver::Nothing => return Added::Refused,
            Deliver::EndOnly => events.retain(Event::outlives_client),
            Deliver::All => {}
        }
        let joined = join_first(&mut waiting.events, events);
        if waiting.events.is_empty() {
            std::mem::swap(&mut waiting.events, events);
        } else {
            waiting.events.append(events);
        }
        let posted = std::mem::replace(&mut waiting.posted, true);
        drop(waiting);
        // After the unlock, since a buffer releases its credit.
        drop(joined);
        if posted { Added::Waits } else { Added::Post }
    }

    /// Whether the last event that waits is a [`Event::WantBody`].
    pub(in crate::host) fn wants_body(&self) -> bool {
        matches!(self.waiting.lock().events.back(), Some(Event::WantBody))
    }

    /// Takes the log lines that come before all other events.
    pub(in crate::host) fn take_first_lines(&self) -> Vec<(Level, Line)> {
        let mut waiting = self.waiting.lock();
        let is_line = |event: &&Event| matches!(event, Event::Log(..));
        let lines = waiting.events.iter().take_while(is_line).count();
        waiting.events.drain(..lines).filter_map(Event::into_line).collect()
    }

    /// Takes everything, to deliver it.
    pub(in crate::host) fn take(&self) -> Events {
        std::mem::take(&mut self.waiting.lock().events)
    }

    /// Puts events that were not delivered before those that were added meanwhile.
    pub(in crate::host) fn put_back(&self, mut events: Events) {
        if events.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock();
        events.append(&mut waiting.events);
        waiting.events = events;
    }

    /// A turn of the polling thread is over. Returns true if events wait, so that the exchange must
    /// stay in the mailbox.
    pub(in crate::host) fn stays_posted(&self) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.posted = !waiting.events.is_empty();
        waiting.posted
    }

    /// From now on the host gets only events that outlive the client.
    pub(in crate::host) fn drop_what_ends_with_client(&self) {
        let mut waiting = self.waiting.lock();
        if self.deliver() == Deliver::All {
            self.set_deliver(Deliver::EndOnly);
        }
        let (kept, dropped): (Vec<_>, Vec<_>) =
            std::mem::take(&mut waiting.events).into_iter().partition(Event::outlives_client);
        waiting.events = kept.into();
        drop(waiting);
        // After the unlock, since a buffer releases its credit.
        drop(dropped);
    }

    /// From now on the host gets nothing. The caller gets the events that waited.
    pub(in crate::host) fn close(&self) -> Events {
        let mut waiting = self.waiting.lock();
        self.set_deliver(Deliver::Nothing);
        std::mem::take(&mut waiting.events)
    }
}

/// Appends the bytes of the first of `new` to the last of `waiting`, if both are small blocks. The
/// caller must drop the event that is returned.
fn join_first(waiting: &mut Events, new: &mut Events) -> Option<Event> {
    let (last, Event::Data(first)) = (waiting.back_mut()?, new.front()?) else { return None };
    if last.join(first.bytes()) { new.pop_front() } else { None }
}
