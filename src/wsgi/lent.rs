//! Streams that one request after another is lent: an object of a class in streams.py, around one
//! of a class in Rust, which has the lease.

use crate::python::lease::{Lease, Loan};
use crate::python::spare::{InUse, Spare, references};
use crate::python::streams;
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::thread::LocalKey;

/// What is kept of a stream: the inner object and its lease.
pub(super) type Inner<C, T> = (Py<C>, Lease<T>);

/// What makes streams of one kind.
pub(super) struct Kind<C: 'static, T: Send + 'static> {
    /// What messages call it.
    pub(super) name: &'static str,
    /// Its class in streams.py.
    pub(super) class: &'static str,
    pub(super) made: &'static PyOnceLock<Py<PyAny>>,
    pub(super) spare: &'static LocalKey<Spare<PyAny, Inner<C, T>>>,
}

/// A stream that is lent.
pub(super) struct Lent<C: 'static, T: Send + 'static> {
    /// What the application gets.
    pub(super) stream: Py<PyAny>,
    pub(super) loan: Loan<T>,
    /// To be dropped after the loan.
    pub(super) object: InUse<PyAny, Inner<C, T>>,
}

impl<C: PyClass + Into<PyClassInitializer<C>>, T: Send> Kind<C, T> {
    /// Lends `value` with the stream that the thread has to spare, or with a new one around what
    /// `inner` makes.
    pub(super) fn lend(
        &self,
        py: Python<'_>,
        mut value: T,
        inner: impl FnOnce(Lease<T>) -> C,
    ) -> PyResult<Lent<C, T>> {
        if let Some((stream, (inner, lease))) = self.spare.with(Spare::take) {
            // One reference is here, the other the stream's: an application may have kept the inner
            // object alone.
            if references(inner.bind(py).as_any()) == 2 {
                match Loan::again(&lease, value) {
                    Ok(loan) => return Ok(self.lent(py, stream, loan, (inner, lease))),
                    Err(back) => value = back,
                }
            }
        }
        let loan = Loan::new(self.name, value);
        let inner = Py::new(py, inner(loan.lease()))?;
        let class = self
            .made
            .get_or_try_init(py, || streams::class(py, include_str!("streams.py"), self.class))?;
        let stream = class.call1(py, (inner.clone_ref(py),))?;
        let lease = loan.lease();
        Ok(self.lent(py, stream, loan, (inner, lease)))
    }

    fn lent(
        &self,
        py: Python<'_>,
        stream: Py<PyAny>,
        loan: Loan<T>,
        inner: Inner<C, T>,
    ) -> Lent<C, T> {
        let object = InUse::new(stream.clone_ref(py), inner, self.spare);
        Lent { stream, loan, object }
    }
}
