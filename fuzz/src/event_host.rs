//! An event-driven host on the C ABI, which checks the order of its callbacks.

use crate::data::Data;
use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_int, c_void};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;
use wsgi::abi::*;

/// One request, from `wsgi_submit` to its end. Only the polling thread uses it.
pub struct Hosted {
    /// NULL before the submit, and after the end of the exchange.
    exchange: Cell<*mut wsgi_exchange>,
    started: Cell<bool>,
    finished: Cell<bool>,
    cancelled: Cell<bool>,
    no_body: Cell<bool>,
    /// The number of bytes that Content-Length still allows; -1: there is no Content-Length.
    left: Cell<i64>,
    body_ended: Cell<bool>,
    /// The callback with this number reports that the client is gone.
    leave_at: Cell<u8>,
    /// The host keeps buffers until later polls, or beyond the end, and does not release them at
    /// once.
    keeps: bool,
    kept: RefCell<Vec<*mut wsgi_buffer>>,
}

/// The runtime's one application, which reads its input and answers in several blocks.
pub fn app() -> *mut wsgi_app {
    RUNTIME.app
}

/// Polls, and waits for notifications, until all of `hosted` have ended.
pub fn poll_to_the_end(hosted: &[Box<Hosted>]) {
    loop {
        let mut left = 0;
        // SAFETY: the runtime is live; this is the polling thread.
        let status = unsafe { wsgi_poll(RUNTIME.runtime, 0, &mut left) };
        assert_eq!(status, wsgi_status::WSGI_OK);
        if hosted.iter().all(|one| one.is_over()) {
            return;
        }
        // A host that keeps every buffer would leave the application without credit, without an
        // end.
        hosted.iter().for_each(|one| one.release());
        let woken = RUNTIME.woken.lock().unwrap().recv_timeout(Duration::from_secs(10));
        woken.expect("a request has neither ended nor called back for 10 s");
    }
}

impl Hosted {
    pub fn new(data: &mut Data<'_>) -> Box<Self> {
        let how = data.byte();
        Box::new(Hosted {
            exchange: Cell::new(null_mut()),
            started: Cell::new(false),
            finished: Cell::new(false),
            cancelled: Cell::new(false),
            no_body: Cell::new(false),
            left: Cell::new(-1),
            body_ended: Cell::new(false),
            leave_at: Cell::new(if how & 3 == 0 { how >> 3 & 7 } else { 0 }),
            keeps: how & 4 == 4,
            kept: RefCell::default(),
        })
    }

