//! `wsgi.early_hints`: header fields that a client gets before there is a response.

use super::response::{Problem, Response};
use super::response_headers;
use super::start_response::{log_left_out, raise};
use crate::host::hub::Hub;
use crate::python::child::OfTheParent;
use crate::python::fork::is_forked;
use crate::python::lease::Lease;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use std::sync::Arc;

/// A callable that takes a list of headers, as `start_response` does. Each call sends a response
/// 103 (RFC 8297). It is not in PEP 3333; the name is gunicorn's.
#[pyclass(frozen, module = "wsgi")]
pub(super) struct EarlyHints {
    response: Lease<Response>,
    hub: Arc<Hub>,
}

impl EarlyHints {
    pub(super) fn new(response: &Lease<Response>, hub: Arc<Hub>) -> Self {
        EarlyHints { response: response.lease_as("wsgi.early_hints"), hub }
    }
}

#[pymethods]
impl EarlyHints {
    #[pyo3(signature = (headers, /))]
    fn __call__(&self, py: Python<'_>, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        let checked = response_headers::check_hints(headers)
            .map_err(|violation| raise(&self.response, py, violation))?;
        log_left_out(py, &self.hub, &checked);
        match self.response.with(|response| response.hint(py, checked.head))? {
            Err(Problem::Gone) if is_forked() => Err(OfTheParent("the response").into()),
            Err(Problem::Gone) => Err(PyOSError::new_err("wsgi.early_hints: the client is gone")),
            Err(_) => Err(PyValueError::new_err(
                "wsgi.early_hints was given more than 64 KB in one request, where each call counts \
                 512 bytes and each field 64 bytes more than it has",
            )),
            Ok(()) => Ok(()),
        }
    }
}
