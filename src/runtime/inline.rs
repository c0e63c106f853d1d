//! Running applications on the polling thread itself (`wsgi_runtime_config.threads` is 0): no hop,
//! and no other request of the process meanwhile. For applications that are fast and trusted.
//!
//! `wsgi_poll` runs what was submitted, then delivers. The thread must not wait, so an iterable
//! whose client is slow is left in the middle and resumed once its credit is back. Others run
//! meanwhile, so each is in a context of its own: see `begin_inline`.

use super::Runtime;
use super::worker::Job;
use crate::host::current::{Answering, Current};
use crate::host::queue::Queue;
use crate::python;
use crate::python::context::Context;
use crate::wsgi::gateway::{self, Paused};
use pyo3::Python;
use std::cell::RefCell;

thread_local! {
    /// Of the polling thread: a response stays on the thread that began it.
    static PAUSED: RefCell<Vec<Left>> = const { RefCell::new(Vec::new()) };
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

/// How many paused applications can go on: a block that one of them sent at once may have given
/// another its credit back, whose wake-up the same poll has taken.
pub(super) fn resumable() -> usize {
    PAUSED.with_borrow(|all| all.iter().filter(|left| !left.job.exchange.is_paused()).count())
}

impl Runtime {
    /// Runs `jobs` and resumes what can go on. The events they make are delivered by the next
    /// `Outbox::poll`, which the caller owes.
    pub(super) fn run_inline(&self, jobs: Vec<Job>) {
        let (paused, resumed): (Vec<_>, Vec<_>) =
            PAUSED.take().into_iter().partition(|left| left.job.exchange.is_paused());
        PAUSED.set(paused);
        if jobs.is_empty() && resumed.is_empty() && !self.outbox.has_retired() {
            return;
        }
        self.outbox.before_poll(|| {
            python::attach(|py| {
                for Left { job, paused, context } in resumed {
                    self.keep(py, job, context, |job| {
                        paused.resume(py, &job.application, &self.outbox)
                    });
                }
                for job in jobs {
                    self.begin_inline(py, job);
                }
                self.outbox.drop_retired(py);
            });
        });
    }

    fn begin_inline(&self, py: Python<'_>, job: Job) {
        // None: the client left while the request was waiting.
        let Some(request) = job.exchange.begin() else { return };
        let transport = Box::new(Queue::pausing(job.exchange.clone()));
        // Without memory for one, it is the thread's own, as it would be on a thread of the pool.
        let context = CONTEXT.take().or_else(|| Context::copy(py).ok());
        self.keep(py, job, context, |job| {
            gateway::answer(py, &job.application, request, transport, &self.outbox)
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
        super::leave_if_forked();
        drop(answering);
        match left {
            Some(paused) => {
                PAUSED.with_borrow_mut(|all| all.push(Left { job, paused, context }));
            }
            None => CONTEXT.set(context),
        }
    }
}
