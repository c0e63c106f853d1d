//! The end of the process, as far as Python has a say in it.

use super::output::{self, Stream};
use super::traceback;
use pyo3::prelude::*;

/// Runs the functions that were registered with `atexit`, and flushes sys.stdout and sys.stderr.
/// What goes wrong is logged; nothing is raised. On the thread that started the interpreter.
///
/// `threading._shutdown` is not called: it waits for every thread that is not a daemon, for ever if
/// need be. Python is not finalised either; the caller ends the process afterwards.
pub fn run_exit_handlers(py: Python<'_>) {
    let steps: [fn(Python<'_>) -> PyResult<()>; 3] =
        [run_atexit, |py| flush(py, "stdout"), |py| flush(py, "stderr")];
    for step in steps {
        if let Err(err) = step(py) {
            for line in traceback::lines(py, &err) {
                output::emit_line(py, Stream::Stderr, &line);
            }
        }
    }
    output::flush_thread(py);
}

fn run_atexit(py: Python<'_>) -> PyResult<()> {
    py.import("atexit")?.call_method0("_run_exitfuncs").map(drop)
}

/// The application may have put another object there, or None.
pub(super) fn flush(py: Python<'_>, name: &str) -> PyResult<()> {
    let stream = py.import("sys")?.getattr(name)?;
    if stream.is_none() { Ok(()) } else { stream.call_method0("flush").map(drop) }
}
