//! Response bytes that the host owns until it has sent them.

use super::exchange::Exchange;
use super::outbox::Outbox;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smallvec::SmallVec;
use std::sync::Arc;

/// How many of what a small response has, blocks or header fields, need no memory of their own while
/// they are handed over.
pub const FEW: usize = 8;

/// Neighbouring pieces of one response.
pub type Buffers = SmallVec<[Box<Buffer>; FEW]>;

/// From this size on an application's bytes object is kept alive and sent from, not copied.
pub const KEEP_FROM: usize = 16 * 1024;

/// A non-empty run of response bytes on its way out.
#[derive(Debug)]
pub enum Piece {
    Copied(Box<[u8]>),
    Kept(Kept),
}

/// A bytes object that is being sent from.
#[derive(Debug)]
pub struct Kept {
    object: Py<PyBytes>,
    data: *const u8,
    size: usize,
}

// SAFETY: `data` points into `object`, which this owns a reference to. The bytes of a bytes object
// are never moved or changed while it lives, so any thread may read them; the reference itself is
// given back only by a thread that holds the GIL (`Outbox::drop_retired`).
unsafe impl Send for Kept {}

impl Piece {
    /// The first `size` bytes of what the application gave; copied if that is cheaper.
    pub fn new(bytes: &Bound<'_, PyBytes>, size: usize) -> Self {
        let data = &bytes.as_bytes()[..size];
        if size < KEEP_FROM {
            return Piece::Copied(data.into());
        }
        Piece::Kept(Kept { object: bytes.clone().unbind(), data: data.as_ptr(), size })
    }

    pub fn size(&self) -> usize {
        match self {
            Piece::Copied(bytes) => bytes.len(),
            Piece::Kept(kept) => kept.size,
        }
    }
}

/// A [`Piece`] in the host's hands. Its first two fields are `wsgi_buffer` of wsgi.h.
///
/// Dropping it, on any thread, gives its bytes back to the exchange's credit; a kept bytes object
/// goes to the outbox, to be dropped by a thread that holds the GIL.
#[derive(Debug)]
#[repr(C)]
pub struct Buffer {
    data: *const u8,
    size: usize,
    piece: Option<Piece>,
    credit: Option<Arc<Exchange>>,
    outbox: Arc<Outbox>,
}

// SAFETY: `data` points into `piece`, which is Send and which this owns; nothing writes to it.
unsafe impl Send for Buffer {}

impl Buffer {
    /// `credit` is where the bytes count, if anywhere; they have been taken from it already.
    pub fn new(piece: Piece, outbox: Arc<Outbox>, credit: Option<Arc<Exchange>>) -> Box<Self> {
        let (data, size) = match &piece {
            Piece::Copied(bytes) => (bytes.as_ptr(), bytes.len()),
            Piece::Kept(kept) => (kept.data, kept.size),
        };
        Box::new(Buffer { data, size, piece: Some(piece), credit, outbox })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` took both from `piece`, which lives, unchanged, as long as `self`.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(exchange) = &self.credit {
            exchange.give_credit(self.size);
        }
        if let Some(Piece::Kept(kept)) = self.piece.take() {
            self.outbox.retire(kept.object);
        }
    }
}
