//! `wsgi.file_wrapper`: a file-like object as an iterable that the host may send by itself.

use crate::host::response::file_range::FileRange;
use pyo3::exceptions::{PyOverflowError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Of a block of a file that the host does not send by itself.
const BLOCK_SIZE: usize = 8192;
/// `read()` takes no more for an argument.
const LARGEST: usize = isize::MAX as usize;

/// "a callable that accepts one required positional parameter, and one optional positional parameter"
/// (PEP 3333, Optional Platform-Specific File Handling). It holds nothing of a request, so it may be
/// kept.
#[pyclass(frozen, module = "wsgi")]
pub(super) struct FileWrapper {
    filelike: Py<PyAny>,
    block_size: usize,
}

impl FileWrapper {
    /// The rest of the file, if it is a regular one with something left, and `read()` gives what
    /// is in it.
    ///
    /// "transmission should begin at the current position within the 'file' at the time that
    /// transmission begins": `tell()`, since what lies under a buffered reader is further on.
    pub(super) fn range(&self, py: Python<'_>) -> Option<FileRange> {
        let plain = plain_file(self.filelike.bind(py)).ok().flatten()?;
        // `read()` of a file that is written to as well would write first.
        plain.call_method0("flush").ok()?;
        if !plain.call_method0("readable").and_then(|it| it.is_truthy()).ok()? {
            return None;
        }
        let fd = plain.call_method0("fileno").and_then(|fd| fd.extract()).ok()?;
        let offset = plain.call_method0("tell").and_then(|at| at.extract()).ok()?;
        FileRange::rest_of(fd, offset)
    }
}

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (filelike, block_size = None, /))]
    fn new(
        py: Python<'_>,
        filelike: Py<PyAny>,
        block_size: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        // What is no size of a block, as None and -1 are to `read()`, suggests nothing.
        let block_size = match block_size.filter(|size| !size.is_none()).map(|it| it.extract()) {
            Some(Ok(size @ 1..=LARGEST)) => size,
            Some(Err(error)) if !error.is_instance_of::<PyOverflowError>(py) => return Err(error),
            _ => BLOCK_SIZE,
        };
        Ok(FileWrapper { filelike, block_size })
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

/// The file behind `filelike`, if what its `read()` gives is known to be what its descriptor gives.
///
/// "the semantics of returning a file wrapper from the application should be the same as if the
/// application had returned iter(filelike.read, '')" (PEP 3333). A descriptor says nothing of that:
/// gzip's files have one, and so has what decrypts or limits another file. So these are the classes
/// of which it is known, and no subclass of theirs.
fn plain_file<'py>(filelike: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let file = temporary_file(filelike)?.unwrap_or_else(|| filelike.clone());
    // Not of `io`, where a program may have put classes of its own.
    let io = file.py().import(intern!(file.py(), "_io"))?;
    let is = |object: &Bound<'py, PyAny>, class: &str| {
        let class = io.getattr(class)?;
        Ok::<_, PyErr>(object.get_type().is(&class) && !is_overridden(object)?)
    };
    let is_plain = is(&file, "FileIO")?
        || ((is(&file, "BufferedReader")? || is(&file, "BufferedRandom")?)
            && is(&file.getattr(intern!(file.py(), "raw"))?, "FileIO")?);
    Ok(is_plain.then_some(file))
}

/// Whether the object has an attribute of its own in place of one of its class; its close() says
/// nothing of what it reads.
fn is_overridden(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let own = object.getattr(intern!(object.py(), "__dict__"))?.cast_into::<PyDict>()?;
    let class = object.get_type();
    for name in own.keys() {
        let name = name.cast_into::<PyString>()?;
        if name != "close" && class.hasattr(name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What `tempfile` has wrapped, if `filelike` is such a wrapper and reads from that.
fn temporary_file<'py>(filelike: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = filelike.py();
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    // If nobody has imported it, this is none of its objects.
    let Ok(tempfile) = modules.get_item(intern!(py, "tempfile")) else { return Ok(None) };
    let class = tempfile.getattr(intern!(py, "_TemporaryFileWrapper"))?;
    if !filelike.get_type().is(&class) {
        return Ok(None);
    }
    let own = filelike.getattr(intern!(py, "__dict__"))?;
    // It keeps the methods that it was asked for as functions of its own.
    if let Ok(read) = own.get_item(intern!(py, "read")) {
        let of_tempfile = tempfile.getattr(intern!(py, "__dict__"))?;
        if !read.getattr(intern!(py, "__globals__"))?.is(&of_tempfile) {
            return Ok(None);
        }
    }
    own.get_item(intern!(py, "file")).map(Some)
}
