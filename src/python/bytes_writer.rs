//! A bytes object that is being filled. Large data is copied into it once, and its memory is not
//! zeroed first. CPython's name for it is `PyBytesWriter` (PEP 782).

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{Bound, ffi};
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// The most bytes that `put_with` offers its callback at once. They must be zeroed first.
const BLOCK: usize = 64 * 1024;

unsafe extern "C" {
    /// A function of Python's C API, whose declaration pyo3 does not export.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// Invariants: no other code has the object; `memory` points to the `size` bytes of the object, of
/// which the first `filled` have been written.
pub struct BytesWriter {
    object: Py<PyBytes>,
    memory: *mut u8,
    size: usize,
    filled: usize,
}

// SAFETY: the object is not shared. Without the GIL only its bytes are touched, by the thread that
// has the `BytesWriter`. Any thread may drop a `Py`.
unsafe impl Send for BytesWriter {}

impl BytesWriter {
    /// Makes an object with room for `size` bytes. Fails with MemoryError if there is no memory.
    pub fn new(py: Python<'_>, size: usize) -> PyResult<BytesWriter> {
        let length = length(size)?;
        // SAFETY: attached, as `py` shows. NULL means that the bytes are not set. The call returns
        // a new reference, or NULL with an exception set.
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

    /// Copies as many of the bytes as there is room for, and returns their number.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.size - self.filled);
        // SAFETY: this number of bytes of the object is not filled yet. No other code has the
        // object, so `bytes` does not overlap it.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.memory.add(self.filled), count);
        }
        self.filled += count;
        count
    }

    /// Reads up to `most` bytes of `file` and returns their number. It is 0 at the end of the file,
    /// or if there is no room.
    pub fn put_file(&mut self, file: &File, offset: u64, most: u64) -> io::Result<usize> {
        let room = self.size - self.filled;
        let count = room.min(usize::try_from(most).unwrap_or(usize::MAX));
        let offset = libc::off_t::try_from(offset)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: this number of bytes of the object is not filled yet, and no other code has the
        // object.
        let read = unsafe {
            libc::pread(file.as_raw_fd(), self.memory.add(self.filled).cast(), count, offset)
        };
        let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
        self.filled += read;
        Ok(read)
    }

    /// Calls `read` with a part of the room that is left. `read` returns how many bytes it has
    /// filled, and this returns the same number.
    pub fn put_with(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let room = BLOCK.min(self.size - self.filled);
        // SAFETY: this number of bytes of the object is not filled yet, and no other code has the
        // object. They are set before a reference to them is made.
        let memory = unsafe {
            let memory = self.memory.add(self.filled);
            std::ptr::write_bytes(memory, 0, room);
            std::slice::from_raw_parts_mut(memory, room)
        };
        let count = read(memory)?.min(room);
        self.filled += count;
        Ok(count)
    }

    /// Changes the room to `size` bytes, but not below what is filled. The kernel moves the memory
    /// of a large object without a copy.
    pub fn resize(self, py: Python<'_>, size: usize) -> PyResult<BytesWriter> {
        let length = length(size.max(self.filled))?;
        let mut object = self.object.into_ptr();
        // SAFETY: attached; this is the only reference to the bytes object. It is given up here:
        // the call returns a new one, or NULL with an exception set.
        let object = unsafe {
            _PyBytes_Resize(&mut object, length);
            Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked()
        };
        Ok(BytesWriter::of(object, size.max(self.filled), self.filled))
    }

    /// The bytes object, cut to the bytes that were filled.
    pub fn finish(self, py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
        let filled = self.filled;
        let done = if self.is_full() { self } else { self.resize(py, filled)? };
        Ok(done.object.into_bound(py))
    }
}

fn length(size: usize) -> PyResult<ffi::Py_ssize_t> {
    ffi::Py_ssize_t::try_from(size).map_err(|_| PyMemoryError::new_err(()))
}
