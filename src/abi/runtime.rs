//! Starting, polling and stopping the one runtime of a process.

use super::guard::{call, entry};
use super::handles::{Handle, static_out};
use super::host::wsgi_host;
use super::host_table;
use super::misuse::{Kind, called, one_thread_only};
use super::pointers::{Given, Out};
use super::status::{wsgi_error, wsgi_status};
use crate::error::{Error, Result};
use crate::python::config::PythonSettings;
use crate::python::dispositions::Signals;
use crate::runtime::Runtime;
use crate::runtime::settings::Settings;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// The version of this header. A host passes it in `wsgi_runtime_config.abi_version`.
pub const WSGI_ABI_VERSION: u32 = 2;

/// The most Python threads that a runtime can have: `wsgi_runtime_config.threads`.
pub const WSGI_MAX_THREADS: u32 = 1024;
const _: () = assert!(WSGI_MAX_THREADS as usize == crate::runtime::settings::MAX_THREADS);

/// What 0 means for `wsgi_runtime_config.max_queue`.
pub const WSGI_DEFAULT_MAX_QUEUE: u32 = 1024;

/// `wsgi_runtime_config.flags`: other processes run the same applications (`wsgi.multiprocess`).
pub const WSGI_MULTIPROCESS: u32 = 1;

/// `wsgi_runtime_config.flags`: requests come in batches. `wsgi_submit` wakes no thread; the next
/// `wsgi_poll` wakes one for all that was submitted. The host must call `wsgi_poll` soon after it
/// submits, also without `notify`. This saves most of the switches between threads where a loop
/// reads many sockets in turn.
pub const WSGI_BATCH: u32 = 2;

/// `wsgi_runtime_config.flags`: the library leaves SIGPIPE and SIGXFSZ alone. Without this flag it
/// ignores each of them that has its default when the runtime starts; see `wsgi_runtime_start`.
pub const WSGI_KEEP_SIGPIPE: u32 = 4;

/// `wsgi_runtime_config.flags`: the library leaves SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT
/// alone, and reports no crash (WSGI0303).
pub const WSGI_NO_CRASH_REPORT: u32 = 8;

/// `wsgi_runtime_config.flags`: `wsgi_runtime_check` also fails for what may be right but probably
/// is wrong: a folder of `python_path` that is missing or that this process cannot read, a package
/// in `python_home` that it cannot read, a virtualenv whose Python was removed. A host should warn
/// about these, and start.
pub const WSGI_CHECK_CLOSELY: u32 = 16;

/// `wsgi_runtime_config.flags`: header fields whose names have characters other than letters,
/// digits and `-` reach the application too. The host must leave out those that it does not want.
/// Without this flag none of them reaches it, since `X_Real_IP` has the same key in `environ` as
/// `X-Real-IP`. With the flag `X-Real-IP` wins if a request has both, and a name that would become
/// CONTENT_LENGTH, CONTENT_TYPE or HTTP_PROXY is left out nevertheless.
pub const WSGI_ODD_HEADER_NAMES: u32 = 32;

/// `wsgi_runtime_config.flags`: instead of calling `notify`, which must be NULL then, the library
/// makes a descriptor that is readable while the host should call `wsgi_poll`: see
/// `wsgi_runtime_fd`. The host is event-driven.
pub const WSGI_EVENTFD: u32 = 64;

/// `wsgi_runtime_config.flags`: the host promises that when the runtime starts, all of its signal
/// handlers are set, and it already ignores every signal that it will ignore. If the import of an
/// application then replaces a handler by C code, the library restores it after the import
/// (WSGI0315). Do not use this flag if the host sets a handler later: the library would remove that
/// one. The signals of `WSGI_NO_CRASH_REPORT` are excepted.
pub const WSGI_KEEP_HANDLERS: u32 = 128;

const FLAGS: u32 = WSGI_MULTIPROCESS
    | WSGI_BATCH
    | WSGI_KEEP_SIGPIPE
    | WSGI_NO_CRASH_REPORT
    | WSGI_EVENTFD
    | WSGI_CHECK_CLOSELY
    | WSGI_ODD_HEADER_NAMES
    | WSGI_KEEP_HANDLERS;

