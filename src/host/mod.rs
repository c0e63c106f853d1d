//! The safe face of what a host lends: its callbacks, its requests, and the two ways in which a
//! response travels to it.
//!
//! A [`Host`] is the table of callbacks, made safe by `abi::host_table`. A response is a sequence of
//! [`event::Event`]s. An event-driven host gets them through an [`exchange::Exchange`], which the
//! polling thread empties ([`hub::Hub`]); a blocking host gets them on the thread that runs
//! the application ([`direct::Direct`]). To the layer above both are one trait, [`Transport`].

pub mod arena;
pub mod body;
pub mod buffer;
pub mod client;
pub mod current;
mod delivery;
pub mod direct;
pub mod event;
pub mod exchange;
pub mod hub;
pub mod live;
pub mod log;
pub mod news;
mod other_threads;
pub mod polling;
pub mod pull;
pub mod queue;
pub mod request;
pub mod run;
pub mod upload;

#[cfg(test)]
mod tests;

use buffer::Buffers;
use client::Client;
use event::{Head, Outcome};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::c_void;
use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

/// The host's own pointer for a request. The library hands it back and never reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRequest(pub *mut c_void);

// SAFETY: the library never dereferences the pointer; it only carries it to the callbacks, and
// which thread may call those is decided by `Exchange` (the polling thread) and `Direct` (the
// thread of `wsgi_run`).
unsafe impl Send for HostRequest {}
// SAFETY: as above; shared or not, it is only a number to us.
unsafe impl Sync for HostRequest {}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// The client is gone: nothing that is said about its request is of use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Whether the producer of a response may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    GoOn,
    /// The host has enough for now. Only of transports whose thread must not wait.
    Pause,
}

/// What a host offers, as wsgi.h describes its callbacks.
pub trait Host: Send + Sync {
    /// Only if `has_early_hints`. `hints` has fields and nothing else.
    fn early_hints(&self, request: HostRequest, hints: &Head) -> Result<(), Gone>;
    fn start(&self, request: HostRequest, head: &Head) -> Result<(), Gone>;
    /// The host owns `buffers` then, or they were released.
    fn write(&self, request: HostRequest, buffers: Buffers, last: bool) -> Result<(), Gone>;
    fn takes_files(&self) -> bool;
    fn send_file(&self, request: HostRequest, file: FileRange, last: bool) -> Result<(), Gone>;
    fn finish(&self, request: HostRequest, outcome: Outcome);
    fn want_body(&self, request: HostRequest) -> Result<(), Gone>;
    /// 0 at the end of the body; an error of the kind `ConnectionAborted` if it cannot be had
    /// whole, or `BrokenPipe` if its client is gone.
    fn read(&self, request: HostRequest, buffer: &mut [u8]) -> std::io::Result<usize>;
    fn log(&self, request: Option<HostRequest>, level: Level, line: &str);
    fn notify(&self);
    /// The polling thread is about to take what `notify` has spoken of: a descriptor of the library's
    /// own is read.
    fn hear(&self) {}
    /// The polling thread has more to do than it has done, or will have: a descriptor of the library's
    /// own says so.
    fn owe_poll(&self) {}
    /// The descriptor of the library's own, if the host waits at one.
    fn descriptor(&self) -> Option<RawFd> {
        None
    }
    fn exhausted(&self, stuck: usize);
    /// Whether `wsgi_poll` delivers, rather than the thread that has something to say.
    fn is_event_driven(&self) -> bool;
    /// Whether there is an `early_hints`.
    fn has_early_hints(&self) -> bool;
    /// Whether there is a `want_body`.
    fn has_want_body(&self) -> bool;
    /// Whether there is a `read`.
    fn has_read(&self) -> bool;
}

/// A part of a regular file: at least one byte.
#[derive(Debug)]
pub struct FileRange {
    pub file: OwnedFd,
    pub offset: u64,
    pub length: u64,
}

impl FileRange {
    /// All of the file behind `fd` from `offset` on; None if it is not a regular file or nothing is
    /// left of it. The file is duplicated, so `fd` may be closed at once.
    pub fn rest_of(fd: RawFd, offset: u64) -> Option<Self> {
        if fd < 0 {
            return None;
        }
        // SAFETY: not -1, and only duplicated here; if nothing is open there, that fails.
        let file = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().ok()?;
        let file = File::from(file);
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let length = metadata.len().checked_sub(offset).filter(|&length| length > 0)?;
        Some(FileRange { file: file.into(), offset, length })
    }
}

/// Where one response goes. Used on the one thread that runs the application.
///
/// What is given is on its way after `flush` or `end`, not before: pieces that are known together
/// travel together. The order is any number of `hints`, `head`, any number of `data` and `file`, `end`;
/// `wsgi::response` keeps it.
pub trait Transport: Send {
    /// The fields of an informational response, 103 (Early Hints).
    fn hints(&mut self, hints: Head);
    fn head(&mut self, head: Head);
    /// The first `size` bytes of `block`; not 0.
    fn data(&mut self, block: &Bound<'_, PyBytes>, size: usize);
    fn takes_files(&self) -> bool;
    fn file(&mut self, file: FileRange);
    /// Waits, without the GIL, until the host holds no more than its share. For a block that is about
    /// to be given, and not after it: so the last block of a response costs no wait. Does nothing
    /// where the thread must not wait.
    fn ready(&mut self, py: Python<'_>) -> Result<(), Gone>;
    /// Sends what was given. Where the thread must not wait it says whether the host has enough.
    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone>;
    /// Sends what was given and how it ended; never waits for the client.
    fn end(&mut self, py: Python<'_>, outcome: Outcome);
    fn client(&self) -> Client;
}
