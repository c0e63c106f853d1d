//! The module `libwsgi`, which applications can import. It is not in a file: it exists only in a
//! process that runs this library.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyType};

const MODULE: &str = "libwsgi";
const ABOUT_MODULE: &str = "What the web server offers to this application in addition to WSGI.";

/// It is not an `Exception`: code that catches each `Exception`, logs it and goes on would ignore
/// it, and stay late.
const ABOUT_TIMEOUT: &std::ffi::CStr = c"The request took too long and was answered by the web \
server: whatever the application gives for it now is not sent. Raised in the thread that is late, \
if the server is configured to do that, at any place of its code. A BaseException, as \
KeyboardInterrupt is; clean up with finally or with, and let it pass.";

static TIMEOUT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Adds the module to `sys.modules`. An error is what Python raised.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let module = PyModule::new(py, MODULE)?;
    module.setattr("__doc__", ABOUT_MODULE)?;
    module.setattr("RequestTimeout", request_timeout(py)?)?;
    module.setattr("__all__", ["RequestTimeout"])?;
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    modules.set_item(MODULE, module)
}

/// `libwsgi.RequestTimeout`.
pub fn request_timeout(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    let class = TIMEOUT.get_or_try_init(py, || {
        let base = py.get_type::<PyBaseException>();
        let name = c"libwsgi.RequestTimeout";
        PyErr::new_type(py, name, Some(ABOUT_TIMEOUT), Some(&base), None)
    })?;
    Ok(class.bind(py))
}

pub(super) fn is_request_timeout(py: Python<'_>, error: &PyErr) -> bool {
    request_timeout(py).is_ok_and(|class| error.is_instance(py, class))
}
