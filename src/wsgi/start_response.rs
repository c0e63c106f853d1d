//! `start_response` and the `write` that it returns.

use super::headers::{self, Checked};
use super::response::{Problem, Response, Wanted};
use crate::host::Level;
use crate::host::outbox::Outbox;
use crate::python::lease::Lease;
use crate::wsgi::gateway::log;
use pyo3::exceptions::{PyAssertionError, PyBaseException, PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::Arc;

#[pyclass(frozen, module = "wsgi")]
pub(super) struct StartResponse {
    response: Lease<Response>,
    outbox: Arc<Outbox>,
}

impl StartResponse {
    pub(super) fn new(response: Lease<Response>, outbox: Arc<Outbox>) -> Self {
        StartResponse { response, outbox }
    }
}

#[pymethods]
impl StartResponse {
    /// "start_response(status, response_headers, exc_info=None)", returning a `write(body_data)`
    /// callable (PEP 3333).
    #[pyo3(signature = (status, response_headers, exc_info = None, /))]
    fn __call__(
        &self,
        py: Python<'_>,
        status: &Bound<'_, PyAny>,
        response_headers: &Bound<'_, PyAny>,
        exc_info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Write> {
        let exc_info = match exc_info {
            Some(exc_info) if exc_info.is_truthy()? => Some(exc_info),
            _ => None,
        };
        let (unset, sent) =
            self.response.with(|response| (response.is_unset(), response.is_sent()))?;
        match exc_info {
            // "if exc_info is provided, and the HTTP headers have already been output,
            // start_response must raise an error, and should re-raise using the exc_info tuple".
            Some(exc_info) if sent => return Err(raise(exc_info)),
            // "it is a fatal error to call start_response without the exc_info argument if
            // start_response has already been called within the current invocation".
            None if !unset => {
                return Err(PyAssertionError::new_err(
                    "start_response was called a second time; it may be called again only with \
                     exc_info, to report an error",
                ));
            }
            // exc_info is not kept: it would be a cycle through the traceback's frames.
            _ => {}
        }
        let checked = headers::check(status, response_headers)?;
        note_left_out(py, &self.outbox, &checked);
        self.response.with(|response| response.set(checked.head))?;
        Ok(Write { response: self.response.lease_as("write()") })
    }
}

pub(super) fn note_left_out(py: Python<'_>, outbox: &Outbox, checked: &Checked) {
    for name in &checked.left_out {
        let text = format!(
            "WSGI0206 the response header {name} was left out: it speaks of the connection, which \
             belongs to the server (PEP 3333, Other HTTP Features)"
        );
        log(py, outbox, Level::Warn, &text);
    }
}

/// `raise exc_info[1].with_traceback(exc_info[2])`.
fn raise(exc_info: &Bound<'_, PyAny>) -> PyErr {
    let parts = exc_info.cast::<PyTuple>().ok().filter(|tuple| tuple.len() == 3);
    let value = parts.and_then(|tuple| {
        let value = tuple.get_item(1).ok()?.cast_into::<PyBaseException>().ok()?;
        value.call_method1("with_traceback", (tuple.get_item(2).ok()?,)).ok()
    });
    match value {
        Some(value) => PyErr::from_value(value),
        None => PyTypeError::new_err("exc_info must be a tuple as sys.exc_info() returns it"),
    }
}

/// "New WSGI applications and frameworks should not use the write() callable if it is possible to
/// avoid doing so"; it must be there all the same.
#[pyclass(frozen, module = "wsgi")]
struct Write {
    response: Lease<Response>,
}

#[pymethods]
impl Write {
    fn __call__(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let block = data.cast::<PyBytes>().map_err(|_| {
            PyTypeError::new_err(format!("write() takes bytes, not {}", headers::type_name(data)))
        })?;
        let result = self.response.with(|response| {
            let wanted = response.block(block)?;
            // "before write() returns, it must guarantee that the passed-in string was either
            // completely sent to the client, or that it is buffered for transmission".
            // Where it may not wait it goes on: an application cannot be paused inside a call.
            response.flush(py).map(|_| wanted)
        })?;
        match result {
            Ok(Wanted::More | Wanted::Nothing) => Ok(()),
            Ok(Wanted::NotSoMuch) => Err(PyAssertionError::new_err(
                "write() was given more than the Content-Length that start_response promised",
            )),
            Err(Problem::Gone) => Err(PyOSError::new_err("write(): the client is gone")),
            Err(problem) => Err(PyAssertionError::new_err(format!("write(): {problem:?}"))),
        }
    }
}
