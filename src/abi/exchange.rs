//! Answering requests: submit and its companions for event-driven hosts, run for blocking ones.

use super::app::wsgi_app;
use super::guard::{call, entry, host_pointer};
use super::handles::{Handle, out, owned_in, owned_out, release};
use super::host::wsgi_buffer;
use super::misuse::{self, Kind, called, one_thread_only};
use super::pointers::{Given, Out};
use super::read_request::{Half, read};
use super::request::{wsgi_request, wsgi_str};
use super::runtime::wsgi_runtime;
use super::status::{wsgi_error, wsgi_status};
use crate::error::Error;
use crate::host::exchange::Exchange;
use crate::host::progress::Phase;
use crate::host::request::upload::Push;
use crate::host::response::buffer::Buffer;
use crate::runtime::{Deadline, Runtime};
use std::ffi::c_void;
use std::time::Duration;

/// One request that is being answered, in an event-driven host.
///
/// **Lent** from `wsgi_submit` until the first of these: `finish` returns, a callback of the
/// request returns non-zero, or the host calls `wsgi_cancel` or `wsgi_cancel_watched`. The pointer
/// must not be used after that. An exchange that `wsgi_runtime_stop` cancels is an exception: its
/// pointer stays valid, and cancelling it does nothing. One thread only, the one that polls.
pub struct wsgi_exchange {
    _private: [u8; 0],
}

impl Handle for wsgi_exchange {
    type Inner = Exchange;
    const KIND: Kind = Kind::Exchange;
}

impl Handle for wsgi_buffer {
    /// It begins with the members of `wsgi_buffer`.
    type Inner = Buffer;
    const KIND: Kind = Kind::Buffer;
}

/// `wsgi_body_push`: these are the last bytes of the body.
pub const WSGI_PUSH_LAST: u32 = 1;
/// `wsgi_body_push`: the rest of the body will not come, and `size` must be 0. The application's
/// reads raise OSError. If the application does not catch that, `finish` comes with `WSGI_FAILED`
/// or `WSGI_TRUNCATED`, and the log has WSGI0208. If the client is gone, call `wsgi_cancel`
/// instead.
pub const WSGI_PUSH_BROKEN: u32 = 2;

/// What an exchange waits for. A host's timer may be about any of them.
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
/// `request` is **borrowed** for the call. `host_request` is passed to the callbacks, and must not
/// be NULL. On `WSGI_OK`, `*exchange` is set, and later calls of `wsgi_poll` call the callbacks.
/// Otherwise `*exchange` is NULL and no callback follows: the host must answer 503 for `WSGI_BUSY`,
/// `WSGI_STOPPING` and `WSGI_UNAVAILABLE`, and 500 for `WSGI_FORKED` and `WSGI_INVALID` (NULL, a
/// `struct_size` of another version, a request that contradicts itself, a kind of body that is not
/// allowed here, a host that is not event-driven, a pushed body without threads). A sentence is in
/// `*error` (**owned**; `error` may be NULL). One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_submit(
    app: *mut wsgi_app,
    request: *const wsgi_request,
    host_request: *mut c_void,
    exchange: *mut *mut wsgi_exchange,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `app` is NULL or valid until `wsgi_app_release`; `request` is NULL or a
    // structure, borrowed for the call; `exchange` and `error` are NULL or point to pointers.
    let (app, request, exchange, error) =
        unsafe { (Given::new(app), Given::new(request), Out::new(exchange), Out::new(error)) };
    call("wsgi_submit", error, || {
        one_thread_only();
        exchange.begin("exchange")?;
        let app = app.handle()?;
        let host_request = host_pointer(host_request)?;
        let pointer = app.submit(read(request, Half::Event)?, host_request)?;
        misuse::note_submitter();
        exchange.set(out(pointer));
        Ok(())
    })
}

