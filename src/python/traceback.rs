//! An exception as the lines that Python itself would print for it.

use super::strings::readable;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

/// At most this number of lines are returned, since the text of an exception can be of any size.
const MAX_LINES: usize = 1000;

/// The number of first lines that are kept if there are more. The end says what went wrong.
const HEAD: usize = 300;

/// The whole traceback, as `traceback.format_exception` returns it, without line breaks: the
/// frames, the causes and contexts, the caret of a SyntaxError, the notes. At least one line and at
/// most 1000, one of which then says what is left out. Never fails.
///
/// Runs code of the application: the `__str__` of the exception. The lines may hold control
/// characters (see `lines::escape`).
pub fn lines(py: Python<'_>, err: &PyErr) -> Vec<String> {
    let text = formatted(py, err).unwrap_or_else(|second| {
        let name = |err: &PyErr| match err.get_type(py).qualname() {
            Ok(name) => readable(&name).into_owned(),
            Err(_) => String::from("an exception"),
        };
        format!("{} (its traceback cannot be shown: {})", name(err), name(&second))
    });
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= MAX_LINES {
        return lines.into_iter().map(String::from).collect();
    }
    let tail = lines.len() - (MAX_LINES - HEAD - 1);
    let gap = format!("[{} lines are left out here]", tail - HEAD);
    let (head, rest) = (&lines[..HEAD], &lines[tail..]);
    head.iter()
        .copied()
        .chain([gap.as_str()])
        .chain(rest.iter().copied())
        .map(String::from)
        .collect()
}

fn formatted(py: Python<'_>, err: &PyErr) -> PyResult<String> {
    let format = py.import(intern!(py, "traceback"))?.getattr(intern!(py, "format_exception"))?;
    let entries = format.call1((err.get_type(py), err.value(py), err.traceback(py)))?;
    let mut text = String::new();
    for entry in entries.cast::<PyList>()? {
        text.push_str(&readable(entry.cast::<PyString>()?));
    }
    Ok(text)
}
