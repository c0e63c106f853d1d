//! Contexts of PEP 567: the values of Python's `contextvars`.
//!
//! Each thread has a context of its own, which is enough while it does one thing after the other.
//! Responses that take turns on a thread need one each: frameworks keep "the request" in a
//! contextvar.

use pyo3::ffi;
use pyo3::prelude::*;

/// A context that a thread may enter. One thread at a time, and not twice.
pub struct Context(Py<PyAny>);

impl Context {
    /// A copy of the context that the calling thread is in, with all values that are set there now.
    pub fn copy(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: the token shows that the GIL is held; a new reference, or NULL and an exception.
        let context = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) };
        context.map(|context| Self(context.unbind()))
    }

    /// Runs `work` in it. What `work` sets stays in it, for the next time.
    pub fn run<R>(&self, py: Python<'_>, work: impl FnOnce() -> R) -> R {
        let _entered = Entered::new(self.0.bind(py));
        work()
    }
}

/// The thread is in a context. It leaves the context when this is dropped, also by a panic.
struct Entered<'a, 'py>(Option<&'a Bound<'py, PyAny>>);

impl<'a, 'py> Entered<'a, 'py> {
    fn new(context: &'a Bound<'py, PyAny>) -> Self {
        // SAFETY: it is a context (`Context::copy`), and the GIL is held.
        match unsafe { ffi::PyContext_Enter(context.as_ptr()) } {
            0 => Self(Some(context)),
            // Other code has entered it and not left it. The work runs in the thread's own context
            // instead.
            _ => Self::failed(context.py()),
        }
    }

    fn failed(py: Python<'_>) -> Self {
        drop(PyErr::take(py));
        Self(None)
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        let Some(context) = self.0 else { return };
        // SAFETY: as in `new`. Python refuses, with an exception, if the application has entered
        // another context and not left it. Then there is no context to go back to.
        if unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0 {
            drop(PyErr::take(context.py()));
        }
    }
}
