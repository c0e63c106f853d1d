//! Whether the GIL can be had.

use super::fork::is_forked;
use pyo3::ffi;

/// Whether a thread that ends could have the GIL. Not in a fork, where the thread that held it may
/// not exist, nor when the interpreter is being finalised, which this library never does, but an
/// application or a host can.
pub(super) fn can_be_taken() -> bool {
    // SAFETY: may be asked at any time.
    !is_forked() && unsafe { ffi::Py_IsInitialized() } != 0 && !is_finalizing()
}

/// Before 3.13 there is no public answer, and `Py_IsInitialized` is 0 from early on instead.
fn is_finalizing() -> bool {
    #[cfg(Py_3_13)]
    // SAFETY: may be asked at any time.
    return unsafe { ffi::Py_IsFinalizing() } != 0;
    #[cfg(not(Py_3_13))]
    false
}
