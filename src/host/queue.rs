//! The transport to an event-driven host: through the exchange to the thread that polls.

use super::buffer::{Buffer, Piece};
use super::client::Client;
use super::event::{Event, Events, Head, Outcome};
use super::exchange::{Exchange, Phase};
use super::{FileRange, Flow, Gone, Transport, polling};
use crate::python::thread::is_forked;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// Collects events and publishes them at `flush` and `end`.
pub struct Queue {
    exchange: Arc<Exchange>,
    may_wait: bool,
    pending: Events,
}

impl Queue {
    pub fn new(exchange: Arc<Exchange>) -> Self {
        Queue { exchange, may_wait: true, pending: Events::with_capacity(3) }
    }

    /// For an application that runs on the polling thread itself: it must not wait there.
    pub fn pausing(exchange: Arc<Exchange>) -> Self {
        Queue { may_wait: false, ..Queue::new(exchange) }
    }
}

impl Transport for Queue {
    fn hints(&mut self, hints: Head) {
        self.pending.push_back(Event::Hints(hints));
    }

    fn head(&mut self, head: Head) {
        self.pending.push_back(Event::Head(head));
    }

    fn data(&mut self, block: &Bound<'_, PyBytes>, size: usize) {
        let joins = |event: &mut Event| event.join(&block.as_bytes()[..size]);
        if self.pending.back_mut().is_some_and(joins) {
            return;
        }
        let hub = self.exchange.hub().clone();
        let buffer = Buffer::new(Piece::new(block, size), hub, Some(self.exchange.clone()));
        self.pending.push_back(Event::Data(buffer));
    }

    fn takes_files(&self) -> bool {
        self.exchange.hub().host().takes_files()
    }

    fn file(&mut self, file: FileRange) {
        self.pending.push_back(Event::File(file));
    }

    fn ready(&mut self, py: Python<'_>) -> Result<(), Gone> {
        if is_forked() {
            return Err(Gone);
        }
        let goes_on = match self.may_wait {
            true => self.exchange.wait_for_credit(py),
            false => polling::is_here() || self.exchange.wait_as_helper(py),
        };
        if goes_on { Ok(()) } else { Err(Gone) }
    }

    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone> {
        self.exchange.publish(&mut self.pending);
        if is_forked() {
            return Err(Gone);
        }
        // An application that never pauses is to have its memory back for its next block.
        self.exchange.hub().drop_retired(py);
        if !self.may_wait {
            // Nobody else is there to "continue transmission even while the application is
            // producing its next block" (PEP 3333, Buffering and Streaming).
            // A helper thread of the application cannot call the host; the polling thread, which
            // runs the application, will.
            if polling::is_here() {
                py.detach(|| self.exchange.deliver_now());
            }
            if self.exchange.pause_if_over() {
                return Ok(Flow::Pause);
            }
        }
        self.exchange.set_phase(Phase::Running);
        if self.exchange.is_cancelled() {
            Err(Gone)
        } else if !self.may_wait && polling::is_turn_over() {
            Ok(Flow::Pause)
        } else {
            Ok(Flow::GoOn)
        }
    }

    fn end(&mut self, _py: Python<'_>, outcome: Outcome) {
        self.pending.push_back(Event::End(outcome));
        self.exchange.publish(&mut self.pending);
        // Not before: who reads "done" must find the end in the next poll.
        self.exchange.set_phase(Phase::Done);
    }

    fn client(&self) -> Client {
        Client::Exchange(self.exchange.clone())
    }
}
