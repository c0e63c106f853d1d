//! What an application gave or did that PEP 3333 does not allow: an exception for the application,
//! and a line for the log.

use crate::python::location;
use pyo3::exceptions::{PyAssertionError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// A rule that was broken, seen in a call of the application.
#[derive(Debug)]
pub struct Violation {
    /// As docs/errors.md has it.
    number: &'static str,
    /// The rule and the offending value; what the exception says too.
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

    /// The exception, to be raised in the application, and what the log is to say.
    pub(super) fn raise(self, py: Python<'_>) -> (PyErr, LogEntry) {
        let error = (self.exception)(self.message.clone());
        let exception = Some(identity(py, &error));
        let location = location::of_caller(py);
        (error, LogEntry { number: self.number, message: self.message, location, exception })
    }
}

/// A line for the log, which waits until it is known what came of the violation.
#[derive(Debug)]
pub(super) struct LogEntry {
    pub(super) number: &'static str,
    pub(super) message: String,
    pub(super) location: Option<String>,
    /// The exception that was raised. Only its address: to hold it would be to hold the frames that
    /// it has passed, and all that they hold.
    exception: Option<usize>,
}

impl LogEntry {
    /// Of something that stops nobody, and of which no exception tells the application.
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
