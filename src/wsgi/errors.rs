//! `wsgi.errors`: text for the server's log.

use super::lent::{Kept, Kind, Lent};
use crate::host::Level;
use crate::host::client::{self, Client};
use crate::host::hub::Hub;
use crate::pool::sync::Mutex;
use crate::python::free_list::FreeList;
use crate::python::lease::Lease;
use crate::python::lines::{LineBuffer, Lines};
use crate::python::output::bytes_of;
use crate::python::strings::readable;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use std::sync::Arc;

/// What the stream has while the request lasts.
pub(super) struct Open {
    lines: LineBuffer,
    about: Option<Client>,
}

/// "An output stream (file-like object) to which error output can be written": `write`,
/// `writelines`, `flush` (PEP 3333, Input and Error Streams). Each line is a line of the log.
///
/// It is not a mistake to write after the request is over: another thread may still work for it,
/// and a framework's log handler keeps the stream. Such lines do not name the request.
#[pyclass(frozen, module = "wsgi", name = "ErrorLog")]
pub(super) struct ErrorLog {
    open: Lease<Open>,
    hub: Arc<Hub>,
    late: Mutex<LineBuffer>,
}

thread_local!(static FREE: FreeList<Kept<Open>> = const { FreeList::new() });

static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

const KIND: Kind<Open> =
    Kind { name: "wsgi.errors", stream: Some(("Errors", &CLASS)), free: &FREE };

/// When it is dropped, it logs the unfinished line. Later lines do not name the request.
pub(super) struct ErrorsGuard {
    lent: Lent<Open>,
    hub: Arc<Hub>,
}

impl ErrorsGuard {
    /// What the application gets.
    pub(super) fn object(&self) -> &Py<PyAny> {
        self.lent.object()
    }
}

impl Drop for ErrorsGuard {
    fn drop(&mut self) {
        let Some(mut open) = self.lent.revoke() else { return };
        // This thread has the GIL, so it does not wait for the log.
        if let Some(line) = open.lines.finish().as_mut().and_then(Lines::next) {
            self.hub.log(open.about.as_ref(), Level::Error, &line);
        }
    }
}

pub(super) fn lend(py: Python<'_>, hub: &Arc<Hub>) -> PyResult<ErrorsGuard> {
    let open = Open { lines: LineBuffer::default(), about: client::current() };
    let new = |open| ErrorLog { open, hub: hub.clone(), late: Mutex::default() };
    let lent = KIND.lend(py, open, new)?;
    Ok(ErrorsGuard { lent, hub: hub.clone() })
}

impl ErrorLog {
    /// Adds `text`, or ends the line that has begun, and logs the lines that are complete then.
    /// Another thread that writes meanwhile waits, so that lines do not mix.
    fn put(&self, py: Python<'_>, text: Option<&[u8]>) {
        let written = self.open.with(|open| {
            if let Some(lines) = step(&mut open.lines, text) {
                let about = open.about.as_ref();
                open.lines.put_back(py.detach(|| self.log(about, lines)));
            }
        });
        if written.is_ok() {
            return;
        }
        // Two statements, so that the mutex is unlocked before the lines are logged.
        let lines = step(&mut self.late.lock(), text);
        if let Some(lines) = lines {
            let rest = py.detach(|| self.log(None, lines));
            self.late.lock().put_back(rest);
        }
    }

    fn log<'a>(&self, about: Option<&Client>, mut lines: Lines<'a>) -> Lines<'a> {
        self.hub.log_lines(about, Level::Error, &mut lines);
        lines
    }
}

fn step<'a>(buffer: &mut LineBuffer, text: Option<&'a [u8]>) -> Option<Lines<'a>> {
    match text {
        Some(text) => buffer.push(text),
        None => buffer.finish(),
    }
}

impl Drop for ErrorLog {
    /// Logs the unfinished line of those that came after the request.
    fn drop(&mut self) {
        if let Some(line) = self.late.get_mut().finish().as_mut().and_then(Lines::next) {
            self.hub.log(None, Level::Error, &line);
        }
    }
}

#[pymethods]
impl ErrorLog {
    fn write_text(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<usize> {
        let Ok(text) = text.cast::<PyString>() else {
            let class = text.get_type().name()?;
            let message = format!("write() argument must be str, not {}", readable(&class));
            return Err(PyTypeError::new_err(message));
        };
        self.put(py, Some(readable(text).as_bytes()));
        text.len()
    }

    /// As `write_text`, for the stream's `buffer`, which takes bytes.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let data = bytes_of(data)?;
        self.put(py, Some(data.as_bytes()));
        Ok(data.as_bytes().len())
    }

    /// Logs the unfinished line. Complete lines are logged already.
    fn flush(&self, py: Python<'_>) {
        self.put(py, None);
    }

    #[getter]
    fn name(&self) -> &'static str {
        "<wsgi.errors>"
    }
}
