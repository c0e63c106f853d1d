//! The `environ` of a thread's last request, from which that of the next request is made.
//!
//! Two requests of a thread have much in common: the server, often the client, the names of header
//! fields and their order. So the thread keeps the dict that it filled for the last request. It
//! changes the values that differ, and gives the application a copy. If the names differ, it begins
//! a new dict.

use super::request_headers::{self, EnvironKey};
use crate::host::request::{Field, Request};
use crate::python::c_exit::Local;
use crate::python::strings::{equals_latin1, native};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use std::cell::Cell;

/// The dict is not kept if the request has more header fields than this. It would hold their memory
/// until the next request of the thread.
const MAX_HEADERS: usize = 32;
/// Nor is it kept if a name or value is longer than this.
const MAX_SIZE: usize = 1024;

/// The strings of a request that the dict holds: the field, its key, and a second key with the same
/// value.
const FIELDS: [(Field, &str, Option<&str>); 12] = [
    (Field::Method, "REQUEST_METHOD", None),
    (Field::ScriptName, "SCRIPT_NAME", None),
    (Field::PathInfo, "PATH_INFO", None),
    (Field::QueryString, "QUERY_STRING", None),
    (Field::RequestUri, "REQUEST_URI", Some("RAW_URI")),
    (Field::Protocol, "SERVER_PROTOCOL", None),
    (Field::ServerName, "SERVER_NAME", None),
    (Field::ServerPort, "SERVER_PORT", None),
    (Field::Scheme, "wsgi.url_scheme", Some("REQUEST_SCHEME")),
    (Field::ServerAddr, "SERVER_ADDR", None),
    (Field::RemoteAddr, "REMOTE_ADDR", None),
    (Field::DocumentRoot, "DOCUMENT_ROOT", None),
];
/// From here on, `FIELDS` that are empty are left out. "... must be present, unless their value
/// would be an empty string" (PEP 3333, environ Variables). The fields before this one are present
/// even if they are empty, so that an application can read them without a check.
const OPTIONAL: usize = 9;

type Keys = (Py<PyString>, Option<Py<PyString>>);

/// The keys of `FIELDS`, interned.
static KEYS: PyOnceLock<[Keys; FIELDS.len()]> = PyOnceLock::new();

thread_local! {
    static CACHE: Local<Cell<Option<Box<EnvironCache>>>> = const { Local::new(Cell::new(None)) };
}

pub(super) struct EnvironCache {
    /// The dict that `environ` began as a copy of.
    constants: Py<PyDict>,
    environ: Py<PyDict>,
    is_https: bool,
    values: [Option<Py<PyString>>; FIELDS.len()],
    headers: Vec<Header>,
}

/// A header field of the request, and its key and value in `environ`. No two have the same name.
struct Header {
    name: Vec<u8>,
    /// None if the application must not see the field.
    kept: Option<(EnvironKey, Py<PyString>)>,
}

