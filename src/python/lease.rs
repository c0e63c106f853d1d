//! Objects that belong to one request, lent to an application that may keep them longer.
//!
//! PEP 3333 hands an application things that are only good while its request lasts, and nothing
//! stops it from keeping them, or from giving them to another thread. What it gets is therefore a
//! `Lease`, which can always be asked and answers with an exception once it is over. Invariants:
//!
//! 1. The value is reached through `with` only, by one caller at a time, on the thread that made
//!    the loan.
//! 2. When the `Loan` is dropped or revoked, no lease reaches the value any more. The value is
//!    gone then, not with the last lease.
//! 3. No use waits: whoever is not allowed in is told so.
//!
//! A `Loan` stays on its thread, so 2 cannot race with a use. It can happen *inside* a use, if the
//! code under `with` drops the loan: the value is then dropped when that use ends.

use parking_lot::Mutex;
use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The owner's side. Dropping it revokes every lease.
pub struct Loan<T: Send> {
    shared: Arc<Shared<T>>,
    name: &'static str,
    /// Not Send: the loan ends on the thread that uses the value.
    _thread: PhantomData<*const ()>,
}

/// The borrower's side: may be kept, cloned and sent anywhere; what it can do is up to the loan.
pub struct Lease<T: Send> {
    shared: Arc<Shared<T>>,
    /// What messages call the object that the application has.
    name: &'static str,
}

struct Shared<T> {
    /// [`this_thread`] of the one that made the loan.
    thread: usize,
    ended: AtomicBool,
    value: Mutex<Option<T>>,
}

impl<T: Send> Loan<T> {
    /// Lends `value` on the calling thread. `name` is what messages call it, such as
    /// `wsgi.input`.
    pub fn new(name: &'static str, value: T) -> Loan<T> {
        let shared = Shared {
            thread: this_thread(),
            ended: AtomicBool::new(false),
            value: Mutex::new(Some(value)),
        };
        Loan { shared: Arc::new(shared), name, _thread: PhantomData }
    }

    /// One more lease of the value.
    pub fn lease(&self) -> Lease<T> {
        Lease { shared: Arc::clone(&self.shared), name: self.name }
    }

    /// Lends `value` to whoever has the one lease beside `lease`, both of a loan that is over. Gives
    /// it back if there are more leases, or another thread made the loan.
    pub fn again(lease: &Lease<T>, value: T) -> Result<Loan<T>, T> {
        let Lease { shared, name } = lease;
        if Arc::strong_count(shared) > 2 || shared.thread != this_thread() {
            return Err(value);
        }
        // The borrower is idle, so nobody holds this lock.
        *shared.value.lock() = Some(value);
        shared.ended.store(false, Ordering::Release);
        Ok(Loan { shared: Arc::clone(shared), name, _thread: PhantomData })
    }

    /// Uses the value. RuntimeError if it is in use already, further up on this thread.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        self.shared.with(self.name, f)
    }

    /// Ends the loan and gives the value back.
    ///
    /// # Panics
    /// Inside a `with` of this loan or of one of its leases.
    pub fn revoke(self) -> T {
        self.shared.end().expect("a loan is revoked while its value is in use")
    }
}

impl<T: Send> Drop for Loan<T> {
    fn drop(&mut self) {
        drop(self.shared.end());
    }
}

impl<T: Send> Lease<T> {
    /// Uses the value. RuntimeError, with a sentence that names the object and the rule, if the
    /// loan is over, on another thread than the loan's, or while the value is in use.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        self.shared.with(self.name, f)
    }
}

impl<T: Send> Lease<T> {
    /// One more lease, for another object that uses the same value.
    pub fn lease_as(&self, name: &'static str) -> Lease<T> {
        Lease { shared: Arc::clone(&self.shared), name }
    }
}

impl<T: Send> Clone for Lease<T> {
    fn clone(&self) -> Self {
        self.lease_as(self.name)
    }
}

