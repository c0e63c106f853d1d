//! Python's part in the end of the process. The steps are in exit.py.

use super::output::{self, Stream};
use super::traceback;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What had not ended when its time was over.
#[derive(Debug, Clone, Default)]
pub struct Left {
    /// The names of threads that are not daemons.
    pub threads: Vec<String>,
    /// The number of multiprocessing's processes that were ended then.
    pub processes: usize,
}

/// What [`run`] reports while it goes on.
#[derive(Clone, Copy)]
pub enum Progress<'a> {
    Left(&'a Left),
    /// All that can be done is done, but the main thread still waits.
    Done,
}

/// Waits for threads that are not daemons and for executors, runs the functions that were
/// registered with `atexit`, and flushes files, all until `until`. It calls `tell` with what has
/// not ended by then, as soon as that is known. It logs what goes wrong, and raises nothing. Only
/// on the thread that started the interpreter, which may not come back from it.
///
/// Python is not finalised; the caller ends the process afterwards.
pub fn run(py: Python<'_>, until: Instant, tell: impl Fn(Progress<'_>) + Send + Sync + 'static) {
    let left = until.saturating_duration_since(Instant::now());
    let mut results = vec![end(py, left, Arc::new(tell))];
    results.extend(["stdout", "stderr"].map(|name| flush(py, name)));
    for err in results.into_iter().filter_map(Result::err) {
        for line in traceback::lines(py, &err) {
            output::emit_line(py, Stream::Stderr, &line);
        }
    }
    output::flush_thread(py);
}

type Tell = Arc<dyn Fn(Progress<'_>) + Send + Sync>;

fn end(py: Python<'_>, left: Duration, tell: Tell) -> PyResult<()> {
    let globals = PyDict::new(py);
    globals.set_item("__name__", "wsgi.exit")?;
    let builtins = py.import("builtins")?;
    let source = include_str!("exit.py");
    let code = builtins.call_method1("compile", (source, "<libwsgi>", "exec"))?;
    builtins.call_method1("exec", (code, &globals))?;
    let tell_left = tell.clone();
    let report = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        let (threads, processes) = args.extract()?;
        tell_left(Progress::Left(&Left { threads, processes }));
        PyResult::Ok(())
    };
    let done = move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        tell(Progress::Done);
        PyResult::Ok(())
    };
    let report = PyCFunction::new_closure(py, None, None, report)?;
    let done = PyCFunction::new_closure(py, None, None, done)?;
    globals.as_any().get_item("end")?.call1((left.as_secs_f64(), report, done)).map(drop)
}

/// Flushes a stream of `sys`. The application may have put another object there, or None.
pub(super) fn flush(py: Python<'_>, name: &str) -> PyResult<()> {
    let stream = py.import("sys")?.getattr(name)?;
    if stream.is_none() { Ok(()) } else { stream.call_method0("flush").map(drop) }
}

/// Ends the process without running the handlers that its host, or the parent of a forked child,
/// has for its own end. Allowed in a handler of a signal.
pub(super) fn at_once(code: i32) -> ! {
    // SAFETY: any thread may call it, at any time. It runs no code of this process and does not
    // return.
    unsafe { libc::_exit(code) }
}
