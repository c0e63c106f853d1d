//! Copies a `wsgi_request` into a request of the library's own.

use super::pointers::Given;
use super::request::{
    WSGI_BODY_FILE, WSGI_BODY_MEMORY, WSGI_BODY_NONE, WSGI_BODY_PUSH, WSGI_BODY_READ, wsgi_request,
    wsgi_str,
};
use super::sound_request;
use crate::error::{Error, Result};
use crate::host::request::body::Body;
use crate::host::request::{Arrival, Field, Request, with_request_strings};
use std::fs::File;
use std::os::fd::BorrowedFd;

/// Which half of the interface gets the request: not every kind of body goes with both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Event,
    Blocking,
}

pub(super) fn read(request: Given<'_, wsgi_request>, half: Half) -> Result<Box<Request>> {
    let from = request.structure("wsgi_request")?;
    // SAFETY: what is promised about a request covers what its members point to.
    let (headers, params, parts) =
        unsafe { (Given::new(from.headers), Given::new(from.params), Given::new(from.body_parts)) };
    let headers = headers.array(from.headers_count, "headers")?;
    let params = params.array(from.params_count, "params")?;
    let fields = fields(from);
    // A size that has no bytes is refused before memory is allocated: there may not be that much.
    let mut size = 0;
    for &(_, value, name) in &fields {
        size += size_of_text(value, name)?;
    }
    for (pairs, name) in [(headers, "headers"), (params, "params")] {
        for pair in pairs {
            size += size_of_text(pair.name, name)? + size_of_text(pair.value, name)?;
        }
    }
    // SAFETY: the promise about a request covers each of its strings. Only those are read with
    // this, after `size_of_text` has accepted them.
    let text = |value: wsgi_str| unsafe { text(value) };
    // In a box: it changes hands a few times on its way to a thread, and is not small.
    let mut to = Box::new(Request::with_capacity(size, headers.len(), params.len()));
    for &(field, value, _) in &fields {
        to.set(field, text(value));
    }
    for pair in headers {
        to.add_header(text(pair.name), text(pair.value));
    }
    for pair in params {
        to.add_param(text(pair.name), text(pair.value));
    }
    to.content_length = u64::try_from(from.content_length).ok();
    to.early_hints = from.early_hints == 1;
    sound_request::check(from, &to)?;
    sound_request::complete(&mut to);
    if from.buffer_size != 0 {
        to.buffer_size = from.buffer_size;
    }
    (to.body, to.arrival) = match from.body_kind {
        WSGI_BODY_MEMORY => {
            let mut size = 0;
            let parts = parts.array(from.body_parts_count, "body_parts")?;
            for &part in parts {
                size += size_of_text(part, "body_parts")?;
            }
            sound_request::check_length(from, size as u64)?;
            let mut bytes = Vec::with_capacity(size);
            parts.iter().for_each(|&part| bytes.extend_from_slice(text(part)));
            (Body::Memory { bytes: bytes.into(), position: 0 }, Arrival::Whole)
        }
        _ => body(from, half)?,
    };
    Ok(to)
}

macro_rules! read_fields {
    ($($field:ident $member:ident,)*) => {
        /// Each string of a request with the name of its member.
        fn fields(from: &wsgi_request) -> [(Field, wsgi_str, &'static str); Field::COUNT] {
            [$((Field::$field, from.$member, stringify!($member))),*]
        }
    };
}
with_request_strings!(read_fields);

/// How many bytes a string of the member `name` has. It must have bytes if it has a size.
#[inline]
fn size_of_text(value: wsgi_str, name: &str) -> Result<usize> {
    if value.data.is_null() && value.size != 0 {
        return Err(no_bytes(value.size, name));
    }
    Ok(value.size)
}

#[cold]
fn no_bytes(size: usize, name: &str) -> Error {
    Error::invalid(format!("wsgi_request: `{name}` is NULL but has a size of {size}"))
}

/// # Safety
/// `size_of_text` accepts `value`, whose bytes are borrowed for `'a`.
#[inline]
unsafe fn text<'a>(value: wsgi_str) -> &'a [u8] {
    if value.size == 0 {
        return &[];
    }
    // SAFETY: by this function's contract not NULL, and this number of bytes.
    unsafe { std::slice::from_raw_parts(value.data, value.size) }
}

/// A body that is not in memory, as far as it is there, and how the rest comes.
fn body(from: &wsgi_request, half: Half) -> Result<(Body, Arrival)> {
    match (from.body_kind, half) {
        (WSGI_BODY_NONE, _) => {
            sound_request::check_length(from, 0)?;
            Ok((Body::Empty, Arrival::Whole))
        }
        (WSGI_BODY_FILE, _) => {
            if from.body_fd < 0 {
                return Err(Error::invalid("wsgi_request: `body_fd` is not a file"));
            }
            // SAFETY: not -1, and only duplicated here; wsgi.h promises an open file, borrowed for
            // the call.
            let fd = unsafe { BorrowedFd::borrow_raw(from.body_fd) };
            let owned = fd.try_clone_to_owned().map_err(|error| {
                Error::invalid(format!("wsgi_request: `body_fd` cannot be duplicated: {error}"))
            })?;
            let file = File::from(owned);
            sound_request::check_file(from, &file)?;
            let (offset, left) = (from.body_offset, from.body_length);
            Ok((Body::File { file, offset, left }, Arrival::Whole))
        }
        (WSGI_BODY_PUSH, Half::Event) => Ok((Body::Empty, Arrival::Pushed)),
        (WSGI_BODY_READ, Half::Blocking) => Ok((Body::Empty, Arrival::Pulled)),
        (WSGI_BODY_PUSH, Half::Blocking) => {
            Err(Error::invalid("WSGI_BODY_PUSH goes with wsgi_submit, not with wsgi_run"))
        }
        (WSGI_BODY_READ, Half::Event) => {
            Err(Error::invalid("WSGI_BODY_READ goes with wsgi_run, not with wsgi_submit"))
        }
        (kind, _) => {
            Err(Error::invalid(format!("wsgi_request: no kind of body has the number {kind}")))
        }
    }
}
