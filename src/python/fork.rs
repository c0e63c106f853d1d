//! Whether this process is a fork of the one that started Python.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static FORKED: AtomicBool = AtomicBool::new(false);

/// Makes `is_forked` work from now on. Any thread; further calls do nothing.
pub fn watch() {
    extern "C" fn in_child() {
        FORKED.store(true, Ordering::Relaxed);
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handler only stores to an atomic, which is allowed between fork and exec. It
        // stays mapped until the process ends: a module that contains this library must be linked
        // with `-z nodelete`.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        assert_eq!(failed, 0, "there is no memory for a fork handler");
    });
}

/// Whether this process is a fork of the one that called [`watch`]. Children that are started with
/// `subprocess` never are, since they run another program. Any thread, never blocks.
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}
