//! A descriptor by which the library wakes a host's loop, for hosts that do not bring their own.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// Readable from a `write` until the next `read`, however many writes there were.
pub(super) struct EventFd(File);

impl EventFd {
    pub(super) fn new() -> Result<Self> {
        // SAFETY: eventfd() takes numbers only, and the descriptor that it makes has no other
        // owner.
        let file = unsafe {
            let number = libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
            (number >= 0).then(|| File::from_raw_fd(number))
        };
        file.map(EventFd).ok_or_else(|| {
            let error = io::Error::last_os_error();
            Error::invalid(format!("WSGI_EVENTFD: the system gives no eventfd: {error}"))
        })
    }

    pub(super) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// A counter that is full is readable too, so its failure is of no interest.
    pub(super) fn write(&self) {
        let _ = (&self.0).write(&1_u64.to_ne_bytes());
    }

    /// It fails if nothing was written, which is of no interest.
    pub(super) fn read(&self) {
        let _ = (&self.0).read(&mut [0; 8]);
    }
}
