//! The `environ` of a request: CGI's variables, the header fields, and the `wsgi.` keys.

use super::app::Facts;
use super::file_wrapper::FileWrapper;
use crate::host::request::{FIELDS, Field, Request};
use crate::python::keys::KeyCache;
use crate::python::recent::Recent;
use crate::python::strings::native;
use once_cell::sync::Lazy;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::cell::RefCell;

/// Keys of header fields, `HTTP_...`. So many made-up names are remembered, and no more: a client
/// can invent as many as it likes.
static HEADER_KEYS: Lazy<KeyCache> = Lazy::new(|| KeyCache::new("HTTP_", 512));

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

/// Keys that each request has, whatever their values.
const ALWAYS_THERE: &[&str] = &[
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_URI",
    "RAW_URI",
    "SERVER_PROTOCOL",
    "SERVER_NAME",
    "SERVER_PORT",
    "wsgi.url_scheme",
    "REQUEST_SCHEME",
    "wsgi.input",
    "wsgi.errors",
    "libwsgi.client_disconnected",
];

thread_local! {
    /// What each field was in the thread's last request.
    static RECENT: RefCell<[Recent; FIELDS]> = const { RefCell::new([const { Recent::new() }; FIELDS]) };
}

/// What each request begins with a copy of: the keys whose values never change, and place for the
/// others, so that the dict need not grow while it is filled. (CPython copies a dict that nothing
/// was taken out of as it stands in memory, with its free places.)
#[derive(Debug)]
pub struct Template {
    constants: Py<PyDict>,
}

impl Template {
    pub fn new(py: Python<'_>, facts: Facts) -> PyResult<Self> {
        let constants = PyDict::new(py);
        constants.set_item(intern!(py, "wsgi.version"), (1, 0))?;
        constants.set_item(intern!(py, "wsgi.multithread"), facts.multithread)?;
        constants.set_item(intern!(py, "wsgi.multiprocess"), facts.multiprocess)?;
        constants.set_item(intern!(py, "wsgi.run_once"), false)?;
        // Reading past the end of the body gives b'', whatever CONTENT_LENGTH says.
        constants.set_item(intern!(py, "wsgi.input_terminated"), true)?;
        constants.set_item(intern!(py, "wsgi.file_wrapper"), py.get_type::<FileWrapper>())?;
        constants.set_item(intern!(py, "GATEWAY_INTERFACE"), "CGI/1.1")?;
        constants.set_item(
            intern!(py, "SERVER_SOFTWARE"),
            concat!("libwsgi/", env!("CARGO_PKG_VERSION")),
        )?;
        for key in ALWAYS_THERE {
            constants.set_item(PyString::intern(py, key), py.None())?;
        }
        HEADER_KEYS.preload(py, COMMON_HEADERS)?;
        Ok(Template { constants: constants.unbind() })
    }

    /// "The environ parameter is a dictionary object ... This object must be a builtin Python
    /// dictionary" (PEP 3333, Specification Details), and the application may change it: so each
    /// request has its own. The objects that are lent for the request are put in by the gateway.
    pub(super) fn environ<'py>(
        &self,
        py: Python<'py>,
        request: &Request,
    ) -> PyResult<Bound<'py, PyDict>> {
        let environ = self.constants.bind(py).copy()?;
        add_strings(&environ, request)?;
        add_headers(&environ, request)?;
        for (name, value) in request.params() {
            environ.set_item(native(py, name)?, native(py, value)?)?;
        }
        Ok(environ)
    }
}

fn add_strings(environ: &Bound<'_, PyDict>, request: &Request) -> PyResult<()> {
    RECENT.with_borrow_mut(|recent| {
        let py = environ.py();
        let mut put = |key: &Bound<'_, PyString>, field: Field| {
            let value = recent[field as usize].native(py, request.get(field))?;
            environ.set_item(key, &value)?;
            Ok::<_, PyErr>(value)
        };
        // "... must be present, unless their value would be an empty string": those that may be
        // empty are there all the same, since every application would have to ask otherwise.
        put(intern!(py, "REQUEST_METHOD"), Field::Method)?;
        put(intern!(py, "SCRIPT_NAME"), Field::ScriptName)?;
        put(intern!(py, "PATH_INFO"), Field::PathInfo)?;
        put(intern!(py, "QUERY_STRING"), Field::QueryString)?;
        let uri = put(intern!(py, "REQUEST_URI"), Field::RequestUri)?;
        environ.set_item(intern!(py, "RAW_URI"), uri)?;
        put(intern!(py, "SERVER_PROTOCOL"), Field::Protocol)?;
        put(intern!(py, "SERVER_NAME"), Field::ServerName)?;
        put(intern!(py, "SERVER_PORT"), Field::ServerPort)?;
        let scheme = put(intern!(py, "wsgi.url_scheme"), Field::Scheme)?;
        environ.set_item(intern!(py, "REQUEST_SCHEME"), scheme)?;
        if request.get(Field::Scheme) == b"https" {
            environ.set_item(intern!(py, "HTTPS"), intern!(py, "on"))?;
        }
        for (key, field) in [
            (intern!(py, "SERVER_ADDR"), Field::ServerAddr),
            (intern!(py, "REMOTE_ADDR"), Field::RemoteAddr),
            (intern!(py, "REMOTE_PORT"), Field::RemotePort),
            (intern!(py, "DOCUMENT_ROOT"), Field::DocumentRoot),
            (intern!(py, "REMOTE_USER"), Field::RemoteUser),
            (intern!(py, "AUTH_TYPE"), Field::AuthType),
            (intern!(py, "REQUEST_ID"), Field::RequestId),
        ] {
            if !request.get(field).is_empty() {
                put(key, field)?;
            }
        }
        if let Some(length) = request.content_length {
            environ.set_item(intern!(py, "CONTENT_LENGTH"), length.to_string())?;
        }
        Ok(())
    })
}

fn add_headers(environ: &Bound<'_, PyDict>, request: &Request) -> PyResult<()> {
    let py = environ.py();
    for (name, value) in request.headers() {
        let key = match what_becomes_of(name) {
            Becomes::Nothing => continue,
            Becomes::ContentType => intern!(py, "CONTENT_TYPE").clone(),
            Becomes::Key => HEADER_KEYS.get(py, name)?,
        };
        let value = native(py, value)?;
        let Some(before) = environ.get_item(&key)? else {
            environ.set_item(&key, value)?;
            continue;
        };
        // Of two content types the first counts; joined they would be none.
        if name.eq_ignore_ascii_case(b"content-type") {
            continue;
        }
        // RFC 9110, 5.3 joins fields by comma; RFC 9113, 8.2.3 cookies by semicolon.
        let comma = if name.eq_ignore_ascii_case(b"cookie") { "; " } else { ", " };
        environ.set_item(&key, before.add(comma)?.add(value)?)?;
    }
    Ok(())
}

enum Becomes {
    Nothing,
    ContentType,
    Key,
}

fn what_becomes_of(name: &[u8]) -> Becomes {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    // A name with `_` would pass for the one with `-`, which a proxy in front may have vouched for.
    if name.is_empty() || !name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Becomes::Nothing;
    }
    // HTTP_PROXY names a proxy to many client libraries ("httpoxy"). CONTENT_LENGTH comes from the
    // host, which knows the length once the body is here; then there is no transfer coding either.
    if is("proxy") || is("content-length") || is("transfer-encoding") {
        return Becomes::Nothing;
    }
    if is("content-type") { Becomes::ContentType } else { Becomes::Key }
}
