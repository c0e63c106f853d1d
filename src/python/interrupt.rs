//! Raising an exception in another thread, and making sure that it stays in what it was meant for.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// What `threading.get_ident()` returns on the calling thread.
pub fn thread_ident(py: Python<'_>) -> PyResult<u64> {
    py.import("threading")?.getattr("get_ident")?.call0()?.extract()
}

/// Makes the thread raise `class` before the next step of Python code that it runs. Code that is
/// not Python's, such as `time.sleep`, is not interrupted: the exception comes when it returns.
pub fn raise_in(ident: u64, class: &Bound<'_, PyType>) {
    set(class.py(), ident, class.as_ptr());
}

/// Withdraws the exception of `raise_in`, if the thread has not raised it yet.
pub fn take_back(py: Python<'_>, ident: u64) {
    set(py, ident, std::ptr::null_mut());
}

fn set(_py: Python<'_>, ident: u64, class: *mut ffi::PyObject) {
    // SAFETY: the token shows that the GIL is held. `class` is NULL or a class that the caller has
    // a reference to, and Python takes one of its own. If there is no such thread, the call does
    // nothing. The number is unsigned to Python; the bits are the same.
    unsafe { ffi::PyThreadState_SetAsyncExc(ident as std::ffi::c_long, class) };
}
