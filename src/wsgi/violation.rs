//! A violation of PEP 3333 by an application: it becomes an exception for the application, and a
//! line of the log.

use crate::python::location;
use pyo3::exceptions::{PyAssertionError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// A broken rule that a call of the application showed.
#[derive(Debug)]
pub struct Violation {
    /// The number in docs/errors.md.
    number: &'static str,
    /// The rule and the wrong value. The exception has the same text.
    message: String,
    exception: fn(String) -> PyErr,
}

impl Violation {
    pub(super) fn of_type(number: &'static str, message: String) -> Self {
        Violation { number, message, exception: PyTypeError::new_err::<String> }
    }

    pub(super) fn of_value(number: &'static str, message: String) -> Self {
        Violation { number, message, exception: PyValueError::new_err::<String> }
    }

    pub(super) fn of_order(number: &'static str, message: String) -> Self {
        Violation { number, message, exception: PyAssertionError::new_err::<String> }
    }

    /// The exception for the application, and the entry for the log.
    pub(super) fn raise(self, py: Python<'_>) -> (PyErr, LogEntry) {
        let error = (self.exception)(self.message.clone());
        let exception = Some(identity(py, &error));
        let location = location::of_caller(py);
        (error, LogEntry { number: self.number, message: self.message, location, exception })
    }
}

/// A line for the log. It is logged once the result of the violation is known.
#[derive(Debug)]
pub(super) struct LogEntry {
    pub(super) number: &'static str,
    pub(super) message: String,
    pub(super) location: Option<String>,
    /// The address of the exception that was raised. A reference to it would keep the frames of its
    /// traceback alive, with all of their variables.
    exception: Option<usize>,
}

impl LogEntry {
    /// An entry about a fault for which the application gets no exception.
    pub(super) fn silent(number: &'static str, message: String, location: Option<String>) -> Self {
        LogEntry { number, message, location, exception: None }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.exception.is_none()
    }

    /// Whether `error` is the exception that was raised for this.
    pub(super) fn is_about(&self, py: Python<'_>, error: &PyErr) -> bool {
        self.exception == Some(identity(py, error))
    }
}

fn identity(py: Python<'_>, error: &PyErr) -> usize {
    error.value(py).as_ptr() as usize
}