/// Gives the application up to `size` more bytes of a `WSGI_BODY_PUSH` body. Never blocks.
///
/// `data` is **borrowed** for the call; `flags` is 0, `WSGI_PUSH_LAST` or `WSGI_PUSH_BROKEN`. The
/// call copies the bytes that fit, and sets `*taken` to their number (`taken` may be NULL; 0 unless
/// `WSGI_OK`). What fits is what the application waits for, and at most 256 KiB besides. Keep the
/// rest until `want_body` is called, then push it again. You need not wait for `want_body` before
/// the first push.
///
/// Set `WSGI_PUSH_LAST` only on a call that offers the last byte. It has an effect if the call
/// takes all of `size`. `size` 0 with `WSGI_PUSH_LAST` ends the body.
///
/// `WSGI_OK`, or `WSGI_INVALID` for NULL, for an exchange that has no pushed body, after the end,
/// and for a body that is not as long as `content_length`: more bytes than are left of it, or
/// `WSGI_PUSH_LAST` before all have been offered. A body of another length is then broken, as by
/// `WSGI_PUSH_BROKEN`. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_body_push(
    exchange: *mut wsgi_exchange,
    data: *const u8,
    size: usize,
    flags: u32,
    taken: *mut usize,
) -> wsgi_status {
    // SAFETY: wsgi.h: `exchange` is NULL or valid until its end; there are `size` bytes at `data`,
    // borrowed for the call; `taken` is NULL or points to a size_t.
    let (exchange, data, taken) =
        unsafe { (Given::new(exchange), Given::new(data), Out::new(taken)) };
    taken.set(0);
    call("wsgi_body_push", Out::null(), || {
        one_thread_only();
        let exchange = exchange.handle()?;
        let bytes = data.bytes(size, "data")?;
        let push = match flags {
            0 => Push::More,
            WSGI_PUSH_LAST => Push::Last,
            WSGI_PUSH_BROKEN => Push::Broken,
            _ => return Err(Error::invalid("wsgi_body_push: unknown flags")),
        };
        if push == Push::Broken && size != 0 {
            return Err(Error::invalid("wsgi_body_push: WSGI_PUSH_BROKEN goes with a size of 0"));
        }
        taken.set(exchange.push_body(bytes, push)?);
        Ok(())
    })
}

/// Ends an exchange whose client is gone, or that took too long. No callback for it follows.
///
/// A request that is queued never reaches Python. A running application gets an OSError at its next
/// read or write, and its iterable is closed. Buffers that the host still has stay valid. O(1),
/// never waits; may be called inside the exchange's own callbacks. NULL is allowed and does
/// nothing. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_cancel(exchange: *mut wsgi_exchange) {
    if exchange.is_null() {
        return;
    }
    // SAFETY: wsgi.h: `exchange` is not over yet; this call ends it.
    let exchange = unsafe { Given::new(exchange) };
    let _ = entry("wsgi_cancel", || {
        one_thread_only();
        exchange.handle()?.cancel();
        Ok(())
    });
}

/// `wsgi_cancel_watched`: raise `libwsgi.RequestTimeout` in the application when it is late.
pub const WSGI_CANCEL_INTERRUPT: u32 = 1;

/// `wsgi_cancel_watched`: the client is still there, and the host ends the response by itself, for
/// example because something else answers. The log does not blame the client then.
pub const WSGI_CANCEL_ANSWERED: u32 = 2;

/// Does what `wsgi_cancel` does, and watches the thread: if the application has not come back
/// `late_after_ms` milliseconds later (0: it is late now), that thread is stuck.
///
/// The library logs the Python stack of a stuck thread. It replaces up to
/// `wsgi_runtime_config.max_stuck` stuck threads by new ones, so that the pool keeps its size; a
/// replaced thread that comes back ends. If more threads are stuck than that, it calls `exhausted`
/// of `wsgi_host`. With `WSGI_CANCEL_INTERRUPT` it also raises an exception in the stuck thread.
/// The thread gets that exception as soon as it runs Python code, and never in a later request. If
/// the exchange is queued and `late_after_ms` is 0, the library logs what keeps the threads busy.
///
/// `about` names the request in those log lines, which come later and belong to no request. It is
/// **borrowed** for the call. `flags` is `WSGI_CANCEL_INTERRUPT`, `WSGI_CANCEL_ANSWERED`, both or
/// 0. Never waits, never takes the GIL; may be called inside the exchange's own callbacks. A NULL
/// exchange is allowed and does nothing. One thread only, the one that polls.
/// 0. Never waits, never takes the GIL; may be called inside the exchange's own callbacks. A NULL
/// exchange is allowed and does nothing. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_cancel_watched(
    exchange: *mut wsgi_exchange,
    about: wsgi_str,
    late_after_ms: u64,
    flags: u32,
) {
    if exchange.is_null() {
        return;
    }
    // SAFETY: wsgi.h: `exchange` is not over yet; the bytes of `about` are borrowed for the call.
    let (exchange, about_data) = unsafe { (Given::new(exchange), Given::new(about.data)) };
    let _ = entry("wsgi_cancel_watched", || {
        one_thread_only();
        let exchange = exchange.handle()?;
        let about = about_data.bytes(about.size, "about")?;
        let deadline = Deadline {
            about: String::from_utf8_lossy(about).into_owned(),
            late_after: Duration::from_millis(late_after_ms),
            interrupt: flags & WSGI_CANCEL_INTERRUPT != 0,
        };
        if flags & WSGI_CANCEL_ANSWERED != 0 {
            exchange.set_answered();
        }
        match Runtime::current() {
            Some(runtime) => runtime.cancel_watched(exchange, deadline),
            None => exchange.cancel(),
        }
        Ok(())
    });
}

