//! The transport to a blocking host: it calls the callbacks on the thread that runs the
//! application.

use super::callbacks::{Gone, Outcome};
use super::client::Client;
use super::hub::Hub;
use super::response::buffer::{Buffer, Piece};
use super::response::event::{Deliver, Delivered, Event, Events, Steps, deliver};
use super::response::file_range::FileRange;
use super::response::head::Head;
use super::run::Run;
use super::transport::{Flow, Transport};
use crate::python::fork::is_forked;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// Collects events and delivers them, without the GIL, at `flush` and `end`.
pub struct Direct {
    hub: Arc<Hub>,
    pending: Events,
    run: Arc<Run>,
}

impl Direct {
    pub fn new(hub: Arc<Hub>, run: Arc<Run>) -> Self {
        Direct { hub, pending: Events::with_capacity(3), run }
    }

    fn deliver(&mut self, py: Python<'_>) {
        let mut events = std::mem::take(&mut self.pending);
        if is_forked() {
            // The client is the parent's.
            return std::mem::forget(events);
        }
        let (host, run) = (self.hub.host(), &self.run);
        let wanted = || {
            let calling = run.call();
            (if calling.is_some() { Deliver::All } else { Deliver::Nothing }, calling)
        };
        let request = run.request();
        let delivered =
            py.detach(|| deliver(&**host, request, &mut events, wanted, &mut Steps::all()));
        if delivered == Delivered::Gone {
            self.run.leave();
        }
        // There may be no other thread that drops the objects of released buffers.
        self.hub.deferred().drop_all(py);
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
            let buffer = Buffer::new(Piece::new(block, size, self.hub.deferred()), None);
            self.pending.push_back(Event::Data(buffer));
        }
    }

    fn takes_files(&self) -> bool {
        self.hub.host().takes_files()
    }

    fn file(&mut self, file: FileRange) {
        self.pending.push_back(Event::File(file));
    }

    /// Does not wait, since the host's `write` does.
    fn ready(&mut self, _py: Python<'_>) -> Result<(), Gone> {
        if is_forked() || self.run.is_gone() { Err(Gone) } else { Ok(()) }
    }

    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone> {
        self.deliver(py);
        if self.run.is_gone() { Err(Gone) } else { Ok(Flow::GoOn) }
    }

    fn end(&mut self, py: Python<'_>, outcome: Outcome) {
        self.pending.push_back(Event::End(outcome));
        self.deliver(py);
    }

    fn client(&self) -> Client {
        Client::Direct(self.run.clone())
    }
}
