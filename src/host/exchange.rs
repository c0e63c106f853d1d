//! One request that is being answered for an event-driven host.
//!
//! ```text
//! state      phase          delivered  client  cancelled  entered by
//! queued     Queued         all        there   no         wsgi_submit
//! running    Running, Host  all        there   no         a thread that begins it
//! paused     Host           all        there   no         a full window, on the polling thread
//! detached   Running, Host  end only   gone    no         wsgi_detach_client
//! ended      Done           all        there   no         the application's end, or a refusal
//! finished   Done           nothing    there   no         `finish` was called
//! cancelled  any            nothing    gone    yes        wsgi_cancel, wsgi_cancel_watched, or a
//!                                                         callback that returns non-zero
//!
//! queued ──► running ◄──► paused       ended ──► finished
//!   │           │  └────► detached ──►   ▲
//!   └───────────┴────────────────────────┘         and each but finished ──► cancelled
//! ```
//!
//! "Delivered" is what `outgoing` still accepts for the host. The client counts as gone once the
//! credit of `window` has ended. A detached exchange that ends is finished like the others. In a
//! cancelled one that is `answered`, the host ended the response by itself, and the client is
//! there.

use super::callbacks::{Host, HostRequest, Level, Outcome};
use super::line::Line;
use super::polling;
use super::progress::{Phase, Progress};
use super::request::body::{Body, PushedBody};
use super::request::upload::{Push, Upload, Waiter};
use super::request::{Arrival, Field, Request};
use super::response::buffer::Account;
use super::response::event::{Deliver, Delivered, Event, Events, Steps, deliver};
use super::response::outgoing::{Added, Outgoing};
use super::response::window::Window;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::pool::sync::Mutex;
use crate::python::bytes_writer::BytesWriter;
use crate::python::fork::is_forked;
use pyo3::Python;
use smallvec::SmallVec;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What an exchange needs from the hub, which carries it to the polling thread.
pub trait Post: Send + Sync {
    fn shared(&self) -> &Shared;
    /// `exchange` has events for its host.
    fn post(&self, exchange: Arc<Exchange>);
    /// A line of an exchange that is over.
    fn post_line(&self, level: Level, line: Line);
    /// A paused application can go on.
    fn post_resumed(&self);
    /// The exchange itself, if the host still has a pointer to it.
    fn lent(&self, exchange: &Exchange) -> Option<Arc<Exchange>>;
    /// The host's pointer must not be used any more.
    fn take_back(&self, exchange: &Exchange);
}

/// The state of a request that two threads share. The polling thread calls `push_body`, `cancel`,
/// `phase` and `deliver`; the thread that runs the application calls the other methods. One waits
/// for the other only in `wait_for_credit` and in reads of the body. `cancel` ends both waits.
pub struct Exchange {
    host_request: HostRequest,
    /// The host's name for the request, or empty.
    id: SmallVec<[u8; 32]>,
    post: Arc<dyn Post>,
    /// The request, until a thread begins it or the host cancels it.
    work: Mutex<Option<Box<Request>>>,
    progress: Progress,
    pub(super) outgoing: Outgoing,
    window: Window,
    /// The body, if the host pushes it.
    upload: Option<Upload>,
    /// The application must stop.
    cancelled: AtomicBool,
    /// The reason to stop is that the host has answered by itself. The client is not gone.
    answered: AtomicBool,
    /// Its place among the lent exchanges.
    pub(super) slot: AtomicUsize,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("phase", &self.phase()).finish_non_exhaustive()
    }
}

impl Exchange {
    pub fn new(request: Box<Request>, host_request: HostRequest, post: Arc<dyn Post>) -> Arc<Self> {
        let is_pushed = request.arrival == Arrival::Pushed;
        Arc::new(Exchange {
            host_request,
            id: SmallVec::from_slice(request.get(Field::RequestId)),
            progress: Progress::new(&post.shared().clock),
            outgoing: Outgoing::new(),
            window: Window::new(request.buffer_size),
            upload: is_pushed.then(|| Upload::new(request.content_length)),
            work: Mutex::new(Some(request)),
            post,
            cancelled: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            slot: AtomicUsize::new(usize::MAX),
        })
    }

    fn shared(&self) -> &Shared {
        self.post.shared()
    }

    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Whether the client is gone, even if the application goes on after [`Exchange::detach`].
    pub fn client_is_gone(&self) -> bool {
        self.window.is_ended()
    }

