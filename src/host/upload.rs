//! The body of a request as the host pushes it: between the polling thread and the application's.

use super::exchange::Exchange;
use super::polling;
use crate::error::{Error, Result};
use crate::pool::ring::{Destination, End, Ring, Take};
use crate::python::draft::Draft;
use pyo3::Python;
use std::io;
use std::sync::Arc;

/// How many bytes of a pushed body wait for the application, at most, beside those that go right to
/// where it wants them.
const CAPACITY: usize = 256 * 1024;

/// What comes with the bytes of `wsgi_body_push`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    More,
    Last,
    Broken,
}

pub(super) struct Upload(Ring<Draft>);

impl Default for Upload {
    fn default() -> Self {
        Upload(Ring::new(CAPACITY))
    }
}

impl Upload {
    pub(super) fn break_off(&self) -> bool {
        self.0.break_off()
    }
}

impl Destination for Draft {
    fn put(&mut self, bytes: &[u8]) -> usize {
        Draft::put(self, bytes)
    }

    fn is_full(&self) -> bool {
        Draft::is_full(self)
    }
}

impl Exchange {
    /// What there is of the body, at least a byte; 0 at its end. Waits for it without the GIL.
    pub fn read_body(self: &Arc<Self>, py: Python<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(Upload(ring)) = &self.upload else { return Ok(0) };
        loop {
            match ring.take(&mut &mut *buffer) {
                Take::Given(count, end) => return whole(count, end),
                wait => self.wait_for_host(&wait, || py.detach(|| ring.wait())),
            }
        }
    }

    /// Fills `draft` as far as there is body. Waits for that, without the GIL, and is woken once it
    /// is done, however many pushes that takes.
    pub fn fill_from_body(self: &Arc<Self>, py: Python<'_>, draft: Draft) -> io::Result<Draft> {
        let Some(Upload(ring)) = &self.upload else { return Ok(draft) };
        match ring.lend(draft) {
            Take::Given(draft, end) => whole(draft, end),
            wait => {
                let (draft, end) = self.wait_for_host(&wait, || py.detach(|| ring.reclaim()));
                whole(draft, end)
            }
        }
    }

    fn wait_for_host<T, R>(self: &Arc<Self>, take: &Take<T>, wait: impl FnOnce() -> R) -> R {
        polling::assert_not_polling_thread("the body");
        if matches!(take, Take::Ask) {
            self.want_body();
        }
        self.while_waiting(wait)
    }

    /// The request is over: a thread of the application that waits for the body, or will, is told.
    pub fn close_body(&self) {
        if let Some(Upload(ring)) = &self.upload {
            ring.close();
        }
    }

    pub fn push_body(&self, bytes: &[u8], push: Push) -> Result<usize> {
        let Upload(ring) = self
            .upload
            .as_ref()
            .ok_or_else(|| Error::invalid("wsgi_body_push: this request has no pushed body"))?;
        let ended = || Error::invalid("wsgi_body_push: the body has ended already");
        if push == Push::Broken {
            return ring.break_off().then_some(0).ok_or_else(ended);
        }
        let pushed = ring.push(bytes, push == Push::Last).ok_or_else(ended)?;
        if pushed.wants_more {
            // A host may push when it is asked and at no other time.
            if let Some(exchange) = self.outbox().lent(self) {
                exchange.want_body();
            }
        }
        Ok(pushed.taken)
    }
}

fn whole<T>(given: T, end: Option<End>) -> io::Result<T> {
    let (kind, why) = match end {
        None | Some(End::Whole) => return Ok(given),
        Some(End::Broken) => {
            (io::ErrorKind::ConnectionAborted, "the client did not send the whole request body")
        }
        Some(End::Closed) => (io::ErrorKind::Other, "the request has ended meanwhile"),
    };
    Err(io::Error::new(kind, why))
}
