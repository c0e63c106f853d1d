//! The application's hands off the signals of the web server.
//!
//! The thread that starts Python is its main thread, so `signal.signal` would work, and replace the
//! handlers by which the server is stopped and reloaded. The functions that do so say in the log
//! that they did nothing. In a child that Python forked, signals are the application's own.

use super::output::{self, Stream};
use super::place;
use super::strings::readable;
use super::thread::is_forked;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

#[derive(Clone, Copy)]
enum Function {
    Signal,
    Siginterrupt,
    SetWakeupFd,
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Function::Signal => "signal",
            Function::Siginterrupt => "siginterrupt",
            Function::SetWakeupFd => "set_wakeup_fd",
        }
    }
}

/// Replaces `signal.signal`, `signal.siginterrupt` and `signal.set_wakeup_fd` by functions that log
/// WSGI0301 and answer as if nothing had been set. Call it once, after `watch_forks`. Fails with
/// what Python raises.
pub(super) fn intercept(py: Python<'_>) -> PyResult<()> {
    let module = py.import("signal")?;
    for function in [Function::Signal, Function::Siginterrupt, Function::SetWakeupFd] {
        let original = module.getattr(function.name())?.unbind();
        module.setattr(function.name(), Bound::new(py, Intercepted { function, original })?)?;
    }
    Ok(())
}

/// A function of the signal module that does nothing but in a fork.
#[pyclass(frozen, module = "wsgi", name = "IgnoredSignalFunction")]
struct Intercepted {
    function: Function,
    original: Py<PyAny>,
}

#[pymethods]
impl Intercepted {
    #[pyo3(signature = (*args, **options))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if is_forked() {
            return self.original.bind(py).call(args, options);
        }
        let result = match self.function {
            Function::Signal => py
                .import("signal")?
                .getattr("getsignal")?
                .call1((signal_number(args, options)?,))?,
            Function::Siginterrupt => py.None().into_bound(py),
            // "No fd was set before", which is so.
            Function::SetWakeupFd => (-1_i32).into_pyobject(py)?.into_any(),
        };
        let line = format!(
            "WSGI0301 signal.{}({}) was ignored: signals belong to the web server{}",
            self.function.name(),
            self.shown(args),
            place::in_brackets(place::of_caller(py))
        );
        output::emit_line(py, Stream::Stderr, &line);
        Ok(result)
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.function.name()
    }

    #[getter]
    fn __wrapped__(&self, py: Python<'_>) -> Py<PyAny> {
        self.original.clone_ref(py)
    }
}

fn signal_number<'py>(
    args: &Bound<'py, PyTuple>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    match options.map(|options| options.get_item("signalnum")).transpose()?.flatten() {
        Some(number) => Ok(number),
        None => args.get_item(0),
    }
}

impl Intercepted {
    /// The first argument, with the name of a signal rather than its number, and dots for the rest.
    fn shown(&self, args: &Bound<'_, PyTuple>) -> String {
        match (self.shown_first(args), args.len()) {
            (Ok(first), 1) => first,
            (Ok(first), _) => format!("{first}, ..."),
            (Err(_), _) => String::from("..."),
        }
    }

    fn shown_first(&self, args: &Bound<'_, PyTuple>) -> PyResult<String> {
        let first = args.get_item(0)?;
        let name = match self.function {
            Function::SetWakeupFd => first.str()?,
            Function::Signal | Function::Siginterrupt => {
                let signals = args.py().import("signal")?.getattr("Signals")?;
                let known = signals.call1((&first,)).and_then(|signal| signal.getattr("name"));
                known.unwrap_or(first).str()?
            }
        };
        Ok(readable(&name).into_owned())
    }
}
