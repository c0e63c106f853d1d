//! The header fields of a request, as keys of `environ`.

use crate::python::keys::KeyCache;
use once_cell::sync::Lazy;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// Keys of header fields, `HTTP_...`. So many made-up names are remembered, and no more: a client
/// can invent as many as it likes.
static KEYS: Lazy<KeyCache> = Lazy::new(|| KeyCache::new("HTTP_", 512));

const COMMON_HEADERS: &[&str] = &[
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Cookie",
    "DNT",
    "Expect",
    "Forwarded",
    "From",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Origin",
    "Pragma",
    "Priority",
    "Range",
    "Referer",
    "Sec-Ch-Ua",
    "Sec-Ch-Ua-Mobile",
    "Sec-Ch-Ua-Platform",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-Fetch-User",
    "TE",
    "Traceparent",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "User-Agent",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-ID",
    "X-Requested-With",
];

/// What a field becomes in `environ`.
pub(super) struct EnvironKey {
    pub(super) key: Py<PyString>,
    repeated: Repeated,
    /// Its name has other characters than letters, digits and `-`.
    pub(super) is_odd: bool,
}

/// What a second field of the same name does.
#[derive(Clone, Copy)]
enum Repeated {
    /// Of two content types the first counts; joined they would be none.
    Ignored,
    /// RFC 9110, 5.3 joins fields by comma; RFC 9113, 8.2.3 cookies by semicolon.
    JoinedBy(&'static str),
}

/// Makes the usual keys before the first request.
pub(super) fn preload(py: Python<'_>) -> PyResult<()> {
    KEYS.preload(py, COMMON_HEADERS)
}

/// Adds a field. False if there was one of its name before. Then both are in a list until `join`:
/// to make a string of each beginning of a thousand fields would copy a request many times.
pub(super) fn put(
    environ: &Bound<'_, PyDict>,
    becomes: &EnvironKey,
    value: &Bound<'_, PyString>,
) -> PyResult<bool> {
    let key = becomes.key.bind(environ.py());
    let Some(before) = environ.get_item(key)? else {
        environ.set_item(key, value)?;
        return Ok(true);
    };
    match (becomes.repeated, before.cast::<PyList>()) {
        (Repeated::Ignored, _) => {}
        (Repeated::JoinedBy(_), Ok(list)) => list.append(value)?,
        (Repeated::JoinedBy(_), Err(_)) => {
            environ.set_item(key, PyList::new(environ.py(), [&before, value.as_any()])?)?;
        }
    }
    Ok(false)
}

/// Makes one string of a field that was there more than once.
pub(super) fn join(environ: &Bound<'_, PyDict>, becomes: &EnvironKey) -> PyResult<()> {
    let key = becomes.key.bind(environ.py());
    let Repeated::JoinedBy(separator) = becomes.repeated else { return Ok(()) };
    match environ.get_item(key)? {
        Some(list) if list.is_instance_of::<PyList>() => {
            let separator = PyString::new(environ.py(), separator);
            environ.set_item(key, separator.call_method1("join", (list,))?)
        }
        _ => Ok(()),
    }
}

/// None: the application does not see it. With `odd_names` names may have other characters than
/// letters, digits and `-`: whoever administers the host has said so.
pub(super) fn environ_key(
    py: Python<'_>,
    name: &[u8],
    odd_names: bool,
) -> PyResult<Option<EnvironKey>> {
    let dashed = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let is = |other: &str| name.iter().map(dashed).eq(other.bytes());
    let is_odd = !name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // A name with `_` would pass for the one with `-`, which a proxy in front may have vouched for.
    if name.is_empty() || is_odd && !odd_names {
        return Ok(None);
    }
    // HTTP_PROXY names a proxy to many client libraries ("httpoxy"). CONTENT_LENGTH comes from the
    // host, which knows the length once the body is here; then there is no transfer coding either.
    if is("proxy") || is("content-length") || is("transfer-encoding") {
        return Ok(None);
    }
    let (key, repeated) = if is("content-type") {
        if is_odd {
            return Ok(None);
        }
        (intern!(py, "CONTENT_TYPE").clone(), Repeated::Ignored)
    } else {
        let separator = if is("cookie") { "; " } else { ", " };
        (KEYS.get(py, name)?, Repeated::JoinedBy(separator))
    };
    Ok(Some(EnvironKey { key: key.unbind(), repeated, is_odd }))
}
