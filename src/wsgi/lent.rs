//! The objects that a request lends to its application: `wsgi.input`, `wsgi.errors`,
//! `start_response` and `libwsgi.client_disconnected`. Each is a Python object around a lease of a
//! value in Rust.
//!
//! The loan ends with the request. The value is dropped then, and each use of the object raises.
//! The object goes to the thread's free list for the next request, unless the application has kept
//! it.

use crate::python::free_list::{FreeList, Pooled, references};
use crate::python::lease::{Lease, Loan};
use crate::python::streams;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyClass, PyClassInitializer};
use std::thread::LocalKey;

/// The parts of an object that a thread keeps in order to lend the object again.
pub(super) struct Kept<T: Send> {
    /// The object in Rust, if the application gets an object of streams.py that wraps it.
    inner: Option<Py<PyAny>>,
    lease: Lease<T>,
}

/// Makes the objects of one kind.
pub(super) struct Kind<T: Send + 'static> {
    /// The name of the object in messages.
    pub(super) name: &'static str,
    /// The class of streams.py whose objects the application gets. None if it gets those of the
    /// class in Rust.
    pub(super) stream: Option<(&'static str, &'static PyOnceLock<Py<PyAny>>)>,
    pub(super) free: &'static LocalKey<FreeList<Kept<T>>>,
}

/// A value that is lent, and the object with which the application uses it. The loan is dropped
/// first, since an object is free only after its loan.
pub(super) struct Lent<T: Send + 'static> {
    loan: Loan<T>,
    object: Pooled<Kept<T>>,
}

/// There was no memory for the object. The caller gets the value back.
pub(super) struct NotLent<T> {
    pub(super) error: PyErr,
    pub(super) value: Option<T>,
}

impl<T> From<Box<NotLent<T>>> for PyErr {
    fn from(not_lent: Box<NotLent<T>>) -> PyErr {
        not_lent.error
    }
}

impl<T: Send> Kind<T> {
    /// Lends `value` with the thread's free object, or with a new one that `new` makes.
    pub(super) fn lend<C: PyClass + Into<PyClassInitializer<C>>>(
        &self,
        py: Python<'_>,
        mut value: T,
        new: impl FnOnce(Lease<T>) -> C,
    ) -> Result<Lent<T>, Box<NotLent<T>>> {
        if let Some((object, kept)) = self.free.with(FreeList::take) {
            // One reference is here, and the stream has the other. The application may have kept
            // the inner object without the stream.
            let is_free = kept.inner.as_ref().is_none_or(|inner| references(inner.bind(py)) == 2);
            if is_free {
                match Loan::renew(&kept.lease, value) {
                    Ok(loan) => {
                        return Ok(Lent { loan, object: Pooled::new(object, kept, self.free) });
                    }
                    Err(back) => value = back,
                }
            }
        }
        let mut loan = Loan::new(self.name, value);
        match self.object(py, new(loan.lease())) {
            Ok((object, inner)) => {
                let kept = Kept { inner, lease: loan.lease() };
                Ok(Lent { loan, object: Pooled::new(object, kept, self.free) })
            }
            Err(error) => Err(Box::new(NotLent { error, value: loan.revoke() })),
        }
    }

    fn object<C: PyClass + Into<PyClassInitializer<C>>>(
        &self,
        py: Python<'_>,
        inner: C,
    ) -> PyResult<(Py<PyAny>, Option<Py<PyAny>>)> {
        let inner = Py::new(py, inner)?.into_any();
        let Some((name, class)) = self.stream else { return Ok((inner, None)) };
        let class =
            class.get_or_try_init(py, || streams::class(py, include_str!("streams.py"), name))?;
        Ok((class.call1(py, (inner.clone_ref(py),))?, Some(inner)))
    }
}

impl<T: Send> Lent<T> {
    /// What the application gets.
    pub(super) fn object(&self) -> &Py<PyAny> {
        self.object.object()
    }

    /// Another lease, for a second object that uses the same value.
    pub(super) fn lease(&self) -> Lease<T> {
        self.loan.lease()
    }

    /// As [`Loan::with`].
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        self.loan.with(f)
    }

    /// As [`Loan::revoke`].
    pub(super) fn revoke(&mut self) -> Option<T> {
        self.loan.revoke()
    }
}
