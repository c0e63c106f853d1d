//! Response bytes that the host owns until it has sent them.

use super::exchange::Exchange;
use super::hub::Hub;
use crate::python::thread::is_forked;
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

/// Blocks that are copied share one buffer of up to this size while the host has not got it: what a
/// host does for each buffer costs more than a small block is worth.
const JOIN_UP_TO: usize = 64 * 1024;

/// What a buffer counts in the credit of its exchange besides its bytes: about the memory that the
/// library and a host need for one, whatever its size. Without it a response of small blocks would
/// hold many times the memory that its bytes stand for.
pub const COST: usize = 320;

/// A non-empty run of response bytes on its way out.
#[derive(Debug)]
pub enum Piece {
    Copied(Vec<u8>),
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
// given back only by a thread that holds the GIL (`Hub::drop_retired`).
unsafe impl Send for Kept {}

impl Piece {
    /// The first `size` bytes of what the application gave; copied if that is cheaper.
    pub fn new(bytes: &Bound<'_, PyBytes>, size: usize) -> Self {
        let data = &bytes.as_bytes()[..size];
        if size < KEEP_FROM {
            return Piece::Copied(data.to_vec());
        }
        Piece::Kept(Kept { object: bytes.clone().unbind(), data: data.as_ptr(), size })
    }
}

/// A [`Piece`] in the host's hands. Its first two fields are `wsgi_buffer` of wsgi.h.
///
/// Dropping it, on any thread, gives its credit back to the exchange; a kept bytes object goes to the
/// hub, to be dropped by a thread that holds the GIL.
#[derive(Debug)]
#[repr(C)]
pub struct Buffer {
    data: *const u8,
    size: usize,
    piece: Option<Piece>,
    credit: Option<Arc<Exchange>>,
    hub: Arc<Hub>,
    /// It counts as one that the host has not got yet.
    undelivered: bool,
}

// SAFETY: `data` points into `piece`, which is Send and which this owns; nothing writes to it.
unsafe impl Send for Buffer {}

impl Buffer {
    /// `credit` is the exchange whose credit it counts in, if any.
    pub fn new(piece: Piece, hub: Arc<Hub>, credit: Option<Arc<Exchange>>) -> Box<Self> {
        let (data, size) = match &piece {
            Piece::Copied(bytes) => (bytes.as_ptr(), bytes.len()),
            Piece::Kept(kept) => (kept.data, kept.size),
        };
        if let Some(exchange) = &credit {
            exchange.credit().reserve(size + COST);
        }
        // Small ones are few: each exchange has its credit.
        let undelivered = credit.is_some() && size >= KEEP_FROM;
        if undelivered {
            hub.undelivered().reserve(size);
        }
        Box::new(Buffer { data, size, piece: Some(piece), credit, hub, undelivered })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` and `join` took both from `piece`, which lives as long as `self` and is
        // changed by `join` alone.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }

    /// Appends `bytes` if both are small. Only while the host has not got the buffer.
    pub fn join(&mut self, bytes: &[u8]) -> bool {
        let Some(Piece::Copied(copied)) = &mut self.piece else { return false };
        if bytes.len() >= KEEP_FROM || copied.len() + bytes.len() > JOIN_UP_TO {
            return false;
        }
        if let Some(exchange) = &self.credit {
            exchange.credit().reserve(bytes.len());
        }
        copied.extend_from_slice(bytes);
        (self.data, self.size) = (copied.as_ptr(), copied.len());
        true
    }

    /// The host gets it now.
    pub fn deliver(&mut self) {
        if is_forked() {
            return;
        }
        if std::mem::take(&mut self.undelivered) {
            self.hub.undelivered().release(self.size);
        }
    }

    /// Gives its credit back before it is released. What was taken is given once.
    pub fn return_credit(&mut self) {
        if let Some(exchange) = self.credit.take() {
            exchange.give_credit(self.size + COST);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.deliver();
        self.return_credit();
        if let Some(Piece::Kept(kept)) = self.piece.take() {
            self.hub.retire(kept.object);
        }
    }
}
