//! The applications of the runtime: their imports, the requests that wait for an import, and the
//! way of requests to them.

use super::import::{Failure, import, seconds};
use super::main_thread::MainThread;
use super::pool::{Job, Pool};
use crate::error::{Error, Result};
use crate::host::client::{Client, CurrentRequestGuard};
use crate::host::direct::Direct;
use crate::host::exchange::Exchange;
use crate::host::request::body::Body;
use crate::host::request::{Arrival, Field, Pull, Request};
use crate::host::run::Run;
use crate::host::{HostRequest, Outcome};
use crate::pool::sync::{Condvar, Mutex};
use crate::python;
use crate::wsgi::app::Application;
use crate::wsgi::environ::EnvironSettings;
use crate::wsgi::gateway;
use crate::wsgi::target::Target;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After a failed import the next request starts another attempt, but not before this time is over.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The pause doubles with each failure, up to this.
const LAST_PAUSE: Duration = Duration::from_secs(30);

enum Import {
    /// Python's main thread imports the application, or will do so. These exchanges wait for it.
    Loading {
        waiting: Vec<Arc<Exchange>>,
        pause: Duration,
    },
    Ready(Arc<Application>),
    Failed {
        again: Instant,
        pause: Duration,
    },
}

/// All applications.
#[derive(Default)]
pub(super) struct Apps {
    all: Mutex<HashMap<Target, Arc<App>>>,
}

/// What an application needs from its runtime.
#[derive(Clone, Copy)]
pub(super) struct Surroundings {
    pub(super) pool: &'static Pool,
    pub(super) main: &'static MainThread,
    pub(super) apps: &'static Apps,
    pub(super) environ: EnvironSettings,
}

pub struct App {
    around: Surroundings,
    target: Target,
    import: Mutex<Import>,
    changed: Condvar,
}

impl Apps {
    /// The application at `target`. The same target always gives the same application.
    pub(super) fn load(&self, around: Surroundings, target: Target) -> Arc<App> {
        let mut apps = self.all.lock();
        if let Some(app) = apps.get(&target) {
            return app.clone();
        }
        let import = Mutex::new(Import::Loading { waiting: Vec::new(), pause: FIRST_PAUSE });
        let app = App { around, target: target.clone(), import, changed: Condvar::new() };
        let app = Arc::new(app);
        apps.insert(target, app.clone());
        drop(apps);
        app.begin_import();
        app
    }

    /// Makes each thread that waits for an import check again whether it must still wait.
    pub(super) fn wake(&self) {
        self.all.lock().values().for_each(|app| app.wake());
    }

    /// Drops the requests that were cancelled while they waited for an import, and returns their
    /// number.
    fn sweep(&self) -> usize {
        let apps: Vec<_> = self.all.lock().values().cloned().collect();
        apps.iter().map(|app| app.sweep()).sum()
    }
}

impl Surroundings {
    /// Drops the requests that were cancelled while they waited, if they are more than half of all
    /// that wait. Otherwise a client that begins and resets requests could make the queue grow
    /// without a limit. On average this costs each request a constant number of steps.
    fn sweep(&self) {
        let backlog = self.pool.hub.backlog();
        if backlog.has_many_cancelled() {
            backlog.forget_cancelled(self.pool.sweep() + self.apps.sweep());
        }
    }
}

impl App {
    /// See `wsgi_submit`. The pointer is valid until the exchange ends. Only on the polling thread.
    pub fn submit(
        self: &Arc<Self>,
        request: Box<Request>,
        host_request: HostRequest,
    ) -> Result<*const Exchange> {
        let pool = self.around.pool;
        pool.check_running()?;
        let host = pool.hub.host();
        if !host.is_event_driven() {
            return Err(Error::invalid(
                "wsgi_submit needs a wsgi_host with `notify`, or WSGI_EVENTFD; this runtime answers \
                 wsgi_run only",
            ));
        }
        if request.arrival == Arrival::Pushed && pool.is_inline() {
            return Err(Error::invalid(
                "WSGI_BODY_PUSH needs threads: with none the application runs in wsgi_poll, which \
                 cannot wait for the body",
            ));
        }
        if request.arrival == Arrival::Pushed && !host.has_want_body() {
            return Err(Error::invalid("WSGI_BODY_PUSH needs a wsgi_host with `want_body`"));
        }
        self.around.sweep();
        let mut import = self.import.lock();
        self.try_again(&mut import)?;
        let (exchange, pointer) = pool.hub.accept(request, host_request)?;
        match &mut *import {
            Import::Ready(application) => {
                let application = application.clone();
                drop(import);
                pool.enqueue(Job { exchange, application });
            }
            Import::Loading { waiting, .. } => waiting.push(exchange),
            Import::Failed { .. } => {}
        }
        Ok(pointer)
    }

    fn sweep(&self) -> usize {
        let mut import = self.import.lock();
        let Import::Loading { waiting, .. } = &mut *import else { return 0 };
        let before = waiting.len();
        waiting.retain(|exchange| exchange.is_queued());
        before - waiting.len()
    }

