//! `wsgi.file_wrapper`: a file-like object as an iterable that the host may send by itself.

use crate::host::FileRange;
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;

/// "An optional platform-specific file handling ... a callable that accepts one required positional
/// parameter, and one optional" (PEP 3333). It holds nothing of a request, so it may be kept.
#[pyclass(frozen, module = "wsgi")]
pub(super) struct FileWrapper {
    filelike: Py<PyAny>,
    block_size: usize,
}

impl FileWrapper {
    /// The rest of the file, if it is a regular one with something left.
    ///
    /// "transmission should begin at the current position within the 'file' at the time that
    /// transmission begins": `tell()`, since what lies under a buffered reader is further on.
    pub(super) fn range(&self, py: Python<'_>) -> Option<FileRange> {
        let filelike = self.filelike.bind(py);
        let fd = filelike.call_method0("fileno").and_then(|fd| fd.extract()).ok()?;
        let offset = filelike.call_method0("tell").and_then(|at| at.extract()).ok()?;
        FileRange::rest_of(fd, offset)
    }
}

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (filelike, block_size = 8192, /))]
    fn new(filelike: Py<PyAny>, block_size: usize) -> Self {
        FileWrapper { filelike, block_size }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let block = self.filelike.bind(py).call_method1("read", (self.block_size,))?;
        if block.is_truthy()? { Ok(block) } else { Err(PyStopIteration::new_err(())) }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.filelike.bind(py).getattr_opt("close")? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        }
    }
}
