//! The pool's threads: each attaches to the interpreter, then takes jobs while it holds the GIL.
//! The protocol, and why it is this way round, is in `pool`.

use super::Runtime;
use super::main_thread::STACK_SIZE;
use super::seats::Seat;
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
    /// False: the thread has come back too late, and another has its place.
    fn run(self, py: Python<'_>, runtime: &Runtime, seat: &Seat) -> bool {
        // First of all, so that whoever gives up an exchange that has begun finds its thread.
        seat.begin(self.exchange.clone());
        // None: the client left while the request was waiting.
        if let Some(request) = self.exchange.begin() {
            let running = runtime.runs.begin();
            let answering = Answering::new(Current::Exchange(self.exchange.clone()));
            let transport = Box::new(Queue::new(self.exchange.clone()));
            // This transport waits; it never has the gateway pause.
            let _ = gateway::answer(py, &self.application, request, transport, &runtime.hub);
            drop((answering, running));
        }
        let late = seat.end(py);
        !late.is_some_and(|late| runtime.came_back(seat, &late))
    }
}

pub(super) fn spawn(runtime: &'static Runtime) -> std::io::Result<()> {
    for _ in 0..runtime.threads {
        spawn_one(runtime)?;
    }
    Ok(())
}

/// Adds a thread to the pool; its name.
pub(super) fn spawn_one(runtime: &'static Runtime) -> std::io::Result<String> {
    let seat = runtime.watch.seats.add();
    let own = seat.clone();
    let spawned = std::thread::Builder::new().name(seat.name.clone()).stack_size(STACK_SIZE).spawn(
        move || {
            python::attach(|py| work(py, runtime, &own));
            runtime.watch.seats.remove(&own);
        },
    );
    match spawned {
        Ok(_) => Ok(seat.name.clone()),
        Err(error) => {
            runtime.watch.seats.remove(&seat);
            Err(error)
        }
    }
}

fn work(py: Python<'_>, runtime: &Runtime, seat: &Seat) {
    // Without it stacks cannot be told, which is no reason not to work.
    if let Ok(ident) = python::interrupt::thread_ident(py) {
        seat.set_ident(ident);
    }
    while let Some(mut turn) = py.detach(|| runtime.handoff.wait_turn()) {
        for job in turn.by_ref() {
            let stays = job.run(py, runtime, seat);
            runtime.hub.drop_retired(py);
            if !stays {
                return;
            }
        }
        runtime.hub.drop_retired(py);
    }
}