impl<T> Shared<T> {
    fn with<R>(&self, name: &str, f: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        if self.ended.load(Ordering::Acquire) {
            return refuse(name, "was used after its request had ended; it must not be kept");
        }
        if this_thread() != self.thread {
            return refuse(
                name,
                "was used on another thread than the one that runs its request; hand over the \
                 data, not the object",
            );
        }
        // Only this thread gets here, so if the lock is taken, it is by a caller of ours.
        let Some(mut value) = self.value.try_lock() else {
            return refuse(name, "was used while a call of it was still running");
        };
        let Some(lent) = value.as_mut() else {
            return refuse(name, "was used after its request had ended; it must not be kept");
        };
        let result = f(lent);
        let late = if self.ended.load(Ordering::Acquire) { value.take() } else { None };
        drop(value);
        drop(late);
        Ok(result)
    }

    /// Takes the value, unless it is in use or was taken.
    fn end(&self) -> Option<T> {
        self.ended.store(true, Ordering::Release);
        self.value.try_lock()?.take()
    }
}

/// An address that no two threads have at the same time. (`thread::current().id()` counts a
/// reference up and down, several times in a request.) Only a loan that outlives its thread could
/// take a later thread for its own, and then no other thread is left to race with.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

fn refuse<R>(name: &str, why: &str) -> PyResult<R> {
    Err(PyRuntimeError::new_err(format!("{name} {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_lease_reaches_the_value_until_it_is_revoked() {
        let loan = Loan::new("thing", 1);
        let lease = loan.lease();
        assert_eq!(lease.with(|value| std::mem::replace(value, 2)).ok(), Some(1));
        assert_eq!(loan.with(|value| *value).ok(), Some(2));
        assert_eq!(loan.revoke(), 2);
        assert!(lease.with(|_| ()).is_err());
    }

    #[test]
    fn dropping_the_loan_drops_the_value_though_leases_remain() {
        let value = Arc::new(());
        let loan = Loan::new("thing", Arc::clone(&value));
        let lease = loan.lease();
        drop(loan);
        assert_eq!(Arc::strong_count(&value), 1);
        assert!(lease.clone().with(|_| ()).is_err());
    }

    #[test]
    fn the_borrower_of_a_loan_that_is_over_gets_another_value() {
        let loan = Loan::new("thing", 1);
        let (lease, kept) = (loan.lease(), loan.lease());
        assert!(matches!(Loan::again(&kept, 2), Err(2)), "the loan is not over");
        let another = lease.clone();
        drop(loan);
        assert!(matches!(Loan::again(&kept, 2), Err(2)), "another one would see the value");
        drop(another);
        let loan = Loan::again(&kept, 2);
        assert_eq!(lease.with(|value| *value).ok(), Some(2));
        drop(loan);
        assert!(lease.with(|_| ()).is_err());
    }

    #[test]
    fn another_thread_is_refused_without_waiting() {
        let loan = Loan::new("thing", ());
        let lease = loan.lease();
        let refused = loan.with(|()| thread::spawn(move || lease.with(|()| ()).is_err()).join());
        assert!(matches!(refused, Ok(Ok(true))));
    }

    #[test]
    fn a_second_use_inside_the_first_is_refused() {
        let loan = Loan::new("thing", 1);
        let lease = loan.lease();
        assert!(loan.with(|_| lease.with(|_| ()).is_err()).is_ok_and(|refused| refused));
        assert!(lease.with(|_| ()).is_ok());
    }

    #[test]
    fn a_loan_dropped_inside_a_use_ends_with_that_use() {
        let value = Arc::new(());
        let loan = Loan::new("thing", Arc::clone(&value));
        let lease = loan.lease();
        assert!(lease.with(|_| drop(loan)).is_ok());
        assert_eq!(Arc::strong_count(&value), 1);
        assert!(lease.with(|_| ()).is_err());
    }
}
