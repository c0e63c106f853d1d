//! Starting, polling and stopping the one runtime of a process.

use super::guard;
use super::host::wsgi_host;
use super::status::{report, wsgi_error, wsgi_status};
use super::{host_table, settings};
use crate::host::live::Kind;
use crate::runtime::Runtime;
use std::ffi::{c_char, c_int};
use std::time::Duration;

/// The version of this header. A host passes it in `wsgi_runtime_config.abi_version`.
pub const WSGI_ABI_VERSION: u32 = 1;

/// The most Python threads that a runtime can have: `wsgi_runtime_config.threads`.
pub const WSGI_MAX_THREADS: u32 = 1024;
const _: () = assert!(WSGI_MAX_THREADS as usize == crate::runtime::settings::MAX_THREADS);

/// What 0 means for `wsgi_runtime_config.max_queue`.
pub const WSGI_DEFAULT_MAX_QUEUE: u32 = 1024;

/// `wsgi_runtime_config.flags`: other processes run the same applications (`wsgi.multiprocess`).
pub const WSGI_MULTIPROCESS: u32 = 1;

/// `wsgi_runtime_config.flags`: requests come in bunches. `wsgi_submit` wakes no thread, the next
/// `wsgi_poll` wakes one for all that was submitted; the host calls it soon after, also without
/// `notify`. It saves most of the switches between threads where a loop reads many sockets in turn.
pub const WSGI_BUNCHES: u32 = 2;

/// `wsgi_runtime_config.flags`: SIGPIPE and SIGXFSZ stay as they are. Without it the library ignores
/// those of the two that have their default when it starts, see `wsgi_runtime_start`.
pub const WSGI_KEEP_SIGPIPE: u32 = 4;

/// `wsgi_runtime_config.flags`: SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT stay as they are, and a
/// crash is not reported (WSGI0303).
pub const WSGI_NO_CRASH_REPORT: u32 = 8;

/// `wsgi_runtime_config.flags`, for `wsgi_runtime_check`: it also fails for what need not be wrong but
/// probably is. That is a folder of `python_path` that is missing or that this process cannot read,
/// a package in `python_home` that it cannot read, a virtualenv that is left without its Python. A
/// host warns of these, and starts.
pub const WSGI_CHECK_CLOSELY: u32 = 16;

/// `wsgi_runtime_config.flags`: header fields count whose names have other characters than letters,
/// digits and `-`; the host has left out those that are not wanted. Without it none of them reaches
/// the application, since `X_Real_IP` has the same key in `environ` as `X-Real-IP`. With it the
/// latter wins if a request has both, and what would pass for CONTENT_LENGTH, CONTENT_TYPE or
/// HTTP_PROXY is left out all the same.
pub const WSGI_ODD_HEADER_NAMES: u32 = 32;

/// `wsgi_runtime_config.flags`: instead of calling `notify`, which is NULL then, the library makes a
/// descriptor that is readable while `wsgi_poll` should be called: see `wsgi_runtime_fd`. The host is
/// event-driven.
pub const WSGI_EVENTFD: u32 = 64;

/// `wsgi_runtime_config.flags`: all handlers of the host are in place when the runtime starts, and it
/// ignores what it will ignore. What the import of an application puts in their place by C code is
/// taken off again when that is over (WSGI0301); a host that sets a handler later would lose it. The
/// signals of `WSGI_NO_CRASH_REPORT` are left out of this.
pub const WSGI_KEEP_HANDLERS: u32 = 128;

/// How Python is to run. Fill it with zeros, set `struct_size` and `abi_version`, then what you
/// want. Everything in it is **borrowed** for the call.
#[repr(C)]
pub struct wsgi_runtime_config {
    /// `sizeof(wsgi_runtime_config)`.
    pub struct_size: usize,
    /// `WSGI_ABI_VERSION`.
    pub abi_version: u32,
    /// Any of the flags above, or 0.
    pub flags: u32,
    /// The callbacks. Required for `wsgi_runtime_start`, ignored by `wsgi_runtime_check`.
    pub host: *const wsgi_host,
    /// A virtualenv of the Python that the library was built with, or its prefix, or NULL for that
    /// Python without a virtualenv. NUL-terminated.
    pub python_home: *const c_char,
    /// Folders put in front of sys.path; their .pth files are honoured. NUL-terminated strings.
    pub python_path: *const *const c_char,
    pub python_path_count: usize,
    /// How many Python threads answer what `wsgi_submit` hands over, at most
    /// `WSGI_MAX_THREADS`. With 0 an event-driven host runs applications on its own thread:
    /// `wsgi_poll` calls them, takes the GIL and returns when each has given its response or as much
    /// of it as `buffer_size` allows. That is for applications that are fast and never wait. A
    /// blocking host has 0.
    pub threads: u32,
    /// How many submitted requests may wait for a thread or for an import; more are `WSGI_BUSY`. 0
    /// means `WSGI_DEFAULT_MAX_QUEUE`.
    pub max_queue: u32,
    /// The longest line, in bytes, that `log` can take; longer ones are split, never inside a
    /// character of UTF-8. 0 means no limit; the least is 64.
    pub log_line_size: usize,
    /// How many threads may be stuck at the same time, each of them replaced by a new one: see
    /// `wsgi_abandon`, and `exhausted` of `wsgi_host`. 0: a stuck thread is not replaced.
    pub max_stuck: u32,
}

