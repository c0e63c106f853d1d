//! The C ABI of an event-driven host, with structures as no careful host would fill them.
//!
//! The target makes mistakes that the library detects by wsgi.h: wrong sizes and versions, counts
//! without data, invalid kinds and flags, released handles (this is a debug build). Every accepted
//! submission must end once, in order. Every refused one must have an error with a reason.
#![no_main]

use fuzz::data::Data;
use fuzz::event_host::{Hosted, app, poll_to_the_end};
use fuzz::hostile::{self, Request};
use libfuzzer_sys::fuzz_target;
use std::ptr::{null, null_mut};
use wsgi::abi::*;

fuzz_target!(|data: &[u8]| {
    let mut data = Data(data);
    let app = app();
    let mut hosted = Vec::new();
    for _ in 0..data.byte() % 4 + 1 {
        match data.byte() % 4 {
            0 => configure(&mut data),
            1 => name_an_app(&mut data),
            _ => submit(app, &mut data, &mut hosted),
        }
    }
    for one in &hosted {
        one.settle();
    }
    poll_to_the_end(&hosted);
    for one in &hosted {
        one.check();
    }
});

/// The status of a call. The error that the call returns must fit the status.
fn told(call: impl FnOnce(*mut *mut wsgi_error) -> wsgi_status) -> wsgi_status {
    let mut error = null_mut();
    let status = call(&mut error);
    assert_eq!(status == wsgi_status::WSGI_OK, error.is_null(), "{status:?}");
    assert!(status != wsgi_status::WSGI_PANIC, "a panic");
    if !error.is_null() {
        // SAFETY: the error was just handed out, and is released once.
        unsafe {
            assert_eq!(wsgi_error_status(error), status);
            assert!(wsgi_error_message(error).size > 10);
            wsgi_error_release(error);
        }
    }
    status
}

fn configure(data: &mut Data<'_>) {
    let config = hostile::runtime_config(data);
    // SAFETY: all that `config` points to lives for the process, or is NULL.
    let check = told(|error| unsafe { wsgi_runtime_check(&config, error) });
    let mut runtime = null_mut();
    // SAFETY: as above; a process has one runtime, and this one has started it.
    let start = told(|error| unsafe { wsgi_runtime_start(&config, &mut runtime, error) });
    assert!(start != wsgi_status::WSGI_OK && runtime.is_null(), "a second runtime");
    assert!(check == wsgi_status::WSGI_OK || start == check || config.host.is_null());
}

fn name_an_app(data: &mut Data<'_>) {
    let (target, callable) = (data.string(), data.string());
    let mut config = wsgi_app_config {
        struct_size: size_of::<wsgi_app_config>(),
        target: target.as_ref().map_or(null(), |text| text.as_ptr()),
        callable: callable.as_ref().map_or(null(), |text| text.as_ptr()),
    };
    data.spoil(&mut config.struct_size);
    // SAFETY: the strings live until the end of this function.
    let status = told(|error| unsafe { wsgi_app_check(&config, error) });
    if config.target.is_null() || config.struct_size != size_of::<wsgi_app_config>() {
        assert_eq!(status, wsgi_status::WSGI_INVALID);
    }
}

fn submit(app: *mut wsgi_app, data: &mut Data<'_>, hosted: &mut Vec<Box<Hosted>>) {
    let request = Request::new(data);
    let host = Hosted::new(data);
    let mut exchange = null_mut();
    // SAFETY: the handles are live; all that the request points to lives in `request`.
    let status = told(|error| unsafe {
        wsgi_submit(app, &request.raw, host.pointer(), &mut exchange, error)
    });
    assert_eq!(status == wsgi_status::WSGI_OK, request.is_valid, "{status:?}");
    assert_eq!(status == wsgi_status::WSGI_OK, !exchange.is_null());
    if exchange.is_null() {
        return;
    }
    host.begin(exchange);
    for _ in 0..data.byte() % 4 {
        host.push(data);
    }
    if data.byte() % 4 == 0 {
        host.cancel();
    }
    hosted.push(host);
}