impl EnvironCache {
    /// A dict with `constants`, the `FIELDS` and the header fields of `request`.
    pub(super) fn next<'py>(
        constants: &Bound<'py, PyDict>,
        request: &Request,
        odd_names: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = constants.py();
        // If memory runs out below, the thread has no cache for its next request.
        let mut cache = match CACHE.with(|kept| kept.take()) {
            Some(cache) if cache.fits(constants, request) => cache,
            _ => match Self::begin(constants, request, odd_names)? {
                Ok(cache) => cache,
                Err(environ) => return Ok(environ),
            },
        };
        cache.change(py, request)?;
        let environ = cache.environ.bind(py).copy()?;
        CACHE.with(|kept| kept.set(Some(cache)));
        Ok(environ)
    }

    /// Whether the kept dict has exactly the keys that an environ for `request` must have.
    fn fits(&self, constants: &Bound<'_, PyDict>, request: &Request) -> bool {
        let mut optional = FIELDS.iter().zip(&self.values).skip(OPTIONAL);
        self.constants.is(constants)
            && self.is_https == is_https(request)
            && optional.all(|((field, ..), kept)| request.get(*field).is_empty() == kept.is_none())
            && self.headers.len() == request.headers().len()
            && self
                .headers
                .iter()
                .zip(request.headers())
                .all(|(had, (name, value))| had.name == name && value.len() <= MAX_SIZE)
    }

    /// A new cache, or only an environ if the request has too many or too large header fields.
    fn begin<'py>(
        constants: &Bound<'py, PyDict>,
        request: &Request,
        odd_names: bool,
    ) -> PyResult<Result<Box<Self>, Bound<'py, PyDict>>> {
        let py = constants.py();
        let environ = constants.copy()?;
        let is_https = is_https(request);
        if is_https {
            environ.set_item(intern!(py, "HTTPS"), intern!(py, "on"))?;
        }
        let mut keep = request.headers().len() <= MAX_HEADERS;
        let mut headers = Vec::with_capacity(request.headers().len());
        for (name, value) in request.headers() {
            keep &= name.len().max(value.len()) <= MAX_SIZE;
            let kept = match request_headers::environ_key(py, name, odd_names)? {
                None => None,
                Some(key) => {
                    let value = native(py, value)?;
                    if !key.is_odd {
                        keep &= request_headers::put(&environ, &key, &value)?;
                    }
                    Some((key, value.unbind()))
                }
            };
            headers.push(Header { name: name.to_vec(), kept });
        }
        keep &= put_odd_names(&environ, &mut headers)?;
        if !keep {
            let kept = headers.iter().filter_map(|header| header.kept.as_ref());
            kept.map(|(key, _)| key).try_for_each(|key| request_headers::join(&environ, key))?;
        }
        let mut new = EnvironCache {
            constants: constants.clone().unbind(),
            environ: environ.clone().unbind(),
            is_https,
            values: Default::default(),
            headers,
        };
        if keep {
            return Ok(Ok(Box::new(new)));
        }
        new.change_fields(py, request)?;
        Ok(Err(environ))
    }

    /// Replaces the values that differ from those of `request`.
    fn change(&mut self, py: Python<'_>, request: &Request) -> PyResult<()> {
        self.change_fields(py, request)?;
        let environ = self.environ.bind(py);
        for (had, (_, value)) in self.headers.iter_mut().zip(request.headers()) {
            if let Some((key, kept)) = &mut had.kept {
                if !equals_latin1(kept.bind(py), value) {
                    let new = native(py, value)?;
                    environ.set_item(&key.string, &new)?;
                    *kept = new.unbind();
                }
            }
        }
        Ok(())
    }

    fn change_fields(&mut self, py: Python<'_>, request: &Request) -> PyResult<()> {
        let environ = self.environ.bind(py);
        let all = FIELDS.iter().zip(keys(py)).zip(&mut self.values);
        for (number, (((field, ..), (key, second)), kept)) in all.enumerate() {
            let value = request.get(*field);
            let same = match kept {
                Some(kept) => equals_latin1(kept.bind(py), value),
                None => number >= OPTIONAL && value.is_empty(),
            };
            if !same {
                let new = native(py, value)?;
                environ.set_item(key, &new)?;
                if let Some(second) = second {
                    environ.set_item(second, &new)?;
                }
                *kept = Some(new.unbind());
            }
        }
        Ok(())
    }
}

/// Adds the fields with odd names, such as those with a `_`. If a plain name has the same key, the
/// odd one is left out: a client's `X_Real_IP` must not replace the `X-Real-IP` of a proxy, nor be
/// joined to it. Returns false if two odd names have the same key.
fn put_odd_names(environ: &Bound<'_, PyDict>, headers: &mut [Header]) -> PyResult<bool> {
    let is_odd = |header: &Header| header.kept.as_ref().is_some_and(|(key, _)| key.is_odd);
    for header in headers.iter_mut().filter(|header| is_odd(header)) {
        if let Some((key, _)) = &header.kept {
            if environ.contains(&key.string)? {
                header.kept = None;
            }
        }
    }
    let mut differ = true;
    for header in headers.iter().filter(|header| is_odd(header)) {
        if let Some((key, value)) = &header.kept {
            differ &= request_headers::put(environ, key, value.bind(environ.py()))?;
        }
    }
    Ok(differ)
}

fn is_https(request: &Request) -> bool {
    request.get(Field::Scheme) == b"https"
}

fn keys(py: Python<'_>) -> &[Keys; FIELDS.len()] {
    let intern = |key| PyString::intern(py, key).unbind();
    KEYS.get_or_init(py, || FIELDS.map(|(_, key, second)| (intern(key), second.map(intern))))
}
