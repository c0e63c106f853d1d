//! Answering requests: submit and its companions for event-driven hosts, run for blocking ones.

use super::app::wsgi_app;
use super::guard;
use super::host::wsgi_buffer;
use super::runtime::wsgi_runtime;
use super::status::{report, wsgi_error, wsgi_status};
use super::{
    read_request,
    request::{wsgi_request, wsgi_str},
};
use crate::error::Error;
use crate::host::exchange::{Exchange, Phase};
use crate::host::live::{self, Kind};
use crate::host::upload::Push;
use crate::runtime::{Abandon, Runtime};
use std::ffi::c_void;
use std::time::Duration;

/// One request that is being answered, in an event-driven host.
///
/// **Lent**: from `wsgi_submit` until `finish` returns, or a callback of the request has returned
/// non-zero, or `wsgi_cancel` or `wsgi_abandon` is called; whichever comes first ends it, and the
/// pointer must not be used again. Of an exchange that is there when `wsgi_runtime_stop` is called
/// the pointer stays valid: it may be cancelled, which does nothing. One thread only, the one that
/// polls.
pub struct wsgi_exchange {
    _private: [u8; 0],
}

/// The last bytes of the body.
pub const WSGI_PUSH_LAST: u32 = 1;
/// The body cannot be had whole: the application's reads raise OSError. `size` must be 0. If the
/// application does not catch that, `finish` comes with `WSGI_FAILED` or `WSGI_TRUNCATED`, and the log
/// has WSGI0208. If the client is gone, call `wsgi_cancel` instead.
pub const WSGI_PUSH_BROKEN: u32 = 2;

/// What an exchange is waiting for: a host's timers are about the one or the other.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wsgi_phase {
    /// For a thread, or for the import of its application.
    WSGI_PHASE_QUEUED = 0,
    /// For the application.
    WSGI_PHASE_RUNNING = 1,
    /// For the host: to release buffers, or to push body.
    WSGI_PHASE_HOST = 2,
    /// For `wsgi_poll`: the application is done.
    WSGI_PHASE_DONE = 3,
}

/// Hands a request to a Python thread and returns at once. Never blocks, never takes the GIL.
///
/// `request` is **borrowed** for the call. `host_request` is what the callbacks get; not NULL. On
/// `WSGI_OK`, `*exchange` is set, and the callbacks for it come from later calls of `wsgi_poll`;
/// otherwise it is NULL and none comes: the host answers 503 for `WSGI_BUSY`, `WSGI_STOPPING` and
/// `WSGI_UNAVAILABLE`, 500 for `WSGI_INVALID` (NULL, a `struct_size` of another version, a body
/// kind that cannot be, a host that is not event-driven, a pushed body without threads) and
/// `WSGI_FORKED`. A sentence is in `*error` (**owned**; `error` may be NULL). One thread only, the
/// one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_submit(
    app: *mut wsgi_app,
    request: *const wsgi_request,
    host_request: *mut c_void,
    exchange: *mut *mut wsgi_exchange,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_submit", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: `exchange` is NULL or points to a pointer.
        let out = unsafe { guard::out_pointer(exchange, "exchange") }?;
        // SAFETY: wsgi.h: an application stays valid until `wsgi_app_release`.
        let app = unsafe { guard::borrowed(app, Kind::App) }?;
        let host_request = guard::host_pointer(host_request)?;
        // SAFETY: wsgi.h: `request` is NULL or what its type says, borrowed for the call.
        let request = unsafe { read_request::read(request, read_request::Half::Event) }?;
        let handle = app.inner.submit(request, host_request)?;
        live::submits();
        *out = handle.cast_mut().cast();
        Ok(())
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// Gives the application up to `size` bytes more of a `WSGI_BODY_PUSH` body. Never blocks.
///
/// `data` is **borrowed** for the call; `flags` is 0, `WSGI_PUSH_LAST` or `WSGI_PUSH_BROKEN`. The
/// bytes that fit (those that the application waits for, and at most 256 KiB beside) are copied and
/// counted in `*taken` (may be NULL; 0 unless `WSGI_OK`). Keep the rest until `want_body` is called.
/// You need not wait for `want_body` before the first push. Set `WSGI_PUSH_LAST` only on a call that
/// offers the last byte: it counts if all of `size` was taken. `size` 0 with `WSGI_PUSH_LAST` ends
/// the body.
///
/// `WSGI_OK`, or `WSGI_INVALID` for NULL, for an exchange that has no pushed body, after the end, and
/// for a body that is not as long as `content_length`: more bytes than are left of it, or
/// `WSGI_PUSH_LAST` before all have been offered. With the last one the body is broken as by
/// `WSGI_PUSH_BROKEN`. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_body_push(
    exchange: *mut wsgi_exchange,
    data: *const u8,
    size: usize,
    flags: u32,
    taken: *mut usize,
) -> wsgi_status {
    if !taken.is_null() {
        // SAFETY: not NULL; wsgi.h: points to a size_t.
        unsafe { *taken = 0 };
    }
    let result = guard::entry("wsgi_body_push", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: an exchange stays valid until its end.
        let exchange = unsafe { guard::borrowed(exchange.cast::<Exchange>(), Kind::Exchange) }?;
        // SAFETY: wsgi.h: `size` bytes at `data`, borrowed for the call.
        let bytes = unsafe { guard::bytes(data, size, "data") }?;
        let push = match flags {
            0 => Push::More,
            WSGI_PUSH_LAST => Push::Last,
            WSGI_PUSH_BROKEN => Push::Broken,
            _ => return Err(Error::invalid("wsgi_body_push: unknown flags")),
        };
        if push == Push::Broken && size != 0 {
            return Err(Error::invalid("wsgi_body_push: a body that breaks off has no last bytes"));
        }
        let count = exchange.push_body(bytes, push)?;
        if !taken.is_null() {
            // SAFETY: not NULL; wsgi.h: points to a size_t.
            unsafe { *taken = count };
        }
        Ok(())
    });
    // SAFETY: a NULL `error` is allowed.
    unsafe { report(result, std::ptr::null_mut()) }
}

