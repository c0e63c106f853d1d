//! The transport to an event-driven host: through the exchange to the thread that polls.

use super::buffer::{Buffer, Piece};
use super::event::{Event, Head, Outcome};
use super::exchange::{Exchange, Phase};
use super::{FileRange, Gone, Transport};
use pyo3::Python;
use std::sync::Arc;

/// Collects events and publishes them at `flush` and `end`.
pub struct Queue {
    exchange: Arc<Exchange>,
    pending: Vec<Event>,
}

impl Queue {
    pub fn new(exchange: Arc<Exchange>) -> Self {
        Queue { exchange, pending: Vec::with_capacity(3) }
    }
}

impl Transport for Queue {
    fn head(&mut self, head: Head) {
        self.pending.push(Event::Head(head));
    }

    fn data(&mut self, piece: Piece) {
        self.exchange.credit().take(piece.size());
        let outbox = self.exchange.outbox().clone();
        let buffer = Buffer::new(piece, outbox, Some(self.exchange.clone()));
        self.pending.push(Event::Data(buffer));
    }

    fn takes_files(&self) -> bool {
        self.exchange.outbox().host().takes_files()
    }

    fn file(&mut self, file: FileRange) {
        self.pending.push(Event::File(file));
    }

    fn flush(&mut self, py: Python<'_>) -> Result<(), Gone> {
        self.exchange.publish(&mut self.pending);
        if self.exchange.wait_for_credit(py) { Ok(()) } else { Err(Gone) }
    }

    fn end(&mut self, _py: Python<'_>, outcome: Outcome) {
        self.pending.push(Event::End(outcome));
        self.exchange.publish(&mut self.pending);
        // Not before: who reads "done" must find the end in the next poll.
        self.exchange.set_phase(Phase::Done);
    }

    fn is_gone(&self) -> bool {
        self.exchange.credit().is_ended()
    }
}
