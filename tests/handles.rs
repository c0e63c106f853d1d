//! Misuse of handles by C. A debug build names it on descriptor 2 and aborts. In a release build
//! the behaviour would be undefined. Each misuse runs in a process of its own.

#![cfg(debug_assertions)]

use std::ffi::{CStr, c_int, c_void};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use wsgi::abi::*;

unsafe extern "C" fn start(_request: *mut c_void, _head: *const wsgi_head) -> c_int {
    0
}

/// The last buffer that `write` got.
static BUFFER: AtomicPtr<wsgi_buffer> = AtomicPtr::new(null_mut());
static FINISHED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" fn write(
    _request: *mut c_void,
    buffers: *const *mut wsgi_buffer,
    _count: usize,
    _flags: u32,
) -> c_int {
    // SAFETY: wsgi.h promises at least one buffer.
    BUFFER.store(unsafe { *buffers }, Ordering::Relaxed);
    0
}

unsafe extern "C" fn finish(_request: *mut c_void, _outcome: wsgi_outcome, _retry_after: u32) {
    FINISHED.store(true, Ordering::Relaxed);
}

unsafe extern "C" fn log(_d: *mut c_void, _r: *mut c_void, _level: wsgi_level, _line: wsgi_str) {}

unsafe extern "C" fn notify(_data: *mut c_void) {}

fn host() -> wsgi_host {
    wsgi_host {
        struct_size: size_of::<wsgi_host>(),
        data: null_mut(),
        start: Some(start),
        write: Some(write),
        send_file: None,
        finish: Some(finish),
        want_body: None,
        read: None,
        log: Some(log),
        notify: Some(notify),
        exhausted: None,
        early_hints: None,
    }
}

fn start_runtime() -> *mut wsgi_runtime {
    let host = host();
    // SAFETY: all zeros is what wsgi.h asks for.
    let mut config: wsgi_runtime_config = unsafe { std::mem::zeroed() };
    config.struct_size = size_of::<wsgi_runtime_config>();
    config.abi_version = WSGI_ABI_VERSION;
    config.host = &raw const host;
    config.threads = 1;
    let mut runtime = null_mut();
    // SAFETY: as wsgi.h asks.
    let status = unsafe { wsgi_runtime_start(&raw const config, &raw mut runtime, null_mut()) };
    assert_eq!(status, wsgi_status::WSGI_OK);
    runtime
}

fn load(runtime: *mut wsgi_runtime, target: &CStr) -> *mut wsgi_app {
    let config = wsgi_app_config {
        struct_size: size_of::<wsgi_app_config>(),
        target: target.as_ptr(),
        callable: null(),
    };
    let mut app = null_mut();
    // SAFETY: as wsgi.h asks.
    let status = unsafe { wsgi_app_load(runtime, &raw const config, &raw mut app, null_mut()) };
    assert_eq!(status, wsgi_status::WSGI_OK);
    app
}

fn submit(app: *mut wsgi_app) -> (wsgi_status, *mut wsgi_exchange) {
    // SAFETY: all zeros is what wsgi.h asks for.
    let mut request: wsgi_request = unsafe { std::mem::zeroed() };
    request.struct_size = size_of::<wsgi_request>();
    request.method = wsgi_str { data: c"GET".as_ptr().cast(), size: 3 };
    request.content_length = -1;
    let mut exchange: *mut wsgi_exchange = null_mut();
    let here = (&raw mut exchange).cast();
    // SAFETY: as wsgi.h asks, except for `app` in the tests of misuse.
    let status =
        unsafe { wsgi_submit(app, &raw const request, here, &raw mut exchange, null_mut()) };
    (status, exchange)
}

fn new_exchange(app: *mut wsgi_app) -> *mut wsgi_exchange {
    let (status, exchange) = submit(app);
    assert_eq!(status, wsgi_status::WSGI_OK);
    exchange
}

fn new_error() -> *mut wsgi_error {
    let mut error = null_mut();
    // SAFETY: wsgi.h allows NULL, and makes it an error.
    let status = unsafe { wsgi_runtime_stop(null_mut(), 0, &raw mut error) };
    assert_eq!(status, wsgi_status::WSGI_INVALID);
    error
}

/// Polls until the one request is over.
fn to_the_end(runtime: *mut wsgi_runtime) {
    while !FINISHED.load(Ordering::Relaxed) {
        // SAFETY: as wsgi.h asks.
        unsafe { wsgi_poll(runtime, 0, null_mut()) };
        std::thread::yield_now();
    }
}

/// Calls `what` on another thread, on which the handle must not be used.
fn elsewhere<T: 'static>(handle: *mut T, what: unsafe fn(*mut T)) {
    let handle = handle.addr();
    let call = move || {
        // SAFETY: this breaks a rule of wsgi.h on purpose. A debug build notices that first.
        unsafe { what(std::ptr::with_exposed_provenance_mut(handle)) }
    };
    let _ = std::thread::spawn(call).join();
}

/// Breaks a rule of wsgi.h.
fn misuse(what: &str) {
    let runtime = start_runtime();
    let app = load(runtime, c"wsgiref.simple_server:demo_app");
    // SAFETY: the last call of each misuse breaks a rule of wsgi.h on purpose. A debug build
    // notices that before it dereferences anything.
    unsafe {
        misuse_exchange(what, runtime, app);
        misuse_owned(what, runtime, app);
    }
}

