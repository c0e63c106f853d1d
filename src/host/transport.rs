//! The seam between the two kinds of host: where a response goes.

use super::callbacks::{Gone, Outcome};
use super::client::Client;
use super::response::file_range::FileRange;
use super::response::head::Head;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Whether the producer of a response may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    GoOn,
    /// The host has enough for now. Only from a transport whose thread must not wait.
    Pause,
}

/// Where one response goes. One thread at a time uses it.
///
/// What is given is on its way after `flush` or `end`, not before: pieces that are known together
/// travel together. The order is any number of `hints`, `head`, any number of `data` and `file`,
/// `end`. `wsgi::response` keeps that order.
pub trait Transport: Send {
    /// The fields of an informational response, 103 (Early Hints).
    fn hints(&mut self, hints: Head);
    fn head(&mut self, head: Head);
    /// The first `size` bytes of `block`; `size` is not 0.
    fn data(&mut self, block: &Bound<'_, PyBytes>, size: usize);
    fn takes_files(&self) -> bool;
    fn file(&mut self, file: FileRange);
    /// Waits, without the GIL, until the host holds no more than its share. It is called before a
    /// block is given, not after, so that the last block of a response costs no wait. Does nothing
    /// where the thread must not wait.
    fn ready(&mut self, py: Python<'_>) -> Result<(), Gone>;
    /// Sends what was given. Where the thread must not wait, says whether the host has enough.
    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone>;
    /// Sends what was given and how the response ended; never waits for the client.
    fn end(&mut self, py: Python<'_>, outcome: Outcome);
    fn client(&self) -> Client;
}
