//! Objects that belong to one request, lent to an application that may keep them longer.
//!
//! PEP 3333 hands an application things that are only good while its request lasts, and nothing
//! stops it from keeping them, or from giving them to another thread. So it gets a `Lease`, which
//! it may use at any time, and which raises an exception once the loan is over. Invariants:
//!
//! 1. The value is reached through `with` only, by one caller at a time, on any thread. A second
//!    caller waits, without the GIL. A caller that is in a `with` already, further up on its
//!    thread, gets an exception instead.
//! 2. When the `Loan` is dropped or revoked, no lease reaches the value any more. The value is gone
//!    then, not with the last lease. The end of the loan waits for a use that is in progress on
//!    another thread.
//! 3. A thread that waits holds nothing that a user needs: neither the GIL nor a turn at another
//!    loan.
//!
//! A loan can end *inside* a use, if the code under `with` drops it. The value is then dropped when
//! that use ends. In a forked child, a use by a thread that does not exist there never ends, so the
//! end of the loan does not wait for it.

use super::turns::{Asked, Turns};
use super::{fork, thread};
use parking_lot::Mutex;
use pyo3::exceptions::PyRuntimeError;
use pyo3::{PyResult, Python};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The owner's side. Dropping it revokes every lease.
pub struct Loan<T: Send> {
    shared: Arc<Shared<T>>,
    name: &'static str,
    /// Not Send: the loan must end on the thread that has made it.
    _thread: PhantomData<*const ()>,
}

/// The borrower's side. It may be kept, cloned and sent anywhere, but reaches the value only as
/// long as the loan lasts.
pub struct Lease<T: Send> {
    shared: Arc<Shared<T>>,
    /// What messages call the object that the application has.
    name: &'static str,
}

struct Shared<T> {
    ended: AtomicBool,
    /// The loan ended inside a use, which is the last one.
    ends_with_use: AtomicBool,
    turns: Turns,
    /// Only the thread whose turn it is locks it, so no thread waits for it.
    value: Mutex<Option<T>>,
}

impl<T: Send> Loan<T> {
    /// Lends `value` on the calling thread. `name` is what messages call it, such as
    /// `wsgi.input`.
    pub fn new(name: &'static str, value: T) -> Loan<T> {
        let shared = Shared {
            ended: AtomicBool::new(false),
            ends_with_use: AtomicBool::new(false),
            turns: Turns::default(),
            value: Mutex::new(Some(value)),
        };
        Loan { shared: Arc::new(shared), name, _thread: PhantomData }
    }

    /// One more lease of the value.
    pub fn lease(&self) -> Lease<T> {
        Lease { shared: Arc::clone(&self.shared), name: self.name }
    }

    /// Lends `value` to the owner of the one other lease besides `lease`, both of a loan that is
    /// over. Returns `value` as an error if there are more leases.
    pub fn renew(lease: &Lease<T>, value: T) -> Result<Loan<T>, T> {
        let Lease { shared, name } = lease;
        if Arc::strong_count(shared) > 2 {
            return Err(value);
        }
        // The borrower is idle, so no thread holds this lock.
        *shared.value.lock() = Some(value);
        shared.ended.store(false, Ordering::Release);
        Ok(Loan { shared: Arc::clone(shared), name, _thread: PhantomData })
    }

    /// Uses the value, when others are done with it. RuntimeError if it is in use already, further
    /// up on this thread.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        self.shared.with(self.name, f)
    }

    /// Ends the loan and gives the value back. None inside a `with` of this loan or of one of its
    /// leases, and where a use never ends.
    pub fn revoke(&mut self) -> Option<T> {
        self.shared.end()
    }
}

impl<T: Send> Drop for Loan<T> {
    fn drop(&mut self) {
        drop(self.shared.end());
    }
}

impl<T: Send> Lease<T> {
    /// Uses the value, when others are done with it. RuntimeError, with a sentence that names the
    /// object and the rule, if the loan is over, or if the value is in use further up on this
    /// thread.
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

const KEPT: &str = "was used after its request had ended; it must not be kept";

impl<T: Send> Shared<T> {
    fn with<R>(&self, name: &str, f: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        if self.ended.load(Ordering::Acquire) {
            return refuse(name, KEPT);
        }
        let turn = match self.take_turn() {
            Ok(turn) => turn,
            Err(why) => return refuse(name, why),
        };
        let mut value = self.value.lock();
        let Some(lent) = value.as_mut() else { return refuse(name, KEPT) };
        let result = f(lent);
        let late = if self.ends_with_use.load(Ordering::Acquire) { value.take() } else { None };
        drop((value, turn));
        drop(late);
        Ok(result)
    }

