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
        // stays mapped as long as the process lives: whoever loads this library as a part of a
        // module links that with `-z nodelete`.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        assert_eq!(failed, 0, "there is no memory for a fork handler");
    });
}

/// Whether this process is a fork of the one that called [`watch`]. Children that are started
/// with `subprocess` never are: they go on to another program. Any thread, never blocks.
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}
