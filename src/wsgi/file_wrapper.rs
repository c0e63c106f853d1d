//! `wsgi.file_wrapper`: an iterable over a file-like object. The host may send the file by itself.

use crate::host::response::file_range::FileRange;
use pyo3::exceptions::{PyOverflowError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// The size of a block, if the host does not send the file by itself.
const BLOCK_SIZE: usize = 8192;
/// The largest number that `read()` takes.
const LARGEST: usize = isize::MAX as usize;

/// "a callable that accepts one required positional parameter, and one optional positional
/// parameter" (PEP 3333, Optional Platform-Specific File Handling). It holds nothing of a request,
/// so an application may keep it.
#[pyclass(frozen, module = "wsgi")]
pub(super) struct FileWrapper {
    filelike: Py<PyAny>,
    block_size: usize,
}

impl FileWrapper {
    /// The rest of the file. None if it is not a regular file, if nothing is left of it, or if
    /// `read()` may return something else than its content.
    ///
    /// "transmission should begin at the current position within the 'file' at the time that
    /// transmission begins": that is `tell()`. The descriptor under a buffered reader is further
    /// on.
    pub(super) fn range(&self, py: Python<'_>) -> Option<FileRange> {
        let plain = plain_file(self.filelike.bind(py)).ok().flatten()?;
        // If the file is open for writing too, `read()` would first write what is buffered.
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
        // A value that cannot be a size, such as None or -1, means the default size.
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

/// The file behind `filelike`, if its `read()` is known to return what its descriptor returns.
///
/// "the semantics of returning a file wrapper from the application should be the same as if the
/// application had returned iter(filelike.read, '')" (PEP 3333). It is not enough that an object
/// has a descriptor: gzip's files have one, and so have objects that decrypt or limit another file.
/// So only the classes below count, and not their subclasses.
fn plain_file<'py>(filelike: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let file = temporary_file(filelike)?.unwrap_or_else(|| filelike.clone());
    // `_io` and not `io`: a program may have replaced classes of `io`.
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

/// Whether the object has an attribute of its own that hides one of its class. A `close` of its own
/// does not count, since it does not change what the object reads.
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

/// The file in a wrapper of `tempfile`, if `filelike` is such a wrapper and reads from that file.
fn temporary_file<'py>(filelike: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = filelike.py();
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    // If no module has imported `tempfile`, this is not one of its objects.
    let Ok(tempfile) = modules.get_item(intern!(py, "tempfile")) else { return Ok(None) };
    let class = tempfile.getattr(intern!(py, "_TemporaryFileWrapper"))?;
    if !filelike.get_type().is(&class) {
        return Ok(None);
    }
    let own = filelike.getattr(intern!(py, "__dict__"))?;
    // Once a method was looked up, the wrapper keeps it as an attribute of its own.
    if let Ok(read) = own.get_item(intern!(py, "read")) {
        let of_tempfile = tempfile.getattr(intern!(py, "__dict__"))?;
        if !read.getattr(intern!(py, "__globals__"))?.is(&of_tempfile) {
            return Ok(None);
        }
    }
    own.get_item(intern!(py, "file")).map(Some)
}
