//! What a request lends to its application: `wsgi.input`, `wsgi.errors`, `start_response` and
//! `libwsgi.client_disconnected`. Each is an object in Python around a lease of a value in Rust.
//!
//! The loan ends with the request: then the object only raises, and the value is gone. The object
//! itself goes to the thread's free list, and the next request is lent it, unless the application
//! has kept it.

use crate::python::free_list::{FreeList, Pooled, references};
use crate::python::lease::{Lease, Loan};
use crate::python::streams;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyClass, PyClassInitializer};
use std::thread::LocalKey;

/// What a thread keeps of an object that it may lend again.
pub(super) struct Kept<T: Send> {
    /// The object in Rust, if what the application gets is one of streams.py around it.
    inner: Option<Py<PyAny>>,
    lease: Lease<T>,
}

/// What makes the objects of one kind.
pub(super) struct Kind<T: Send + 'static> {
    /// What messages call the object.
    pub(super) name: &'static str,
    /// The class of streams.py that the application gets an object of, if it is not the class in Rust.
    pub(super) stream: Option<(&'static str, &'static PyOnceLock<Py<PyAny>>)>,
    pub(super) free: &'static LocalKey<FreeList<Kept<T>>>,
}

/// A value that is lent, and the object by which the application uses it. Fields are dropped in this
/// order: an object is free once its loan is over.
pub(super) struct Lent<T: Send + 'static> {
    loan: Loan<T>,
    object: Pooled<Kept<T>>,
}

/// There was no memory for the object. The value comes back.
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
    /// Lends `value` by the thread's free object, or by a new one that `new` makes.
    pub(super) fn lend<C: PyClass + Into<PyClassInitializer<C>>>(
        &self,
        py: Python<'_>,
        mut value: T,
        new: impl FnOnce(Lease<T>) -> C,
    ) -> Result<Lent<T>, Box<NotLent<T>>> {
        if let Some((object, kept)) = self.free.with(FreeList::take) {
            // One reference is here, the other is the stream's. An application may have kept the
            // inner object alone.
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

    /// One more lease, for another object that uses the same value.
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
