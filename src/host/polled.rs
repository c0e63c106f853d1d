//! The transport to an event-driven host. It goes through the exchange to the thread that polls.

use super::callbacks::{Gone, Outcome};
use super::client::Client;
use super::exchange::Exchange;
use super::hub::Hub;
use super::polling;
use super::progress::Phase;
use super::response::buffer::{Buffer, Piece};
use super::response::event::{Event, Events};
use super::response::file_range::FileRange;
use super::response::head::Head;
use super::transport::{Flow, Transport};
use crate::python::fork::is_forked;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// Collects events and publishes them at `flush` and `end`.
pub struct Polled {
    hub: Arc<Hub>,
    exchange: Arc<Exchange>,
    may_wait: bool,
    pending: Events,
}

impl Polled {
    pub fn new(hub: Arc<Hub>, exchange: Arc<Exchange>) -> Self {
        Polled { hub, exchange, may_wait: true, pending: Events::with_capacity(3) }
    }

    /// For an application on the polling thread itself. That thread must not wait.
    pub fn pausing(hub: Arc<Hub>, exchange: Arc<Exchange>) -> Self {
        Polled { may_wait: false, ..Polled::new(hub, exchange) }
    }
}

impl Polled {
    /// Waits for credit on a helper thread of an application on the polling thread. The polling
    /// thread may wait for the helper while it runs applications, so the helper does not wait then.
    /// Returns false if the host cancelled.
    fn wait_as_helper(&self, py: Python<'_>) -> bool {
        if self.exchange.window().is_over() {
            let (exchange, others) = (&self.exchange, &self.hub.other_threads);
            exchange.while_waiting(|| py.detach(|| others.wait(exchange)));
        }
        !self.exchange.is_cancelled()
    }
}

impl Transport for Polled {
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
        let piece = Piece::new(block, size, self.hub.deferred());
        let buffer = Buffer::new(piece, Some(self.exchange.clone()));
        self.pending.push_back(Event::Data(buffer));
    }

    fn takes_files(&self) -> bool {
        self.hub.host().takes_files()
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
            false => polling::is_here() || self.wait_as_helper(py),
        };
        if goes_on { Ok(()) } else { Err(Gone) }
    }

    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone> {
        self.exchange.publish(&mut self.pending);
        if is_forked() {
            return Err(Gone);
        }
        // An application that never pauses needs the memory of sent blocks for its next one.
        self.hub.deferred().drop_all(py);
        if !self.may_wait {
            // No other thread can "continue transmission even while the application is producing
            // its next block" (PEP 3333, Buffering and Streaming). So the polling thread sends the
            // block now. A helper thread must not call the host. Its blocks are sent by the next
            // poll.
            if polling::is_here() {
                py.detach(|| self.hub.deliver_now(&self.exchange));
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
        // After `publish`: a thread that reads "done" must get the end in its next poll.
        self.exchange.set_phase(Phase::Done);
    }

    fn client(&self) -> Client {
        Client::Exchange(self.exchange.clone())
    }
}
