//! `wsgi.errors`: text for the server's log.

use crate::host::Level;
use crate::host::current::{self, Current};
use crate::host::outbox::Outbox;
use crate::pool::sync::Mutex;
use crate::python::lines::{LineBuffer, Lines};
use crate::python::spare::{InUse, Spare};
use crate::python::strings::readable;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

struct Open {
    lines: LineBuffer,
    outbox: Arc<Outbox>,
    about: Option<Current>,
}

/// "An output stream (file-like object) to which error output can be written": `write`,
/// `writelines`, `flush` (PEP 3333, Input and Error Streams). Each line is a line of the log.
/// Unlike the other objects of a request it may be used on any thread meanwhile: logging does so.
#[pyclass(frozen, module = "wsgi", name = "Errors")]
pub(super) struct Errors {
    open: Mutex<Option<Open>>,
}

thread_local!(static SPARE: Spare<Errors> = const { Spare::new() });

/// Ends an [`Errors`] when dropped: its unfinished line is logged, later use raises.
pub(super) struct Ending(InUse<Errors>);

impl Drop for Ending {
    fn drop(&mut self) {
        // Not in one statement: `log` must not run under the mutex.
        let open = self.0.get().open.lock().take();
        if let Some(mut open) = open {
            // With the GIL held, so it does not wait.
            if let Some(line) = open.lines.finish().as_mut().and_then(Lines::next) {
                open.outbox.log(open.about.as_ref(), Level::Error, &line);
            }
        }
    }
}

pub(super) fn lend(py: Python<'_>, outbox: &Arc<Outbox>) -> PyResult<(Py<Errors>, Ending)> {
    let open =
        Open { lines: LineBuffer::default(), outbox: outbox.clone(), about: current::current() };
    if let Some((spare, ())) = SPARE.with(Spare::take) {
        *spare.get().open.lock() = Some(open);
        return Ok((spare.clone_ref(py), Ending(InUse::new(spare, (), &SPARE))));
    }
    let new = Py::new(py, Errors { open: Mutex::new(Some(open)) })?;
    Ok((new.clone_ref(py), Ending(InUse::new(new, (), &SPARE))))
}

impl Errors {
    fn put<'a>(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&mut LineBuffer) -> Option<Lines<'a>>,
    ) -> PyResult<()> {
        let (lines, outbox, about) = {
            let mut open = self.open.lock();
            let open = open.as_mut().ok_or_else(|| {
                PyRuntimeError::new_err(
                    "wsgi.errors was used after its request had ended; log with the logging \
                     module or sys.stderr there",
                )
            })?;
            let Some(lines) = step(&mut open.lines) else { return Ok(()) };
            (lines, open.outbox.clone(), open.about.clone())
        };
        let lines = py.detach(|| {
            let mut lines = lines;
            outbox.log_lines(about.as_ref(), Level::Error, &mut lines);
            lines
        });
        if let Some(open) = &mut *self.open.lock() {
            open.lines.put_back(lines);
            return Ok(());
        }
        // The request has ended meanwhile, on another thread. What this one has begun is said.
        let mut begun = LineBuffer::default();
        begun.put_back(lines);
        if let Some(mut line) = begun.finish() {
            py.detach(|| outbox.log_lines(about.as_ref(), Level::Error, &mut line));
        }
        Ok(())
    }
}

#[pymethods]
impl Errors {
    fn write(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<usize> {
        let written = text.len()?;
        let text = readable(text);
        self.put(py, |buffer| buffer.push(text.as_bytes()))?;
        Ok(written)
    }

    fn writelines(&self, py: Python<'_>, texts: &Bound<'_, PyAny>) -> PyResult<()> {
        for text in texts.try_iter()? {
            self.write(py, text?.cast::<PyString>()?)?;
        }
        Ok(())
    }

    /// Lines are logged as they end; what is not a whole line yet is logged now.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.put(py, LineBuffer::finish)
    }

    fn isatty(&self) -> bool {
        false
    }

    fn writable(&self) -> bool {
        true
    }

    #[getter]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }

    #[getter]
    fn closed(&self) -> bool {
        self.open.lock().is_none()
    }
}
