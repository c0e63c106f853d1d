//! One application of the runtime: its import, what waits for that, and how requests reach it.

use super::Runtime;
use super::worker::Job;
use crate::error::{Error, Result};
use crate::host::body::Body;
use crate::host::current::{Answering, Current};
use crate::host::direct::Direct;
use crate::host::event::Outcome;
use crate::host::exchange::Exchange;
use crate::host::pull::Pull;
use crate::host::request::{Field, Request};
use crate::host::run::Run;
use crate::host::{HostRequest, Level};
use crate::pool::sync::{Condvar, Mutex};
use crate::python;
use crate::wsgi::app::Application;
use crate::wsgi::gateway;
use crate::wsgi::target::Target;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After a failed import the next is tried when a request comes, but not sooner than this.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The pause doubles up to this.
const LAST_PAUSE: Duration = Duration::from_secs(30);

enum State {
    /// Python's main thread imports it, or will; these wait for it.
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

/// Why an import failed. Without a traceback it is Python that did not start.
#[derive(Default)]
struct Failure {
    traceback: Vec<String>,
    /// What to do, where that does not tell.
    advice: Option<String>,
}

pub struct App {
    runtime: &'static Runtime,
    target: Target,
    state: Mutex<State>,
    changed: Condvar,
}

impl App {
    pub(super) fn new(runtime: &'static Runtime, target: Target) -> Arc<Self> {
        let state = State::Loading { waiting: Vec::new(), pause: FIRST_PAUSE };
        Arc::new(App { runtime, target, state: Mutex::new(state), changed: Condvar::new() })
    }

    /// See `wsgi_submit`. The pointer is valid until the exchange ends. On the polling thread.
    pub fn submit(
        self: &Arc<Self>,
        request: Box<Request>,
        host_request: HostRequest,
    ) -> Result<*const Exchange> {
        self.runtime.check_running()?;
        let hub = &self.runtime.hub;
        if !hub.host().is_event_driven() {
            return Err(Error::invalid(
                "wsgi_submit needs a wsgi_host with `notify`, or WSGI_EVENTFD; this runtime answers wsgi_run only",
            ));
        }
        if matches!(request.body, Body::Pushed(_)) && self.runtime.is_inline() {
            return Err(Error::invalid(
                "WSGI_BODY_PUSH needs threads: with none the application runs in wsgi_poll, which \
                 cannot wait for the body",
            ));
        }
        if matches!(request.body, Body::Pushed(_)) && !hub.host().has_want_body() {
            return Err(Error::invalid("WSGI_BODY_PUSH needs a wsgi_host with `want_body`"));
        }
        self.runtime.sweep();
        let mut state = self.state.lock();
        self.try_again(&mut state)?;
        hub.enter_queue()?;
        let exchange = Exchange::new(request, host_request, hub);
        let pointer = hub.lend(exchange.clone());
        match &mut *state {
            State::Ready(application) => {
                let application = application.clone();
                drop(state);
                self.runtime.hand_over(Job { exchange, application });
            }
            State::Loading { waiting, .. } => waiting.push(exchange),
            State::Failed { .. } => {}
        }
        Ok(pointer)
    }

    /// Drops what was cancelled while it waited for the import, and says how many that were.
    pub(super) fn sweep(&self) -> usize {
        let mut state = self.state.lock();
        let State::Loading { waiting, .. } = &mut *state else { return 0 };
        let before = waiting.len();
        waiting.retain(|exchange| exchange.is_queued());
        before - waiting.len()
    }

    /// A failed import is tried again if its pause is over, and is an error if not.
    fn try_again(self: &Arc<Self>, state: &mut State) -> Result<()> {
        let State::Failed { again, pause } = *state else { return Ok(()) };
        let left = again.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Err(self.unavailable(left));
        }
        let pause = (pause * 2).min(LAST_PAUSE);
        *state = State::Loading { waiting: Vec::new(), pause };
        self.runtime.main.import(self.clone());
        Ok(())
    }

    fn unavailable(&self, pause: Duration) -> Error {
        if let Some(sentence) = self.runtime.main.failure() {
            return Error::Python(sentence);
        }
        Error::Unavailable { application: self.target.to_string(), retry_after: seconds(pause) }
    }

    /// On Python's main thread.
    pub(super) fn import(&self) {
        let result = match self.runtime.main.failure() {
            Some(_) => Err(Failure::default()),
            None => self.try_import(),
        };
        let mut state = self.state.lock();
        let State::Loading { waiting, pause } = &mut *state else { return };
        let (waiting, pause) = (std::mem::take(waiting), *pause);
        match result {
            Ok(application) => {
                let application = Arc::new(application);
                *state = State::Ready(application.clone());
                drop(state);
                for exchange in waiting {
                    let job = Job { exchange, application: application.clone() };
                    self.runtime.hand_over_now(job);
                }
            }
            Err(failure) => {
                *state = State::Failed { again: Instant::now() + pause, pause };
                drop(state);
                self.log_failure(&failure, pause);
                for exchange in waiting {
                    exchange.refuse(Outcome::Unavailable { retry_after: seconds(pause) });
                }
            }
        }
        self.changed.notify_all();
    }