/// Lets the application of an exchange finish although its client is gone.
///
/// The library drops what the application gives from now on, and what the application gave before
/// and was not delivered. The application does not wait for buffers that the host still has, and
/// its reads and writes do not fail. It can ask `environ['libwsgi.client_disconnected']`. Only
/// `want_body`, `log` and `finish` still come for this request. `wsgi_cancel` may be called later.
/// O(1), never waits; may be called inside the exchange's own callbacks. NULL is allowed and does
/// nothing. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_detach_client(exchange: *mut wsgi_exchange) {
    if exchange.is_null() {
        return;
    }
    // SAFETY: wsgi.h: `exchange` is not over yet, and this call does not end it.
    let exchange = unsafe { Given::new(exchange) };
    let _ = entry("wsgi_detach_client", || {
        one_thread_only();
        exchange.handle()?.detach();
        Ok(())
    });
}

/// Returns what the exchange waits for. `*since_ms` (may be NULL) is set to a number of
/// milliseconds: since the submit (`WSGI_PHASE_QUEUED`), since the application began or last gave
/// or took something (`WSGI_PHASE_RUNNING`), since it began to wait (the others).
///
/// A host can set one timer at submit and ask here when it fires, instead of one timer at each
/// event. `WSGI_PHASE_DONE` for NULL. Never blocks. One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_exchange_phase(
    exchange: *const wsgi_exchange,
    since_ms: *mut u64,
) -> wsgi_phase {
    let _called = called("wsgi_exchange_phase");
    one_thread_only();
    // SAFETY: wsgi.h: `exchange` is NULL, or not over yet; `since_ms` is NULL or points to a
    // uint64_t.
    let (exchange, since_ms) = unsafe { (Given::new(exchange), Out::new(since_ms)) };
    let (phase, since) = exchange.handle().map_or((Phase::Done, 0), Exchange::phase);
    since_ms.set(since);
    match phase {
        Phase::Queued => wsgi_phase::WSGI_PHASE_QUEUED,
        Phase::Running => wsgi_phase::WSGI_PHASE_RUNNING,
        Phase::Host => wsgi_phase::WSGI_PHASE_HOST,
        Phase::Done => wsgi_phase::WSGI_PHASE_DONE,
    }
}

/// Returns the number of milliseconds since the exchange was submitted. `*queued_ms` (may be NULL)
/// is set to the number of them in which it waited for a thread, or for the import of its
/// application: all of them while it still waits. 0 for NULL.
///
/// A host that logs both shows whether the pool is too small or the application slow. Never blocks.
/// One thread only, the one that polls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_exchange_time(
    exchange: *const wsgi_exchange,
    queued_ms: *mut u64,
) -> u64 {
    let _called = called("wsgi_exchange_time");
    one_thread_only();
    // SAFETY: wsgi.h: `exchange` is NULL, or not over yet; `queued_ms` is NULL or points to a
    // uint64_t.
    let (exchange, queued_ms) = unsafe { (Given::new(exchange), Out::new(queued_ms)) };
    let (passed, queued) = exchange.handle().map_or((0, 0), Exchange::times);
    queued_ms.set(queued);
    passed
}

