//! One request that is being answered for an event-driven host.

use super::delivery::Out;
use super::event::{Deliver, Event, Events, Outcome};
use super::hub::Hub;
use super::request::{Field, Request};
use super::upload::Upload;
use super::{HostRequest, polling};
use crate::host::body::Body;
use crate::pool::credit::Credit;
use crate::pool::sync::Mutex;
use crate::python::thread::is_forked;
use pyo3::Python;
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// What an exchange is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// A thread, or the import of its application.
    Queued,
    /// The application.
    Running,
    /// The host: credit or body.
    Host,
    /// The polling thread, or nothing any more.
    Done,
}

/// Later than any time there is.
const STILL_QUEUED: u64 = u64::MAX;

/// The meeting point of two threads: the one that polls (`push_body`, `cancel`, `phase`,
/// `deliver_some`) and the one that runs the application (the rest). Neither waits for the other
/// except in `wait_for_credit` and in `upload`, which `cancel` ends.
pub struct Exchange {
    pub(super) host_request: HostRequest,
    hub: Arc<Hub>,
    /// The request, until a thread begins it or the host cancels it.
    work: Mutex<Option<Box<Request>>>,
    pub(super) out: Mutex<Out>,
    /// A [`Deliver`]: nothing once it is finished or cancelled, the end alone if the client is gone and
    /// the application goes on. Changed under the lock of `out`, so that nothing is published in
    /// between.
    wants: AtomicU8,
    /// Ended when the client is gone.
    credit: Credit,
    /// The application is to stop.
    cancelled: AtomicBool,
    /// It is not because of the client: the host has answered by itself.
    answered: AtomicBool,
    /// The body, if the host pushes it.
    pub(super) upload: Option<Upload>,
    phase: AtomicU8,
    /// How many threads of the application wait for the host: one reads, another may be writing.
    waiting: AtomicUsize,
    /// When the phase began, in milliseconds of the hub's clock.
    since: AtomicU64,
    /// By the same clock.
    submitted: u64,
    /// When it left the queue, or `STILL_QUEUED`.
    begun: AtomicU64,
    /// The application gave more than the host can take, and runs on the polling thread, which must
    /// not wait: it is resumed once this is false.
    paused: AtomicBool,
    /// Its place in the hub's list of live exchanges.
    pub(super) slot: AtomicUsize,
    /// What the host calls the request, or nothing.
    id: SmallVec<[u8; 32]>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("phase", &self.phase()).finish_non_exhaustive()
    }
}

impl Exchange {
    pub fn new(request: Box<Request>, host_request: HostRequest, hub: &Arc<Hub>) -> Arc<Self> {
        let now = hub.now();
        Arc::new(Exchange {
            host_request,
            out: Mutex::default(),
            wants: AtomicU8::new(Deliver::All as u8),
            credit: Credit::new(request.buffer_size),
            cancelled: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            upload: matches!(request.body, Body::Pushed(_))
                .then(|| Upload::new(request.content_length)),
            id: SmallVec::from_slice(request.get(Field::RequestId)),
            work: Mutex::new(Some(request)),
            phase: AtomicU8::new(Phase::Queued as u8),
            waiting: AtomicUsize::new(0),
            since: AtomicU64::new(now),
            submitted: now,
            begun: AtomicU64::new(STILL_QUEUED),
            paused: AtomicBool::new(false),
            hub: hub.clone(),
            slot: AtomicUsize::new(usize::MAX),
        })
    }

    pub fn credit(&self) -> &Credit {
        &self.credit
    }

    /// Also while the application goes on nevertheless, after [`Exchange::discard`].
    pub fn client_is_gone(&self) -> bool {
        self.credit.is_ended()
    }

    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Nothing more is said to the host about the request.
    pub fn is_over(&self) -> bool {
        self.wants() == Deliver::Nothing
    }

