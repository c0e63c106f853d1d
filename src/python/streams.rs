//! Stream classes that are derived from those of `io`, since programs check for that. They are
//! written in Python, around objects of this library.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// The name of the module that the classes claim, as those that are written in Rust do.
const MODULE: &str = "wsgi";

static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The classes of streams.py, by their names.
pub(super) fn classes(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    let classes = CLASSES.get_or_try_init(py, || {
        let globals = PyDict::new(py);
        globals.set_item("__name__", MODULE)?;
        run(&globals, include_str!("streams.py"))?;
        Ok::<_, PyErr>(globals.unbind())
    })?;
    Ok(classes.bind(py))
}

/// The class `name` of `source`, which has those of streams.py too.
pub fn class(py: Python<'_>, source: &str, name: &str) -> PyResult<Py<PyAny>> {
    let globals = classes(py)?.copy()?;
    run(&globals, source)?;
    Ok(globals.as_any().get_item(name)?.unbind())
}

fn run(globals: &Bound<'_, PyDict>, source: &str) -> PyResult<()> {
    let builtins = globals.py().import("builtins")?;
    let code = builtins.call_method1("compile", (source, "<libwsgi>", "exec"))?;
    builtins.call_method1("exec", (code, globals)).map(drop)
}
