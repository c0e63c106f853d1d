//! The interface by which the layer above sends a response. Each kind of host has its own
//! transport.

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
    /// The host has enough for now. Only a transport whose thread must not wait returns this.
    Pause,
}

/// The way of one response to the host. One thread at a time uses it.
///
/// `flush` and `end` send what was given before, so that the host gets pieces together that are
/// known together. The order is any number of `hints`, `head`, any number of `data` and `file`,
/// `end`. `wsgi::response` keeps that order.
pub trait Transport: Send {
    /// The fields of an informational response, 103 (Early Hints).
    fn hints(&mut self, hints: Head);
    fn head(&mut self, head: Head);
    /// The first `size` bytes of `block`; `size` is not 0.
    fn data(&mut self, block: &Bound<'_, PyBytes>, size: usize);
    fn takes_files(&self) -> bool;
    fn file(&mut self, file: FileRange);
    /// Waits, without the GIL, until the host can take more of this response. The caller calls it
    /// before each block and not after it, so that the last block of a response costs no wait. Does
    /// nothing if the thread must not wait.
    fn ready(&mut self, py: Python<'_>) -> Result<(), Gone>;
    /// Sends what was given. If the thread must not wait, returns whether the host has enough.
    fn flush(&mut self, py: Python<'_>) -> Result<Flow, Gone>;
    /// Sends what was given, and how the response ended. Never waits for the client.
    fn end(&mut self, py: Python<'_>, outcome: Outcome);
    fn client(&self) -> Client;
}
