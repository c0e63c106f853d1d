//! Reuses objects that serve one request only. To make and to drop four of them takes a tenth of a
//! short request, and hardly any application keeps one. So each thread keeps the last object of a
//! kind that no other code has a reference to, and uses it again. CPython calls that a free list.

use super::{c_exit, gil};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::Cell;
use std::thread::LocalKey;

/// A thread's unused object, if it has one, and what belongs to it.
///
/// Tools that look for leaks do not see what only Python's memory refers to. So `K` also holds what
/// such an object owns outside that memory.
pub struct FreeList<K>(Cell<Option<(Py<PyAny>, K)>>);

impl<K> Default for FreeList<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> FreeList<K> {
    pub const fn new() -> Self {
        FreeList(Cell::new(None))
    }

    /// Takes the unused object. The caller must prepare it for a new request.
    pub fn take(&self) -> Option<(Py<PyAny>, K)> {
        self.0.take()
    }
}

impl<K> Drop for FreeList<K> {
    /// The thread ends. Its Python state ends after this.
    fn drop(&mut self) {
        c_exit::check();
        let Some(unused) = self.0.take() else { return };
        if gil::can_be_taken() {
            Python::attach(|_| drop(unused));
        } else {
            std::mem::forget(unused);
        }
    }
}

/// An object in use. When this is dropped, the object goes to the free list, unless the application
/// has kept it or left something on it.
pub struct Pooled<K: 'static> {
    /// None only while it is dropped.
    object: Option<(Py<PyAny>, K)>,
    free: &'static LocalKey<FreeList<K>>,
}

impl<K> Pooled<K> {
    /// `object` is new, or comes from `free`.
    pub fn new(object: Py<PyAny>, kept: K, free: &'static LocalKey<FreeList<K>>) -> Self {
        Pooled { object: Some((object, kept)), free }
    }

    pub fn object(&self) -> &Py<PyAny> {
        &self.object.as_ref().expect("it is taken in `drop` only").0
    }
}

impl<K> Drop for Pooled<K> {
    fn drop(&mut self) {
        let Some((object, kept)) = self.object.take() else { return };
        // While this thread has the GIL, code that has no reference to the object can only get one
        // through a weak reference.
        Python::attach(|py| {
            if references(object.bind(py)) == 1 && is_as_it_was_made(object.bind(py)) {
                // A thread that ends has no free list any more.
                let _ = self.free.try_with(|free| free.0.set(Some((object, kept))));
            }
        });
    }
}

/// The number of references to the object, this one included.
pub fn references(object: &Bound<'_, PyAny>) -> ffi::Py_ssize_t {
    // SAFETY: the caller has a reference to the object, and this thread has the GIL.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// Whether nothing of the last request is left on the object: an attribute that the application
/// set, or a weak reference, which would lead to the next request.
fn is_as_it_was_made(object: &Bound<'_, PyAny>) -> bool {
    let class = object.get_type();
    // SAFETY: a type has these fields, and they do not change.
    let (dict, weak) =
        unsafe { ((*class.as_type_ptr()).tp_dictoffset, (*class.as_type_ptr()).tp_weaklistoffset) };
    let is_empty = |offset: ffi::Py_ssize_t| match usize::try_from(offset) {
        Ok(0) => true,
        Ok(offset) => {
            // SAFETY: at a positive offset an object has a pointer to its dict or to its first weak
            // reference, or NULL. This thread has the GIL, so it does not change meanwhile.
            let held =
                unsafe { object.as_ptr().byte_add(offset).cast::<*mut ffi::PyObject>().read() };
            // SAFETY: NULL or an object, borrowed while the GIL is held.
            let held = unsafe { Bound::from_borrowed_ptr_or_opt(object.py(), held) };
            held.is_none_or(|held| held.cast::<PyDict>().is_ok_and(|dict| dict.is_empty()))
        }
        // CPython keeps the dict or the weak references elsewhere.
        Err(_) => false,
    };
    is_empty(dict) && is_empty(weak)
}
