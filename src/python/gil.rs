//! Whether the calling thread can have the GIL, and whether it has a Python state.

use super::fork::is_forked;
use pyo3::ffi;

/// Whether a thread that ends could have the GIL. Not in a fork, where the thread that held it may
/// not exist, nor when the interpreter is being finalised, which this library never does, but an
/// application or a host can.
pub(super) fn can_be_taken() -> bool {
    !is_forked() && is_initialized() && !is_finalizing()
}

/// Whether the calling thread has a Python state, attached or not. Any thread, at any time.
pub(super) fn has_state() -> bool {
    // SAFETY: needs no GIL. Where Python does not run no thread has a state, and it returns NULL.
    unsafe { !ffi::PyGILState_GetThisThreadState().is_null() }
}

/// Whether Python runs. Up to 3.12 that is false as soon as it is being finalised.
pub(super) fn is_initialized() -> bool {
    // SAFETY: may be asked at any time.
    unsafe { ffi::Py_IsInitialized() != 0 }
}

/// Before 3.13 there is no public answer, and `Py_IsInitialized` is 0 from early on instead.
fn is_finalizing() -> bool {
    #[cfg(Py_3_13)]
    // SAFETY: may be asked at any time.
    return unsafe { ffi::Py_IsFinalizing() } != 0;
    #[cfg(not(Py_3_13))]
    false
}
