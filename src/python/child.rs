//! A child that the application forked: it is a program of its own, and ends like one.
//!
//! The child has a copy of the parent's memory, and one thread. So it must not wait for what
//! another thread of the parent would do. It must not take a lock that such a thread may have held.
//! It may write to descriptors 1 and 2, but to nothing else that it shares with its parent. When
//! the application returns to the library, the child ends.

use super::fork::is_forked;
use super::output;
use super::traceback;
use super::{exit, strings::readable};
use pyo3::exceptions::{PyOSError, PySystemExit};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::CString;
use std::fmt;
use std::io;

/// Makes `threading` of a child treat the thread that forked as the main thread. Call it once,
/// after `threading` was imported. Fails with what Python raises.
pub(super) fn prepare(py: Python<'_>) -> PyResult<()> {
    let globals = PyDict::new(py);
    globals.set_item("__name__", "wsgi.child")?;
    py.run(&CString::new(include_str!("child.py"))?, Some(&globals), None)
}

/// Ends the process if it is a forked child; otherwise it does nothing. Call it where the
/// application has returned: otherwise two processes would go on as the one server. Never waits.
pub fn leave_if_forked(py: Python<'_>) {
    if is_forked() {
        leave(py, None);
    }
}

/// Ends a forked child as Python ends a program. An exception that was not caught is written to
/// descriptor 2, and the exit code is 1; SystemExit has an exit code of its own. What was printed
/// is written. The handlers of `atexit` are the parent's and do not run. The child does not write
/// what the parent's files have not written yet.
pub fn leave(py: Python<'_>, raised: Option<&PyErr>) -> ! {
    let code = raised.map_or(0, |error| tell(py, error));
    if let Some(error) = raised {
        // This closes, and so writes, the files that only the frames of its functions hold.
        let _ = let_frames_go(py, error);
    }
    for name in ["stdout", "stderr"] {
        // A failure would be reported on the stream that has just failed.
        let _ = exit::flush(py, name);
    }
    output::flush_thread(py);
    exit::at_once(code)
}

fn let_frames_go(py: Python<'_>, error: &PyErr) -> PyResult<()> {
    let traceback = py.import("traceback")?;
    traceback.call_method1("clear_frames", (error.traceback(py),)).map(drop)
}

/// Writes what Python would print for the error, and returns the exit code.
fn tell(py: Python<'_>, error: &PyErr) -> i32 {
    if error.is_instance_of::<PySystemExit>(py) {
        let Ok(code) = error.value(py).getattr("code") else { return 1 };
        if code.is_none() {
            return 0;
        }
        return code.extract().unwrap_or_else(|_| {
            if let Ok(text) = code.str() {
                output::write_fd2(&readable(&text));
            }
            1
        });
    }
    for line in traceback::lines(py, error) {
        output::write_fd2(&line);
    }
    1
}

/// The error for a child that asks for something of its parent's, such as the client of a request.
#[derive(Debug)]
pub struct OfTheParent(pub &'static str);

impl fmt::Display for OfTheParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this process was forked by the application: {} is its parent's", self.0)
    }
}

impl From<OfTheParent> for io::Error {
    fn from(it: OfTheParent) -> Self {
        io::Error::new(io::ErrorKind::BrokenPipe, it.to_string())
    }
}

impl From<OfTheParent> for PyErr {
    fn from(it: OfTheParent) -> Self {
        PyOSError::new_err(it.to_string())
    }
}
