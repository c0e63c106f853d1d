//! The body of a request that the host pushes, on its way from the polling thread to the thread of
//! the application.

use super::failures;
use crate::error::{Error, Result};
use crate::host::polling;
use crate::pool::pipe::{Destination, End, Pipe, Read};
use crate::python::bytes_writer::BytesWriter;
use pyo3::Python;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// At most this number of bytes of a pushed body wait for the application. Bytes that go straight
/// into the memory of a reader do not count.
const CAPACITY: usize = 256 * 1024;

/// What comes with the bytes of `wsgi_body_push`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    More,
    Last,
    Broken,
}

/// What an upload needs from its exchange while the application waits for the body.
pub(in crate::host) trait Waiter {
    /// Asks the host to push more.
    fn want_body(&self);
    /// Runs `wait`, which waits for the host.
    fn while_waiting<R>(&self, wait: impl FnOnce() -> R) -> R;
}

pub(in crate::host) struct Upload {
    pipe: Pipe<BytesWriter>,
    /// How many bytes the host has yet to push, if the length is known. Only the polling thread
    /// uses it.
    left: Option<AtomicU64>,
    /// The host reported that the rest will not come, or ended the body too early.
    broken: AtomicBool,
}

impl Upload {
    pub(in crate::host) fn new(length: Option<u64>) -> Self {
        Upload {
            pipe: Pipe::new(CAPACITY),
            left: length.map(AtomicU64::new),
            broken: AtomicBool::new(false),
        }
    }

    pub(in crate::host) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// The exchange is over.
    pub(in crate::host) fn break_off(&self) {
        self.pipe.break_off();
    }

    /// The rest will not come, and the application's reads must fail. Only before the end.
    fn break_body(&self) {
        self.broken.store(true, Ordering::Release);
        self.pipe.break_off();
    }

    /// Ends the application's waits, now and later.
    pub(in crate::host) fn close(&self) {
        self.pipe.close();
    }

    /// Checks `size` more bytes against the length that was stated. If they are too many, or the
    /// last and too few, the body is broken: the application must not take half of it for the
    /// whole.
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

    /// Takes as many of `bytes` as there is room for, and returns their number. Calls `want_body`
    /// if the host must push more at once.
    pub(in crate::host) fn push(
        &self,
        bytes: &[u8],
        push: Push,
        want_body: impl FnOnce(),
    ) -> Result<usize> {
        let ended = || Error::invalid("wsgi_body_push: the body has ended already");
        if self.pipe.is_ended() {
            return Err(ended());
        }
        if push == Push::Broken {
            self.break_body();
            return Ok(0);
        }
        self.check(bytes.len(), push)?;
        let pushed = self.pipe.push(bytes, push == Push::Last).ok_or_else(ended)?;
        if let Some(left) = &self.left {
            left.fetch_sub(pushed.taken as u64, Ordering::Relaxed);
        }
        if pushed.wants_more {
            // A host may push only when it is asked.
            want_body();
        }
        Ok(pushed.taken)
    }

    /// See `PushedBody::read`.
    pub(in crate::host) fn read(
        &self,
        py: Python<'_>,
        buffer: &mut [u8],
        waiter: &impl Waiter,
    ) -> io::Result<usize> {
        loop {
            match self.pipe.read(&mut &mut *buffer) {
                Read::Done(count, end) => return whole(count, end),
                unread => wait(waiter, &unread, || py.detach(|| self.pipe.wait())),
            }
        }
    }

    /// See `PushedBody::fill`. The application's thread is woken only once, when all bytes are
    /// there, after any number of pushes.
    pub(in crate::host) fn fill(
        &self,
        py: Python<'_>,
        writer: BytesWriter,
        waiter: &impl Waiter,
    ) -> io::Result<BytesWriter> {
        match self.pipe.read_into(writer) {
            Read::Done(writer, end) => whole(writer, end),
            unread => {
                let (writer, end) = wait(waiter, &unread, || py.detach(|| self.pipe.finish_read()));
                whole(writer, end)
            }
        }
    }
}

impl Destination for BytesWriter {
    fn put(&mut self, bytes: &[u8]) -> usize {
        BytesWriter::put(self, bytes)
    }

    fn is_full(&self) -> bool {
        BytesWriter::is_full(self)
    }
}

fn wait<T, R>(waiter: &impl Waiter, unread: &Read<T>, wait: impl FnOnce() -> R) -> R {
    polling::assert_not_polling_thread("the body");
    if matches!(unread, Read::Ask) {
        waiter.want_body();
    }
    waiter.while_waiting(wait)
}

fn whole<T>(read: T, end: Option<End>) -> io::Result<T> {
    match end {
        None | Some(End::Whole) => Ok(read),
        Some(End::Broken) => Err(failures::incomplete()),
        Some(End::Closed) => Err(failures::closed()),
    }
}
