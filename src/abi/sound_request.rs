//! What the members of a `wsgi_request` must have, what they must not have, and their defaults.

use super::request::wsgi_request;
use crate::error::{Error, Result};
use crate::host::request::{Field, Request};
use std::fs::File;

/// Keys of `environ` whose values are objects of the library. No string can replace them.
const LENT: [&[u8]; 4] =
    [b"wsgi.input", b"wsgi.errors", b"wsgi.early_hints", b"libwsgi.client_disconnected"];

/// Checks everything but the body. `to` has the strings of `from`.
pub(super) fn check(from: &wsgi_request, to: &Request) -> Result<()> {
    if to.get(Field::Method).is_empty() {
        return invalid("`method` is empty; PEP 3333 does not allow an empty REQUEST_METHOD");
    }
    if let [.., last] = to.get(Field::ScriptName) {
        if !to.get(Field::ScriptName).starts_with(b"/") || *last == b'/' {
            return invalid(
                "`script_name` must be empty, or begin with a slash and not end with one",
            );
        }
    }
    if !to.get(Field::AuthType).is_empty() && to.get(Field::RemoteUser).is_empty() {
        return invalid(
            "`auth_type` is set, but `remote_user`, without which it has no meaning, is empty",
        );
    }
    if from.content_length < -1 {
        return invalid(format!(
            "`content_length` is {}; it must be a number of bytes, or -1 if that is not known",
            from.content_length
        ));
    }
    if !(0..=1).contains(&from.early_hints) {
        return invalid(format!("`early_hints` is {}; it must be 0 or 1", from.early_hints));
    }
    for (name, _) in to.params() {
        if name.is_empty() {
            return invalid("a name of `params` is empty");
        }
        if LENT.contains(&name) {
            let name = String::from_utf8_lossy(name);
            return invalid(format!(
                "`params` has {name}, an object that only the library can make"
            ));
        }
    }
    Ok(())
}

/// "SERVER_NAME and SERVER_PORT are required strings and must never be empty" (PEP 3333, environ
/// Variables); the scheme and the protocol are not empty either.
pub(super) fn complete(to: &mut Request) {
    let port: &[u8] = if to.get(Field::Scheme) == b"https" { b"443" } else { b"80" };
    let defaults: [(Field, &[u8]); 4] = [
        (Field::Scheme, b"http"),
        (Field::Protocol, b"HTTP/1.0"),
        (Field::ServerName, b"localhost"),
        (Field::ServerPort, port),
    ];
    for (field, value) in defaults {
        if to.get(field).is_empty() {
            to.set(field, value);
        }
    }
}

/// Checks the length of a body that is there already, with `size` bytes.
pub(super) fn check_length(from: &wsgi_request, size: u64) -> Result<()> {
    match u64::try_from(from.content_length) {
        Ok(stated) if stated != size => invalid(format!(
            "`content_length` is {stated}, but the body, of `body_kind` {}, has {size} bytes",
            from.body_kind
        )),
        _ => Ok(()),
    }
}

pub(super) fn check_file(from: &wsgi_request, file: &File) -> Result<()> {
    check_length(from, from.body_length)?;
    let metadata = file.metadata().map_err(|error| {
        Error::invalid(format!("wsgi_request: `body_fd` cannot be examined: {error}"))
    })?;
    if !metadata.is_file() {
        return invalid("`body_fd` is not a regular file");
    }
    match from.body_offset.checked_add(from.body_length) {
        Some(end) if end <= metadata.len() => Ok(()),
        _ => invalid(format!(
            "the file `body_fd` has {} bytes, too few for {} from {} on",
            metadata.len(),
            from.body_length,
            from.body_offset
        )),
    }
}

fn invalid(text: impl std::fmt::Display) -> Result<()> {
    Err(Error::invalid(format!("wsgi_request: {text}")))
}
