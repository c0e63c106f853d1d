//! The callbacks of a host, which wsgi.h describes.

use super::response::buffer::Buffers;
use super::response::file_range::FileRange;
use super::response::head::Head;
use std::any::Any;
use std::ffi::c_void;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

/// The host's own pointer for a request. The library passes it to the callbacks and never reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRequest(pub *mut c_void);

// SAFETY: the library never dereferences the pointer; it only carries it to the callbacks, and
// which thread may call those is decided by `Exchange` (the polling thread) and `Direct` (the
// thread of `wsgi_run`).
unsafe impl Send for HostRequest {}
// SAFETY: threads that share a `HostRequest` share a number, since no method dereferences it.
unsafe impl Sync for HostRequest {}

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// The client is gone, so nothing more can be sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Complete,
    /// Nothing was sent. The answer is 500.
    Failed,
    /// Nothing was sent. The answer is 503, with this number of seconds in Retry-After.
    Unavailable {
        retry_after: u32,
    },
    /// What was sent is not the whole response.
    Truncated,
}

/// The callbacks of a host. The optional ones have defaults.
pub trait Host: Send + Sync {
    /// Whether `wsgi_poll` calls the callbacks, and not the thread that runs the application.
    fn is_event_driven(&self) -> bool;
    fn start(&self, request: HostRequest, head: &Head) -> Result<(), Gone>;
    /// The host owns `buffers` from now on, and releases each of them at some time.
    fn write(&self, request: HostRequest, buffers: Buffers, last: bool) -> Result<(), Gone>;
    fn finish(&self, request: HostRequest, outcome: Outcome);
    fn log(&self, request: Option<HostRequest>, level: Level, line: &str);

    fn has_early_hints(&self) -> bool {
        false
    }

    /// `hints` has only fields.
    fn early_hints(&self, _request: HostRequest, _hints: &Head) -> Result<(), Gone> {
        Err(Gone)
    }

    fn takes_files(&self) -> bool {
        false
    }

    fn send_file(&self, _request: HostRequest, _file: FileRange, _last: bool) -> Result<(), Gone> {
        Err(Gone)
    }

    fn has_want_body(&self) -> bool {
        false
    }

    fn want_body(&self, _request: HostRequest) -> Result<(), Gone> {
        Err(Gone)
    }

    fn has_read(&self) -> bool {
        false
    }

    /// Returns 0 at the end of the body. An error of the kind `ConnectionAborted` means that the
    /// rest of the body will not come. `BrokenPipe` means that the client is gone.
    fn read(&self, _request: HostRequest, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the host has no callback for the body"))
    }

    fn notify(&self) {}

    /// The polling thread is about to take everything that `notify` was called for. This reads the
    /// library's own descriptor, if there is one.
    fn clear_notification(&self) {}

    /// The polling thread must poll again. This makes the library's own descriptor readable, if
    /// there is one.
    fn request_poll(&self) {}

    /// The library's own descriptor, if the host waits for it.
    fn descriptor(&self) -> Option<RawFd> {
        None
    }

    fn exhausted(&self, _stuck: usize) {}

    /// The host has a pointer to this exchange from now on.
    fn lends(&self, _exchange: *const ()) {}

    /// The host must not use that pointer any more. `kept` is the reference that kept the exchange
    /// alive for the host.
    fn takes_back(
        &self,
        _exchange: *const (),
        _cancelled: bool,
        _kept: Option<Arc<dyn Any + Send + Sync>>,
    ) {
    }
}
