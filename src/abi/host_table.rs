//! The host's table of callbacks, made safe.

use super::eventfd::EventFd;
use super::handles::owned_out;
use super::host::{
    WSGI_READ_GONE, WSGI_WRITE_LAST, wsgi_buffer, wsgi_head, wsgi_host, wsgi_level, wsgi_outcome,
};
use super::misuse::{self, Kind};
use super::pointers::Given;
use super::request::{wsgi_header, wsgi_str};
use crate::error::{Error, Result};
use crate::host::request::failures;
use crate::host::response::buffer::{Buffers, FEW};
use crate::host::response::file_range::FileRange;
use crate::host::response::head::Head;
use crate::host::{Gone, Host, HostRequest, Level, Outcome};
use smallvec::SmallVec;
use std::any::Any;
use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{IntoRawFd, RawFd};
use std::sync::Arc;

type EarlyHints = unsafe extern "C" fn(*mut c_void, *const wsgi_header, usize) -> c_int;
type Start = unsafe extern "C" fn(*mut c_void, *const wsgi_head) -> c_int;
type Write = unsafe extern "C" fn(*mut c_void, *const *mut wsgi_buffer, usize, u32) -> c_int;
type SendFile = unsafe extern "C" fn(*mut c_void, c_int, u64, u64, u32) -> c_int;
type Finish = unsafe extern "C" fn(*mut c_void, wsgi_outcome, u32);
type WantBody = unsafe extern "C" fn(*mut c_void) -> c_int;
type Read = unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> isize;
type Log = unsafe extern "C" fn(*mut c_void, *mut c_void, wsgi_level, wsgi_str);
type Notify = unsafe extern "C" fn(*mut c_void);
type Exhausted = unsafe extern "C" fn(*mut c_void, usize);

/// The callbacks, the required ones taken out of their options.
struct Table {
    /// The host's own pointer for callbacks that belong to no request.
    data: HostRequest,
    eventfd: Option<EventFd>,
    start: Start,
    write: Write,
    finish: Finish,
    log: Log,
    early_hints: Option<EarlyHints>,
    send_file: Option<SendFile>,
    want_body: Option<WantBody>,
    read: Option<Read>,
    notify: Option<Notify>,
    exhausted: Option<Exhausted>,
}

/// # Safety
/// The functions of the table do what wsgi.h asks of them until the process ends.
pub(super) unsafe fn read(host: Given<'_, wsgi_host>, with_eventfd: bool) -> Result<Box<dyn Host>> {
    let host = host.structure("wsgi_host")?;
    let missing = |name: &str| Error::invalid(format!("wsgi_host: the callback `{name}` is NULL"));
    if with_eventfd && host.notify.is_some() {
        return Err(Error::invalid(
            "wsgi_host has a `notify`, which WSGI_EVENTFD replaces: leave out one of them",
        ));
    }
    Ok(Box::new(Table {
        eventfd: with_eventfd.then(EventFd::new).transpose()?,
        data: HostRequest(host.data),
        start: host.start.ok_or_else(|| missing("start"))?,
        write: host.write.ok_or_else(|| missing("write"))?,
        finish: host.finish.ok_or_else(|| missing("finish"))?,
        log: host.log.ok_or_else(|| missing("log"))?,
        early_hints: host.early_hints,
        send_file: host.send_file,
        want_body: host.want_body,
        read: host.read,
        notify: host.notify,
        exhausted: host.exhausted,
    }))
}

fn lend(bytes: &[u8]) -> wsgi_str {
    wsgi_str { data: bytes.as_ptr(), size: bytes.len() }
}

fn go_on(returned: c_int) -> std::result::Result<(), Gone> {
    if returned == 0 { Ok(()) } else { Err(Gone) }
}

/// The fields of `head`, valid as long as that.
fn lend_fields(head: &Head) -> SmallVec<[wsgi_header; 2 * FEW]> {
    head.fields()
        .map(|(name, value)| wsgi_header { name: lend(name), value: lend(value) })
        .collect()
}

fn flags(last: bool) -> u32 {
    if last { WSGI_WRITE_LAST } else { 0 }
}

// Each call below is of a function of the table. The caller of `read` promised that it does what
// wsgi.h asks, and the callers of a `Host` keep to the threads and the order that wsgi.h states.
// What remains to argue at each call is what it hands over.
impl Host for Table {
    fn early_hints(&self, request: HostRequest, hints: &Head) -> std::result::Result<(), Gone> {
        let early_hints = self.early_hints.ok_or(Gone)?;
        let fields = lend_fields(hints);
        // SAFETY: `fields` has this number of header fields, and lives until the call returns.
        go_on(unsafe { early_hints(request.0, fields.as_ptr(), fields.len()) })
    }

    fn start(&self, request: HostRequest, head: &Head) -> std::result::Result<(), Gone> {
        let fields = lend_fields(head);
        let lent = wsgi_head {
            status: head.status.into(),
            reason: lend(head.reason()),
            headers: fields.as_ptr(),
            headers_count: fields.len(),
            content_length: head
                .content_length
                .map_or(-1, |length| i64::try_from(length).unwrap_or(i64::MAX)),
            no_body: head.no_body.into(),
        };
        // SAFETY: `lent`, and what it points to, lives until the call returns.
        go_on(unsafe { (self.start)(request.0, &raw const lent) })
    }

