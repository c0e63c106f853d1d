//! The one runtime of a process: what starts, holds and stops the interpreter, the applications and
//! the threads.
//!
//! Python starts on a thread of its own ([`main_thread`]), which also imports the applications
//! ([`app`]) and runs the exit handlers. The pool's threads ([`worker`]) answer what
//! [`app::App::submit`] hands over; [`app::App::run`] answers on the caller's thread. [`watch`] looks
//! after threads of the pool that are late ([`seats`] knows who is), [`inspector`] at what they do.

mod app;
mod inline;
mod inspector;
mod main_thread;
mod queue;
mod runs;
mod seats;
pub mod settings;
mod unheard;
mod watch;
mod worker;

pub use app::App;
pub use watch::Abandon;

use crate::error::{Error, Result};
use crate::host::hub::{Delivery, Hub};
use crate::host::run::Run;
use crate::host::{Host, HostRequest, Level, current, polling};
use crate::pool::handoff::Handoff;
use crate::pool::sync::{AtomicBool, Mutex, Ordering};
use crate::python;
use crate::python::exit::Left;
use crate::wsgi::app::Facts;
use crate::wsgi::target::Target;
use main_thread::MainThread;
use once_cell::sync::OnceCell;
use runs::Runs;
use settings::Settings;
use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::Watch;

/// Exit handlers have at least this part of the time of a stop, a quarter.
const EXIT_SHARE: u32 = 4;

/// Of how many threads that were cut off the names are told.
const NAMES: usize = 8;

fn shown(names: &[String]) -> String {
    let more = if names.len() > NAMES { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(NAMES)].join(", "))
}

static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// See the module's text. It is never dropped: threads may be running applications when the process
/// ends.
pub struct Runtime {
    hub: Arc<Hub>,
    handoff: Handoff<worker::Job>,
    /// Submitted, and not in `handoff` yet: see `WSGI_BUNCHES`. None if that is not wanted.
    bunch: Option<Mutex<VecDeque<worker::Job>>>,
    main: MainThread,
    watch: Watch,
    max_stuck: usize,
    apps: Mutex<HashMap<Target, Arc<App>>>,
    threads: usize,
    facts: Facts,
    stopping: AtomicBool,
    runs: Runs,
}