/// Ends an exchange whose client is gone, or that took too long: no callback for it follows.
///
/// Queued work is dropped before Python sees it; a running application gets an OSError at its next
/// read or write, its iterable is closed. Buffers that the host still has stay valid. O(1), never
/// waits; may be called inside the exchange's own callbacks. NULL is allowed and does nothing. One
/// thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_cancel(exchange: *mut wsgi_exchange) {
    if exchange.is_null() {
        return;
    }
    let _ = guard::entry("wsgi_cancel", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: an exchange stays valid until its end.
        let exchange = unsafe { guard::borrowed(exchange.cast::<Exchange>(), Kind::Exchange) }?;
        exchange.cancel();
        Ok(())
    });
}

/// `wsgi_abandon`: raise `libwsgi.RequestTimeout` in the application when it is late.
pub const WSGI_ABANDON_INTERRUPT: u32 = 1;

/// `wsgi_abandon`: the client has not left, the host ends the response by itself, for example
/// because something else answers. The log does not say then that the client has left.
pub const WSGI_ABANDON_ANSWERED: u32 = 2;

/// As `wsgi_cancel`, and looks after the thread: if the application has not come back
/// `late_after_ms` milliseconds later (0: it is late now), that thread is stuck.
///
/// The Python stack of a stuck thread is logged, and as many as `wsgi_runtime_config.max_stuck` are
/// replaced by new ones, so that the pool keeps its size; a thread that has been replaced and comes
/// back ends. If there are more than that, `exhausted` of `wsgi_host` is called. With
/// `WSGI_ABANDON_INTERRUPT` an exception is raised in it too; it comes as soon as the thread runs
/// Python code, and never in a later request. If the exchange was queued and `late_after_ms` is 0,
/// it is logged what keeps the threads busy.
///
/// `about` is what those log lines, which come later and belong to no request, call the request;
/// **borrowed** for the call. `flags` is `WSGI_ABANDON_INTERRUPT`, `WSGI_ABANDON_ANSWERED`, both or
/// 0. Never waits, never takes the GIL; may be called inside the exchange's own callbacks. A NULL
/// exchange is allowed and does nothing. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_abandon(
    exchange: *mut wsgi_exchange,
    about: wsgi_str,
    late_after_ms: u64,
    flags: u32,
) {
    if exchange.is_null() {
        return;
    }
    let _ = guard::entry("wsgi_abandon", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: an exchange stays valid until its end.
        let exchange = unsafe { guard::borrowed(exchange.cast::<Exchange>(), Kind::Exchange) }?;
        // SAFETY: wsgi.h: so many bytes, borrowed for the call.
        let about = unsafe { guard::bytes(about.data, about.size, "about") }?;
        let how = Abandon {
            about: String::from_utf8_lossy(about).into_owned(),
            late_after: Duration::from_millis(late_after_ms),
            interrupt: flags & WSGI_ABANDON_INTERRUPT != 0,
        };
        if flags & WSGI_ABANDON_ANSWERED != 0 {
            exchange.set_answered();
        }
        match Runtime::current() {
            Some(runtime) => runtime.abandon(exchange, how),
            None => exchange.cancel(),
        }
        Ok(())
    });
}

