//! A descriptor by which the library wakes a host's loop, for hosts that do not bring their own.

use crate::error::{Error, Result};
use nix::sys::eventfd::{self, EfdFlags};
use std::io;
use std::os::fd::{AsRawFd, RawFd};

/// Readable from a `write` until the next `read`, however many writes there were.
pub(super) struct EventFd(eventfd::EventFd);

impl EventFd {
    pub(super) fn new() -> Result<Self> {
        let made = eventfd::EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC);
        made.map(EventFd).map_err(|number| {
            let error = io::Error::from(number);
            Error::invalid(format!("WSGI_EVENTFD: the system gives no eventfd: {error}"))
        })
    }

    pub(super) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// A counter that is full is readable too, so its failure is of no interest.
    pub(super) fn write(&self) {
        let _ = self.0.write(1);
    }

    /// It fails if nothing was written, which is of no interest.
    pub(super) fn read(&self) {
        let _ = self.0.read();
    }
}
