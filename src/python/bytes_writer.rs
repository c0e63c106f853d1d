//! A bytes object while it is being filled. Large data is copied into it once, and the memory is not
//! filled with zeros before. CPython's name for it is `PyBytesWriter` (PEP 782).

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{Bound, ffi};
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// How much a callback that needs memory with something in it gets at once.
const BLOCK: usize = 64 * 1024;

unsafe extern "C" {
    /// Of Python's C API; pyo3 keeps its declaration to itself.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// Invariants: nobody else has the object; `memory` is that of its `size` bytes, of which the first
/// `filled` have been written.
pub struct BytesWriter {
    object: Py<PyBytes>,
    memory: *mut u8,
    size: usize,
    filled: usize,
}

// SAFETY: the object is not shared, and without the GIL only its bytes are touched, by whoever has
// the `BytesWriter`. Dropping a `Py` is for any thread.
unsafe impl Send for BytesWriter {}

impl BytesWriter {
    /// Room for `size` bytes. MemoryError if there is none.
    pub fn new(py: Python<'_>, size: usize) -> PyResult<BytesWriter> {
        let length = length(size)?;
        // SAFETY: attached, as `py` shows. NULL: the bytes are not set. A new reference, or NULL
        // with an exception set.
        let object = unsafe {
            let object = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length);
            Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked()
        };
        Ok(BytesWriter::of(object, size, 0))
    }

    fn of(object: Bound<'_, PyBytes>, size: usize, filled: usize) -> BytesWriter {
        // SAFETY: it is a bytes object, which `object` keeps alive.
        let memory = unsafe { ffi::PyBytes_AsString(object.as_ptr()) };
        BytesWriter { object: object.unbind(), memory: memory.cast(), size, filled }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    pub fn filled(&self) -> usize {
        self.filled
    }

    pub fn is_full(&self) -> bool {
        self.filled == self.size
    }

    /// Copies what there is room for and says how much that was.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.size - self.filled);
        // SAFETY: so many bytes of the object are not filled yet, and nobody else has it, so that
        // `bytes` is something else.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.memory.add(self.filled), count);
        }
        self.filled += count;
        count
    }

    /// Reads up to `most` bytes of `file` and says how many; 0 at the end of the file, or if there
    /// is no room.
    pub fn put_file(&mut self, file: &File, offset: u64, most: u64) -> io::Result<usize> {
        let room = self.size - self.filled;
        let count = room.min(usize::try_from(most).unwrap_or(usize::MAX));
        let offset = libc::off_t::try_from(offset)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: so many bytes of the object are not filled yet, and nobody else has it.
        let read = unsafe {
            libc::pread(file.as_raw_fd(), self.memory.add(self.filled).cast(), count, offset)
        };
        let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
        self.filled += read;
        Ok(read)
    }

    /// Has `read` fill some of what there is room for, and say how much.
    pub fn put_with(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let room = BLOCK.min(self.size - self.filled);
        // SAFETY: so many bytes of the object are not filled yet, and nobody else has it. They are
        // set before a reference to them is made.
        let memory = unsafe {
            let memory = self.memory.add(self.filled);
            std::ptr::write_bytes(memory, 0, room);
            std::slice::from_raw_parts_mut(memory, room)
        };
        let count = read(memory)?.min(room);
        self.filled += count;
        Ok(count)
    }

    /// The same with room for `size` bytes, not fewer than are filled. Large objects are moved by
    /// the kernel's tables and not copied.
    pub fn resize(self, py: Python<'_>, size: usize) -> PyResult<BytesWriter> {
        let length = length(size.max(self.filled))?;
        let mut object = self.object.into_ptr();
        // SAFETY: attached; the only reference to a bytes object. It is given up here: what comes
        // back is a new one, or NULL with an exception set.
        let object = unsafe {
            _PyBytes_Resize(&mut object, length);
            Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked()
        };
        Ok(BytesWriter::of(object, size.max(self.filled), self.filled))
    }

    /// The bytes object, as long as it has been filled.
    pub fn finish(self, py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
        let filled = self.filled;
        let done = if self.is_full() { self } else { self.resize(py, filled)? };
        Ok(done.object.into_bound(py))
    }
}

fn length(size: usize) -> PyResult<ffi::Py_ssize_t> {
    ffi::Py_ssize_t::try_from(size).map_err(|_| PyMemoryError::new_err(()))
}
