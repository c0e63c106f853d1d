//! Naming an application and loading it.

use super::guard::call;
use super::handles::{Handle, owned_out, release};
use super::misuse::{self, Kind};
use super::pointers::{Given, Out, utf8};
use super::runtime::wsgi_runtime;
use super::status::{wsgi_error, wsgi_status};
use crate::error::{Error, Result};
use crate::runtime::App;
use crate::wsgi::target::Target;
use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
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
    /// The name of the application in the file, or NULL if `target` has it. It may be dotted, and
    /// end in `()` to call a factory without arguments. NUL-terminated.
    pub callable: *const c_char,
}

/// One application of a runtime.
///
/// **Owned**: release it with `wsgi_app_release`. The requests that were submitted to it go on
/// after that. The application stays imported, and loading the same `target` and `callable` again
/// gives the same application. Any number of threads may use it.
pub struct wsgi_app {
    _private: [u8; 0],
}

impl Handle for wsgi_app {
    type Inner = Arc<App>;
    const KIND: Kind = Kind::App;
}

/// Checks, without Python, that `config` names something that can be loaded: the file exists and
/// this process can read it, and the names are well formed.
///
/// `WSGI_OK`, or `WSGI_INVALID` with a sentence in `*error` (**owned**; `error` may be NULL), also
/// for a NULL `config`. Any thread, before a start too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_check(
    config: *const wsgi_app_config,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `config` is NULL or a structure, borrowed for the call; `error` is NULL or
    // points to a pointer.
    let (config, error) = unsafe { (Given::new(config), Out::new(error)) };
    call("wsgi_app_check", error, || target(config)?.check())
}

/// Begins to import an application and returns without waiting. Requests may be submitted at once;
/// they wait for the import.
///
/// If the import fails, the log gets its whole traceback, and requests get `WSGI_UNAVAILABLE`. The
/// first request after a pause tries again. The pause is 1 s, and doubles up to 30 s.
///
/// `*app` is set (**owned**) on `WSGI_OK`, and NULL otherwise. Fails with `WSGI_INVALID`,
/// `WSGI_STOPPING` or `WSGI_FORKED`, with a sentence in `*error` (**owned**; `error` may be NULL).
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_load(
    runtime: *mut wsgi_runtime,
    config: *const wsgi_app_config,
    app: *mut *mut wsgi_app,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: a runtime that was started stays valid; `config` is NULL or a structure,
    // borrowed for the call; `app` and `error` are NULL or point to pointers.
    let (runtime, config, app, error) =
        unsafe { (Given::new(runtime), Given::new(config), Out::new(app), Out::new(error)) };
    call("wsgi_app_load", error, || {
        app.begin("app")?;
        let runtime = runtime.handle()?;
        let loaded = runtime.load(target(config)?)?;
        app.set(owned_out(Box::new(loaded)));
        Ok(())
    })
}

/// Waits until the application is imported. For hosts that may block, and for their start-up.
///
/// `WSGI_OK` once it is. `WSGI_UNAVAILABLE` if the import failed or took longer than `timeout_ms`
/// milliseconds (0: no limit), `WSGI_PYTHON` if the interpreter did not start, `WSGI_STOPPING`,
/// `WSGI_FORKED`, or `WSGI_INVALID` for NULL, each with a sentence in `*error` (**owned**; `error`
/// may be NULL).
///
/// Any thread except the one that polls. That one may call it only before its first `wsgi_poll`, so
/// that an event-driven host can wait before its loop runs. Log lines, those of the import too,
/// stay in the library until it polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_wait(
    app: *mut wsgi_app,
    timeout_ms: u32,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `app` is NULL or valid until `wsgi_app_release`; `error` is NULL or points to
    // a pointer.
    let (app, error) = unsafe { (Given::new(app), Out::new(error)) };
    call("wsgi_app_wait", error, || {
        let limit = (timeout_ms != 0).then(|| Duration::from_millis(timeout_ms.into()));
        app.handle()?.wait(limit)
    })
}

/// Releases an **owned** application. NULL is allowed and does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_app_release(app: *mut wsgi_app) {
    let _called = misuse::called("wsgi_app_release");
    // SAFETY: wsgi.h: the owner of an application releases it, once.
    unsafe { release(app) };
}

fn target(config: Given<'_, wsgi_app_config>) -> Result<Target> {
    let config = config.structure("wsgi_app_config")?;
    // SAFETY: what is promised about a configuration covers its strings.
    let (target, callable) = unsafe { (Given::new(config.target), Given::new(config.callable)) };
    let target = target
        .string()
        .ok_or_else(|| Error::invalid("wsgi_app_config: `target` is NULL"))?
        .to_bytes();
    match callable.string() {
        Some(callable) => {
            Target::file(PathBuf::from(OsStr::from_bytes(target)), utf8(callable.to_bytes())?)
        }
        None => Target::module(utf8(target)?),
    }
}
