//! The header fields of a request, as keys of `environ`.

use crate::python::keys::KeyCache;
use once_cell::sync::Lazy;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// Keys of header fields, `HTTP_...`. The number of uncommon names that are kept is limited, since
/// a client can invent any number of them.
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

/// The key of a header field in `environ`.
pub(super) struct EnvironKey {
    pub(super) string: Py<PyString>,
    repeated: Repeated,
    /// The field's name has characters other than letters, digits and `-`.
    pub(super) is_odd: bool,
}

/// What happens to a second field of the same name.
#[derive(Clone, Copy)]
enum Repeated {
    /// Only the first content type counts: two of them joined are not a valid one.
    Ignored,
    /// RFC 9110, 5.3 joins fields with a comma. RFC 9113, 8.2.3 joins cookies with a semicolon.
    JoinedBy(&'static str),
}

/// Makes the common keys before the first request.
pub(super) fn preload(py: Python<'_>) -> PyResult<()> {
    KEYS.preload(py, COMMON_HEADERS)
}

/// Adds a field. Returns false if there was one of the same name. Both are in a list then, until
/// `join`. If each new field were joined at once, a request with a thousand of them would be copied
/// many times.
pub(super) fn put(
    environ: &Bound<'_, PyDict>,
    key: &EnvironKey,
    value: &Bound<'_, PyString>,
) -> PyResult<bool> {
    let string = key.string.bind(environ.py());
    let Some(before) = environ.get_item(string)? else {
        environ.set_item(string, value)?;
        return Ok(true);
    };
    match (key.repeated, before.cast::<PyList>()) {
        (Repeated::Ignored, _) => {}
        (Repeated::JoinedBy(_), Ok(list)) => list.append(value)?,
        (Repeated::JoinedBy(_), Err(_)) => {
            environ.set_item(string, PyList::new(environ.py(), [&before, value.as_any()])?)?;
        }
    }
    Ok(false)
}

/// Joins the values of a field that was there more than once.
pub(super) fn join(environ: &Bound<'_, PyDict>, key: &EnvironKey) -> PyResult<()> {
    let string = key.string.bind(environ.py());
    let Repeated::JoinedBy(separator) = key.repeated else { return Ok(()) };
    match environ.get_item(string)? {
        Some(list) if list.is_instance_of::<PyList>() => {
            let separator = PyString::new(environ.py(), separator);
            environ.set_item(string, separator.call_method1("join", (list,))?)
        }
        _ => Ok(()),
    }
}

/// The key of a field. None if the application must not see the field. With `odd_names` the host's
/// configuration allows names that have characters other than letters, digits and `-`.
pub(super) fn environ_key(
    py: Python<'_>,
    name: &[u8],
    odd_names: bool,
) -> PyResult<Option<EnvironKey>> {
    let dashed = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let is = |other: &str| name.iter().map(dashed).eq(other.bytes());
    let is_odd = !name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // A name with `_` has the same key as the one with `-`, which the application may trust because
    // a proxy sets it.
    if name.is_empty() || is_odd && !odd_names {
        return Ok(None);
    }
    // Many client libraries use HTTP_PROXY as the address of a proxy ("httpoxy"). CONTENT_LENGTH
    // comes from the host, which knows the length once the body is here. The host has also removed
    // the transfer coding then.
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
    Ok(Some(EnvironKey { string: key.unbind(), repeated, is_odd }))
}