    /// The host has said that the rest of the body will not come, or has ended it too early.
    pub fn is_body_broken(&self) -> bool {
        self.upload.as_ref().is_some_and(Upload::is_broken)
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Before `cancel`: whoever sees that one sees this.
    pub fn set_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    pub fn is_answered(&self) -> bool {
        self.is_cancelled() && self.answered.load(Ordering::Relaxed)
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(super) fn wants(&self) -> Deliver {
        match self.wants.load(Ordering::Acquire) {
            0 => Deliver::All,
            1 => Deliver::EndOnly,
            _ => Deliver::Nothing,
        }
    }

    /// Under the lock of `out`.
    pub(super) fn set_wants(&self, wants: Deliver) {
        self.wants.store(wants as u8, Ordering::Release);
    }

    /// The application's thread takes the request; None if the host has cancelled it.
    pub fn begin(self: &Arc<Self>) -> Option<Box<Request>> {
        if !self.leave_queue(Phase::Running) {
            self.hub.forget_cancelled(1);
            return None;
        }
        let mut request = self.work.lock().take()?;
        if let Body::Pushed(from) = &mut request.body {
            *from = Some(self.clone());
        }
        Some(request)
    }

    /// Whoever moves an exchange out of the queue, thread or cancel, frees its place there.
    fn leave_queue(&self, to: Phase) -> bool {
        let left = self.phase.compare_exchange(
            Phase::Queued as u8,
            to as u8,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if left.is_ok() {
            let now = self.hub.now();
            self.begun.store(now, Ordering::Relaxed);
            self.since.store(now, Ordering::Relaxed);
            self.hub.leave_queue();
        }
        left.is_ok()
    }

    /// It waits for a thread or an import, and was not cancelled.
    pub fn is_queued(&self) -> bool {
        self.phase.load(Ordering::Acquire) == Phase::Queued as u8
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.since.store(self.hub.now(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Runs `wait`, which waits for the host. While any thread does so, that is what the application
    /// waits for.
    pub(super) fn while_waiting<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.since.store(self.hub.now(), Ordering::Relaxed);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let result = wait();
        // The application's time begins anew, before it is its time again.
        self.since.store(self.hub.now(), Ordering::Relaxed);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        result
    }

    /// The phase and how many milliseconds it has lasted.
    pub fn phase(&self) -> (Phase, u64) {
        let phase = match self.phase.load(Ordering::Acquire) {
            0 => Phase::Queued,
            1 if self.waiting.load(Ordering::Acquire) > 0 => Phase::Host,
            1 => Phase::Running,
            2 => Phase::Host,
            _ => Phase::Done,
        };
        (phase, self.hub.now().saturating_sub(self.since.load(Ordering::Relaxed)))
    }

    /// How many milliseconds have passed since it was submitted, and how many of them it waited in
    /// the queue.
    pub fn times(&self) -> (u64, u64) {
        let now = self.hub.now();
        let begun = self.begun.load(Ordering::Relaxed).min(now);
        (now.saturating_sub(self.submitted), begun.saturating_sub(self.submitted))
    }

    /// Ends an exchange that no application will answer.
    pub fn refuse(self: &Arc<Self>, outcome: Outcome) {
        if !self.leave_queue(Phase::Done) {
            self.hub.forget_cancelled(1);
            return;
        }
        self.work.lock().take();
        self.publish(&mut Events::from([Event::End(outcome)]));
    }

    /// Waits, without the GIL, until the host has given enough bytes back, has got what all
    /// applications have for it, and lets them go on. False if it cancelled.
    pub fn wait_for_credit(&self, py: Python<'_>) -> bool {
        for credit in [&self.credit, self.hub.undelivered(), self.hub.output()] {
            if credit.is_over() && !credit.is_ended() {
                polling::assert_not_polling_thread("credit");
                self.while_waiting(|| py.detach(|| credit.wait()));
            }
        }
        !self.is_cancelled()
    }

    /// The same on a helper thread of an application that runs on the polling thread. That must not
    /// wait for itself, so this waits only while it runs no application.
    pub(super) fn wait_as_helper(self: &Arc<Self>, py: Python<'_>) -> bool {
        if self.credit.is_over() && !self.credit.is_ended() {
            self.while_waiting(|| py.detach(|| self.hub.other_threads.wait(self)));
        }
        !self.is_cancelled()
    }

    /// Pauses the application if the host has enough; it is to be resumed when `is_paused` says no.
    pub(super) fn pause_if_over(&self) -> bool {
        if !self.credit.is_over() || self.credit.is_ended() {
            return false;
        }
        self.set_phase(Phase::Host);
        self.paused.store(true, Ordering::Release);
        true
    }

    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    fn resume_if_low(&self) {
        if self.is_paused() && self.credit.is_low() && self.paused.swap(false, Ordering::AcqRel) {
            self.hub.set_resumed();
        }
    }

    /// In a forked child the credit stays taken: whoever waits for it is not there, and may have held
    /// its lock at the fork.
    pub(super) fn give_credit(&self, bytes: usize) {
        if is_forked() {
            return;
        }
        self.credit.release(bytes);
        self.resume_if_low();
    }

    /// The host drops the request. What was published is dropped too, buffers and all.
    pub fn cancel(&self) {
        if self.is_queued() {
            // Before the thread that finds it cancelled takes it off again.
            self.hub.note_cancelled();
            if self.leave_queue(Phase::Done) {
                self.work.lock().take();
            } else {
                self.hub.forget_cancelled(1);
            }
        }
        self.cancelled.store(true, Ordering::Release);
        self.credit.end();
        self.resume_if_low();
        if let Some(upload) = &self.upload {
            upload.break_off();
        }
        self.drop_events();
    }

    /// The client is gone, but the application is to finish: what it says goes nowhere, and does not
    /// wait. What was published is dropped too.
    pub fn discard(&self) {
        self.drop_what_ends_with_client();
        self.credit.end();
        self.resume_if_low();
    }
}
