//! The pool's threads. Each attaches to the interpreter, then takes jobs while it holds the GIL.
//! The layer `pool` describes the protocol, and the reason for this order.

use super::pool::{Job, Pool};
use super::settings::STACK_SIZE;
use super::threads::{Lateness, PoolThread};
use crate::host::Level;
use crate::host::client::{Client, CurrentRequestGuard};
use crate::host::polled::Polled;
use crate::python;
use crate::wsgi::gateway;
use pyo3::Python;

impl Job {
    /// Answers the request. False if the thread came back too late, and another one has taken its
    /// place.
    fn run(self, py: Python<'_>, pool: &Pool, thread: &PoolThread) -> bool {
        // This comes first. If another thread then gives up the exchange, it finds this thread.
        thread.begin(self.exchange.clone());
        // There is no request if the client left while it was waiting.
        if let Some(request) = self.exchange.begin() {
            let running = pool.runs.begin();
            let current = CurrentRequestGuard::new(Client::Exchange(self.exchange.clone()));
            let transport = Box::new(Polled::new(pool.hub.clone(), self.exchange.clone()));
            // This transport waits, so the gateway never pauses.
            let _ = gateway::answer(py, &self.application, request, transport, &pool.hub);
            drop((current, running));
        }
        thread.end(py).is_none_or(|late| {
            if late.lateness != Lateness::Expected {
                pool.threads.came_back();
                let text = format!(
                    "WSGI0008 the thread {} has come back from {}, {} ms too late",
                    thread.name,
                    late.about,
                    late.due.elapsed().as_millis()
                );
                pool.hub.log(None, Level::Warn, &text);
            }
            late.lateness != Lateness::Replaced
        })
    }
}

pub(super) fn spawn(pool: &'static Pool) -> std::io::Result<()> {
    for _ in 0..pool.size {
        spawn_one(pool)?;
    }
    Ok(())
}

/// Adds a thread to the pool and returns its name.
pub(super) fn spawn_one(pool: &'static Pool) -> std::io::Result<String> {
    let thread = pool.threads.add();
    let own = thread.clone();
    let builder = std::thread::Builder::new().name(thread.name.clone()).stack_size(STACK_SIZE);
    let spawned = builder.spawn(move || {
        python::attach(|py| work(py, pool, &own));
        pool.threads.remove(&own);
    });
    match spawned {
        Ok(_) => Ok(thread.name.clone()),
        Err(error) => {
            pool.threads.remove(&thread);
            Err(error)
        }
    }
}

fn work(py: Python<'_>, pool: &Pool, thread: &PoolThread) {
    // Without the ident the inspector cannot log the thread's stack, but the thread can work.
    if let Ok(ident) = python::interrupt::thread_ident(py) {
        thread.set_ident(ident);
    }
    while let Some(mut turn) = py.detach(|| pool.wait_turn()) {
        for job in turn.by_ref() {
            let stays = job.run(py, pool, thread);
            pool.hub.deferred().drop_all(py);
            if !stays {
                return;
            }
        }
        pool.hub.deferred().drop_all(py);
    }
}
