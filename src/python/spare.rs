//! An object that one request after another is lent.
//!
//! PEP 3333 hands an application some objects that are of use for one request only. To make and to
//! drop four of them is a tenth of a short request, and hardly any application keeps one. So each
//! thread keeps the last one of a class that nobody else had, and lends it again.

use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::Cell;
use std::ops::Deref;
use std::thread::LocalKey;

/// A thread's object of the class `C`, if it has one that nobody uses.
pub struct Spare<C>(Cell<Option<Py<C>>>);

impl<C> Default for Spare<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Spare<C> {
    pub const fn new() -> Self {
        Spare(Cell::new(None))
    }

    /// The caller has to make of it what a new request needs.
    pub fn take(&self) -> Option<Py<C>> {
        self.0.take()
    }
}

/// An object in use, which is spare again when this is dropped, unless somebody has kept it.
pub struct InUse<C: 'static> {
    /// None only while it is dropped.
    object: Option<Py<C>>,
    spare: &'static LocalKey<Spare<C>>,
}

impl<C> InUse<C> {
    /// `object` is new, or was spare.
    pub fn new(object: Py<C>, spare: &'static LocalKey<Spare<C>>) -> Self {
        InUse { object: Some(object), spare }
    }
}

impl<C> Deref for InUse<C> {
    type Target = Py<C>;

    fn deref(&self) -> &Py<C> {
        self.object.as_ref().expect("it is taken in `drop` only")
    }
}

impl<C> Drop for InUse<C> {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        // With the GIL held nobody can get a reference from where there is none.
        Python::attach(|_| {
            // SAFETY: an object that this has a reference to, asked with the GIL held.
            if unsafe { ffi::Py_REFCNT(object.as_ptr()) } == 1 {
                // A thread that ends has no place for it any more.
                let _ = self.spare.try_with(|spare| spare.0.set(Some(object)));
            }
        });
    }
}
