//! The pool's threads: each attaches to the interpreter, then takes jobs while it holds the GIL.
//! The protocol, and why it is this way round, is in `pool`.

use super::main_thread::STACK_SIZE;
use super::{Runtime, leave_if_forked};
use crate::host::current::{Answering, Current};
use crate::host::exchange::Exchange;
use crate::host::queue::Queue;
use crate::python;
use crate::wsgi::app::Application;
use crate::wsgi::gateway;
use pyo3::Python;
use std::sync::Arc;

/// An exchange and the application that answers it.
pub(super) struct Job {
    pub(super) exchange: Arc<Exchange>,
    pub(super) application: Arc<Application>,
}

impl Job {
    fn run(self, py: Python<'_>, runtime: &Runtime) {
        // None: the client left while the request was waiting.
        let Some(request) = self.exchange.begin() else { return };
        let running = runtime.run_begins();
        let answering = Answering::new(Current::Exchange(self.exchange.clone()));
        let transport = Box::new(Queue::new(self.exchange.clone()));
        // This transport waits; it never has the gateway pause.
        let _ = gateway::answer(py, &self.application, request, transport, &runtime.outbox);
        drop((answering, running));
    }
}

pub(super) fn spawn(runtime: &'static Runtime) -> std::io::Result<()> {
    for number in 0..runtime.threads {
        std::thread::Builder::new()
            .name(format!("wsgi-{number}"))
            .stack_size(STACK_SIZE)
            .spawn(move || python::attach(|py| work(py, runtime)))?;
    }
    Ok(())
}

fn work(py: Python<'_>, runtime: &Runtime) {
    while let Some(mut turn) = py.detach(|| runtime.handoff.wait_turn()) {
        for job in turn.by_ref() {
            job.run(py, runtime);
            leave_if_forked();
            runtime.outbox.drop_retired(py);
        }
        runtime.outbox.drop_retired(py);
    }
}
