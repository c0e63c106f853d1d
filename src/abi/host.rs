//! What a host offers: the table of callbacks, and what the library passes to them.

use super::request::{wsgi_header, wsgi_str};
use std::ffi::{c_int, c_void};

/// The status line and the headers of a response, **lent until the callback returns**.
///
/// The library has checked everything in it: `status` is from 200 to 999, names are tokens of RFC
/// 9110, values have no control characters but tabs, and hop-by-hop fields are gone.
#[repr(C)]
pub struct wsgi_head {
    /// The three digits of the status line.
    pub status: u32,
    /// What followed them, such as `Not Found`; may be empty.
    pub reason: wsgi_str,
    /// The header fields in the application's order, without `Content-Length`. The library adds
    /// none. The host adds `Date` and `Server`, unless the application has set them, and what the
    /// connection needs (`Connection`, `Transfer-Encoding`), which the application cannot set.
    pub headers: *const wsgi_header,
    pub headers_count: usize,
    /// How many bytes of body follow, or -1 if that is not known. For `HEAD` (and 304) what the
    /// application stated, although no body follows.
    pub content_length: i64,
    /// 1 if no body follows, whatever `content_length` says; else 0.
    pub no_body: c_int,
}

/// A piece of a response body. **Owned**: its holder releases it exactly once with
/// `wsgi_buffer_release`, on any thread, also after the request is over.
///
/// The bytes do not move or change while it lives. Use it where the library put it; a copy of the
/// structure is not a buffer.
#[repr(C)]
pub struct wsgi_buffer {
    pub data: *const u8,
    /// At least 1.
    pub size: usize,
}

/// What a buffer counts in `wsgi_request.buffer_size` besides its bytes: about the memory that one
/// needs, however small it is.
pub const WSGI_BUFFER_COST: u32 = 320;
const _: () = assert!(WSGI_BUFFER_COST as usize == crate::host::response::buffer::COST);

/// In `write` and `send_file`: `finish` with `WSGI_COMPLETE` follows at once.
///
/// With it a host can mark the last piece in the same step, for example the HTTP/2 frame that ends
/// the stream. A host may ignore it.
pub const WSGI_WRITE_LAST: u32 = 1;

/// `read`: the rest of the body will not come. This read of the application and all later ones
/// raise OSError. The application may still answer. If it does not catch the error, there is no
/// client left to answer, and the result is that of `WSGI_READ_GONE`.
pub const WSGI_READ_BROKEN: i32 = -1;

/// `read`: the client is gone, as if another callback had returned non-zero. The application's
/// reads and writes raise OSError, no callback for this request follows, and `wsgi_run` returns
/// `WSGI_GONE`.
pub const WSGI_READ_GONE: i32 = -2;

/// How a request ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wsgi_outcome {
    /// The response is complete.
    WSGI_COMPLETE = 0,
    /// The application failed before `start`: answer 500. Its traceback is in the log.
    WSGI_FAILED = 1,
    /// The application could not be imported, or the library is stopping: answer 503, with
    /// `Retry-After`.
    WSGI_REFUSED = 2,
    /// The application failed after `start`, or gave fewer bytes than its Content-Length: what was
    /// sent is not the whole response. End the connection (HTTP/1) or reset the stream (HTTP/2,
    /// HTTP/3), and do not send a last chunk. You may send what was handed over before. With
    /// HTTP/1.0 and no length a closed connection looks like the end of a whole response: reset it
    /// (SO_LINGER with 0).
    WSGI_TRUNCATED = 3,
}

/// How much a log line matters.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wsgi_level {
    /// Not a fault, such as a client that left.
    WSGI_LOG_INFO = 0,
    WSGI_LOG_WARN = 1,
    /// Also everything that the application prints to sys.stdout and sys.stderr, and writes to
    /// wsgi.errors: the library cannot know how much that matters.
    WSGI_LOG_ERROR = 2,
}

