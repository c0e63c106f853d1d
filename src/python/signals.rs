//! Keeps the application from changing the signals of the web server.
//!
//! The thread that starts Python is its main thread. So while an application is imported
//! `signal.signal` would work, and would replace the handlers by which the server is stopped and
//! reloaded. On that thread the functions that would do so do nothing, and log that. On all other
//! threads, those of requests, Python itself refuses them. A timer is not set if its signal would
//! end the process. The thread of the server's loop may run applications too, but they cannot block
//! signals of the server on it.

use super::dispositions::{self, action, is_free};
use super::intercept::{self, Act, Call, Rule};
use super::strings::readable;
use nix::unistd;
use once_cell::sync::OnceCell;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::thread::ThreadId;

const RULES: &[Rule] = &[
    rule("signal", "signal", &["signalnum", "handler"], 2, signal),
    rule("_signal", "signal", &["signalnum", "handler"], 2, signal),
    rule("signal", "siginterrupt", &["signalnum", "flag"], 2, siginterrupt),
    rule("signal", "set_wakeup_fd", &["fd", "warn_on_full_buffer"], 1, set_wakeup_fd),
    rule("signal", "alarm", &["seconds"], 1, alarm),
    rule("signal", "setitimer", &["which", "seconds", "interval"], 2, setitimer),
    rule("signal", "pthread_sigmask", &["how", "mask"], 2, mask),
    rule("_thread", "interrupt_main", &["signum"], 0, interrupt_main),
    rule("faulthandler", "register", &["signum", "file", "all_threads", "chain"], 1, register),
];

const fn rule(
    module: &'static str,
    name: &'static str,
    parameters: &'static [&'static str],
    required: usize,
    act: Act,
) -> Rule {
    // In the module signal, callers may name only the parameters that follow `fd`.
    let by_name = matches!(name.as_bytes(), b"set_wakeup_fd" | b"register");
    Rule { module, also: &["_signal"], name, parameters, required, by_name, act }
}

static MAIN: OnceCell<ThreadId> = OnceCell::new();

/// Guards the functions. Call it once, on Python's main thread. Fails with what Python raises.
pub(super) fn intercept(py: Python<'_>) -> PyResult<()> {
    let _ = MAIN.set(std::thread::current().id());
    intercept::install(py, RULES)
}

/// Puts back the host's handlers that C code has replaced, and returns the names of their signals.
/// Call it when an application was imported.
pub fn taken_by_c(py: Python<'_>) -> Vec<String> {
    let name = |number: libc::c_int| -> PyResult<String> {
        let signal = py.import("signal")?.getattr("Signals")?.call1((number,))?;
        Ok(readable(&signal.getattr("name")?.str()?).into_owned())
    };
    let names = dispositions::put_back().into_iter();
    names.map(|number| name(number).unwrap_or_else(|_| format!("signal {number}"))).collect()
}

fn is_main_thread() -> bool {
    MAIN.get() == Some(&std::thread::current().id())
}

/// On another thread Python raises "signal only works in main thread of the main interpreter".
/// Libraries find out in that way where they are, and a request runs on another thread.
fn signal<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let number = call.value(0).extract::<libc::c_int>();
    if !is_main_thread() || matches!(number, Ok(libc::SIGKILL | libc::SIGSTOP)) {
        return call.original();
    }
    let (py, handler) = (call.py(), call.value(1));
    let before = py.import("signal")?.call_method1("getsignal", (call.value(0),))?;
    let known =
        matches!(handler.extract::<libc::sighandler_t>(), Ok(libc::SIG_DFL | libc::SIG_IGN));
    if !known && !handler.is_callable() {
        return Err(PyTypeError::new_err(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object",
        ));
    }
    ignored(call);
    Ok(before)
}

/// Python allows this on any thread.
fn siginterrupt<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    py.import("signal")?.call_method1("getsignal", (call.value(0),))?;
    call.value(1).extract::<i64>()?;
    if is_main_thread() {
        ignored(call);
    }
    Ok(py.None().into_bound(py))
}

fn set_wakeup_fd<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let wrong = call.positional() != 1 || call.value(0).extract::<i64>().is_err();
    if wrong || !is_main_thread() {
        return call.original();
    }
    ignored(call);
    // -1 means that no descriptor was set before, which is true.
    Ok((-1_i32).into_pyobject(call.py())?.into_any())
}

fn alarm<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let seconds = call.value(0).extract::<libc::c_int>()?;
    if seconds != 0 {
        ignored(call);
    }
    Ok(0_i32.into_pyobject(call.py())?.into_any())
}

