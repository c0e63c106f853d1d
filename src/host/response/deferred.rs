//! References to Python objects that a thread without the GIL cannot drop.

use crate::host::polling::Callbacks;
use crate::pool::sync::Mutex;
use crate::python::fork::is_forked;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::fmt;
use std::sync::Arc;

/// The references. A thread that holds the GIL drops them.
pub struct DeferredDrops {
    objects: Mutex<Vec<Py<PyBytes>>>,
    wake: OnceCell<Box<dyn Fn() + Send + Sync>>,
    callbacks: Arc<Callbacks>,
}

impl fmt::Debug for DeferredDrops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredDrops").finish_non_exhaustive()
    }
}

impl DeferredDrops {
    pub(in crate::host) fn new(callbacks: Arc<Callbacks>) -> Arc<Self> {
        let (objects, wake) = (Mutex::default(), OnceCell::new());
        Arc::new(DeferredDrops { objects, wake, callbacks })
    }

    /// Sets the function that wakes a thread. That thread must call [`DeferredDrops::drop_all`].
    pub fn set_wake(&self, wake: Box<dyn Fn() + Send + Sync>) {
        let _ = self.wake.set(wake);
    }

    /// Takes a reference that the caller cannot drop because it does not hold the GIL.
    pub(super) fn defer_drop(&self, object: Py<PyBytes>) {
        if is_forked() {
            return std::mem::forget(object);
        }
        let first = {
            let mut objects = self.objects.lock();
            objects.push(object);
            objects.len() == 1
        };
        // While callbacks are in progress, no thread is woken. The polling thread looks for objects
        // after them, and calls `wake`. It looks under the same lock, so either it finds the
        // object, or this thread finds that the callbacks are over.
        if first && !self.callbacks.are_in_progress() {
            self.wake();
        }
    }

    pub(in crate::host) fn wake(&self) {
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }

    pub fn has_any(&self) -> bool {
        !self.objects.lock().is_empty()
    }

    /// The token shows that the caller holds the GIL.
    pub fn drop_all(&self, _py: Python<'_>) {
        let objects = std::mem::take(&mut *self.objects.lock());
        drop(objects);
    }
}