    fn write(
        &self,
        request: HostRequest,
        buffers: Buffers,
        last: bool,
    ) -> std::result::Result<(), Gone> {
        let owned: SmallVec<[*mut wsgi_buffer; FEW]> = buffers.into_iter().map(owned_out).collect();
        // SAFETY: `owned` has this number of handles and lives until the call returns. The host
        // owns the buffers behind them from now on.
        go_on(unsafe { (self.write)(request.0, owned.as_ptr(), owned.len(), flags(last)) })
    }

    fn takes_files(&self) -> bool {
        self.send_file.is_some()
    }

    fn send_file(
        &self,
        request: HostRequest,
        file: FileRange,
        last: bool,
    ) -> std::result::Result<(), Gone> {
        let send_file = self.send_file.ok_or(Gone)?;
        let fd = file.file.into_raw_fd();
        // SAFETY: `into_raw_fd` has given up the descriptor, so the host may own it.
        go_on(unsafe { send_file(request.0, fd, file.offset, file.length, flags(last)) })
    }

    fn finish(&self, request: HostRequest, outcome: Outcome) {
        let (outcome, retry_after) = match outcome {
            Outcome::Complete => (wsgi_outcome::WSGI_COMPLETE, 0),
            Outcome::Failed => (wsgi_outcome::WSGI_FAILED, 0),
            Outcome::Unavailable { retry_after } => (wsgi_outcome::WSGI_REFUSED, retry_after),
            Outcome::Truncated => (wsgi_outcome::WSGI_TRUNCATED, 0),
        };
        // SAFETY: only numbers go with the host's own pointer.
        unsafe { (self.finish)(request.0, outcome, retry_after) }
    }

    fn want_body(&self, request: HostRequest) -> std::result::Result<(), Gone> {
        let want_body = self.want_body.ok_or(Gone)?;
        // SAFETY: the host gets back its own pointer, for a request that is not over.
        go_on(unsafe { want_body(request.0) })
    }

    fn read(&self, request: HostRequest, buffer: &mut [u8]) -> io::Result<usize> {
        let missing = || io::Error::other("the host has no callback for the body");
        let read = self.read.ok_or_else(missing)?;
        // SAFETY: `buffer` has room for this number of bytes, and no other code uses it meanwhile.
        let count = unsafe { read(request.0, buffer.as_mut_ptr(), buffer.len()) };
        if count == WSGI_READ_GONE as isize {
            return Err(failures::client_gone());
        }
        let count = usize::try_from(count).map_err(|_| failures::incomplete())?;
        if count > buffer.len() {
            return Err(io::Error::other("the host's read callback gave more than was asked for"));
        }
        Ok(count)
    }

    fn log(&self, request: Option<HostRequest>, level: Level, line: &str) {
        let level = match level {
            Level::Info => wsgi_level::WSGI_LOG_INFO,
            Level::Warn => wsgi_level::WSGI_LOG_WARN,
            Level::Error => wsgi_level::WSGI_LOG_ERROR,
        };
        let request = request.map_or(std::ptr::null_mut(), |request| request.0);
        // SAFETY: `line` lives until the call returns; a request comes with it only as long as the
        // host wants that.
        unsafe { (self.log)(self.data.0, request, level, lend(line.as_bytes())) }
    }

    fn notify(&self) {
        if let Some(eventfd) = &self.eventfd {
            eventfd.write();
        }
        if let Some(notify) = self.notify {
            // SAFETY: the host gets back its own `data`.
            unsafe { notify(self.data.0) }
        }
    }

    fn clear_notification(&self) {
        if let Some(eventfd) = &self.eventfd {
            eventfd.read();
        }
    }

    fn request_poll(&self) {
        if let Some(eventfd) = &self.eventfd {
            eventfd.write();
        }
    }

    fn descriptor(&self) -> Option<RawFd> {
        self.eventfd.as_ref().map(EventFd::number)
    }

    fn exhausted(&self, stuck: usize) {
        if let Some(exhausted) = self.exhausted {
            // SAFETY: as for any callback that gets `data`, the host said that this pointer is its
            // own.
            unsafe { exhausted(self.data.0, stuck) }
        }
    }

    fn is_event_driven(&self) -> bool {
        self.notify.is_some() || self.eventfd.is_some()
    }

    fn has_early_hints(&self) -> bool {
        self.early_hints.is_some()
    }

    fn has_want_body(&self) -> bool {
        self.want_body.is_some()
    }

    fn has_read(&self) -> bool {
        self.read.is_some()
    }

    fn lends(&self, exchange: *const ()) {
        misuse::add(exchange.addr(), Kind::Exchange);
    }

    fn takes_back(
        &self,
        exchange: *const (),
        cancelled: bool,
        kept: Option<Arc<dyn Any + Send + Sync>>,
    ) {
        misuse::exchange_over(exchange.addr(), cancelled, kept);
    }
}
