//! Keeps the application from ending the process that it shares with the web server.
//!
//! Functions of the module os that would end the server, replace it, or open it to others, are
//! guarded. They log what they did instead.

use super::descriptors::{self, FIRST_FREE};
use super::intercept::{self, Call, Rule};
use super::strings::readable;
use super::{breadcrumb, intercept::Act};
use super::{exit, output};
use pyo3::exceptions::{PyNotADirectoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString, PyTuple};
use std::os::fd::RawFd;

/// The exit code of a process whose application called `os._exit` with another one, or wanted it to
/// become another program. Some codes mean something to a server: nginx does not replace a worker
/// that ends with 2.
const EXIT_CODE: i32 = 1;

/// A path that exists on no machine. Python checks the other arguments before it looks for the
/// path.
const NOWHERE: &str = "/dev/null/nowhere";

const RULES: &[Rule] = &[
    rule("_exit", &["status"], 1, true, end),
    rule("execv", &["path", "argv"], 2, false, exec),
    rule("execve", &["path", "argv", "env"], 3, true, exec),
    rule("close", &["fd"], 1, true, close),
    rule("closerange", &["fd_low", "fd_high"], 2, false, close_range),
    rule("dup2", &["fd", "fd2", "inheritable"], 2, true, dup2),
    rule("system", &["command"], 1, true, system),
    rule("fdopen", FDOPEN, 1, true, open),
    Rule { module: "_socket", also: &[], ..rule("close", &["fd"], 1, false, close) },
];

const FDOPEN: &[&str] =
    &["fd", "mode", "buffering", "encoding", "errors", "newline", "closefd", "opener"];

const fn rule(
    name: &'static str,
    parameters: &'static [&'static str],
    required: usize,
    by_name: bool,
    act: Act,
) -> Rule {
    Rule { module: "os", also: &["posix"], name, parameters, required, by_name, act }
}

/// Guards the functions. Call it once. Fails with what Python raises.
pub(super) fn intercept(py: Python<'_>) -> PyResult<()> {
    intercept::install(py, RULES)
}

fn end<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(code) = call.value(0).extract::<i32>() else { return call.original() };
    last_words(call.py(), &format!("WSGI0302 os._exit({code}) ends process"));
    exit::at_once(EXIT_CODE)
}

/// The server's process would be gone, and the new program would have its connections. nginx does
/// not replace a worker whose next program ends with 2. What the application wants is a new
/// process.
fn exec<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let mut args = vec![PyString::new(py, NOWHERE).into_any(), call.value(1).clone()];
    args.extend(call.optional(2).cloned());
    match call.original_with(&PyTuple::new(py, args)?) {
        Err(error) if !error.is_instance_of::<PyNotADirectoryError>(py) => return Err(error),
        _ => {}
    }
    if !is_program(call.value(0)).unwrap_or(false) {
        // Python reports that there is none. os.execvp() then looks in the next folder.
        return call.original();
    }
    let shown = call.shown(call.value(0).repr().ok().map(|text| readable(&text).into_owned()));
    let text = format!("WSGI0305 {shown} would have replaced the web server; it ends process");
    last_words(py, &text);
    exit::at_once(EXIT_CODE)
}

/// Whether exec would find a file that may be run.
fn is_program(path: &Bound<'_, PyAny>) -> PyResult<bool> {
    if path.is_instance_of::<PyInt>() {
        return Ok(descriptors::is_open(path.extract()?));
    }
    let os = path.py().import("os")?;
    let runs: bool = os.call_method1("access", (path, os.getattr("X_OK")?))?.extract()?;
    let files = os.getattr("path")?;
    Ok(runs && files.call_method1("isfile", (path,))?.extract()?)
}

/// Writes `text`, the number of the process, what the thread works on, and the stack of its Python.
/// The lines go to descriptor 2 at once, since the process ends before the thread that writes the
/// log could do that.
pub(super) fn last_words(py: Python<'_>, text: &str) {
    py.detach(output::drain);
    output::write_fd2(&format!(
        "{text} {}{}; the stack of its Python follows",
        std::process::id(),
        breadcrumb::at_work()
    ));
    for line in stack(py).unwrap_or_default() {
        output::write_fd2(&line);
    }
}

