//! What C must not do with a handle and does all the same. In a debug build a handle that was
//! released, or is none, is an error and not undefined behaviour.

#![cfg(debug_assertions)]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{null, null_mut};
use wsgi::abi::*;

unsafe extern "C" fn start(_request: *mut c_void, _head: *const wsgi_head) -> c_int {
    0
}

unsafe extern "C" fn write(
    _request: *mut c_void,
    _buffers: *const *mut wsgi_buffer,
    _count: usize,
    _flags: u32,
) -> c_int {
    0
}

unsafe extern "C" fn finish(_request: *mut c_void, _outcome: wsgi_outcome, _retry_after: u32) {}

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
    // SAFETY: as wsgi.h asks, but for `app`.
    let status =
        unsafe { wsgi_submit(app, &raw const request, here, &raw mut exchange, null_mut()) };
    (status, exchange)
}

#[test]
fn a_handle_that_was_released_is_an_error() {
    let runtime = start_runtime();
    let app = load(runtime, c"wsgiref.simple_server:demo_app");

    let (status, exchange) = submit(app);
    assert_eq!(status, wsgi_status::WSGI_OK);
    // SAFETY: the second cancel breaks wsgi.h's rule on purpose; the registry of debug builds sees
    // that before anything is dereferenced.
    unsafe {
        wsgi_cancel(exchange);
        wsgi_cancel(exchange);
        let status = wsgi_body_push(exchange, null(), 0, WSGI_PUSH_LAST, null_mut());
        assert_eq!(status, wsgi_status::WSGI_INVALID);
        assert_eq!(wsgi_exchange_phase(exchange, null_mut()), wsgi_phase::WSGI_PHASE_DONE);
    }

    // SAFETY: as above, for an application.
    unsafe {
        wsgi_app_release(app);
        wsgi_app_release(app);
    }
    assert_eq!(submit(app).0, wsgi_status::WSGI_INVALID);
    // One kind of handle is no other kind.
    assert_eq!(submit(runtime.cast()).0, wsgi_status::WSGI_INVALID);

    let mut error = null_mut();
    // SAFETY: NULL is an error that wsgi.h describes; the error is then released twice.
    unsafe {
        let status = wsgi_runtime_stop(null_mut(), 0, &raw mut error);
        assert_eq!(status, wsgi_status::WSGI_INVALID);
        assert_eq!(wsgi_error_status(error), wsgi_status::WSGI_INVALID);
        wsgi_error_release(error);
        wsgi_error_release(error);
        assert_eq!(wsgi_error_message(error).size, 0);
    }
}