impl Runtime {
    /// Starts the one runtime; returns before Python has started.
    pub fn start(settings: Settings, host: Box<dyn Host>) -> Result<&'static Self> {
        settings.check()?;
        let event_driven = host.is_event_driven();
        if settings.threads > 0 && !event_driven {
            return Err(Error::invalid(
                "wsgi_runtime_config has threads, but wsgi_host has no `notify`: set it, or WSGI_EVENTFD, or set \
                 `threads` to 0 and use wsgi_run",
            ));
        }
        let new = Runtime {
            hub: Hub::new(host, settings.log_line_size, settings.max_queue),
            handoff: Handoff::new(),
            bunch: (settings.bunches || settings.threads == 0).then(Mutex::default),
            main: MainThread::default(),
            watch: Watch::default(),
            max_stuck: settings.max_stuck,
            apps: Mutex::default(),
            threads: settings.threads,
            facts: Facts {
                multithread: settings.threads > 1 || !event_driven,
                multiprocess: settings.multiprocess,
                odd_names: settings.odd_names,
            },
            stopping: AtomicBool::new(false),
            runs: Runs::default(),
        };
        RUNTIME
            .set(new)
            .map_err(|_| Error::invalid("the runtime was started before; a process has one"))?;
        let runtime = RUNTIME.wait();
        python::thread::watch_forks();
        python::output::set_emit(Box::new(|_, lines| {
            runtime.hub.log_lines(current::current().as_ref(), Level::Error, lines);
        }));
        python::output::set_settle(Box::new(|| runtime.hub.settle_log()));
        runtime.hub.set_wake(Box::new(|| match runtime.is_inline() {
            true => runtime.hub.list(Delivery::Wake),
            false => runtime.handoff.wake(),
        }));
        // On the caller's thread: it may set handlers as soon as this returns.
        python::dispositions::hold(settings.python.signals);
        main_thread::spawn(runtime, settings.python)?;
        Ok(runtime)
    }

    fn check_running(&self) -> Result<()> {
        if self.stopping.load(Ordering::Acquire) { Err(Error::Stopping) } else { Ok(()) }
    }

    /// The application at `target`; the same one for the same target.
    pub fn load(&'static self, target: Target) -> Result<Arc<App>> {
        self.check_running()?;
        let mut apps = self.apps.lock();
        if let Some(app) = apps.get(&target) {
            return Ok(app.clone());
        }
        let app = App::new(self, target.clone());
        apps.insert(target, app.clone());
        drop(apps);
        self.main.import(app.clone());
        Ok(app)
    }

    /// Applications run on the polling thread.
    fn is_inline(&self) -> bool {
        self.threads == 0 && self.hub.host().is_event_driven()
    }

    /// See `wsgi_pause_output`.
    pub fn pause_output(&self, pause: bool) {
        self.hub.pause_output(pause);
    }

    /// See `wsgi_poll`.
    pub fn poll(&self, max: usize) -> Result<usize> {
        let left = self.poll_once(max)?;
        if left > 0 {
            self.hub.host().owe_poll();
        }
        Ok(left)
    }

    fn poll_once(&self, max: usize) -> Result<usize> {
        self.hub.check_not_polling()?;
        polling::mark();
        self.hand_over_bunch((max > 0).then_some(inline::TURN));
        let left = self.hub.poll(max)?;
        if self.is_inline() {
            // Callbacks may have submitted more, or released what an application waits for. That
            // runs in the next poll: other events of the host have their turn first.
            let more = self.bunch.as_ref().map_or(0, |bunch| bunch.lock().len());
            return Ok(left + more + self.resumable());
        }
        // Callbacks have submitted what waited behind the requests that they ended.
        self.hand_over_bunch(None);
        Ok(left)
    }

    /// See `wsgi_runtime_fd`.
    pub fn descriptor(&self) -> Option<RawFd> {
        self.hub.host().descriptor()
    }

    /// See `wsgi_runtime_stop`.
    pub fn stop(&self, timeout: Duration) -> Result<()> {
        if self.stopping.swap(true, Ordering::AcqRel) {
            return Err(Error::Stopping);
        }
        let begun = Instant::now();
        let end = begun + timeout;
        drop(self.handoff.close());
        self.hub.cancel_all();
        self.runs.stop();
        self.apps.lock().values().for_each(|app| app.wake());
        // Responses in the middle are closed.
        self.hand_over_bunch(None);
        // Exit handlers would disturb an application that still runs, so they wait for it, but not to
        // the end: they are to have some of the time too. It has all of it.
        self.wait_until_idle(end - timeout / EXIT_SHARE);
        let (handled, left) = self.main.exit(end);
        let still = self.wait_until_idle(end);
        self.log_stopped(begun.elapsed(), still, handled, &left);
        Ok(())
    }

    /// Says what was cut off, if anything was.
    fn log_stopped(&self, after: Duration, still: usize, handled: bool, left: &Left) {
        let were = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one} was")),
            _ => Some(format!("{count} {more} were")),
        };
        let threads = were(left.threads.len(), "thread", "threads");
        let parts: Vec<_> = [
            were(still, "request", "requests").map(|it| format!("{it} still running in Python")),
            threads.map(|it| format!("{it} still running ({})", shown(&left.threads))),
            were(left.processes, "process", "processes").map(|it| format!("{it} ended")),
            (!handled).then(|| String::from("Python's exit handlers did not end")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !parts.is_empty() {
            let text = format!(
                "WSGI0003 stopped after {} ms although {}",
                after.as_millis(),
                parts.join(", and ")
            );
            self.hub.log(None, Level::Warn, &text);
        }
    }

    /// Who is stuck is not waited for: nothing that is known makes it end sooner than the others.
    fn wait_until_idle(&self, until: Instant) -> usize {
        self.runs.wait(|| self.watch.stuck(), until)
    }

    /// See `wsgi_run_cancel`.
    pub fn cancel_run(&self, host_request: HostRequest) -> Result<()> {
        if !self.runs.with(host_request, Run::leave) {
            return Err(Error::Gone);
        }
        // It may be waiting for an import.
        self.apps.lock().values().for_each(|app| app.wake());
        Ok(())
    }
}