/// The interpreter, its threads and their queue: one in a process.
///
/// It lives until the process ends; `wsgi_runtime_stop` stops it but does not release it, so that a
/// call that comes too late gets `WSGI_STOPPING`. All its functions may be called on any thread,
/// except where they say otherwise.
pub struct wsgi_runtime {
    _private: [u8; 0],
}

/// The `WSGI_ABI_VERSION` that the library was built with. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn wsgi_abi_version() -> u32 {
    WSGI_ABI_VERSION
}

/// The library and the Python it was built with, such as `libwsgi/0.1.0 Python/3.11`. A
/// NUL-terminated string, **lent for ever**. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn wsgi_version() -> *const c_char {
    settings::VERSION.as_ptr()
}

/// Checks a configuration without starting Python: that `python_home` is one, and of the right
/// installation of Python, and that numbers are in range. For a host's "test the configuration".
///
/// Returns `WSGI_OK`, or `WSGI_WRONG_VERSION` or `WSGI_INVALID` with a sentence in `*error`, which
/// is then **owned** by the caller; `error` may be NULL. A NULL `config` is `WSGI_INVALID`. Any
/// thread, before a start too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_check(
    config: *const wsgi_runtime_config,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_runtime_check", || {
        // SAFETY: wsgi.h: `config` is NULL or what its type says, borrowed for the call.
        let settings = unsafe { settings::read(config) }?;
        settings.check()
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// Starts the runtime: Python begins to start on a thread of its own, and the call returns without
/// waiting for it. Applications may be loaded and requests submitted at once; they wait.
///
/// Call it once in a process, after the last fork and after privileges were dropped: application
/// code runs with the rights of the caller. The library reads no environment variable.
///
/// What it does to the signals of the process, and nothing else:
///
/// * SIGPIPE and SIGXFSZ are ignored from this call on, if they had their default: Python's programs
///   expect an error from a broken pipe, not the end of the process. A child of `subprocess` has the
///   default again. `WSGI_KEEP_SIGPIPE` switches it off.
/// * SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT are taken while Python comes up, if all five have
///   their default. A crash then writes what the thread was at (WSGI0303) and the stack of its Python
///   to descriptor 2, not to `log`, and has its usual effect. A thread that runs Python and has no
///   alternate signal stack gets one. `WSGI_NO_CRASH_REPORT` switches all of this off. A handler of
///   the host's may be set before or after this call, and stays.
/// * SIGINT is not taken: it keeps its default, or the host's handler, also one that is set later.
/// * The application can set no handler (WSGI0301), and the library blocks no signal. Its threads
///   have the signal mask of the caller, and so have the children of the application. A host that
///   waits for signals with sigwait or signalfd therefore blocks them before this call; one that has
///   handlers need not, and its children inherit no mask.
///
/// `*runtime` is set on `WSGI_OK` and NULL otherwise; it is **lent for ever**. Fails with
/// `WSGI_INVALID` (a rule broken, a wrong setting, a second start) or `WSGI_WRONG_VERSION`, with a
/// sentence in `*error` (**owned**; `error` may be NULL). That Python itself cannot start shows
/// later: in the log, and as `WSGI_PYTHON` or `WSGI_UNAVAILABLE`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_start(
    config: *const wsgi_runtime_config,
    runtime: *mut *mut wsgi_runtime,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_runtime_start", || {
        // SAFETY: wsgi.h: `runtime` is NULL or points to a pointer.
        let out = unsafe { guard::out_pointer(runtime, "runtime") }?;
        // SAFETY: wsgi.h: `config` is NULL or what its type says, borrowed for the call.
        let settings = unsafe { settings::read(config) }?;
        // SAFETY: the same, and `settings::read` has just found `config` not NULL.
        let host =
            unsafe { host_table::read((*config).host, (*config).flags & WSGI_EVENTFD != 0) }?;
        let inner = Runtime::start(settings, host)?;
        *out = guard::lent_out(inner, Kind::Runtime).cast();
        Ok(())
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// With `WSGI_EVENTFD`: the descriptor to watch in the loop, for reading; whenever it is readable,
/// call `wsgi_poll`. That reads it; the host must neither read, write nor close it. It is readable as
/// long as there is something to hand over, also what a `wsgi_poll` with `max_exchanges` has left, and
/// after a `wsgi_submit` that wants a `wsgi_poll` soon. So no wake-up can be lost. Closed on exec.
///
/// **Lent for ever**. -1 without the flag, and for NULL. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_fd(runtime: *mut wsgi_runtime) -> c_int {
    let _called = guard::called("wsgi_runtime_fd");
    // SAFETY: wsgi.h: a runtime is valid for ever once started.
    let runtime = unsafe { guard::borrowed(runtime.cast::<Runtime>(), Kind::Runtime) };
    runtime.ok().and_then(Runtime::descriptor).unwrap_or(-1)
}