/// How Python must run. Begin with `WSGI_RUNTIME_CONFIG_INIT`, then set the members you want.
/// Everything in it is **borrowed** for the call.
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
    /// Folders that are put in front of sys.path; their .pth files are honoured. NUL-terminated
    /// strings.
    pub python_path: *const *const c_char,
    pub python_path_count: usize,
    /// The number of Python threads that answer what `wsgi_submit` hands over, at most
    /// `WSGI_MAX_THREADS`. With 0 an event-driven host runs applications on its own thread:
    /// `wsgi_poll` calls them, takes the GIL, and returns when each has given its response or as
    /// much of it as `buffer_size` allows. That is for applications that are fast and never wait. A
    /// blocking host must set 0.
    pub threads: u32,
    /// How many submitted requests may wait for a thread or for an import; more get `WSGI_BUSY`. 0
    /// means `WSGI_DEFAULT_MAX_QUEUE`.
    pub max_queue: u32,
    /// The longest line, in bytes, that `log` can take; longer ones are split, never inside a
    /// character of UTF-8. 0 means no limit; the least is 64.
    pub log_line_size: usize,
    /// How many threads may be stuck at the same time, each of them replaced by a new one: see
    /// `wsgi_cancel_watched`, and `exhausted` of `wsgi_host`. 0: a stuck thread is not replaced.
    pub max_stuck: u32,
}

/// The interpreter, its threads and their queue. A process has one.
///
/// It lives until the process ends. `wsgi_runtime_stop` stops it but does not release it, so that a
/// call that comes too late gets `WSGI_STOPPING`. Any thread may call the functions of a runtime,
/// except where they say otherwise.
pub struct wsgi_runtime {
    _private: [u8; 0],
}

impl Handle for wsgi_runtime {
    type Inner = Runtime;
    const KIND: Kind = Kind::Runtime;
}

/// The `WSGI_ABI_VERSION` that the library was built with. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn wsgi_abi_version() -> u32 {
    WSGI_ABI_VERSION
}

/// The library and the Python it was built with, such as `libwsgi/0.1.0 Python/3.11`. A
/// NUL-terminated string, **lent until the process ends**. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn wsgi_version() -> *const c_char {
    VERSION.as_ptr()
}

const VERSION: &CStr = match CStr::from_bytes_with_nul(
    concat!("libwsgi/", env!("CARGO_PKG_VERSION"), " Python/", env!("WSGI_PYTHON_VERSION"), "\0")
        .as_bytes(),
) {
    Ok(version) => version,
    Err(_) => unreachable!(),
};

/// Checks a configuration without starting Python: that `python_home` is a home of the right
/// installation of Python, and that numbers are in range. For a host's "test the configuration".
///
/// `WSGI_OK`, or `WSGI_WRONG_VERSION` or `WSGI_INVALID` with a sentence in `*error` (**owned**;
/// `error` may be NULL). A NULL `config` is `WSGI_INVALID`. Any thread, before a start too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_check(
    config: *const wsgi_runtime_config,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `config` is NULL or a structure, borrowed for the call; `error` is NULL or
    // points to a pointer.
    let (config, error) = unsafe { (Given::new(config), Out::new(error)) };
    call("wsgi_runtime_check", error, || settings(structure(config)?)?.check())
}

/// Starts the runtime. The call returns at once; Python starts on a thread of its own. Applications
/// may be loaded and requests submitted at once; they wait.
///
/// Call it once in a process, after the last fork and after the process has dropped its privileges:
/// application code runs with the rights of the caller. The library reads no environment variable.
///
/// What it does to the signals of the process, and nothing else:
///
/// * SIGPIPE and SIGXFSZ are ignored from this call on, if they had their default: programs in
///   Python expect an error from a broken pipe, not the end of the process. A child of `subprocess`
///   has the default again. `WSGI_KEEP_SIGPIPE` switches this off.
/// * SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT get handlers while Python starts, if all five have
///   their default. A crash then writes what the thread was doing (WSGI0303) and its Python stack
///   to descriptor 2, not to `log`, and has its usual effect. A thread that runs Python and has no
///   alternate signal stack gets one. `WSGI_NO_CRASH_REPORT` switches all of this off. A handler of
///   the host's may be set before or after this call, and stays.
/// * SIGINT keeps its default, or the host's handler, also one that is set later.
/// * The application can set no handler (WSGI0301), and the library blocks no signal. Its threads
///   have the signal mask of the caller, and so have the children of the application. A host that
///   waits for signals with sigwait or signalfd must therefore block them before this call; one
///   that has handlers need not, and its children inherit no mask.
///
/// `*runtime` is set on `WSGI_OK` and NULL otherwise; it is **lent until the process ends**. Fails
/// with `WSGI_INVALID` (a broken rule, a wrong setting, a second start) or `WSGI_WRONG_VERSION`,
/// with a sentence in `*error` (**owned**; `error` may be NULL). If Python itself cannot start,
/// that shows later: in the log, and as `WSGI_PYTHON` or `WSGI_UNAVAILABLE`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_start(
    config: *const wsgi_runtime_config,
    runtime: *mut *mut wsgi_runtime,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `config` is NULL or a structure, borrowed for the call; `runtime` and `error`
    // are NULL or point to pointers.
    let (config, runtime, error) =
        unsafe { (Given::new(config), Out::new(runtime), Out::new(error)) };
    call("wsgi_runtime_start", error, || {
        runtime.begin("runtime")?;
        let config = structure(config)?;
        let settings = settings(config)?;
        let with_eventfd = config.flags & WSGI_EVENTFD != 0;
        // SAFETY: what is promised about a configuration covers its table, whose functions stay
        // until the process ends.
        let host = unsafe { host_table::read(Given::new(config.host), with_eventfd) }?;
        runtime.set(static_out(Runtime::start(settings, host)?));
        Ok(())
    })
}

