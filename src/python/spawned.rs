//! Lets processes that multiprocessing starts anew import the files that they cannot find by name.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::ffi::CString;
use std::path::Path;

/// The code that such a process runs. The same code makes multiprocessing send it there.
const SOURCE: &str = include_str!("spawned.py");

/// Paths by the names of their modules.
static FILES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// Lets such processes import `path` as `name`. Imports a part of multiprocessing the first time.
pub(super) fn know(py: Python<'_>, name: &str, path: &Path) -> PyResult<()> {
    let files = FILES.get_or_try_init(py, || {
        let files = PyDict::new(py);
        let globals = PyDict::new(py);
        globals.set_item("files", &files)?;
        globals.set_item("source", SOURCE)?;
        globals.set_item("is_child", false)?;
        py.run(&CString::new(SOURCE)?, Some(&globals), None)?;
        Ok::<_, PyErr>(files.unbind())
    })?;
    files.bind(py).set_item(name, path.as_os_str())
}
