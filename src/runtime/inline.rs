//! Running applications on the polling thread itself (`wsgi_runtime_config.threads` is 0): no hop,
//! and no other request of the process meanwhile. For applications that are fast and trusted.
//!
//! `wsgi_poll` runs what was submitted, then delivers. The thread must not wait, so an iterable
//! whose client is slow is left in the middle and resumed once its credit is back.

use super::Runtime;
use super::worker::Job;
use crate::host::current::{Answering, Current};
use crate::host::exchange::Exchange;
use crate::host::queue::Queue;
use crate::python;
use crate::wsgi::gateway::{self, Paused};
use pyo3::Python;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// Of the polling thread: a response stays on the thread that began it.
    static PAUSED: RefCell<Vec<(Arc<Exchange>, Paused)>> = const { RefCell::new(Vec::new()) };
}

impl Runtime {
    /// Runs `jobs` and resumes what can go on. The events they make are delivered by the next
    /// `Outbox::poll`, which the caller owes.
    pub(super) fn run_inline(&self, jobs: Vec<Job>) {
        let (paused, resumed): (Vec<_>, Vec<_>) =
            PAUSED.take().into_iter().partition(|(exchange, _)| exchange.is_paused());
        PAUSED.set(paused);
        if jobs.is_empty() && resumed.is_empty() && !self.outbox.has_retired() {
            return;
        }
        self.outbox.before_poll(|| {
            python::attach(|py| {
                for (exchange, paused) in resumed {
                    self.keep(&exchange, |runtime| paused.resume(py, &runtime.outbox));
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
        self.keep(&job.exchange, |runtime| {
            gateway::answer(py, &job.application, request, transport, &runtime.outbox)
        });
    }

    /// Does a piece of the work for `exchange`, and keeps what is left of it.
    fn keep(&self, exchange: &Arc<Exchange>, work: impl FnOnce(&Self) -> Option<Paused>) {
        let answering = Answering::new(Current::Exchange(exchange.clone()));
        let left = work(self);
        super::leave_if_forked();
        drop(answering);
        if let Some(paused) = left {
            PAUSED.with_borrow_mut(|all| all.push((exchange.clone(), paused)));
        }
    }
}
