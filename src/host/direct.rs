//! The transport to a blocking host: its callbacks, on the thread that runs the application.

use super::buffer::{Buffer, Piece};
use super::client::Client;
use super::event::{Delivered, Event, Events, Head, Outcome, Steps, Wants, deliver};
use super::outbox::Outbox;
use super::{FileRange, Flow, Gone, HostRequest, Transport};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Collects events and delivers them, without the GIL, at `flush` and `end`.
pub struct Direct {
    outbox: Arc<Outbox>,
    request: HostRequest,
    pending: Events,
    /// Shared with the caller of `wsgi_run`, who wants to know in the end.
    gone: Arc<AtomicBool>,
}

impl Direct {
    pub fn new(outbox: Arc<Outbox>, request: HostRequest, gone: Arc<AtomicBool>) -> Self {
        Direct { outbox, request, pending: Events::with_capacity(3), gone }
    }

    fn deliver(&mut self, py: Python<'_>) {
        let mut events = std::mem::take(&mut self.pending);
        let (host, request) = (self.outbox.host(), self.request);
        let gone = &self.gone;
        let wants = || if gone.load(Ordering::Relaxed) { Wants::Nothing } else { Wants::All };
        let delivered = py.detach(|| deliver(host, request, &mut events, wants, &mut Steps::all()));
        if delivered == Delivered::Gone {
            self.gone.store(true, Ordering::Relaxed);
        }
        // No other thread may come by for what `write` has released.
        self.outbox.drop_retired(py);
    }
}

impl Transport for Direct {
    fn hints(&mut self, hints: Head) {
        self.pending.push_back(Event::Hints(hints));
    }

    fn head(&mut self, head: Head) {
        self.pending.push_back(Event::Head(head));
    }

    fn data(&mut self, block: &Bound<'_, PyBytes>, size: usize) {
        let joins = |event: &mut Event| event.join(&block.as_bytes()[..size]);
        if !self.pending.back_mut().is_some_and(joins) {
            let buffer = Buffer::new(Piece::new(block, size), self.outbox.clone(), None);
            self.pending.push_back(Event::Data(buffer));
        }
    }

    fn takes_files(&self) -> bool {
        self.outbox.host().takes_files()
    }

    fn file(&mut self, file: FileRange) {
        self.pending.push_back(Event::File(file));
    }

    /// The host's `write` waits by itself.
    fn ready(&mut self, _py: Python<'_>) -> Result<(), Gone> {
        if self.gone.load(Ordering::Relaxed) { Err(Gone) } else { Ok(()) }
    }

    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone> {
        self.deliver(py);
        if self.gone.load(Ordering::Relaxed) { Err(Gone) } else { Ok(Flow::GoOn) }
    }

    fn end(&mut self, py: Python<'_>, outcome: Outcome) {
        self.pending.push_back(Event::End(outcome));
        self.deliver(py);
    }

    fn client(&self) -> Client {
        Client::Direct(self.gone.clone())
    }
}
