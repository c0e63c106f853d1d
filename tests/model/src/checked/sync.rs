//! Loom's primitives with the interface of parking_lot's, which has no poisoning.

pub use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::ops::{Deref, DerefMut};

const POISONED: &str = "a thread of the model panicked";

pub struct Mutex<T>(loom::sync::Mutex<T>);

/// `None` only while `Condvar::wait` waits with the mutex released.
pub struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

pub struct Condvar(loom::sync::Condvar);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect(POISONED)))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("the mutex is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("the mutex is held")
    }
}

impl Condvar {
    pub fn new() -> Self {
        Condvar(loom::sync::Condvar::new())
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("the mutex is held");
        guard.0 = Some(self.0.wait(held).expect(POISONED));
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
