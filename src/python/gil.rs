//! Whether the calling thread can have the GIL, and whether it has a Python state.

use super::fork::is_forked;
use pyo3::ffi;

/// Whether a thread that ends can take the GIL. It cannot in a fork, where the thread that held the
/// GIL may not exist. It cannot while the interpreter is being finalised either. This library never
/// finalises it, but an application or a host can.
pub(super) fn can_be_taken() -> bool {
    !is_forked() && is_initialized() && !is_finalizing()
}

/// Whether the calling thread has a Python state, attached or not. Any thread, at any time.
pub(super) fn has_state() -> bool {
    // SAFETY: needs no GIL. If Python does not run, no thread has a state, and it returns NULL.
    unsafe { !ffi::PyGILState_GetThisThreadState().is_null() }
}

/// Whether Python runs. Up to 3.12 that is false as soon as it is being finalised.
pub(super) fn is_initialized() -> bool {
    // SAFETY: may be asked at any time.
    unsafe { ffi::Py_IsInitialized() != 0 }
}

/// Before 3.13 no public function answers this. `Py_IsInitialized` then becomes 0 early in the
/// finalisation.
fn is_finalizing() -> bool {
    #[cfg(Py_3_13)]
    // SAFETY: may be asked at any time.
    return unsafe { ffi::Py_IsFinalizing() } != 0;
    #[cfg(not(Py_3_13))]
    false
}