    /// After a failed import, starts another attempt if the pause is over. An error if it is not.
    fn try_again(self: &Arc<Self>, import: &mut Import) -> Result<()> {
        let Import::Failed { again, pause } = *import else { return Ok(()) };
        let left = again.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Err(self.unavailable(left));
        }
        let pause = (pause * 2).min(LAST_PAUSE);
        *import = Import::Loading { waiting: Vec::new(), pause };
        self.begin_import();
        Ok(())
    }

    fn unavailable(&self, pause: Duration) -> Error {
        if let Some(sentence) = self.around.main.failure() {
            return Error::Python(sentence);
        }
        Error::Unavailable { application: self.target.to_string(), retry_after: seconds(pause) }
    }

    fn begin_import(self: &Arc<Self>) {
        let app = self.clone();
        self.around.main.run(move || app.finish_import());
    }

    /// Imports the application, and hands over or refuses the requests that waited. Only on
    /// Python's main thread.
    fn finish_import(&self) {
        let Surroundings { pool, main, environ, .. } = self.around;
        let result = match main.failure() {
            Some(_) => Err(Failure::default()),
            None => import(&pool.hub, &self.target, environ),
        };
        let mut import = self.import.lock();
        let Import::Loading { waiting, pause } = &mut *import else { return };
        let (waiting, pause) = (std::mem::take(waiting), *pause);
        match result {
            Ok(application) => {
                let application = Arc::new(application);
                *import = Import::Ready(application.clone());
                drop(import);
                for exchange in waiting {
                    pool.enqueue_now(Job { exchange, application: application.clone() });
                }
            }
            Err(failure) => {
                *import = Import::Failed { again: Instant::now() + pause, pause };
                drop(import);
                failure.log(&pool.hub, &self.target, pause);
                for exchange in waiting {
                    exchange.refuse(Outcome::Unavailable { retry_after: seconds(pause) });
                }
            }
        }
        self.changed.notify_all();
    }

    fn wake(&self) {
        // Once this thread has had the lock, each thread that checked before it is asleep.
        drop(self.import.lock());
        self.changed.notify_all();
    }

    /// Blocks until the application is imported, or the import has failed, or `limit` is over.
    pub fn wait(&self, limit: Option<Duration>) -> Result<()> {
        self.ready(limit, || false).map(drop)
    }

    fn ready(
        &self,
        limit: Option<Duration>,
        is_gone: impl Fn() -> bool,
    ) -> Result<Arc<Application>> {
        let until = limit.map(|limit| Instant::now() + limit);
        let mut import = self.import.lock();
        loop {
            self.around.pool.check_running()?;
            if is_gone() {
                return Err(Error::Gone);
            }
            match &*import {
                Import::Ready(application) => return Ok(application.clone()),
                Import::Failed { again, .. } => {
                    return Err(self.unavailable(again.saturating_duration_since(Instant::now())));
                }
                Import::Loading { .. } => {}
            }
            let over = match until {
                Some(until) => self.changed.wait_until(&mut import, until).timed_out(),
                None => {
                    self.changed.wait(&mut import);
                    false
                }
            };
            if over {
                return Err(Error::Unavailable {
                    application: self.target.to_string(),
                    retry_after: seconds(FIRST_PAUSE),
                });
            }
        }
    }

    /// See `wsgi_run`.
    pub fn run(
        self: &Arc<Self>,
        mut request: Box<Request>,
        host_request: HostRequest,
    ) -> Result<()> {
        let pool = self.around.pool;
        let hub = &pool.hub;
        if hub.host().is_event_driven() {
            pool.check_running()?;
            return Err(Error::invalid(
                "wsgi_run needs a wsgi_host without `notify`, and no WSGI_EVENTFD: with them, callbacks \
                 belong to wsgi_poll",
            ));
        }
        let run = Arc::new(Run::new(host_request, request.get(Field::RequestId)));
        if request.arrival == Arrival::Pulled {
            if !hub.host().has_read() {
                return Err(Error::invalid("WSGI_BODY_READ needs a wsgi_host with `read`"));
            }
            let pull = Pull::new(hub.host().clone(), run.clone(), request.content_length);
            request.body = Body::Pulled(pull);
        }
        // This comes before the check, so that a stop of the runtime either cancels this run or is
        // noticed by the check.
        let _entered = pool.runs.enter(&run);
        pool.check_running()?;
        self.try_again(&mut self.import.lock())?;
        let application = self.ready(None, || run.is_gone())?;
        let running = pool.runs.begin();
        let current = CurrentRequestGuard::new(Client::Direct(run.clone()));
        python::attach(|py| {
            // The client may have left while this thread waited for the GIL.
            if !run.is_gone() {
                let transport = Box::new(Direct::new(hub.clone(), run.clone()));
                // This transport waits, so the gateway never pauses.
                let _ = gateway::answer(py, &application, request, transport, hub);
            }
        });
        drop((current, running));
        if run.is_gone() { Err(Error::Gone) } else { Ok(()) }
    }
}
