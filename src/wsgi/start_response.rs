//! `start_response` and the `write` that it returns.

use super::lent::{Kept, Kind, Lent, NotLent};
use super::report::log;
use super::response::{Accepted, Problem, Response};
use super::response_headers::{self, Checked};
use super::violation::Violation;
use crate::host::Level;
use crate::host::hub::Hub;
use crate::python::child::OfTheParent;
use crate::python::fork::is_forked;
use crate::python::free_list::FreeList;
use crate::python::lease::Lease;
use crate::python::{location, repr};
use pyo3::exceptions::{PyAssertionError, PyBaseException, PyOSError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::Arc;

#[pyclass(frozen, module = "wsgi")]
pub(super) struct StartResponse {
    response: Lease<Response>,
    hub: Arc<Hub>,
}

thread_local!(static FREE: FreeList<Kept<Response>> = const { FreeList::new() });

const KIND: Kind<Response> = Kind { name: "start_response", stream: None, free: &FREE };

/// Lends `response` to the application as `start_response`. An error returns it to the caller.
pub(super) fn lend(
    py: Python<'_>,
    response: Response,
    hub: &Arc<Hub>,
) -> Result<Lent<Response>, Box<NotLent<Response>>> {
    KIND.lend(py, response, |response| StartResponse { response, hub: hub.clone() })
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
            // "if exc_info is provided, and the HTTP headers have already been sent,
            // start_response must raise an error, and should re-raise using the exc_info tuple".
            Some(exc_info) if sent => return Err(self.raise(exc_info)),
            // "it is a fatal error to call start_response without the exc_info argument if
            // start_response has already been called within the current invocation".
            None if !unset => {
                let message = "start_response was called a second time; PEP 3333 allows that only \
                               with exc_info, to report an error";
                return Err(raise(
                    &self.response,
                    py,
                    Violation::of_order("WSGI0215", message.into()),
                ));
            }
            // exc_info is not kept: the frames of its traceback refer to start_response, so that
            // would be a reference cycle.
            _ => {}
        }
        match response_headers::check(status, response_headers) {
            Ok(checked) => self.set(py, checked)?,
            Err(violation) => {
                // "This includes the case where the first call to start_response raised an error":
                // so the call counts, and the head of an earlier call must not be sent either.
                self.response.with(Response::refuse)?;
                return Err(raise(&self.response, py, violation));
            }
        }
        Ok(Write { response: self.response.lease_as("write()") })
    }
}

impl StartResponse {
    fn set(&self, py: Python<'_>, checked: Checked) -> PyResult<()> {
        log_left_out(py, &self.hub, &checked);
        self.response.with(|response| response.set(checked.head))
    }

    /// `raise exc_info[1].with_traceback(exc_info[2])`.
    fn raise(&self, exc_info: &Bound<'_, PyAny>) -> PyErr {
        let parts = exc_info.cast::<PyTuple>().ok().filter(|tuple| tuple.len() == 3);
        let value = parts.and_then(|tuple| {
            let value = tuple.get_item(1).ok()?.cast_into::<PyBaseException>().ok()?;
            value.call_method1("with_traceback", (tuple.get_item(2).ok()?,)).ok()
        });
        value.map_or_else(
            || {
                let wrong = repr::value(exc_info);
                let rule = "exc_info must be a tuple as sys.exc_info() returns it";
                let message = format!("{rule} (PEP 3333), not {wrong}");
                raise(&self.response, exc_info.py(), Violation::of_type("WSGI0224", message))
            },
            PyErr::from_value,
        )
    }
}

pub(super) fn log_left_out(py: Python<'_>, hub: &Hub, checked: &Checked) {
    for (name, value) in &checked.left_out {
        let text = format!(
            "WSGI0206 the response header {name} ({value}) was left out: it speaks of the \
             connection, which belongs to the server (PEP 3333, Other HTTP Features){}",
            location::in_brackets(location::of_caller(py))
        );
        log(py, hub, Level::Warn, &text);
    }
}

/// Makes the exception for a violation, and adds an entry that is logged when the request is over.
pub(super) fn raise(response: &Lease<Response>, py: Python<'_>, violation: Violation) -> PyErr {
    let (error, entry) = violation.raise(py);
    response.with(|response| response.add_entry(entry)).err().unwrap_or(error)
}

/// "New WSGI applications and frameworks should not use the write() callable if it is possible to
/// avoid doing so", but a server must provide it.
#[pyclass(frozen, module = "wsgi")]
struct Write {
    response: Lease<Response>,
}

#[pymethods]
impl Write {
    fn __call__(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let block = data.cast::<PyBytes>().map_err(|_| {
            let (class, wrong) = (repr::type_name(data), repr::value(data));
            let message = format!("write() takes bytes (PEP 3333), not {class}: {wrong}");
            raise(&self.response, py, Violation::of_type("WSGI0216", message))
        })?;
        let result = self.response.with(|response| {
            response.ready(py)?;
            let accepted = response.block(block)?;
            // "before write() returns, it must guarantee that the passed-in bytestring was either
            // completely sent to the client, or that it is buffered for transmission". If the
            // thread must not wait, it still goes on: an application cannot be paused inside a
            // call.
            response.flush(py).map(|_| accepted)
        })?;
        match result {
            Ok(Accepted::All | Accepted::NoBody) => Ok(()),
            // "or raise an error if the application tries to write() past that point".
            Ok(Accepted::Excess { content_length }) => {
                let message = format!(
                    "write() was given more than the {content_length} bytes of the Content-Length that \
                     start_response was given (PEP 3333)"
                );
                Err(raise(&self.response, py, Violation::of_order("WSGI0218", message)))
            }
            Err(Problem::Gone) if is_forked() => Err(OfTheParent("the response").into()),
            Err(Problem::Gone) => Err(PyOSError::new_err("write(): the client is gone")),
            Err(_) => Err(PyAssertionError::new_err(
                "write() was called after start_response had refused what it was given",
            )),
        }
    }
}