/// The callbacks of a host. Begin with `WSGI_HOST_INIT`, then set the members you offer.
///
/// `wsgi_runtime_start` copies the table; the functions must stay until the process ends. One table
/// serves both kinds of hosts. In an event-driven host (`notify` or `WSGI_EVENTFD` is set)
/// `wsgi_poll` calls every callback except `notify`, on its caller's thread, and each must return
/// without blocking. In a blocking host `wsgi_run` calls the request's callbacks, on its caller's
/// thread, without the GIL, and they may block. If the application reads or writes on a thread of
/// its own, the callbacks come on that thread. They come one at a time nevertheless, except `log`,
/// and before `wsgi_run` returns.
///
/// `request` is the pointer that the host gave to `wsgi_submit` or `wsgi_run`; the library never
/// reads it. For each request the calls come in this order: any number of `early_hints`, `start`,
/// any number of `write` and `send_file`, `finish`. If there is no response, `finish` comes without
/// `start`. `want_body`, `read` and `log` come in between.
///
/// `early_hints`, `start`, `write`, `send_file` and `want_body` return 0 to go on. Any other value
/// means that the client is gone. It ends the exchange as `wsgi_cancel` does, and no callback for
/// this request follows, not even `finish`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wsgi_host {
    /// `sizeof(wsgi_host)`.
    pub struct_size: usize,
    /// Passed to `log`, `notify` and `exhausted`; the library never reads it.
    pub data: *mut c_void,
    /// The response begins. Required.
    pub start: Option<unsafe extern "C" fn(request: *mut c_void, head: *const wsgi_head) -> c_int>,
    /// The next `count` (at least 1) pieces of the body. The **host owns** the buffers from now on,
    /// also if it returns non-zero. The array is lent until the callback returns. The host must
    /// send the pieces without waiting for more: PEP 3333 does not allow it to delay a block.
    /// Required.
    pub write: Option<
        unsafe extern "C" fn(
            request: *mut c_void,
            buffers: *const *mut wsgi_buffer,
            count: usize,
            flags: u32,
        ) -> c_int,
    >,
    /// `length` (at least 1) bytes of the regular file `fd`, from `offset` on, are the next piece
    /// of the body. The **host owns** `fd` from now on, also if it returns non-zero, and closes it.
    /// Optional: without it the library reads the file and calls `write`.
    pub send_file: Option<
        unsafe extern "C" fn(
            request: *mut c_void,
            fd: c_int,
            offset: u64,
            length: u64,
            flags: u32,
        ) -> c_int,
    >,
    /// The request is over and the library does not use `request` again. The `wsgi_exchange` ends
    /// when this returns. `retry_after` is in seconds for `WSGI_REFUSED`, else 0. Required.
    pub finish:
        Option<unsafe extern "C" fn(request: *mut c_void, outcome: wsgi_outcome, retry_after: u32)>,
    /// The application waits for body bytes: call `wsgi_body_push` when there are some, now or
    /// later. It is called again if those were not enough, or when the application wants more. When
    /// it is called first, and `start` did not come before, send a response 100 (Continue) if the
    /// client waits for one. Required for `WSGI_BODY_PUSH`.
    pub want_body: Option<unsafe extern "C" fn(request: *mut c_void) -> c_int>,
    /// Put up to `size` (at least 1) bytes of body into `buffer`. Return their number, 0 at the end
    /// of the body, `WSGI_READ_BROKEN` if the rest will not come, or `WSGI_READ_GONE` if the client
    /// is gone. The library never asks for more than is left of `content_length`, and does not ask
    /// again once all of that has come. It treats a 0 before that as `WSGI_READ_BROKEN`. When this
    /// is called first, send a response 100 (Continue) if the client waits for one. Required for
    /// `WSGI_BODY_READ`.
    pub read:
        Option<unsafe extern "C" fn(request: *mut c_void, buffer: *mut u8, size: usize) -> isize>,
    /// One line for the log, without a line break. `request` is NULL if the line belongs to no
    /// request or its request is over. In a blocking host any thread that logs calls it, several at
    /// once. Required.
    pub log: Option<
        unsafe extern "C" fn(
            data: *mut c_void,
            request: *mut c_void,
            level: wsgi_level,
            line: wsgi_str,
        ),
    >,
    /// The library has something for `wsgi_poll`. It calls `notify` on its own threads, once until
    /// the next `wsgi_poll`, and again if none comes. The callback must only wake the thread that
    /// polls, for example by writing to an eventfd.
    ///
    /// The loop must read that eventfd *first* and call `wsgi_poll` *then*. From the poll on the
    /// library may call `notify` again. A loop that reads after the poll loses that wake-up: it
    /// sleeps until the library notices that and calls `notify` once more. With `WSGI_EVENTFD` this
    /// mistake is not possible.
    ///
    /// An application that still runs may cause a call after `wsgi_runtime_stop`, so what `notify`
    /// writes to must stay open. Setting `notify` makes the host event-driven. Without it and
    /// without `WSGI_EVENTFD` the host can only use `wsgi_run`.
    pub notify: Option<unsafe extern "C" fn(data: *mut c_void)>,
    /// More than `wsgi_runtime_config.max_stuck` threads, `stuck` of them, are stuck at the same
    /// time: see `wsgi_cancel_watched`. A stuck thread cannot be killed. A host with several
    /// processes should finish its accepted requests, exit, and start a new process. Called once,
    /// from `wsgi_poll`; the pool still has all of its working threads. Optional.
    pub exhausted: Option<unsafe extern "C" fn(data: *mut c_void, stuck: usize)>,
    /// The application knows some header fields of its response already: send them now, as a
    /// response 103 (Early Hints, RFC 8297), before the one that `start` begins. `headers` are
    /// `headers_count` (at least 1) fields, checked as those of a head and without
    /// `Content-Length`; they are **lent until the callback returns**. Called only for requests
    /// with `wsgi_request.early_hints`. Optional: without it `environ` has no `wsgi.early_hints`.
    pub early_hints: Option<
        unsafe extern "C" fn(
            request: *mut c_void,
            headers: *const wsgi_header,
            headers_count: usize,
        ) -> c_int,
    >,
}