/// Lets the application of an exchange finish though its client is gone.
///
/// What it gives from now on, and what it gave and was not delivered, is dropped; it does not wait
/// for buffers that the host still has, and its reads and writes do not fail. It can tell by
/// `environ['libwsgi.client_disconnected']`. Of the callbacks for this request only `want_body`,
/// `log` and `finish` follow. `wsgi_cancel` may follow too. O(1), never waits; may be called inside
/// the exchange's own callbacks. NULL is allowed and does nothing. One thread only, the one that
/// polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_discard(exchange: *mut wsgi_exchange) {
    if exchange.is_null() {
        return;
    }
    let _ = guard::entry("wsgi_discard", || {
        guard::one_thread_only();
        // SAFETY: wsgi.h: an exchange stays valid until its end.
        let exchange = unsafe { guard::borrowed(exchange.cast::<Exchange>(), Kind::Exchange) }?;
        exchange.discard();
        Ok(())
    });
}

/// What the exchange is waiting for, and in `*since_ms` (may be NULL) for how many milliseconds:
/// since it was submitted (`WSGI_PHASE_QUEUED`), since the application began or last gave or took
/// something (`WSGI_PHASE_RUNNING`), since it began to wait (the others).
///
/// A host sets one timer at submit and asks here when it fires, instead of one at each event.
/// `WSGI_PHASE_DONE` for NULL. Never blocks. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_exchange_phase(
    exchange: *const wsgi_exchange,
    since_ms: *mut u64,
) -> wsgi_phase {
    let _called = guard::called("wsgi_exchange_phase");
    guard::one_thread_only();
    // SAFETY: wsgi.h: an exchange stays valid until its end.
    let exchange = unsafe { guard::borrowed(exchange.cast::<Exchange>(), Kind::Exchange) };
    let (phase, since) = exchange.map_or((Phase::Done, 0), Exchange::phase);
    if !since_ms.is_null() {
        // SAFETY: not NULL; wsgi.h: points to a uint64_t.
        unsafe { *since_ms = since };
    }
    match phase {
        Phase::Queued => wsgi_phase::WSGI_PHASE_QUEUED,
        Phase::Running => wsgi_phase::WSGI_PHASE_RUNNING,
        Phase::Host => wsgi_phase::WSGI_PHASE_HOST,
        Phase::Done => wsgi_phase::WSGI_PHASE_DONE,
    }
}

/// How many milliseconds have passed since the exchange was submitted, and in `*queued_ms` (may be
/// NULL) for how many of them it waited for a thread, or for the import of its application. All of
/// them while it still waits. 0 for NULL.
///
/// A host that puts them into its log can tell a pool that is too small from an application that is
/// slow. Never blocks. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_exchange_time(
    exchange: *const wsgi_exchange,
    queued_ms: *mut u64,
) -> u64 {
    let _called = guard::called("wsgi_exchange_time");
    guard::one_thread_only();
    // SAFETY: wsgi.h: an exchange stays valid until its end.
    let exchange = unsafe { guard::borrowed(exchange.cast::<Exchange>(), Kind::Exchange) };
    let (passed, queued) = exchange.map_or((0, 0), Exchange::times);
    if !queued_ms.is_null() {
        // SAFETY: not NULL; wsgi.h: points to a uint64_t.
        unsafe { *queued_ms = queued };
    }
    passed
}