    /// Whether the host gets nothing more about the request.
    pub fn is_over(&self) -> bool {
        self.outgoing.deliver() == Deliver::Nothing
    }

    /// The host's own pointer, if the request is not over for the host.
    pub(super) fn host_request(&self) -> Option<HostRequest> {
        (!self.is_over()).then_some(self.host_request)
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Must be called before `cancel`, so that each thread that sees the cancel sees this too.
    pub fn set_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    pub fn is_answered(&self) -> bool {
        self.is_cancelled() && self.answered.load(Ordering::Relaxed)
    }
}

/// Its time in the queue, and its phases.
impl Exchange {
    /// Gives the request to the calling thread. None if the host has cancelled it.
    pub fn begin(self: &Arc<Self>) -> Option<Box<Request>> {
        if !self.leave_queue(Phase::Running) {
            self.shared().backlog.forget_cancelled(1);
            return None;
        }
        let mut request = self.work.lock().take()?;
        if self.upload.is_some() {
            request.body = Body::Pushed(self.clone());
        }
        Some(request)
    }

    /// Ends an exchange that no application will answer.
    pub fn refuse(self: &Arc<Self>, outcome: Outcome) {
        if !self.leave_queue(Phase::Done) {
            self.shared().backlog.forget_cancelled(1);
            return;
        }
        self.work.lock().take();
        self.publish(&mut Events::from([Event::End(outcome)]));
    }

    /// Frees the exchange's place in the queue. False if another thread has done so.
    fn leave_queue(&self, to: Phase) -> bool {
        let left = self.progress.leave_queue(to, &self.shared().clock);
        if left {
            self.shared().backlog.leave();
        }
        left
    }

    /// Whether it waits for a thread or an import, and was not cancelled.
    pub fn is_queued(&self) -> bool {
        self.progress.is_queued()
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.progress.set(phase, &self.shared().clock);
    }

    /// The phase and how many milliseconds it has lasted.
    pub fn phase(&self) -> (Phase, u64) {
        self.progress.phase(&self.shared().clock)
    }

    /// How many milliseconds have passed since it was submitted, and how many of them it was
    /// queued.
    pub fn times(&self) -> (u64, u64) {
        self.progress.times(&self.shared().clock)
    }
}

/// The window of its response.
impl Exchange {
    /// Waits without the GIL for three things: the host has released enough bytes of this response,
    /// the polling thread has delivered enough of all responses, and the host does not pause
    /// output. Returns false if the host cancelled.
    pub fn wait_for_credit(&self, py: Python<'_>) -> bool {
        let pressure = &self.shared().pressure;
        for credit in [self.window.credit(), pressure.undelivered(), pressure.output()] {
            if credit.is_over() && !credit.is_ended() {
                polling::assert_not_polling_thread("credit");
                self.while_waiting(|| py.detach(|| credit.wait()));
            }
        }
        !self.is_cancelled()
    }

    /// Pauses the application if the host has enough. It may go on when `is_paused` is false.
    pub(super) fn pause_if_over(&self) -> bool {
        if !self.window.is_over() {
            return false;
        }
        self.set_phase(Phase::Host);
        self.window.pause();
        true
    }

    pub(super) fn window(&self) -> &Window {
        &self.window
    }

    pub fn is_paused(&self) -> bool {
        self.window.is_paused()
    }

    fn end_window(&self) {
        if self.window.end() {
            self.post.post_resumed();
        }
    }
}

impl Account for Exchange {
    fn reserve(&self, bytes: usize) {
        self.window.credit().reserve(bytes);
    }

    /// In a forked child the bytes stay reserved: the thread that waits for them is not there, and
    /// may have held the lock at the fork.
    fn release(&self, bytes: usize) {
        if !is_forked() && self.window.release(bytes) {
            self.post.post_resumed();
        }
    }

    fn reserve_undelivered(&self, bytes: usize) {
        self.shared().pressure.undelivered().reserve(bytes);
    }

