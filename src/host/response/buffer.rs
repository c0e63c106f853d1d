//! Response bytes that the host owns until it has sent them.

use super::deferred::DeferredDrops;
use crate::python::fork::is_forked;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;

/// To hand over up to this number of blocks or header fields, no memory is allocated.
pub const FEW: usize = 8;

/// Neighbouring pieces of one response.
pub type Buffers = SmallVec<[Box<Buffer>; FEW]>;

/// A bytes object of at least this size is not copied: it is kept alive, and the host sends from
/// it.
pub const KEEP_FROM: usize = 16 * 1024;

/// Copied blocks share a buffer of up to this size until the host gets it, since each buffer costs
/// the host more work than a small block does.
const JOIN_UP_TO: usize = 64 * 1024;

/// What a buffer counts in addition to its bytes. It is about the memory that the library and a
/// host need for a buffer of any size. Without it a response of small blocks could hold many times
/// the memory that its window allows.
pub const COST: usize = 320;

/// Counts the bytes of the buffers of one response. Any thread may call it. It never waits.
pub trait Account: fmt::Debug + Send + Sync {
    /// `bytes` are about to be handed over.
    fn reserve(&self, bytes: usize);
    /// The host has sent `bytes`, or has stopped counting them.
    fn release(&self, bytes: usize);
    /// `bytes` of a large piece wait for the polling thread.
    fn reserve_undelivered(&self, bytes: usize);
    /// The polling thread has them.
    fn release_undelivered(&self, bytes: usize);
}

/// A non-empty run of response bytes on its way out.
#[derive(Debug)]
pub enum Piece {
    Copied(Vec<u8>),
    Kept(Kept),
}

/// A bytes object that the host sends from.
#[derive(Debug)]
pub struct Kept {
    /// None once it was given to `deferred`.
    object: Option<Py<PyBytes>>,
    data: *const u8,
    size: usize,
    deferred: Arc<DeferredDrops>,
}

// SAFETY: `data` points into `object`, which this owns a reference to. The bytes of a bytes object
// are never moved or changed while it lives, so any thread may read them; a thread that holds the
// GIL gives the reference back (`DeferredDrops::drop_all`).
unsafe impl Send for Kept {}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            self.deferred.defer_drop(object);
        }
    }
}

impl Piece {
    /// The first `size` bytes of a block of the application. They are copied if that is cheaper.
    pub fn new(bytes: &Bound<'_, PyBytes>, size: usize, deferred: &Arc<DeferredDrops>) -> Self {
        let data = &bytes.as_bytes()[..size];
        if size < KEEP_FROM {
            return Piece::Copied(data.to_vec());
        }
        let object = Some(bytes.clone().unbind());
        Piece::Kept(Kept { object, data: data.as_ptr(), size, deferred: deferred.clone() })
    }
}

/// A [`Piece`] that the host gets. Its first two fields are `wsgi_buffer` of wsgi.h.
///
/// When it is dropped, on any thread, it releases what it counts.
#[derive(Debug)]
#[repr(C)]
pub struct Buffer {
    data: *const u8,
    size: usize,
    piece: Piece,
    /// The account that counts it. None once it was released there.
    account: Option<Arc<dyn Account>>,
    /// Whether its bytes count as undelivered.
    undelivered: bool,
}

// SAFETY: `data` points into `piece`, which is Send and which this owns; no method but `join`,
// which borrows the buffer exclusively, writes to it.
unsafe impl Send for Buffer {}

impl Buffer {
    pub fn new(piece: Piece, account: Option<Arc<dyn Account>>) -> Box<Self> {
        let (data, size) = match &piece {
            Piece::Copied(bytes) => (bytes.as_ptr(), bytes.len()),
            Piece::Kept(kept) => (kept.data, kept.size),
        };
        // Small blocks do not count as undelivered: the window of their response limits them
        // enough.
        let undelivered = account.is_some() && size >= KEEP_FROM;
        if let Some(account) = &account {
            account.reserve(size + COST);
            if undelivered {
                account.reserve_undelivered(size);
            }
        }
        Box::new(Buffer { data, size, piece, account, undelivered })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` and `join` took both from `piece`, which lives as long as `self` and which
        // only `join` changes.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }

    /// Appends `bytes` if both are small. Only before the host gets the buffer.
    pub fn join(&mut self, bytes: &[u8]) -> bool {
        let Piece::Copied(copied) = &mut self.piece else { return false };
        if bytes.len() >= KEEP_FROM || copied.len() + bytes.len() > JOIN_UP_TO {
            return false;
        }
        if let Some(account) = &self.account {
            account.reserve(bytes.len());
        }
        copied.extend_from_slice(bytes);
        (self.data, self.size) = (copied.as_ptr(), copied.len());
        true
    }

    /// Notes that the host gets the buffer now.
    pub fn deliver(&mut self) {
        if is_forked() {
            return;
        }
        if std::mem::take(&mut self.undelivered) {
            if let Some(account) = &self.account {
                account.release_undelivered(self.size);
            }
        }
    }

    /// Releases what the buffer counts. At the latest its drop does so. A second call does nothing.
    pub fn return_credit(&mut self) {
        if let Some(account) = self.account.take() {
            account.release(self.size + COST);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.deliver();
        self.return_credit();
    }
}
