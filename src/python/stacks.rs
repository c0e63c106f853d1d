//! What other threads are doing: the stack of their Python code.

use super::strings::readable;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// At most this number of frames of a thread are shown, the innermost ones.
const MAX_FRAMES: usize = 40;

/// The lines that `traceback.format_stack` returns for the thread whose `threading.get_ident()` is
/// `ident`, without line breaks; none if it runs no Python code. Fails with what Python raises.
///
/// The thread may go on meanwhile: this reads source files for the lines, without the GIL.
pub fn lines(py: Python<'_>, ident: u64) -> PyResult<Vec<String>> {
    let frames = py.import("sys")?.call_method0("_current_frames")?.cast_into::<PyDict>()?;
    let Some(frame) = frames.get_item(ident)? else { return Ok(Vec::new()) };
    let entries = py.import("traceback")?.call_method1("format_stack", (frame, MAX_FRAMES))?;
    let mut lines = Vec::new();
    for entry in entries.cast::<PyList>()? {
        let entry = entry.cast_into::<PyString>()?;
        lines.extend(readable(&entry).lines().map(String::from));
    }
    Ok(lines)
}
