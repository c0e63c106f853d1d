//! Threads that use Python: attaching them.
//!
//! A thread that Python did not make gets a `PyThreadState` when it attaches. `PyGILState_Release`
//! would delete it each time, and with it the thread's `threading.local` values, such as the
//! database connections of an application; making it anew also costs ten times as much as taking
//! it up again. So the first `attach` of a thread keeps the state. Invariants of what is kept:
//!
//! 1. A thread keeps at most one state, its own, and only if it had none: the states of Python's
//!    own threads and of the one that started the interpreter belong to others.
//! 2. Outside `attach` the kept state is detached: the thread holds no GIL.
//! 3. It is given back on its own thread, when the thread ends, and only while that is safe: see
//!    `Drop for Kept`.

use super::{c_exit, gil};
use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::OnceCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

static READY: AtomicBool = AtomicBool::new(false);

thread_local! {
    static KEPT: OnceCell<Kept> = const { OnceCell::new() };
}

/// Runs `f` with the calling thread attached to the interpreter, and keeps the thread's Python
/// state for the next call. Waits for the GIL. May be nested, also inside `Python::attach`.
///
/// # Panics
/// If Python has not been started: ask `is_started` on a path where that can be. In a fork that
/// Python did not make itself (`fork::is_forked`) it may wait for ever.
pub fn attach<R>(f: impl for<'py> FnOnce(Python<'py>) -> R) -> R {
    assert!(is_started(), "Python is used before it has been started");
    // A thread that is ending has no thread locals left; it attaches for this one call.
    let new = KEPT.try_with(|kept| {
        let new = kept.get().is_none().then(Kept::new).flatten();
        new.is_some_and(|state| kept.set(state).is_ok())
    });
    if new == Ok(true) {
        // A thread without `threading` has no threads whose like could matter.
        Python::attach(|py| drop(is_no_daemon(py)));
    }
    let _inside = c_exit::enter();
    Python::attach(f)
}

/// A thread that the application starts is a daemon if the one that starts it is, and a daemon is not
/// waited for at the end. Python takes each thread that it has not made for a daemon. It does not
/// wait for those in any case.
fn is_no_daemon(py: Python<'_>) -> PyResult<()> {
    let me = py.import("threading")?.call_method0("current_thread")?;
    me.setattr("_daemonic", false)
}

/// Whether the interpreter has been started and may be used. `Py_IsInitialized` is no answer: it
/// says yes while site.py is still running. Any thread, never blocks.
pub fn is_started() -> bool {
    READY.load(Ordering::Acquire)
}

/// Said once, by the thread that has started the interpreter.
pub(super) fn set_started() {
    READY.store(true, Ordering::Release);
}

/// The Python state of a thread that Python did not make, detached.
struct Kept {
    state: NonNull<ffi::PyThreadState>,
    gil: ffi::PyGILState_STATE,
}

impl Kept {
    /// Makes a state for the calling thread, or None if it has one.
    fn new() -> Option<Kept> {
        if gil::has_state() {
            return None;
        }
        // SAFETY: Python runs, and the thread has no state, hence is not attached: Ensure makes a
        // state and attaches it, SaveThread detaches it again and returns it. pyo3 did not see
        // either; its own count of attachments is zero before and after.
        let (gil, state) = unsafe { (ffi::PyGILState_Ensure(), ffi::PyEval_SaveThread()) };
        c_exit::is_hosts_thread();
        Some(Kept { state: NonNull::new(state)?, gil })
    }
}

impl Drop for Kept {
    /// The thread ends. Its state goes with it, unless nobody could give the GIL: then it is left to
    /// the end of the process.
    fn drop(&mut self) {
        c_exit::check();
        if !gil::can_be_taken() {
            return;
        }
        // SAFETY: the state is this thread's (invariant 1: `Kept` lives in a thread local and is
        // not Send) and detached (invariant 2). Release balances the Ensure of `new`, so the state
        // is deleted here. CPython looks it up in a pthread key, which outlives Rust's thread
        // locals: those are destroyed first. What its deletion runs (`__del__` of thread-local
        // values) may call back into this library; that needs no thread local of it to be alive.
        unsafe {
            ffi::PyEval_RestoreThread(self.state.as_ptr());
            ffi::PyGILState_Release(self.gil);
        }
    }
}