unsafe fn misuse_exchange(what: &str, runtime: *mut wsgi_runtime, app: *mut wsgi_app) {
    // SAFETY: see `misuse`.
    unsafe {
        match what {
            "cancel twice" => {
                let exchange = new_exchange(app);
                wsgi_cancel(exchange);
                // Other exchanges begin and end, and none of them may take its place.
                (0..9).for_each(|_| wsgi_cancel(new_exchange(app)));
                wsgi_cancel(exchange);
            }
            "cancel after finish" => {
                let exchange = new_exchange(app);
                to_the_end(runtime);
                wsgi_cancel(exchange);
            }
            "push after cancel" => {
                let exchange = new_exchange(app);
                wsgi_cancel(exchange);
                wsgi_body_push(exchange, null(), 0, WSGI_PUSH_LAST, null_mut());
            }
            "phase after cancel" => {
                let exchange = new_exchange(app);
                wsgi_cancel(exchange);
                wsgi_exchange_phase(exchange, null_mut());
            }
            "cancel on another thread" => elsewhere(new_exchange(app), |e| wsgi_cancel(e)),
            "submit on another thread" => {
                new_exchange(app);
                elsewhere(app, |app| {
                    submit(app);
                });
            }
            "poll on another thread" => {
                new_exchange(app);
                elsewhere(runtime, |runtime| {
                    wsgi_poll(runtime, 0, null_mut());
                });
            }
            _ => {}
        }
    }
}

unsafe fn misuse_owned(what: &str, runtime: *mut wsgi_runtime, app: *mut wsgi_app) {
    // SAFETY: see `misuse`.
    unsafe {
        match what {
            "release a buffer twice" => {
                new_exchange(app);
                to_the_end(runtime);
                wsgi_buffer_release(BUFFER.load(Ordering::Relaxed));
                wsgi_buffer_release(BUFFER.load(Ordering::Relaxed));
            }
            "release a copy of a buffer" => {
                new_exchange(app);
                to_the_end(runtime);
                let buffer = BUFFER.load(Ordering::Relaxed);
                let mut copy = wsgi_buffer { data: (*buffer).data, size: (*buffer).size };
                wsgi_buffer_release(&raw mut copy);
            }
            "release an application twice" => {
                wsgi_app_release(app);
                wsgi_app_release(app);
            }
            "submit to a released application" => {
                wsgi_app_release(app);
                submit(app);
            }
            "submit to a runtime" => {
                submit(runtime.cast());
            }
            "release an error twice" => {
                let error = new_error();
                wsgi_error_release(error);
                wsgi_error_release(error);
            }
            "read a released error" => {
                let error = new_error();
                wsgi_error_release(error);
                wsgi_error_message(error);
            }
            _ => unreachable!("{what}"),
        }
    }
}

const MISUSE: [(&str, &str); 14] = [
    ("cancel twice", "wsgi_cancel: the time of this wsgi_exchange is over: it was cancelled"),
    ("cancel after finish", "wsgi_cancel: the time of this wsgi_exchange is over: `finish` was"),
    ("push after cancel", "wsgi_body_push: the time of this wsgi_exchange is over"),
    ("phase after cancel", "wsgi_exchange_phase: the time of this wsgi_exchange is over"),
    ("release a buffer twice", "wsgi_buffer_release: this wsgi_buffer was released before"),
    (
        "release a copy of a buffer",
        "wsgi_buffer_release: this wsgi_buffer is not one that the library",
    ),
    ("release an application twice", "wsgi_app_release: this wsgi_app was released before"),
    ("submit to a released application", "wsgi_submit: this wsgi_app was released before"),
    ("submit to a runtime", "wsgi_submit: this wsgi_app is not one: it is a wsgi_runtime"),
    ("release an error twice", "wsgi_error_release: this wsgi_error was released before"),
    ("read a released error", "wsgi_error_message: this wsgi_error was released before"),
    ("cancel on another thread", "wsgi_cancel: called on another thread than the first"),
    ("submit on another thread", "wsgi_submit: called on another thread than the first"),
    ("poll on another thread", "wsgi_poll: called on another thread than the first"),
];

/// The variable that names the misuse. For each one the test runs itself again.
const VARIABLE: &str = "WSGI_TEST_MISUSE";

#[test]
fn misuse_is_named_and_ends_the_process() {
    if let Ok(what) = std::env::var(VARIABLE) {
        misuse(&what);
        println!("the library did not notice it");
        std::process::exit(0);
    }
    let this = std::env::current_exe().expect("a test is a program");
    for (what, line) in MISUSE {
        let done = Command::new(&this)
            .args(["--exact", "misuse_is_named_and_ends_the_process", "--nocapture"])
            .env(VARIABLE, what)
            .output()
            .expect("a test can be run");
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(stderr.contains(&format!("libwsgi (debug build): {line}")), "{what}: {stderr}");
        assert_eq!(done.status.signal(), Some(libc::SIGABRT), "{what}: {stderr}");
    }
}

#[test]
fn calls_that_wsgi_h_allows_are_not_misuse() {
    let runtime = start_runtime();
    let app = load(runtime, c"wsgiref.simple_server:demo_app");
    let exchange = new_exchange(app);
    // SAFETY: as wsgi.h asks.
    unsafe {
        for release in [wsgi_buffer_release, wsgi_buffer_return_credit] {
            release(null_mut());
        }
        wsgi_cancel(null_mut());
        wsgi_error_release(null_mut());
        wsgi_app_release(app);
        assert_eq!(wsgi_runtime_stop(runtime, 5000, null_mut()), wsgi_status::WSGI_OK);
        // A host may still have clients when it stops, and cancels their exchanges.
        wsgi_cancel(exchange);
    }
}
