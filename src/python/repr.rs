//! Shows a value of the application in a log line: on one line, and short.

use super::strings::readable;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// At most this number of characters, or of elements of a container, are shown.
const MOST: usize = 80;

/// The `repr` of a value, with the middle or the end left out. If its type is not Python's own,
/// only the name of the type: its `repr` is code of the application, which may run a query. Never
/// fails.
pub fn value(object: &Bound<'_, PyAny>) -> String {
    short(object).unwrap_or_else(|_| type_name(object))
}

/// The name of the type of a value.
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object
        .get_type()
        .name()
        .map_or_else(|_| "something else".into(), |name| readable(&name).into_owned())
}

/// The type of an exception and the first line of its text. Runs its `__str__`. Never fails.
pub fn exception(py: Python<'_>, error: &PyErr) -> String {
    let value = error.value(py);
    let text = value.str().map(|text| readable(&text).into_owned()).unwrap_or_default();
    let name = type_name(value.as_any());
    match text.lines().next() {
        Some(line) if !line.is_empty() => format!("{name}: {}", cut(line)),
        _ => name,
    }
}

fn short(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = object.py();
    if object.get_type().module()? != "builtins" {
        return Ok(type_name(object));
    }
    // The code below would first make the whole `repr`.
    if object.is_instance_of::<PyBytes>() {
        let start = object.get_item(pyo3::types::PySlice::new(py, 0, MOST as isize + 1, 1))?;
        return Ok(cut(&readable(&start.repr()?)));
    }
    let repr = py.import("reprlib")?.getattr("Repr")?.call0()?;
    for limit in ["maxstring", "maxother"] {
        repr.setattr(limit, MOST)?;
    }
    let text = repr.call_method1("repr", (object,))?.cast_into::<PyString>()?;
    Ok(cut(&readable(&text)))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST + 20) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