/// Answers one request on the calling thread, and calls all of its callbacks before it returns:
/// without the GIL and one at a time, on this thread or on one that the application uses. Waits for
/// the import of the application first.
///
/// `request` is **borrowed** for the call. `host_request` is passed to the callbacks, and must not
/// be NULL.
///
/// `WSGI_OK`: `finish` was called, whatever the outcome. `WSGI_GONE`: a callback returned that the
/// client is gone, or the application did not catch the OSError of a broken body, or
/// `wsgi_run_cancel` or `wsgi_runtime_stop` cancelled the run. `finish` was not called, and the
/// host must end the connection. Otherwise no callback was called, and the host must answer 503 for
/// `WSGI_UNAVAILABLE`, `WSGI_PYTHON` and `WSGI_STOPPING`, and 500 for `WSGI_FORKED`, `WSGI_PANIC`
/// and `WSGI_INVALID` (NULL, a `struct_size` of another version, a request that contradicts itself,
/// a kind of body that is not allowed here, an event-driven host). A sentence is in `*error`
/// (**owned**; `error` may be NULL).
///
/// Any number of threads may call it at once, also inside a callback of another run. Each thread
/// keeps its Python thread state (`threading.local`) from one call to the next, and the state is
/// freed when the thread ends. A host may have a thread for each connection, but a pool of threads
/// is faster. The thread needs the stack of any Python thread, 1 MiB or more: with less, a deep
/// recursion ends the process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_run(
    app: *mut wsgi_app,
    request: *const wsgi_request,
    host_request: *mut c_void,
    error: *mut *mut wsgi_error,
) -> wsgi_status {
    // SAFETY: wsgi.h: `app` is NULL or valid until `wsgi_app_release`; `request` is NULL or a
    // structure, borrowed for the call; `error` is NULL or points to a pointer.
    let (app, request, error) = unsafe { (Given::new(app), Given::new(request), Out::new(error)) };
    call("wsgi_run", error, || {
        let app = app.handle()?;
        let host_request = host_pointer(host_request)?;
        app.run(read(request, Half::Blocking)?, host_request)
    })
}

/// Cancels the `wsgi_run` that was given `host_request`, because its client is gone or it takes too
/// long. If there are several, it cancels all of them.
///
/// No callback for the run begins any more. If one is in progress on its thread, it goes on, and
/// the host must end it. The application gets an OSError at its next read or write, its iterable is
/// closed, and `wsgi_run` returns `WSGI_GONE`. A run that still waits for an import returns at
/// once. Never blocks, never takes the GIL.
///
/// `WSGI_OK`, or `WSGI_GONE` if no such run is in progress (it has just ended), `WSGI_INVALID` for
/// NULL, `WSGI_FORKED` in a forked child. Any thread, also inside the run's own callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_run_cancel(
    runtime: *mut wsgi_runtime,
    host_request: *mut c_void,
) -> wsgi_status {
    // SAFETY: wsgi.h: `runtime` is NULL or one that was started; `host_request` is only compared.
    let runtime = unsafe { Given::new(runtime) };
    call("wsgi_run_cancel", Out::null(), || {
        runtime.handle()?.cancel_run(host_pointer(host_request)?)
    })
}

/// Releases an **owned** buffer and gives its bytes back to the application's credit. NULL is
/// allowed and does nothing. Never blocks, never takes the GIL. Any thread, also after the request
/// is over and after `wsgi_runtime_stop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_buffer_release(buffer: *mut wsgi_buffer) {
    let _called = called("wsgi_buffer_release");
    // SAFETY: wsgi.h: the owner of a buffer releases it, once.
    unsafe { release(buffer) };
}

/// Gives the credit of a buffer back while the host keeps the buffer: the application goes on as if
/// the host had released it. NULL is allowed and does nothing. A second call does nothing.
///
/// This is for a host that limits what it holds in another way, such as a temporary file for all
/// that follows. Never blocks, never takes the GIL. Any thread that owns the buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgi_buffer_return_credit(buffer: *mut wsgi_buffer) {
    if buffer.is_null() {
        return;
    }
    let _called = called("wsgi_buffer_return_credit");
    // SAFETY: wsgi.h: the caller owns the buffer. It gets the buffer back at the same place.
    let mut inner = unsafe { owned_in(buffer) };
    inner.return_credit();
    let _: *mut wsgi_buffer = owned_out(inner);
}
