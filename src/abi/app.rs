//! Naming an application and loading it.

use super::guard;
use super::runtime::wsgi_runtime;
use super::settings;
use super::status::{report, wsgi_error, wsgi_status};
use crate::host::live::Kind;
use crate::runtime::{App, Runtime};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// Where an application is: in a file, or in an importable module. **Borrowed** for the call.
#[repr(C)]
pub struct wsgi_app_config {
    /// `sizeof(wsgi_app_config)`.
    pub struct_size: usize,
    /// With `callable`: the path of a Python file. Its folder is put at the end of sys.path, and
    /// the module is named after the file. Without: `package.module:attr`. NUL-terminated.
    pub target: *const c_char,
    /// The name of the application in the file, or NULL if `target` says it. It may be dotted, and
    /// end in `()` to call a factory without arguments. NUL-terminated.
    pub callable: *const c_char,
}

/// One application of a runtime.
///
/// **Owned**: release it with `wsgi_app_release`. Requests that were submitted to it go on after
/// that; the application stays imported, and loading the same `target` and `callable` again gives
/// the same application. Any number of threads may use it.
pub struct wsgi_app {
    pub(super) inner: Arc<App>,
}

/// Checks, without Python, that `config` names something loadable: the file is there and readable
/// by this process, the words are well formed.
///
/// `WSGI_OK`, or `WSGI_INVALID` with a sentence in `*error` (**owned**; `error` may be NULL), also
/// for a NULL `config`. Any thread, before a start too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_check(
    config: *const wsgi_app_config,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_app_check", || {
        // SAFETY: wsgi.h: `config` is NULL or what its type says, borrowed for the call.
        unsafe { settings::read_target(config) }?.check()
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// Begins to import an application and returns without waiting. Requests may be submitted at once;
/// they wait for the import.
///
/// An import that fails is logged with its whole traceback; requests get `WSGI_UNAVAILABLE`, and
/// the first that comes after a pause (1 s, doubling to 30 s) tries again.
///
/// `*app` is set (**owned**) on `WSGI_OK` and NULL otherwise. Fails with `WSGI_INVALID`,
/// `WSGI_STOPPING` or `WSGI_FORKED`, with a sentence in `*error` (**owned**; `error` may be NULL).
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_load(
    runtime: *mut wsgi_runtime,
    config: *const wsgi_app_config,
    app: *mut *mut wsgi_app,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_app_load", || {
        // SAFETY: wsgi.h: `app` is NULL or points to a pointer.
        let out = unsafe { guard::out_pointer(app, "app") }?;
        // SAFETY: wsgi.h: a runtime is valid for ever once started.
        let runtime = unsafe { guard::borrowed(runtime.cast::<Runtime>(), Kind::Runtime) }?;
        // SAFETY: wsgi.h: `config` is NULL or what its type says, borrowed for the call.
        let target = unsafe { settings::read_target(config) }?;
        let inner = runtime.load(target)?;
        *out = guard::owned_out(wsgi_app { inner }, Kind::App);
        Ok(())
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// Waits until the application is imported. For hosts that may block, and for their start-up.
///
/// `WSGI_OK` once it is. `WSGI_UNAVAILABLE` if the import failed or took longer than `timeout_ms`
/// milliseconds (0: no limit), `WSGI_PYTHON` if the interpreter did not start, `WSGI_STOPPING`,
/// `WSGI_FORKED`, or `WSGI_INVALID` for NULL, each with a sentence in `*error` (**owned**; `error`
/// may be NULL). Any thread but the one that polls; that one may call it before its first `wsgi_poll`,
/// so an event-driven host can wait before its loop runs. Log lines stay in the library until it
/// polls, those of the import too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_wait(
    app: *mut wsgi_app,
    timeout_ms: u32,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_app_wait", || {
        // SAFETY: wsgi.h: an application stays valid until `wsgi_app_release`.
        let app = unsafe { guard::borrowed(app, Kind::App) }?;
        let limit = (timeout_ms != 0).then(|| Duration::from_millis(timeout_ms.into()));
        app.inner.wait(limit)
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// Releases an **owned** application. NULL is allowed and does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_release(app: *mut wsgi_app) {
    if !app.is_null() {
        let _called = guard::called("wsgi_app_release");
        // SAFETY: wsgi.h: an application is released once, by its owner.
        unsafe { guard::release(app, Kind::App) };
    }
}