/// The stack of the calling Python code, in the format of a traceback.
fn stack(py: Python<'_>) -> PyResult<Vec<String>> {
    let mut lines = Vec::new();
    for entry in py.import("traceback")?.call_method0("format_stack")?.cast::<PyList>()? {
        lines.extend(readable(entry.cast::<PyString>()?).lines().map(String::from));
    }
    Ok(lines)
}

/// If an application could close a standard descriptor, the next connection would get its number,
/// and what is written to standard error would go to that client. For another descriptor of the
/// server, the application gets Python's error for one that is not open, as if it had closed it
/// twice.
fn close<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    match call.value(0).extract::<RawFd>() {
        Ok(fd) if (0..FIRST_FREE).contains(&fd) => {
            call.say(&format!(
                "WSGI0304 {}.close({fd}) was ignored: standard input, output and error belong to \
                 the web server",
                call.module()
            ));
            Ok(call.py().None().into_bound(call.py()))
        }
        Ok(fd) if descriptors::is_hosts(fd) => {
            call.say(&format!(
                "WSGI0306 {}.close({fd}) was refused: this descriptor belongs to the web server",
                call.module()
            ));
            Err(os_error(libc::EBADF))
        }
        _ => call.original(),
    }
}

/// `sys.stdout = os.fdopen(sys.stdout.fileno(), "w")` is how programs set a stream's buffer or
/// encoding. When such a file is dropped, it must not close a descriptor of the server.
fn open<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    match call.value(0).extract::<RawFd>() {
        Ok(fd)
            if call.positional() < FDOPEN.len() - 1
                && ((0..FIRST_FREE).contains(&fd) || descriptors::is_hosts(fd)) =>
        {
            call.original_with_option("closefd", false)
        }
        _ => call.original(),
    }
}

/// Programs call it for descriptors whose owner they do not know, and most of these are the
/// server's.
fn close_range<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    match (call.value(0).extract::<RawFd>(), call.value(1).extract::<RawFd>()) {
        (Ok(from), Ok(to)) => {
            if from.max(0) < to {
                call.say(&format!(
                    "WSGI0304 os.closerange({from}, {to}) was ignored: descriptors in that range \
                     belong to the web server"
                ));
            }
            Ok(call.py().None().into_bound(call.py()))
        }
        _ => call.original(),
    }
}

/// A standard descriptor may be replaced: libraries that catch what C code prints do so for a
/// while. For standard error it is logged, since the last lines of a process go there.
fn dup2<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(to) = call.value(1).extract::<RawFd>() else { return call.original() };
    if to >= FIRST_FREE && descriptors::is_hosts(to) {
        call.say(&format!(
            "WSGI0306 os.dup2(..., {to}) was refused: this descriptor belongs to the web server"
        ));
        return Err(os_error(libc::EBUSY));
    }
    let result = call.original()?;
    if to == libc::STDERR_FILENO {
        call.say(
            "WSGI0307 os.dup2(..., 2) has replaced standard error, where the web server and \
             Python write why a process ends",
        );
    }
    Ok(result)
}

pub(super) fn os_error(number: i32) -> PyErr {
    let text = std::io::Error::from_raw_os_error(number).to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    // With these two arguments Python makes the subclass for the number, if there is one.
    PyOSError::new_err((number, text))
}

/// The system() of libc calls no handlers of forks, so a command that it leaves behind would keep
/// the connections of clients open. Meanwhile it also ignores SIGINT and SIGQUIT, in the server.
fn system<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    // Python raises its own error for what is not a command, and runs nothing.
    let command = py.import("os")?.call_method1("fsencode", (call.value(0),));
    let Ok(command) = command else { return call.original() };
    let options = PyDict::new(py);
    options.set_item("shell", true)?;
    let child = py.import("subprocess")?.getattr("Popen")?.call((command,), Some(&options))?;
    let code: i32 = child.call_method0("wait")?.extract()?;
    // os.system() returns the status in the format of waitpid().
    let status = if code < 0 { -code } else { code << 8 };
    Ok(status.into_pyobject(py)?.into_any())
}
