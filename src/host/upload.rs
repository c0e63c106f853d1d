//! The body of a request as the host pushes it: between the polling thread and the application's.

use super::exchange::Exchange;
use super::polling;
use crate::error::{Error, Result};
use crate::pool::pipe::{Destination, End, Pipe, Read};
use crate::python::draft::Draft;
use pyo3::Python;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

pub(super) struct Upload {
    pipe: Pipe<Draft>,
    /// How many bytes are to be pushed, if the length is known. Only the polling thread.
    left: Option<AtomicU64>,
    /// The host has said that the rest will not come, or has ended the body too early.
    broken: AtomicBool,
}

impl Upload {
    pub(super) fn new(length: Option<u64>) -> Self {
        Upload {
            pipe: Pipe::new(CAPACITY),
            left: length.map(AtomicU64::new),
            broken: AtomicBool::new(false),
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// The exchange is over.
    pub(super) fn break_off(&self) -> bool {
        self.pipe.break_off()
    }

    /// The rest will not come, and the application is to learn of it. Before the end only.
    fn break_body(&self) {
        self.broken.store(true, Ordering::Release);
        self.pipe.break_off();
    }

    /// That `size` bytes, the last ones or not, go with the length that was stated. If not, the
    /// body is broken: half of it must not be taken for all.
    fn check(&self, size: usize, push: Push) -> Result<()> {
        let Some(left) = &self.left else { return Ok(()) };
        let (size, left) = (size as u64, left.load(Ordering::Relaxed));
        let text = if size > left {
            format!("offers {size} bytes where only {left} are left of content_length")
        } else if push == Push::Last && size < left {
            format!("ends the body {} bytes before its content_length", left - size)
        } else {
            return Ok(());
        };
        self.break_body();
        Err(Error::invalid(format!("wsgi_body_push {text}; the application gets an OSError")))
    }

    fn took(&self, size: usize) {
        if let Some(left) = &self.left {
            left.fetch_sub(size as u64, Ordering::Relaxed);
        }
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
        let Some(Upload { pipe, .. }) = &self.upload else { return Ok(0) };
        loop {
            match pipe.read(&mut &mut *buffer) {
                Read::Done(count, end) => return whole(count, end),
                wait => self.wait_for_host(&wait, || py.detach(|| pipe.wait())),
            }
        }
    }

    /// Fills `draft` as far as there is body. Waits for that, without the GIL, and is woken once it
    /// is done, however many pushes that takes.
    pub fn fill_from_body(self: &Arc<Self>, py: Python<'_>, draft: Draft) -> io::Result<Draft> {
        let Some(Upload { pipe, .. }) = &self.upload else { return Ok(draft) };
        match pipe.read_into(draft) {
            Read::Done(draft, end) => whole(draft, end),
            wait => {
                let (draft, end) = self.wait_for_host(&wait, || py.detach(|| pipe.finish_read()));
                whole(draft, end)
            }
        }
    }

    fn wait_for_host<T, R>(self: &Arc<Self>, take: &Read<T>, wait: impl FnOnce() -> R) -> R {
        polling::assert_not_polling_thread("the body");
        if matches!(take, Read::Ask) {
            self.want_body();
        }
        self.while_waiting(wait)
    }

    /// The request is over: a thread of the application that waits for the body, or will, is told.
    pub fn close_body(&self) {
        if let Some(Upload { pipe, .. }) = &self.upload {
            pipe.close();
        }
    }

    pub fn push_body(&self, bytes: &[u8], push: Push) -> Result<usize> {
        let upload = self
            .upload
            .as_ref()
            .ok_or_else(|| Error::invalid("wsgi_body_push: this request has no pushed body"))?;
        let ended = || Error::invalid("wsgi_body_push: the body has ended already");
        if upload.pipe.is_ended() {
            return Err(ended());
        }
        if push == Push::Broken {
            upload.break_body();
            return Ok(0);
        }
        upload.check(bytes.len(), push)?;
        let pushed = upload.pipe.push(bytes, push == Push::Last).ok_or_else(ended)?;
        upload.took(pushed.taken);
        if pushed.wants_more {
            // A host may push when it is asked and at no other time.
            if let Some(exchange) = self.hub().lent(self) {
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