/// The handler of the timer's signal was refused, and without one the signal ends the process.
/// SIGALRM is the server's own.
fn setitimer<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let before = py.import("signal")?.call_method1("getitimer", (call.value(0),))?;
    let number = |value: Option<&Bound<'py, PyAny>>| value.map_or(Ok(0.0), |it| it.extract());
    let (Ok(seconds), Ok(interval)) = (number(call.optional(1)), number(call.optional(2))) else {
        return call.original();
    };
    let which: libc::c_int = call.value(0).extract()?;
    let signal = match which {
        libc::ITIMER_VIRTUAL => libc::SIGVTALRM,
        libc::ITIMER_PROF => libc::SIGPROF,
        _ => libc::SIGALRM,
    };
    let handled = signal != libc::SIGALRM && action(signal).sa_sigaction != libc::SIG_DFL;
    if handled || seconds < 0.0_f64 || interval < 0.0_f64 {
        // Python raises its own error for a negative time.
        return call.original();
    }
    if seconds != 0.0 {
        ignored(call);
    }
    Ok(before)
}

/// If the thread of the server's loop blocks a signal, the server never gets it. What other threads
/// block makes no difference to that.
fn mask<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let how = call.value(0).extract::<libc::c_int>();
    let adds = matches!(how, Ok(libc::SIG_BLOCK | libc::SIG_SETMASK));
    if !adds || !is_first_thread() {
        return call.original();
    }
    // This only reads the mask. If `mask` has a number that is not a signal, Python raises its
    // error below, before it blocks a signal.
    let unblock: libc::c_int = libc::SIG_UNBLOCK;
    let blocked = call.original_with(&PyTuple::new(
        py,
        [unblock.into_pyobject(py)?.into_any(), PyTuple::empty(py).into_any()],
    )?)?;
    let (mut kept, mut left_out) = (Vec::new(), false);
    for signal in call.value(1).try_iter()? {
        let signal = signal?;
        let number = signal.extract::<libc::c_int>();
        if number.is_ok_and(|number| !is_free(number)) && !blocked.contains(&signal)? {
            left_out = true;
        } else {
            kept.push(signal);
        }
    }
    if left_out {
        call.say(
            "WSGI0314 signal.pthread_sigmask() has not blocked signals of the web server on its own \
             thread: signals belong to the web server",
        );
    }
    call.original_with(&PyTuple::new(
        py,
        [call.value(0).clone(), PyList::new(py, kept)?.into_any()],
    )?)
}

/// The thread with which the process began, on which a server usually has its loop.
fn is_first_thread() -> bool {
    unistd::gettid() == unistd::getpid()
}

/// The application has no handler that this could run.
fn interrupt_main<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let signal = call.optional(0).map_or(Ok(libc::SIGINT), |it| it.extract());
    match signal {
        Ok(1..64) => {}
        // Python raises its own error for a number that is not a signal.
        _ => return call.original(),
    }
    call.say(&format!(
        "WSGI0301 {} was ignored: signals belong to the web server",
        call.shown(call.optional(0).and_then(|it| name(call, it).ok()))
    ));
    Ok(py.None().into_bound(py))
}

/// Python allows this on any thread: the handler is C code, which writes the stacks.
fn register<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(number) = call.value(0).extract::<libc::c_int>() else { return call.original() };
    if is_free(number) {
        return call.original();
    }
    ignored(call);
    Ok(call.py().None().into_bound(call.py()))
}

fn ignored(call: &Call<'_, '_>) {
    let first = if matches!(call.rule.name, "alarm" | "set_wakeup_fd") {
        call.value(0).str().ok().map(|text| readable(&text).into_owned())
    } else {
        name(call, call.value(0)).ok()
    };
    call.say(&format!(
        "WSGI0301 {} was ignored: signals belong to the web server",
        call.shown(first)
    ));
}

/// The name of the signal or of the timer, instead of its number.
fn name<'py>(call: &Call<'_, 'py>, first: &Bound<'py, PyAny>) -> PyResult<String> {
    let signal = call.py().import("signal")?;
    if call.rule.name == "setitimer" {
        let timers = ["ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"];
        let known = timers
            .iter()
            .find(|it| signal.getattr(**it).is_ok_and(|it| it.eq(first).unwrap_or(false)));
        if let Some(known) = known {
            return Ok((*known).to_owned());
        }
    }
    let known = signal.getattr("Signals")?.call1((first,)).and_then(|it| it.getattr("name"));
    Ok(readable(&known.unwrap_or_else(|_| first.clone()).str()?).into_owned())
}
