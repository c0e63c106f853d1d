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
//! 3. It is deleted on its own thread, when the thread ends, and only while that is safe: see `Drop
//!    for Kept`.

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
/// If Python has not been started: check `is_started` on a path where that can be. In a fork that
/// Python did not make itself (`fork::is_forked`) the call may wait without an end.
pub fn attach<R>(f: impl for<'py> FnOnce(Python<'py>) -> R) -> R {
    assert!(is_started(), "Python is used before it has been started");
    // A thread that is ending has no thread locals left; it attaches for this one call.
    let new = KEPT.try_with(|kept| {
        let new = kept.get().is_none().then(Kept::new).flatten();
        new.is_some_and(|state| kept.set(state).is_ok())
    });
    if new == Ok(true) {
        // Without `threading` the thread can start no thread for which this matters.
        Python::attach(|py| drop(unmark_daemon(py)));
    }
    let _inside = c_exit::enter();
    Python::attach(f)
}

/// Marks the calling thread as not a daemon. A thread that the application starts is a daemon if
/// the one that starts it is, and the end of Python does not wait for a daemon. Python takes each
/// thread that it has not made for a daemon. It never waits for such a thread.
fn unmark_daemon(py: Python<'_>) -> PyResult<()> {
    let me = py.import("threading")?.call_method0("current_thread")?;
    me.setattr("_daemonic", false)
}

/// Whether the interpreter has been started and may be used. `Py_IsInitialized` does not answer
/// this: it is true while site.py is still running. Any thread, never blocks.
pub fn is_started() -> bool {
    READY.load(Ordering::Acquire)
}

/// Called once, by the thread that has started the interpreter.
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
    /// The thread ends, and its state with it. If the GIL cannot be taken, the state stays until
    /// the end of the process.
    fn drop(&mut self) {
        c_exit::check();
        if !gil::can_be_taken() {
            return;
        }
        // SAFETY: the state is this thread's (invariant 1: `Kept` lives in a thread local and is
        // not Send) and detached (invariant 2). Release balances the Ensure of `new`, so the state
        // is deleted here. CPython looks it up in a pthread key, which outlives Rust's thread
        // locals: those are destroyed first. The deletion runs `__del__` of thread-local values,
        // which may call back into this library. That needs no thread local of the library to be
        // alive.
        unsafe {
            ffi::PyEval_RestoreThread(self.state.as_ptr());
            ffi::PyGILState_Release(self.gil);
        }
    }
}