    fn release_undelivered(&self, bytes: usize) {
        self.shared().pressure.undelivered().release(bytes);
    }
}

/// Its events.
impl Exchange {
    /// Hands `events` over to the polling thread, and leaves `events` empty.
    ///
    /// In a forked child it forgets them. The child has no polling thread, and that thread may have
    /// held the lock at the fork. It does not drop them, since a buffer then releases its credit.
    pub fn publish(self: &Arc<Self>, events: &mut Events) {
        if is_forked() {
            return std::mem::forget(std::mem::take(events));
        }
        match self.outgoing.add(events) {
            Added::Post => self.post.post(self.clone()),
            Added::Waits => {}
            Added::Refused => self.drop_but_lines(events),
        }
    }

    /// Adds a log line at its place between the other events.
    pub(super) fn log(self: &Arc<Self>, level: Level, line: Line) {
        self.publish(&mut Events::from([Event::Log(level, line)]));
    }

    /// Calls the host's callbacks for the published events, until `steps` are done. Only on the
    /// polling thread.
    pub(super) fn deliver(&self, host: &dyn Host, steps: &mut Steps) {
        let mut events = self.outgoing.take();
        let wanted = || (self.outgoing.deliver(), ());
        let delivered = deliver(host, self.host_request, &mut events, wanted, steps);
        self.outgoing.put_back(events);
        match delivered {
            Delivered::Open => {}
            Delivered::Finished => self.close(),
            Delivered::Gone => self.cancel(),
        }
    }

    /// From now on the host gets nothing more about the request.
    fn close(&self) {
        self.drop_but_lines(&mut self.outgoing.close());
        // This must come last, since it may drop the last reference to the exchange.
        self.post.take_back(self);
    }

    /// Drops `events`, except log lines. These reach the host without the request.
    fn drop_but_lines(&self, events: &mut Events) {
        for (level, line) in events.drain(..).filter_map(Event::into_line) {
            self.post.post_line(level, line);
        }
    }

    /// The host cancels the request. The published events are dropped, with their buffers.
    pub fn cancel(&self) {
        if self.is_queued() {
            let backlog = &self.shared().backlog;
            // This comes first: a thread that finds the exchange cancelled subtracts it again.
            backlog.note_cancelled();
            if self.leave_queue(Phase::Done) {
                self.work.lock().take();
            } else {
                backlog.forget_cancelled(1);
            }
        }
        self.cancelled.store(true, Ordering::Release);
        self.end_window();
        if let Some(upload) = &self.upload {
            upload.break_off();
        }
        self.close();
    }

    /// The client is gone, but the application may finish. It no longer waits, and what it sends is
    /// dropped, as are the published events.
    pub fn detach(&self) {
        self.outgoing.drop_what_ends_with_client();
        self.end_window();
    }
}

/// Its body, if the host pushes it.
impl Exchange {
    /// Takes as many of `bytes` as there is room for, and returns their number. Only on the polling
    /// thread.
    pub fn push_body(&self, bytes: &[u8], push: Push) -> Result<usize> {
        let upload = self
            .upload
            .as_ref()
            .ok_or_else(|| Error::invalid("wsgi_body_push: this request has no pushed body"))?;
        upload.push(bytes, push, || {
            if let Some(exchange) = self.post.lent(self) {
                exchange.want_body();
            }
        })
    }

    /// Ends the body, since the request is over: each thread of the application that waits for it
    /// gets an error, now and later.
    pub fn close_body(&self) {
        if let Some(upload) = &self.upload {
            upload.close();
        }
    }

    /// Whether the host reported that the rest of the body will not come, or ended it too early.
    pub fn is_body_broken(&self) -> bool {
        self.upload.as_ref().is_some_and(Upload::is_broken)
    }

    pub(super) fn while_waiting<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.progress.while_waiting(&self.shared().clock, wait)
    }
}

impl Waiter for Arc<Exchange> {
    /// Asks the host to push more, unless a request to do so is still on its way to the host.
    fn want_body(&self) {
        if !self.outgoing.wants_body() {
            self.publish(&mut Events::from([Event::WantBody]));
        }
    }

    fn while_waiting<R>(&self, wait: impl FnOnce() -> R) -> R {
        Exchange::while_waiting(self, wait)
    }
}

impl PushedBody for Exchange {
    fn read(self: Arc<Self>, py: Python<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        self.upload.as_ref().map_or(Ok(0), |upload| upload.read(py, buffer, &self))
    }

    fn fill(self: Arc<Self>, py: Python<'_>, writer: BytesWriter) -> io::Result<BytesWriter> {
        match &self.upload {
            Some(upload) => upload.fill(py, writer, &self),
            None => Ok(writer),
        }
    }
}
