//! Running applications on the polling thread itself (`wsgi_runtime_config.threads` is 0): no hop,
//! and no other request of the process meanwhile. For applications that are fast and trusted.
//!
//! `wsgi_poll` runs what was submitted, then delivers. The thread must not wait, so an iterable
//! whose client is slow is left in the middle and resumed once its credit is back; one that takes
//! long is left in the middle too, between two blocks, and resumed by the next poll. Others run
//! meanwhile, so each is in a context of its own: see `begin_inline`.

use super::Runtime;
use super::worker::Job;
use crate::host::current::{Answering, Current};
use crate::host::polling::{self, Turn};
use crate::host::queue::Queue;
use crate::pool::sync::Mutex;
use crate::python;
use crate::python::context::Context;
use crate::wsgi::gateway::{self, Paused};
use pyo3::Python;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// How long applications run before the host's other events have their turn, if they let go of it: one
/// is never stopped, and one new request and one that goes on are served in each turn.
pub(super) const TURN: Duration = Duration::from_millis(5);

thread_local! {
    /// What waits for its client. Of the polling thread: a response stays on the thread that began it.
    static PAUSED: RefCell<Vec<Left>> = const { RefCell::new(Vec::new()) };
    /// What can go on.
    static RESUMABLE: RefCell<VecDeque<Left>> = const { RefCell::new(VecDeque::new()) };
    /// What the last response that ended was in: the next begins with it, as the next of a thread
    /// of the pool does. Frameworks keep things there for longer than a request.
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// A response in the middle.
struct Left {
    job: Job,
    paused: Paused,
    context: Option<Context>,
}

impl Runtime {
    /// Runs what is in `bunch` and resumes what can go on, until `limit` is over. The events they make
    /// are delivered by the next `Hub::poll`, which the caller owes.
    pub(super) fn run_inline(&self, bunch: &Mutex<VecDeque<Job>>, limit: Option<Duration>) {
        // Before Python is first used here, so that what notices an `exit` is dropped before them.
        PAUSED.with_borrow(|_| ());
        CONTEXT.with_borrow(|_| ());
        self.find_resumable();
        let mut resumable = RESUMABLE.take();
        // What is submitted meanwhile, by a callback, is for the next poll.
        let mut new = bunch.lock().len();
        if new == 0 && resumable.is_empty() && !self.hub.has_retired() {
            return;
        }
        self.hub.before_poll(|| {
            python::attach(|py| {
                let _turn = Turn::begin(limit);
                while new > 0 || !resumable.is_empty() {
                    if let Some(Left { job, paused, context }) = resumable.pop_front() {
                        self.keep(py, job, context, |job| {
                            paused.resume(py, &job.application, &self.hub)
                        });
                    }
                    // What has not begun waits until the host lets applications go on. The lock must be
                    // gone before the application runs.
                    let begins = new > 0 && !self.hub.is_output_paused();
                    let job = if begins { bunch.lock().pop_front() } else { None };
                    new = new.saturating_sub(1);
                    if let Some(job) = job {
                        self.begin_inline(py, job);
                    }
                    if polling::is_turn_over() {
                        break;
                    }
                }
                self.hub.drop_retired(py);
            });
        });
        // Those whose turn it was not are the first in the next.
        resumable.append(&mut RESUMABLE.take());
        RESUMABLE.set(resumable);
    }

    /// How many responses can go on: a block that one of them sent at once may have given another its
    /// credit back, whose wake-up the same poll has taken.
    pub(super) fn resumable(&self) -> usize {
        self.find_resumable();
        RESUMABLE.with_borrow(VecDeque::len)
    }

    /// Looks at what waits for its client only if one of them has been told to go on: there may be
    /// thousands.
    fn find_resumable(&self) {
        if !self.hub.take_resumed() {
            return;
        }
        let (paused, resumable): (Vec<_>, Vec<_>) =
            PAUSED.take().into_iter().partition(|left| left.job.exchange.is_paused());
        PAUSED.set(paused);
        RESUMABLE.with_borrow_mut(|all| all.extend(resumable));
    }

    fn begin_inline(&self, py: Python<'_>, job: Job) {
        // None: the client left while the request was waiting.
        let Some(request) = job.exchange.begin() else { return };
        let transport = Box::new(Queue::pausing(job.exchange.clone()));
        // Without memory for one, it is the thread's own, as it would be on a thread of the pool.
        let context = CONTEXT.take().or_else(|| Context::copy(py).ok());
        self.keep(py, job, context, |job| {
            gateway::answer(py, &job.application, request, transport, &self.hub)
        });
    }

    /// Does a piece of the work for `job`, and keeps what is left of it.
    fn keep(
        &self,
        py: Python<'_>,
        job: Job,
        context: Option<Context>,
        work: impl FnOnce(&Job) -> Option<Paused>,
    ) {
        let answering = Answering::new(Current::Exchange(job.exchange.clone()));
        let left = match &context {
            Some(context) => context.run(py, || work(&job)),
            None => work(&job),
        };
        python::child::leave_if_forked(py);
        drop(answering);
        match left {
            Some(paused) if job.exchange.is_paused() => {
                PAUSED.with_borrow_mut(|all| all.push(Left { job, paused, context }));
            }
            Some(paused) => {
                RESUMABLE.with_borrow_mut(|all| all.push_back(Left { job, paused, context }));
            }
            None => CONTEXT.set(context),
        }
    }
}