/// With `WSGI_EVENTFD`: the descriptor that the loop must watch for reading. Whenever it is
/// readable, call `wsgi_poll`, which reads it; the host must neither read, write nor close it. It
/// is readable as long as the library has something for the host, also what a `wsgi_poll` with
/// `max_deliveries` has left, and after a `wsgi_submit` that needs a `wsgi_poll` soon. So no
/// wake-up can be lost. It is closed on exec.
///
/// **Lent until the process ends**. -1 without the flag, and for NULL. Any thread, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_fd(runtime: *mut wsgi_runtime) -> c_int {
    let _called = called("wsgi_runtime_fd");
    // SAFETY: wsgi.h: `runtime` is NULL or one that was started, which stays valid.
    let runtime = unsafe { Given::new(runtime) }.handle();
    runtime.ok().and_then(Runtime::descriptor).unwrap_or(-1)
}

/// Delivers what the library has for the host: calls the callbacks of requests, `log` and
/// `exhausted`.
///
/// An event-driven host calls it on its loop thread: whenever `notify` was called, after the loop
/// has read what `notify` wrote; or whenever the descriptor of `wsgi_runtime_fd` is readable.
/// Without threads, or with `WSGI_BATCH`, the host also calls it soon after each `wsgi_submit`. It
/// never blocks and never takes the GIL, except that without threads it runs applications.
///
/// A *delivery* is everything that one exchange has for the host, or one log line that belongs to
/// no exchange, or a mere wake-up. The call makes at most `max_deliveries` of them, and stops after
/// about 1024 callbacks, 256 log lines or 5 milliseconds, so that your other events have their
/// turn. 0 means all that waits when you call, however long that takes. Without threads the same
/// limit of time holds for the applications that it runs: after 5 milliseconds the others wait for
/// the next call.
///
/// `*left` (may be NULL) is set to the number of deliveries, and without threads also of requests,
/// that still wait. If it is not 0, call again without waiting for `notify`. The chapter CALLBACKS
/// lists the functions that a callback may call.
///
/// `WSGI_INVALID` for NULL or from inside a callback, `WSGI_FORKED` in a forked child. After
/// `wsgi_runtime_stop` it still delivers log lines. One thread only, the one that submits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_poll(
    runtime: *mut wsgi_runtime,
    max_deliveries: usize,
    left: *mut usize,
) -> wsgi_status {
    // SAFETY: wsgi.h: `runtime` is NULL or one that was started; `left` is NULL or points to a
    // size_t.
    let (runtime, left) = unsafe { (Given::new(runtime), Out::new(left)) };
    call("wsgi_poll", Out::null(), || {
        one_thread_only();
        left.set(runtime.handle()?.poll(max_deliveries)?);
        Ok(())
    })
}

/// With `pause` not 0 every application waits before it hands over its next block, until the host
/// calls this with 0. A host whose responses together hold too much memory can pause while it moves
/// them elsewhere. A request that is cancelled meanwhile ends once the pause does. Without threads
/// no request begins meanwhile; one that has begun does not wait.
///
/// Never blocks. NULL is allowed and does nothing. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_pause_output(runtime: *mut wsgi_runtime, pause: c_int) {
    if runtime.is_null() {
        return;
    }
    // SAFETY: wsgi.h: `runtime` was started, and stays valid.
    let runtime = unsafe { Given::new(runtime) };
    let _ = entry("wsgi_pause_output", || {
        one_thread_only();
        runtime.handle()?.pause_output(pause != 0);
        Ok(())
    });
}

