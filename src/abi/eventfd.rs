//! A descriptor by which the library wakes a host's loop, for hosts that do not bring their own.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// Readable from a `write` to the `read` that follows it, however many there were.
pub(super) struct EventFd(File);

impl EventFd {
    pub(super) fn new() -> Result<Self> {
        // SAFETY: takes numbers only.
        let number = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if number < 0 {
            let error = io::Error::last_os_error();
            return Err(Error::invalid(format!("WSGI_EVENTFD: there is no eventfd: {error}")));
        }
        // SAFETY: just made, and nobody else knows it.
        Ok(EventFd(unsafe { File::from_raw_fd(number) }))
    }

    pub(super) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// A counter that is full is readable too.
    pub(super) fn write(&self) {
        let _ = (&self.0).write(&1_u64.to_ne_bytes());
    }

    /// Nothing was written: that is an error of no interest.
    pub(super) fn read(&self) {
        let _ = (&self.0).read(&mut [0; 8]);
    }
}