    pub fn pointer(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    pub fn begin(&self, exchange: *mut wsgi_exchange) {
        self.exchange.set(exchange);
    }

    pub fn is_over(&self) -> bool {
        self.finished.get() || self.cancelled.get()
    }

    /// Pushes bytes, perhaps with invalid flags, or after the end of the body.
    pub fn push(&self, data: &mut Data<'_>) {
        if self.is_over() {
            return;
        }
        let (bytes, flags) = (data.bytes(30), data.choose(&[0, 0, WSGI_PUSH_LAST, 2, 3, 99]));
        let mut taken = 0;
        // SAFETY: the exchange is live; `bytes` is borrowed for the call.
        let status = unsafe {
            wsgi_body_push(self.exchange.get(), bytes.as_ptr(), bytes.len(), flags, &mut taken)
        };
        assert!(taken <= bytes.len());
        assert!([wsgi_status::WSGI_OK, wsgi_status::WSGI_INVALID].contains(&status), "{status:?}");
        if status == wsgi_status::WSGI_OK {
            assert!(flags < 3 && !self.body_ended.get());
            self.body_ended.set(flags != 0);
        }
    }

    pub fn cancel(&self) {
        // SAFETY: as in `push`.
        unsafe { wsgi_cancel(self.exchange.get()) };
        self.cancelled.set(true);
    }

    /// Makes sure that the application ends.
    pub fn settle(&self) {
        if !self.is_over() && !self.body_ended.get() {
            // SAFETY: as in `push`; a request without a pushed body refuses it.
            unsafe {
                wsgi_body_push(self.exchange.get(), null_mut(), 0, WSGI_PUSH_LAST, null_mut())
            };
        }
    }

    /// After the end the host owns the buffers until it releases them.
    pub fn check(&self) {
        assert!(self.is_over());
        self.release();
    }

    fn release(&self) {
        for buffer in self.kept.take() {
            // SAFETY: `write` handed over the buffer, and it is released once.
            unsafe {
                assert!((*buffer).size > 0 && !(*buffer).data.is_null());
                wsgi_buffer_release(buffer);
            }
        }
    }

    /// The return value of a callback: whether the client is gone. Then no other callback may
    /// follow.
    fn go_on(&self) -> c_int {
        assert!(!self.is_over(), "a callback after the end");
        let left = self.leave_at.get();
        self.leave_at.set(left.saturating_sub(1));
        let gone = left == 1;
        self.cancelled.set(gone);
        gone.into()
    }

    fn count(&self, bytes: u64) {
        assert!(self.started.get() && !self.no_body.get() && bytes > 0);
        if self.left.get() >= 0 {
            let left = self.left.get() - bytes as i64;
            assert!(left >= 0, "more than Content-Length");
            self.left.set(left);
        }
    }
}

/// # Safety
/// `request` must be a result of `Hosted::pointer`, and its `Hosted` must be alive.
unsafe fn hosted<'a>(request: *mut c_void) -> &'a Hosted {
    // SAFETY: the caller's promise.
    unsafe { &*request.cast() }
}

unsafe extern "C" fn start(request: *mut c_void, head: *const wsgi_head) -> c_int {
    // SAFETY: wsgi.h: the pointer given to `wsgi_submit`, and a head lent for the call.
    let (host, head) = unsafe { (hosted(request), &*head) };
    assert!(!host.started.replace(true), "start came twice");
    host.no_body.set(head.no_body != 0);
    host.left.set(head.content_length);
    host.go_on()
}

unsafe extern "C" fn write(
    request: *mut c_void,
    buffers: *const *mut wsgi_buffer,
    count: usize,
    _flags: u32,
) -> c_int {
    // SAFETY: wsgi.h: the pointer given to `wsgi_submit`, and `count` buffers lent for the call.
    let (host, buffers) = unsafe { (hosted(request), std::slice::from_raw_parts(buffers, count)) };
    assert!(!buffers.is_empty());
    for &buffer in buffers {
        // SAFETY: wsgi.h: the buffer is the host's until the host releases it.
        host.count(unsafe { (*buffer).size } as u64);
        if host.keeps {
            host.kept.borrow_mut().push(buffer);
        } else {
            // SAFETY: as above.
            unsafe { wsgi_buffer_release(buffer) };
        }
    }
    host.go_on()
}

unsafe extern "C" fn send_file(
    request: *mut c_void,
    fd: c_int,
    _offset: u64,
    length: u64,
    _flags: u32,
) -> c_int {
    // SAFETY: wsgi.h: the host owns the descriptor from now on.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    // SAFETY: wsgi.h: the pointer given to `wsgi_submit`.
    let host = unsafe { hosted(request) };
    host.count(length);
    host.go_on()
}

unsafe extern "C" fn finish(request: *mut c_void, outcome: wsgi_outcome, _retry_after: u32) {
    // SAFETY: wsgi.h: the pointer given to `wsgi_submit`.
    let host = unsafe { hosted(request) };
    assert!(!host.is_over(), "finish after the end");
    host.finished.set(true);
    let (complete, failed) = (wsgi_outcome::WSGI_COMPLETE, wsgi_outcome::WSGI_FAILED);
    assert_eq!(host.started.get(), [complete, wsgi_outcome::WSGI_TRUNCATED].contains(&outcome));
    assert!(outcome != complete || host.no_body.get() || host.left.get() <= 0);
    assert!(outcome == complete || outcome == failed || host.started.get());
}

unsafe extern "C" fn want_body(request: *mut c_void) -> c_int {
    // SAFETY: wsgi.h: the pointer given to `wsgi_submit`.
    unsafe { hosted(request) }.go_on()
}

unsafe extern "C" fn log(_: *mut c_void, _: *mut c_void, _: wsgi_level, line: wsgi_str) {
    // SAFETY: wsgi.h: the line is lent for the call, and is not empty.
    let line = unsafe { std::slice::from_raw_parts(line.data, line.size) };
    let line = std::str::from_utf8(line).expect("a line of the log is UTF-8");
    assert!(!crate::is_finding(line) && !line.contains('\n'), "{line}");
}

static WAKE: LazyLock<(Sender<()>, Mutex<Option<Receiver<()>>>)> = LazyLock::new(|| {
    let (sender, receiver) = channel();
    (sender, Mutex::new(Some(receiver)))
});

unsafe extern "C" fn notify(_data: *mut c_void) {
    let _ = WAKE.0.send(());
}

struct Started {
    runtime: *mut wsgi_runtime,
    app: *mut wsgi_app,
    woken: Mutex<Receiver<()>>,
}

// SAFETY: wsgi.h: any thread may use the handles; only one thread polls.
unsafe impl Send for Started {}
// SAFETY: as above.
unsafe impl Sync for Started {}

static RUNTIME: LazyLock<Started> = LazyLock::new(|| {
    // SAFETY: wsgi.h: it is filled with zeros first.
    let mut host: wsgi_host = unsafe { std::mem::zeroed() };
    host.struct_size = size_of::<wsgi_host>();
    host.start = Some(start);
    host.write = Some(write);
    host.send_file = Some(send_file);
    host.finish = Some(finish);
    host.want_body = Some(want_body);
    host.log = Some(log);
    host.notify = Some(notify);
    let mut config: wsgi_runtime_config =
        // SAFETY: wsgi.h: it is filled with zeros first.
        unsafe { std::mem::zeroed() };
    config.struct_size = size_of::<wsgi_runtime_config>();
    config.abi_version = WSGI_ABI_VERSION;
    config.host = &host;
    config.threads = 2;
    let file = CString::new(concat!(env!("CARGO_MANIFEST_DIR"), "/applications/echo.py")).unwrap();
    let target = wsgi_app_config {
        struct_size: size_of::<wsgi_app_config>(),
        target: file.as_ptr(),
        callable: c"app".as_ptr(),
    };
    let (mut runtime, mut app) = (null_mut(), null_mut());
    // SAFETY: all fields are filled as wsgi.h requires, and live for the calls.
    unsafe {
        assert_eq!(wsgi_runtime_start(&config, &mut runtime, null_mut()), wsgi_status::WSGI_OK);
        let loaded = wsgi_app_load(runtime, &target, &mut app, null_mut());
        assert_eq!(loaded, wsgi_status::WSGI_OK);
        assert_eq!(wsgi_app_wait(app, 60_000, null_mut()), wsgi_status::WSGI_OK);
    }
    let woken = WAKE.1.lock().unwrap().take().expect("the runtime is started once");
    Started { runtime, app, woken: Mutex::new(woken) }
});
