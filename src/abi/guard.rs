//! What stands between C and the library: no panic crosses into C, and no pointer of C is followed
//! without the promise that wsgi.h has C make about it.
//!
//! Every entry point that can fail runs inside [`entry`] or [`call`]. It first states, in its one
//! `unsafe` block, what wsgi.h promises about each pointer: that makes it a `Given`, which is read,
//! or an `Out`, which is written. The rest of the entry point is safe code. A process that was
//! forked from the one with the runtime gets an error.

use super::handles;
use super::misuse;
use super::pointers::Out;
use super::status::{wsgi_error, wsgi_status};
use crate::error::{Error, Result};
use crate::host::HostRequest;
use crate::python;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of the entry point `name`.
pub(super) fn entry<T>(name: &'static str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    if python::fork::is_forked() {
        return Err(Error::Forked);
    }
    let _called = misuse::called(name);
    // What a panic leaves half-done sits behind mutexes that do not poison; each holds its
    // invariants at every step, so going on is sound.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Panic(what.unwrap_or_else(|| "a panic without a message".into())))
    })
}

/// The same, for one that returns a status. The sentence of a failure goes to `error`.
pub(super) fn call(
    name: &'static str,
    error: Out<'_, *mut wsgi_error>,
    body: impl FnOnce() -> Result<()>,
) -> wsgi_status {
    match entry(name, body) {
        Ok(()) => wsgi_status::WSGI_OK,
        Err(failure) => {
            let failure = wsgi_error::new(&failure);
            let status = failure.status();
            if !error.is_null() {
                error.set(handles::owned_out(Box::new(failure)));
            }
            status
        }
    }
}

pub(super) fn host_pointer(pointer: *mut c_void) -> Result<HostRequest> {
    if pointer.is_null() {
        return Err(Error::invalid("`host_request` is NULL; the callbacks would get it"));
    }
    Ok(HostRequest(pointer))
}