/// Stops the runtime: it accepts no more requests, cancels every exchange and every `wsgi_run`,
/// runs Python's atexit handlers, and flushes sys.stdout and sys.stderr.
///
/// It waits for that at most `timeout_ms` milliseconds; then applications may still be running on
/// their threads. They have all of that time to come back. The exit handlers run once all have come
/// back, or when a quarter of the time is left. The interpreter is not torn down, since that is not
/// safe while applications run. End the process soon. `exit` is safe if each request has had its
/// `finish`, or its `wsgi_run` has returned. The application of a request that was cancelled may
/// still be running: then end the process with `_exit`, after you have flushed your own files.
///
/// In an event-driven host no callback of a request follows, `finish` included, but the clients are
/// still connected. The host owes each of them an end: send 503 where `start` was not called, and
/// cut the response off, as for `WSGI_TRUNCATED`, where it was. In a blocking host no callback
/// begins once this has returned, and each `wsgi_run` returns `WSGI_GONE` or `WSGI_STOPPING` as
/// soon as its application comes back. A callback that was in progress when the time was over goes
/// on: end what it waits for. This may be called inside a callback of `wsgi_run`, and does not wait
/// for that run then. `log` may be called until the process ends, with a NULL request.
///
/// `WSGI_OK`, also when the time was over (the log reports that). `WSGI_STOPPING` the second time,
/// `WSGI_INVALID` for NULL, `WSGI_FORKED` in a forked child, each with a sentence in `*error`
/// (**owned**; `error` may be NULL). In an event-driven host the polling thread must call it,
/// outside callbacks; in a blocking host any thread may.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_runtime_stop(
    runtime: *mut wsgi_runtime,
    timeout_ms: u32,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `runtime` is NULL or one that was started; `error` is NULL or points to a
    // pointer.
    let (runtime, error) = unsafe { (Given::new(runtime), Out::new(error)) };
    call("wsgi_runtime_stop", error, || {
        one_thread_only();
        runtime.handle()?.stop(Duration::from_millis(timeout_ms.into()))
    })
}

/// The configuration, if it is one of this version.
fn structure<'a>(config: Given<'a, wsgi_runtime_config>) -> Result<&'a wsgi_runtime_config> {
    if !config.is_null() {
        // A wrong version explains more than a wrong size, so it is looked at first.
        let at = offset_of!(wsgi_runtime_config, abi_version);
        // SAFETY: not NULL, and in every version of the structure the member is at this place.
        let theirs = unsafe { config.pointer().byte_add(at).cast::<u32>().read() };
        if theirs != WSGI_ABI_VERSION {
            return Err(Error::WrongVersion { theirs, ours: WSGI_ABI_VERSION });
        }
    }
    config.structure("wsgi_runtime_config")
}

fn settings(config: &wsgi_runtime_config) -> Result<Settings> {
    if config.flags & !FLAGS != 0 {
        return Err(Error::invalid("wsgi_runtime_config: unknown flags"));
    }
    let has = |flag| config.flags & flag != 0;
    let max_queue = match config.max_queue {
        0 => WSGI_DEFAULT_MAX_QUEUE as usize,
        number => number as usize,
    };
    let (home, path) = places(config)?;
    let settings = Settings {
        python: PythonSettings {
            home,
            path,
            signals: Signals {
                leave_pipe: has(WSGI_KEEP_SIGPIPE),
                leave_crashes: has(WSGI_NO_CRASH_REPORT),
                keep_handlers: has(WSGI_KEEP_HANDLERS),
            },
        },
        threads: config.threads as usize,
        max_queue,
        max_stuck: config.max_stuck as usize,
        log_line_size: config.log_line_size,
        batch: has(WSGI_BATCH),
        multiprocess: has(WSGI_MULTIPROCESS),
        odd_names: has(WSGI_ODD_HEADER_NAMES),
        closely: has(WSGI_CHECK_CLOSELY),
    };
    settings.check_numbers()?;
    Ok(settings)
}

/// The home and the folders of Python.
fn places(config: &wsgi_runtime_config) -> Result<(Option<PathBuf>, Vec<PathBuf>)> {
    let path = |string: &CStr| PathBuf::from(OsStr::from_bytes(string.to_bytes()));
    // SAFETY: what is promised about a configuration covers its strings, and the array of them.
    let (home, folders) =
        unsafe { (Given::new(config.python_home), Given::new(config.python_path)) };
    let folders = folders.array(config.python_path_count, "python_path")?.iter().map(|&folder| {
        // SAFETY: the promise covers each string of the array too.
        unsafe { Given::new(folder) }
            .string()
            .map(path)
            .ok_or_else(|| Error::invalid("wsgi_runtime_config: a string of python_path is NULL"))
    });
    Ok((home.string().map(path), folders.collect::<Result<_>>()?))
}
