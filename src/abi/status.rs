//! What calls return, and the sentence that goes with a failure.

use super::handles::{Handle, release};
use super::misuse::{self, Kind};
use super::pointers::Given;
use super::request::wsgi_str;
use crate::error::Error;
use crate::python::lines;
use std::ffi::{CStr, c_char, c_int};

/// The result of a call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wsgi_status {
    /// Done.
    WSGI_OK = 0,
    /// `max_queue` requests already wait for a thread: answer 503.
    WSGI_BUSY = 1,
    /// The runtime was stopped: answer 503.
    WSGI_STOPPING = 2,
    /// The application could not be imported, or not in time: answer 503.
    WSGI_UNAVAILABLE = 3,
    /// The call broke a rule of this header, or a setting is wrong. The error says which.
    WSGI_INVALID = 4,
    /// The host was compiled with a wsgi.h of another `WSGI_ABI_VERSION`.
    WSGI_WRONG_VERSION = 5,
    /// The process was forked from the one that started the runtime. Only that one can use the
    /// runtime.
    WSGI_FORKED = 6,
    /// Python could not be started. The error says why.
    WSGI_PYTHON = 7,
    /// A callback returned that the client is gone, or the host cancelled the request. The request
    /// is over; send nothing more to its client.
    WSGI_GONE = 8,
    /// A bug of the library. The process and other requests go on.
    WSGI_PANIC = 9,
}

/// Why a call failed: a status and a sentence.
///
/// **Owned**: its holder calls `wsgi_error_release`. It may outlive everything that it mentions. It
/// never changes, so any number of threads may read it.
pub struct wsgi_error {
    status: wsgi_status,
    message: String,
    retry_after: u32,
}

impl Handle for wsgi_error {
    type Inner = wsgi_error;
    const KIND: Kind = Kind::Error;
}

impl wsgi_error {
    pub(super) fn new(error: &Error) -> Self {
        // It goes to a log, and may quote what an application or a client has made up.
        let message = lines::escape(&error.to_string()).into_owned();
        wsgi_error { status: status_of(error), message, retry_after: error.retry_after() }
    }

    pub(super) fn status(&self) -> wsgi_status {
        self.status
    }
}

/// The name of a status, such as `WSGI_BUSY`, or `WSGI_?` for a number that is not a status. A
/// NUL-terminated string, **lent until the process ends**. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn wsgi_status_name(status: c_int) -> *const c_char {
    let known = STATUSES.iter().find(|(value, _)| *value as c_int == status);
    known.map_or(c"WSGI_?", |(_, name)| name).as_ptr()
}

const STATUSES: [(wsgi_status, &CStr); 10] = [
    (wsgi_status::WSGI_OK, c"WSGI_OK"),
    (wsgi_status::WSGI_BUSY, c"WSGI_BUSY"),
    (wsgi_status::WSGI_STOPPING, c"WSGI_STOPPING"),
    (wsgi_status::WSGI_UNAVAILABLE, c"WSGI_UNAVAILABLE"),
    (wsgi_status::WSGI_INVALID, c"WSGI_INVALID"),
    (wsgi_status::WSGI_WRONG_VERSION, c"WSGI_WRONG_VERSION"),
    (wsgi_status::WSGI_FORKED, c"WSGI_FORKED"),
    (wsgi_status::WSGI_PYTHON, c"WSGI_PYTHON"),
    (wsgi_status::WSGI_GONE, c"WSGI_GONE"),
    (wsgi_status::WSGI_PANIC, c"WSGI_PANIC"),
];

/// The status that came with `error`, or `WSGI_INVALID` for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_error_status(error: *const wsgi_error) -> wsgi_status {
    let _called = misuse::called("wsgi_error_status");
    // SAFETY: wsgi.h: `error` is NULL or valid until `wsgi_error_release`.
    let error = unsafe { Given::new(error) }.handle();
    error.map_or(wsgi_status::WSGI_INVALID, |error| error.status)
}

/// What went wrong, as a sentence in UTF-8 for the log; empty for NULL. **Lent until**
/// `wsgi_error_release`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_error_message(error: *const wsgi_error) -> wsgi_str {
    let _called = misuse::called("wsgi_error_message");
    // SAFETY: wsgi.h: `error` is NULL, or valid until the `wsgi_error_release` that also ends the
    // time of the message.
    match unsafe { Given::new(error) }.handle() {
        Ok(error) => wsgi_str { data: error.message.as_ptr(), size: error.message.len() },
        Err(_) => wsgi_str { data: std::ptr::null(), size: 0 },
    }
}

/// For an answer 503: the number of seconds for the header field `Retry-After`, after which the
/// client may try again. At least 1 for `WSGI_BUSY`, `WSGI_STOPPING`, `WSGI_UNAVAILABLE` and
/// `WSGI_PYTHON`; 0 for every other status, and for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_error_retry_after(error: *const wsgi_error) -> u32 {
    let _called = misuse::called("wsgi_error_retry_after");
    // SAFETY: wsgi.h: `error` is NULL or was not released; only a number is copied from it.
    unsafe { Given::new(error) }.handle().map_or(0, |error| error.retry_after)
}

/// Releases an **owned** error. NULL is allowed and does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_error_release(error: *mut wsgi_error) {
    let _called = misuse::called("wsgi_error_release");
    // SAFETY: wsgi.h: the owner of an error releases it, once.
    unsafe { release(error) };
}

fn status_of(error: &Error) -> wsgi_status {
    match error {
        Error::Busy { .. } => wsgi_status::WSGI_BUSY,
        Error::Stopping => wsgi_status::WSGI_STOPPING,
        Error::Unavailable { .. } => wsgi_status::WSGI_UNAVAILABLE,
        Error::Invalid(_) => wsgi_status::WSGI_INVALID,
        Error::WrongVersion { .. } => wsgi_status::WSGI_WRONG_VERSION,
        Error::Forked => wsgi_status::WSGI_FORKED,
        Error::Python(_) => wsgi_status::WSGI_PYTHON,
        Error::Gone => wsgi_status::WSGI_GONE,
        Error::Panic(_) => wsgi_status::WSGI_PANIC,
    }
}
