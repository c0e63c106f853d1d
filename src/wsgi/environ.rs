//! The `environ` of a request: CGI's variables, the header fields, and the `wsgi.` keys.

use super::environ_cache::EnvironCache;
use super::file_wrapper::FileWrapper;
use super::request_headers;
use crate::host::request::{Field, Request};
use crate::python::strings::native;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

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

/// The settings of an application that each of its environs depends on.
#[derive(Clone, Copy, Debug)]
pub struct EnvironSettings {
    /// `wsgi.multithread`.
    pub multithread: bool,
    /// `wsgi.multiprocess`.
    pub multiprocess: bool,
    /// The environ also has header fields whose names contain characters other than letters, digits
    /// and `-`.
    pub odd_names: bool,
}

/// The environ of each request begins as a copy of this dict. It has the keys whose values never
/// change. It also has places for the other keys, so that the copy does not grow while it is
/// filled: CPython copies a dict together with its free places if no key was ever removed from it.
#[derive(Debug)]
pub struct Template {
    constants: Py<PyDict>,
    odd_names: bool,
}

impl Template {
    pub fn new(py: Python<'_>, settings: EnvironSettings) -> PyResult<Self> {
        let constants = PyDict::new(py);
        constants.set_item(intern!(py, "wsgi.version"), (1, 0))?;
        constants.set_item(intern!(py, "wsgi.multithread"), settings.multithread)?;
        constants.set_item(intern!(py, "wsgi.multiprocess"), settings.multiprocess)?;
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
        request_headers::preload(py)?;
        Ok(Template { constants: constants.unbind(), odd_names: settings.odd_names })
    }

    /// "The environ parameter is a dictionary object ... This object must be a builtin Python
    /// dictionary" (PEP 3333, Specification Details), and the application may change it. So each
    /// request has its own. The gateway adds the objects that it lends for the request.
    pub fn environ<'py>(&self, py: Python<'py>, request: &Request) -> PyResult<Bound<'py, PyDict>> {
        let environ = EnvironCache::next(self.constants.bind(py), request, self.odd_names)?;
        add_own(&environ, request)?;
        for (name, value) in request.params() {
            environ.set_item(native(py, name)?, native(py, value)?)?;
        }
        Ok(environ)
    }
}

/// Adds the keys that differ in nearly every request, or that only some requests have.
fn add_own(environ: &Bound<'_, PyDict>, request: &Request) -> PyResult<()> {
    let py = environ.py();
    for (key, field) in [
        (intern!(py, "REMOTE_PORT"), Field::RemotePort),
        (intern!(py, "REMOTE_USER"), Field::RemoteUser),
        (intern!(py, "AUTH_TYPE"), Field::AuthType),
        (intern!(py, "REQUEST_ID"), Field::RequestId),
    ] {
        let value = request.get(field);
        if !value.is_empty() {
            environ.set_item(key, native(py, value)?)?;
        }
    }
    if let Some(length) = request.content_length {
        environ.set_item(intern!(py, "CONTENT_LENGTH"), length.to_string())?;
    }
    Ok(())
}