    /// Takes the value when no thread uses it any more. None if the caller itself uses it, or if it
    /// was taken already.
    fn end(&self) -> Option<T> {
        self.ended.store(true, Ordering::Release);
        let Ok(_turn) = self.take_turn() else {
            self.ends_with_use.store(true, Ordering::Release);
            return None;
        };
        self.value.lock().take()
    }

    #[inline]
    fn take_turn(&self) -> Result<Turn<'_>, &'static str> {
        match self.turns.try_take() {
            Asked::Taken => Ok(Turn(&self.turns)),
            asked => self.wait_for_turn(&asked),
        }
    }

    #[cold]
    fn wait_for_turn(&self, asked: &Asked) -> Result<Turn<'_>, &'static str> {
        match asked {
            Asked::Mine => Err("was used while a call of it was still running"),
            _ if fork::is_forked() => {
                Err("was in use on another thread when this process was forked")
            }
            _ => {
                without_gil(|| self.turns.wait());
                Ok(Turn(&self.turns))
            }
        }
    }
}

struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.give();
    }
}

/// Without Python there is no GIL to release.
fn without_gil(wait: impl FnOnce() + Send) {
    if thread::is_started() { Python::attach(|py| py.detach(wait)) } else { wait() }
}

fn refuse<R>(name: &str, why: &str) -> PyResult<R> {
    Err(PyRuntimeError::new_err(format!("{name} {why}")))
}

#[cfg(test)]
mod tests {
    use super::{Arc, Lease, Loan, Ordering, PyResult};
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn a_lease_reaches_the_value_until_it_is_revoked() {
        let mut loan = Loan::new("thing", 1);
        let lease = loan.lease();
        assert_eq!(lease.with(|value| std::mem::replace(value, 2)).ok(), Some(1));
        assert_eq!(loan.with(|value| *value).ok(), Some(2));
        assert_eq!(loan.revoke(), Some(2));
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
        assert!(matches!(Loan::renew(&kept, 2), Err(2)), "the loan is not over");
        let another = lease.clone();
        drop(loan);
        assert!(matches!(Loan::renew(&kept, 2), Err(2)), "another one would see the value");
        drop(another);
        let loan = Loan::renew(&kept, 2);
        assert_eq!(lease.with(|value| *value).ok(), Some(2));
        drop(loan);
        assert!(lease.with(|_| ()).is_err());
    }

    /// Starts a thread that uses the value, and returns once it does.
    fn use_elsewhere(lease: &Lease<u32>, f: impl FnOnce(&mut u32) + Send + 'static) -> Elsewhere {
        let (lease, (begin, begun)) = (lease.clone(), mpsc::channel());
        let user = thread::spawn(move || {
            lease.with(|value| {
                begin.send(()).unwrap();
                f(value);
            })
        });
        begun.recv().unwrap();
        user
    }

    type Elsewhere = thread::JoinHandle<PyResult<()>>;

    #[test]
    fn another_thread_waits_until_the_first_is_done() {
        let mut loan = Loan::new("thing", 0);
        let lease = loan.lease();
        let (end, ended) = mpsc::channel();
        let user = use_elsewhere(&lease, move |value| {
            ended.recv().unwrap();
            *value += 1;
        });
        let waiting = lease.clone();
        let second = thread::spawn(move || waiting.with(|value| std::mem::replace(value, 5)));
        end.send(()).unwrap();
        assert_eq!(second.join().unwrap().ok(), Some(1));
        assert!(user.join().unwrap().is_ok());
        assert_eq!(loan.revoke(), Some(5));
    }

    #[test]
    fn the_end_waits_for_a_use_on_another_thread_and_lets_no_more_begin() {
        let mut loan = Loan::new("thing", 0);
        let lease = loan.lease();
        let late = lease.clone();
        let user = use_elsewhere(&lease, move |value| {
            while !late.shared.ended.load(Ordering::Acquire) {
                thread::yield_now();
            }
            let refused = thread::spawn(move || late.with(|_| ()).is_err());
            assert!(refused.join().unwrap(), "it is over, so a use is refused at once");
            *value = 7;
        });
        assert_eq!(loan.revoke(), Some(7));
        assert!(user.join().unwrap().is_ok());
        assert!(lease.with(|_| ()).is_err());
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