/// Answers one request on the calling thread: all callbacks are called before it returns, without
/// the GIL and one at a time, on this thread or on one that the application uses. Waits for the
/// application's import if need be.
///
/// `request` is **borrowed** for the call. `host_request` is what the callbacks get; not NULL.
///
/// `WSGI_OK`: `finish` was called, whatever the outcome. `WSGI_GONE`: a callback said that the client
/// is gone, the application did not catch the OSError of a body that broke off, or the run was
/// cancelled, by `wsgi_run_cancel` or `wsgi_runtime_stop`; `finish` was not called, and the connection
/// is to be ended. Otherwise no callback was called, and the host answers 503 for `WSGI_UNAVAILABLE`,
/// `WSGI_PYTHON` and `WSGI_STOPPING`, 500 for `WSGI_INVALID` (NULL, a `struct_size` of another version,
/// a request that contradicts itself, a body kind that cannot be, an event-driven host), `WSGI_FORKED`
/// and `WSGI_PANIC`; a sentence is in `*error` (**owned**; `error` may be NULL).
///
/// Any thread, as many at once as the host has, also inside a callback of another run. Each thread
/// keeps its Python thread state (`threading.local`) from one call to the next, and it is freed when
/// the thread ends: a thread for each connection is allowed, a pool of threads is faster. It needs
/// the stack of any Python thread, 1 MiB or more: deep recursion ends the process with less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_run(
    app: *mut wsgi_app,
    request: *const wsgi_request,
    host_request: *mut c_void,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    let result = guard::entry("wsgi_run", || {
        // SAFETY: wsgi.h: an application stays valid until `wsgi_app_release`.
        let app = unsafe { guard::borrowed(app, Kind::App) }?;
        let host_request = guard::host_pointer(host_request)?;
        // SAFETY: wsgi.h: `request` is NULL or what its type says, borrowed for the call.
        let request = unsafe { read_request::read(request, read_request::Half::Blocking) }?;
        app.inner.run(request, host_request)
    });
    // SAFETY: wsgi.h: `error` is NULL or points to a pointer.
    unsafe { report(result, error) }
}

/// Cancels the `wsgi_run` that was given `host_request`, because its client is gone or it takes too
/// long; if there are several, all of them.
///
/// No callback for it begins any more; one that is in progress on its thread goes on, and is the
/// host's to end. The application gets an OSError at its next read or write, its iterable is closed,
/// and `wsgi_run` returns `WSGI_GONE`. One that still waits for an import returns at once. Never
/// blocks, never takes the GIL.
///
/// `WSGI_OK`, or `WSGI_GONE` if no such run is in progress (it has just ended), `WSGI_INVALID` for
/// NULL, `WSGI_FORKED` in a forked child. Any thread, also inside the run's own callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_run_cancel(
    runtime: *mut wsgi_runtime,
    host_request: *mut c_void,
) -> wsgi_status {
    let result = guard::entry("wsgi_run_cancel", || {
        // SAFETY: wsgi.h: a runtime is valid for ever once started.
        let runtime = unsafe { guard::borrowed(runtime.cast::<Runtime>(), Kind::Runtime) }?;
        runtime.cancel_run(guard::host_pointer(host_request)?)
    });
    // SAFETY: a NULL `error` is allowed.
    unsafe { report(result, std::ptr::null_mut()) }
}

/// Releases an **owned** buffer and gives its bytes back to the application's credit. NULL is
/// allowed and does nothing. Never blocks, never takes the GIL. Any thread, also after the request
/// is over and after `wsgi_runtime_stop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_buffer_release(buffer: *mut wsgi_buffer) {
    if !buffer.is_null() {
        let _called = guard::called("wsgi_buffer_release");
        // SAFETY: wsgi.h: a buffer is released once, by its owner.
        unsafe { guard::buffer_release(buffer) };
    }
}

/// Gives the credit of a buffer back while the host keeps the buffer: the application goes on as if
/// it had been released. NULL is allowed and does nothing. A second call does nothing.
///
/// For a host that has found another bound for what it holds, such as a temporary file for all that
/// follows. Never blocks, never takes the GIL. Any thread that owns the buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_buffer_return_credit(buffer: *mut wsgi_buffer) {
    if buffer.is_null() {
        return;
    }
    let _called = guard::called("wsgi_buffer_return_credit");
    // SAFETY: wsgi.h: the caller owns the buffer, and gets it back where it was.
    let mut buffer = unsafe { guard::buffer_in(buffer) };
    buffer.return_credit();
    let _ = guard::buffer_out(buffer);
}
