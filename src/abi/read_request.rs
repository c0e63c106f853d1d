//! Copies a `wsgi_request` into a request of our own.

use super::request::{
    WSGI_BODY_FILE, WSGI_BODY_MEMORY, WSGI_BODY_NONE, WSGI_BODY_PUSH, WSGI_BODY_READ, wsgi_request,
    wsgi_str,
};
use super::{guard, sound_request};
use crate::error::{Error, Result};
use crate::host::body::Body;
use crate::host::request::{Field, Request};
use std::fs::File;
use std::os::fd::BorrowedFd;

/// Which half of the interface is asking: not every kind of body goes with both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Event,
    Blocking,
}

/// # Safety
/// `request` is NULL or what wsgi.h says of a `wsgi_request`, borrowed for the call.
pub(super) unsafe fn read(request: *const wsgi_request, half: Half) -> Result<Box<Request>> {
    // SAFETY: the caller's promise.
    let from = unsafe { guard::structure(request, "wsgi_request") }?;
    // SAFETY: wsgi.h: so many headers and params, borrowed for the call.
    let (headers, params) = unsafe {
        (
            guard::array(from.headers, from.headers_count, "headers")?,
            guard::array(from.params, from.params_count, "params")?,
        )
    };
    let fields = fields(from);
    // A size that has no bytes is refused before memory is asked for: there may not be so much.
    let mut size = 0;
    for &(_, value, name) in &fields {
        size += size_of_text(value, name)?;
    }
    for (pairs, name) in [(headers, "headers"), (params, "params")] {
        for pair in pairs {
            size += size_of_text(pair.name, name)? + size_of_text(pair.value, name)?;
        }
    }
    // In a box: it changes hands a few times on its way to a thread, and is not small.
    let mut to = Box::new(Request::with_capacity(size, headers.len(), params.len()));
    for &(field, value, _) in &fields {
        // SAFETY: wsgi.h: every string of a request is borrowed for the call; its size was looked at.
        to.set(field, unsafe { text(value) });
    }
    for pair in headers {
        // SAFETY: as for the fields.
        unsafe { to.add_header(text(pair.name), text(pair.value)) };
    }
    for pair in params {
        // SAFETY: as for the fields.
        unsafe { to.add_param(text(pair.name), text(pair.value)) };
    }
    to.content_length = u64::try_from(from.content_length).ok();
    to.early_hints = from.early_hints == 1;
    sound_request::check(from, &to)?;
    sound_request::complete(&mut to);
    if from.buffer_size != 0 {
        to.buffer_size = from.buffer_size;
    }
    // SAFETY: the caller's promise covers the body too.
    to.body = unsafe { body(from, half) }?;
    Ok(to)
}

fn fields(from: &wsgi_request) -> [(Field, wsgi_str, &'static str); 16] {
    [
        (Field::Method, from.method, "method"),
        (Field::ScriptName, from.script_name, "script_name"),
        (Field::PathInfo, from.path_info, "path_info"),
        (Field::QueryString, from.query_string, "query_string"),
        (Field::RequestUri, from.request_uri, "request_uri"),
        (Field::Protocol, from.protocol, "protocol"),
        (Field::Scheme, from.scheme, "scheme"),
        (Field::ServerName, from.server_name, "server_name"),
        (Field::ServerPort, from.server_port, "server_port"),
        (Field::ServerAddr, from.server_addr, "server_addr"),
        (Field::RemoteAddr, from.remote_addr, "remote_addr"),
        (Field::RemotePort, from.remote_port, "remote_port"),
        (Field::DocumentRoot, from.document_root, "document_root"),
        (Field::RemoteUser, from.remote_user, "remote_user"),
        (Field::AuthType, from.auth_type, "auth_type"),
        (Field::RequestId, from.request_id, "request_id"),
    ]
}

/// How many bytes a string of the member `name` has, which must have bytes if it has a size.
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
/// `size_of_text` is content with `value`, whose bytes are borrowed for `'a`.
#[inline]
unsafe fn text<'a>(value: wsgi_str) -> &'a [u8] {
    if value.size == 0 {
        return &[];
    }
    // SAFETY: the caller's promise: not NULL, and so many bytes.
    unsafe { std::slice::from_raw_parts(value.data, value.size) }
}

/// # Safety
/// The fields that go with `body_kind` are what wsgi.h says.
unsafe fn body(from: &wsgi_request, half: Half) -> Result<Body> {
    match (from.body_kind, half) {
        (WSGI_BODY_NONE, _) => {
            sound_request::check_length(from, 0)?;
            Ok(Body::Empty)
        }
        (WSGI_BODY_MEMORY, _) => {
            // SAFETY: the caller's promise.
            let parts =
                unsafe { guard::array(from.body_parts, from.body_parts_count, "body_parts") }?;
            let mut size = 0;
            for &part in parts {
                size += size_of_text(part, "body_parts")?;
            }
            let mut bytes = Vec::with_capacity(size);
            for &part in parts {
                // SAFETY: wsgi.h: each part is borrowed for the call; its size was looked at.
                bytes.extend_from_slice(unsafe { text(part) });
            }
            sound_request::check_length(from, bytes.len() as u64)?;
            Ok(Body::Memory { bytes: bytes.into(), position: 0 })
        }
        (WSGI_BODY_FILE, _) => {
            if from.body_fd < 0 {
                return Err(Error::invalid("wsgi_request: `body_fd` is not a file"));
            }
            // SAFETY: not -1; wsgi.h: an open file, borrowed for the call.
            let fd = unsafe { BorrowedFd::borrow_raw(from.body_fd) };
            let owned = fd.try_clone_to_owned().map_err(|error| {
                Error::invalid(format!("wsgi_request: `body_fd` cannot be duplicated: {error}"))
            })?;
            let file = File::from(owned);
            sound_request::check_file(from, &file)?;
            Ok(Body::File { file, offset: from.body_offset, left: from.body_length })
        }
        (WSGI_BODY_PUSH, Half::Event) => Ok(Body::Pushed(None)),
        (WSGI_BODY_READ, Half::Blocking) => Ok(Body::Pulled(None)),
        (WSGI_BODY_PUSH, Half::Blocking) => {
            Err(Error::invalid("WSGI_BODY_PUSH goes with wsgi_submit, not with wsgi_run"))
        }
        (WSGI_BODY_READ, Half::Event) => {
            Err(Error::invalid("WSGI_BODY_READ goes with wsgi_run, not with wsgi_submit"))
        }
        (kind, _) => Err(Error::invalid(format!("wsgi_request: body_kind {kind} is not one"))),
    }
}