    fn try_import(&self) -> std::result::Result<Application, Failure> {
        let mut warnings = Vec::new();
        let result = python::attach(|py| {
            let target = self.target.to_string();
            let _work = python::crash::work(&[b"the import of ", target.as_bytes()]);
            let result = Application::import(py, &self.target, self.runtime.facts, &mut warnings);
            python::output::flush_thread(py);
            if python::thread::is_forked() {
                python::child::leave(py, result.as_ref().err());
            }
            let taken = python::signals::taken_by_c(py);
            if !taken.is_empty() {
                warnings.push(format!(
                    "WSGI0301 the import of {target} has set handlers in C for {}, which were taken \
                     off: signals belong to the web server",
                    taken.join(", ")
                ));
            }
            result.map_err(|error| Failure {
                advice: Application::advice(py, &self.target, &error),
                traceback: python::traceback::lines(py, &error),
            })
        });
        for warning in warnings {
            // What serves the wrong site is no less than an error, and nginx logs these by default.
            self.runtime.hub.log(None, Level::Error, &warning);
        }
        result
    }

    fn log_failure(&self, failure: &Failure, pause: Duration) {
        if failure.traceback.is_empty() {
            return;
        }
        let advice = failure.advice.as_ref().map_or_else(String::new, |it| format!("; {it}"));
        let text = format!(
            "WSGI0002 the application {} could not be imported; its requests get 503, and the \
             first one after {} s tries again{advice}",
            self.target,
            seconds(pause)
        );
        self.runtime.hub.log(None, Level::Error, &text);
        for line in &failure.traceback {
            self.runtime.hub.log_and_wait(None, Level::Error, line);
        }
    }

    /// Blocks until the application is imported, or was not, or `limit` is over.
    pub fn wait(&self, limit: Option<Duration>) -> Result<()> {
        self.ready(limit, || false).map(drop)
    }

    /// Has those who wait for the import look again whether they still must.
    pub(super) fn wake(&self) {
        // Under the lock: a thread that has looked before is asleep by now.
        drop(self.state.lock());
        self.changed.notify_all();
    }

    fn ready(
        &self,
        limit: Option<Duration>,
        is_gone: impl Fn() -> bool,
    ) -> Result<Arc<Application>> {
        let until = limit.map(|limit| Instant::now() + limit);
        let mut state = self.state.lock();
        loop {
            self.runtime.check_running()?;
            if is_gone() {
                return Err(Error::Gone);
            }
            match &*state {
                State::Ready(application) => return Ok(application.clone()),
                State::Failed { again, .. } => {
                    return Err(self.unavailable(again.saturating_duration_since(Instant::now())));
                }
                State::Loading { .. } => {}
            }
            let over = match until {
                Some(until) => self.changed.wait_until(&mut state, until).timed_out(),
                None => {
                    self.changed.wait(&mut state);
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
        let hub = &self.runtime.hub;
        if hub.host().is_event_driven() {
            self.runtime.check_running()?;
            return Err(Error::invalid(
                "wsgi_run needs a wsgi_host without `notify`, and no WSGI_EVENTFD: with them, callbacks belong to wsgi_poll",
            ));
        }
        let run = Arc::new(Run::new(host_request, request.get(Field::RequestId)));
        if let Body::Pulled(from) = &mut request.body {
            if !hub.host().has_read() {
                return Err(Error::invalid("WSGI_BODY_READ needs a wsgi_host with `read`"));
            }
            *from = Some(Pull::new(hub.clone(), run.clone(), request.content_length));
        }
        // Before it is asked whether the runtime runs: a stop cancels it, or is seen here.
        let _entered = self.runtime.runs.enter(&run);
        self.runtime.check_running()?;
        self.try_again(&mut self.state.lock())?;
        let application = self.ready(None, || run.is_gone())?;
        let running = self.runtime.runs.begin();
        let answering = Answering::new(Current::Direct(run.clone()));
        python::attach(|py| {
            // The GIL may have been long in coming.
            if !run.is_gone() {
                let transport = Box::new(Direct::new(hub.clone(), run.clone()));
                // This transport waits; it never has the gateway pause.
                let _ = gateway::answer(py, &application, request, transport, hub);
            }
        });
        drop((answering, running));
        if run.is_gone() { Err(Error::Gone) } else { Ok(()) }
    }
}

/// Whole seconds, at least one: what Retry-After can say.
fn seconds(pause: Duration) -> u32 {
    u32::try_from(pause.as_secs_f64().ceil() as u64).unwrap_or(u32::MAX).max(1)
}
