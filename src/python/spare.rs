//! An object that one request after another is lent.
//!
//! PEP 3333 hands an application some objects that are of use for one request only. To make and to
//! drop four of them is a tenth of a short request, and hardly any application keeps one. So each
//! thread keeps the last one of a class that nobody else had, and lends it again.

use super::{c_exit, thread};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::Cell;
use std::ops::Deref;
use std::thread::LocalKey;

/// A thread's object of the class `C`, if it has one that nobody uses, and what `K` goes with it.
/// Python's memory hides what it refers to from tools that look for leaks, so what such an object
/// owns outside of it belongs into `K` too.
pub struct Spare<C, K = ()>(Cell<Option<(Py<C>, K)>>);

impl<C, K> Default for Spare<C, K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, K> Spare<C, K> {
    pub const fn new() -> Self {
        Spare(Cell::new(None))
    }

    /// The caller has to make of it what a new request needs.
    pub fn take(&self) -> Option<(Py<C>, K)> {
        self.0.take()
    }
}

impl<C, K> Drop for Spare<C, K> {
    /// The thread ends, and its Python state does after this.
    fn drop(&mut self) {
        c_exit::check();
        let Some(spare) = self.0.take() else { return };
        if thread::gives_gil() {
            Python::attach(|_| drop(spare));
        } else {
            std::mem::forget(spare);
        }
    }
}

/// An object in use, which is spare again when this is dropped, unless somebody has kept it or left
/// something on it.
pub struct InUse<C: 'static, K: 'static = ()> {
    /// None only while it is dropped.
    object: Option<(Py<C>, K)>,
    spare: &'static LocalKey<Spare<C, K>>,
}

impl<C, K> InUse<C, K> {
    /// `object` is new, or was spare.
    pub fn new(object: Py<C>, kept: K, spare: &'static LocalKey<Spare<C, K>>) -> Self {
        InUse { object: Some((object, kept)), spare }
    }
}

impl<C, K> Deref for InUse<C, K> {
    type Target = Py<C>;

    fn deref(&self) -> &Py<C> {
        &self.object.as_ref().expect("it is taken in `drop` only").0
    }
}

impl<C, K> Drop for InUse<C, K> {
    fn drop(&mut self) {
        let Some((object, kept)) = self.object.take() else { return };
        // With the GIL held nobody can get a reference from where there is none, but by a weak one.
        Python::attach(|py| {
            if references(object.bind(py).as_any()) == 1
                && is_as_it_was_made(object.bind(py).as_any())
            {
                // A thread that ends has no place for it any more.
                let _ = self.spare.try_with(|spare| spare.0.set(Some((object, kept))));
            }
        });
    }
}

/// How many references there are to the object, this one included.
pub fn references(object: &Bound<'_, PyAny>) -> ffi::Py_ssize_t {
    // SAFETY: an object that the caller has a reference to, asked with the GIL held.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// Whether nothing of the last request is left on the object: an attribute that it was given, or a
/// weak reference, through which the next request would be taken for the last.
fn is_as_it_was_made(object: &Bound<'_, PyAny>) -> bool {
    let class = object.get_type();
    // SAFETY: a type has these fields, and what they say does not change.
    let (dict, weak) =
        unsafe { ((*class.as_type_ptr()).tp_dictoffset, (*class.as_type_ptr()).tp_weaklistoffset) };
    let is_empty = |offset: ffi::Py_ssize_t| match usize::try_from(offset) {
        Ok(0) => true,
        Ok(offset) => {
            // SAFETY: at a positive offset an object has a pointer to its dict or to its first weak
            // reference, or NULL. The GIL is held, so nobody changes it meanwhile.
            let held =
                unsafe { object.as_ptr().byte_add(offset).cast::<*mut ffi::PyObject>().read() };
            // SAFETY: NULL or an object, borrowed while the GIL is held.
            let held = unsafe { Bound::from_borrowed_ptr_or_opt(object.py(), held) };
            held.is_none_or(|held| held.cast::<PyDict>().is_ok_and(|dict| dict.is_empty()))
        }
        // Kept elsewhere, where only Python finds it.
        Err(_) => false,
    };
    is_empty(dict) && is_empty(weak)
}