/// Hands over what the library has for the host: calls the callbacks of requests and `log`.
///
/// An event-driven host calls it on its loop thread: whenever `notify` was called, after it has read
/// what `notify` has written; or whenever the descriptor of `wsgi_runtime_fd` is readable. Without
/// threads, or with `WSGI_BUNCHES`, also soon after each `wsgi_submit`. It never blocks and never takes
/// the GIL, but without threads it runs applications.
///
/// At most `max_exchanges` exchanges are served, and the call stops after about 1024 events, 256 log
/// lines or 5 milliseconds, so that your other events have their turn; 0: all that waits when you
/// call, however long that takes. Without threads the same holds for the applications that it runs:
/// after 5 milliseconds the others wait for the next call. `*left` (may be NULL) says how many still
/// wait. If it is not 0, call again without waiting for `notify`. "CALLBACKS" above says which
/// functions a callback may call.
///
/// `WSGI_INVALID` for NULL or from inside a callback, `WSGI_FORKED` in a forked child. After
/// `wsgi_runtime_stop` it still delivers log lines. One thread only, the one that submits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_poll(
    runtime: *mut wsgi_runtime,
    max_exchanges: usize,
    left: *mut usize,
) -> wsgi_status {
    let result = guard::entry("wsgi_poll", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: a runtime is valid for ever once started.
        let runtime = unsafe { guard::borrowed(runtime.cast::<Runtime>(), Kind::Runtime) }?;
        let waiting = runtime.poll(max_exchanges)?;
        if !left.is_null() {
            // SAFETY: not NULL; wsgi.h: points to a size_t.
            unsafe { *left = waiting };
        }
        Ok(())
    });
    // SAFETY: a NULL `error` is allowed.
    unsafe { report(result, std::ptr::null_mut()) }
}

/// With `pause` not 0 every application waits before it hands over its next block, until this is
/// called with 0: for a host whose responses together hold too much memory, while it moves them
/// elsewhere. A request that is cancelled meanwhile ends once the pause does. Without threads no
/// request begins meanwhile; one that has begun does not wait.
///
/// Never blocks. NULL is allowed and does nothing. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_pause_output(runtime: *mut wsgi_runtime, pause: c_int) {
    if runtime.is_null() {
        return;
    }
    let _ = guard::entry("wsgi_pause_output", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: a runtime is valid for ever once started.
        let runtime = unsafe { guard::borrowed(runtime.cast::<Runtime>(), Kind::Runtime) }?;
        runtime.pause_output(pause != 0);
        Ok(())
    });
}

/// Stops the runtime: nothing more is taken in, every exchange and every `wsgi_run` is cancelled,
/// Python's atexit handlers run, sys.stdout and sys.stderr are flushed.
///
/// Waits for that at most `timeout_ms` milliseconds, then gives up: applications may still be
/// running on their threads. They have all of the time to come back. The exit handlers run once all
/// have, or when a quarter of the time is left. The interpreter is not torn down, which could not be
/// done safely while applications run. End the process soon. `exit` is safe if each request has had
/// its `finish`, or its `wsgi_run` has returned. The application of a request that was cancelled may
/// still be running: end with `_exit` then, after you have flushed your own files.
///
/// In an event-driven host no callback of a request follows, `finish` included. In a blocking host
/// none begins once this has returned, and each `wsgi_run` returns `WSGI_GONE` or `WSGI_STOPPING` as
/// soon as its application comes back. A callback that was in progress when the time was over goes
/// on: end what it waits for. It may be called inside a callback of `wsgi_run`, and does not wait for
/// that run then. `log` may be called until the process ends, with a NULL request.
///
/// `WSGI_OK`, also when it gave up (the log says so). `WSGI_STOPPING` the second time,
/// `WSGI_INVALID` for NULL, `WSGI_FORKED` in a forked child, each with a sentence in `*error`
/// (**owned**; `error` may be NULL). In an event-driven host the polling thread calls it, outside of
/// callbacks; in a blocking host any thread does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_stop(
    runtime: *mut wsgi_runtime,
    timeout_ms: u32,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_runtime_stop", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: a runtime is valid for ever once started.
        let runtime = unsafe { guard::borrowed(runtime.cast::<Runtime>(), Kind::Runtime) }?;
        runtime.stop(Duration::from_millis(timeout_ms.into()))
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}
