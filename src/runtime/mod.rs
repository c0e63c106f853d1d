//! The one runtime of a process. It starts, holds and stops the interpreter, the applications and
//! the threads.
//!
//! Python starts on a thread of its own ([`main_thread`]), which also imports the applications
//! ([`app`]) and runs the exit handlers. [`app::App::submit`] puts requests into the [`pool`]. The
//! threads of the pool ([`worker`]) answer them, or the polling thread does ([`inline`]).
//! [`app::App::run`] answers on the caller's thread. [`watch`] counts and replaces threads of the
//! pool that are late, which [`threads`] notes. [`inspector`] logs what they do.

mod alarm;
mod app;
mod import;
mod inline;
mod inspector;
mod main_thread;
mod pool;
mod runs;
pub mod settings;
mod threads;
mod unfetched;
mod watch;
mod worker;

pub use app::App;
pub use watch::Deadline;

use crate::error::{Error, Result};
use crate::host::exchange::Exchange;
use crate::host::run::Run;
use crate::host::{Host, HostRequest, Level, client, polling};
use crate::python;
use crate::python::config::PythonSettings;
use crate::python::exit::Left;
use crate::wsgi::environ::EnvironSettings;
use crate::wsgi::libwsgi_module;
use crate::wsgi::target::Target;
use app::{Apps, Surroundings};
use main_thread::MainThread;
use once_cell::sync::OnceCell;
use pool::Pool;
use settings::Settings;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::Watch;

/// Exit handlers have at least a quarter of the time of a stop.
const EXIT_SHARE: u32 = 4;

/// The log names at most this number of threads that were cut off.
const NAMES: usize = 8;

fn list(names: &[String]) -> String {
    let more = if names.len() > NAMES { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(NAMES)].join(", "))
}

static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// The runtime. It is never dropped, since threads may still run applications when the process
/// ends.
pub struct Runtime {
    pool: Pool,
    main: MainThread,
    watch: Watch,
    apps: Apps,
    environ: EnvironSettings,
}

impl Runtime {
    /// Starts the one runtime. Returns before Python has started.
    pub fn start(settings: Settings, host: Box<dyn Host>) -> Result<&'static Self> {
        settings.check()?;
        let event_driven = host.is_event_driven();
        if settings.threads > 0 && !event_driven {
            return Err(Error::invalid(
                "wsgi_runtime_config has threads, but wsgi_host has no `notify`: set it, or \
                 WSGI_EVENTFD, or set `threads` to 0 and use wsgi_run",
            ));
        }
        let new = Runtime {
            pool: Pool::new(&settings, host),
            main: MainThread::default(),
            watch: Watch::default(),
            apps: Apps::default(),
            environ: EnvironSettings {
                multithread: settings.threads > 1 || !event_driven,
                multiprocess: settings.multiprocess,
                odd_names: settings.odd_names,
            },
        };
        RUNTIME
            .set(new)
            .map_err(|_| Error::invalid("the runtime was started before; a process has one"))?;
        let runtime = RUNTIME.wait();
        let hub = &runtime.pool.hub;
        python::fork::watch();
        python::output::set_emit(Box::new(|_, lines| {
            hub.log_lines(client::current().as_ref(), Level::Error, lines);
        }));
        python::output::set_drain(Box::new(|| hub.drain_log()));
        hub.deferred().set_wake(Box::new(|| runtime.pool.wake()));
        // On the caller's thread, since the caller may set signal handlers as soon as this returns.
        python::dispositions::hold(settings.python.signals);
        runtime.main.spawn(move || runtime.begin(&settings.python))?;
        Ok(runtime)
    }

    /// The runtime of this process, if it was started.
    pub fn current() -> Option<&'static Self> {
        RUNTIME.get()
    }

    /// Starts Python and the threads that use it. Logs a failure, and returns it as a sentence.
    /// Only on Python's main thread.
    fn begin(&'static self, settings: &PythonSettings) -> std::result::Result<(), String> {
        let begun = python::config::start(settings).and_then(|()| {
            let ident = python::attach(|py| {
                libwsgi_module::install(py)?;
                python::interrupt::thread_ident(py)
            });
            let ident = ident.map_err(|error| error.to_string())?;
            self.spawn_threads(ident).map_err(|error| format!("no threads for Python: {error}"))
        });
        begun.inspect_err(|sentence| {
            let text = format!("WSGI0001 Python could not be started: {sentence}");
            self.pool.hub.log(None, Level::Error, &text);
        })
    }

    /// `main` is `threading.get_ident()` of Python's main thread.
    fn spawn_threads(&'static self, main: u64) -> std::io::Result<()> {
        let Runtime { pool, watch, .. } = self;
        if pool.hub.host().is_event_driven() {
            let thread = std::thread::Builder::new().name("wsgi-watch".into());
            thread.spawn(move || watch::watch(pool, watch))?;
            pool.hub.set_watch(Box::new(|| watch.alarm.ring()));
        }
        if pool.size > 0 {
            let thread = std::thread::Builder::new().name("wsgi-inspector".into());
            thread.spawn(move || inspector::inspect(pool, &watch.inspector, &watch.alarm, main))?;
        }
        worker::spawn(pool)
    }

    /// The application at `target`. The same target always gives the same application.
    pub fn load(&'static self, target: Target) -> Result<Arc<App>> {
        self.pool.check_running()?;
        let Runtime { pool, main, apps, environ, .. } = self;
        Ok(apps.load(Surroundings { pool, main, apps, environ: *environ }, target))
    }

    /// See `wsgi_pause_output`.
    pub fn pause_output(&self, pause: bool) {
        self.pool.hub.pressure().pause_output(pause);
    }

    /// See `wsgi_poll`.
    pub fn poll(&self, max: usize) -> Result<usize> {
        let left = self.poll_once(max)?;
        if left > 0 {
            self.pool.hub.host().request_poll();
        }
        Ok(left)
    }

    fn poll_once(&self, max: usize) -> Result<usize> {
        let pool = &self.pool;
        pool.hub.check_not_polling()?;
        polling::mark();
        if pool.is_inline() {
            inline::run(pool, (max > 0).then_some(inline::TURN));
            let left = pool.hub.poll(max)?;
            // Callbacks may have submitted more requests, or released credit that an application
            // waits for. These run in the next poll, since the host's other events must have their
            // turn first.
            return Ok(left + pool.batched() + inline::resumable(pool));
        }
        pool.flush_batch();
        let left = pool.hub.poll(max)?;
        // A callback that ended a request may have submitted the next one of its connection.
        pool.flush_batch();
        Ok(left)
    }

    /// See `wsgi_runtime_fd`.
    pub fn descriptor(&self) -> Option<RawFd> {
        self.pool.hub.host().descriptor()
    }

    /// See `wsgi_cancel_watched`. Only on the polling thread.
    pub fn cancel_watched(&self, exchange: &Exchange, deadline: Deadline) {
        self.watch.cancel(&self.pool, exchange, deadline);
    }

    /// See `wsgi_run_cancel`.
    pub fn cancel_run(&self, host_request: HostRequest) -> Result<()> {
        if !self.pool.runs.with(host_request, Run::leave) {
            return Err(Error::Gone);
        }
        // The run may be waiting for an import.
        self.apps.wake();
        Ok(())
    }

    /// See `wsgi_runtime_stop`.
    pub fn stop(&self, timeout: Duration) -> Result<()> {
        let pool = &self.pool;
        pool.stop()?;
        let begun = Instant::now();
        let end = begun + timeout;
        pool.close();
        pool.hub.cancel_all();
        pool.runs.stop();
        self.apps.wake();
        if pool.is_inline() {
            // Closes the unfinished responses.
            inline::run(pool, None);
        } else {
            pool.flush_batch();
        }
        // Exit handlers would disturb an application that still runs, so they wait for it first.
        // They do not wait until the end, since they need some of the time too. The application may
        // go on until the end.
        self.wait_until_idle(end - timeout / EXIT_SHARE);
        let (handled, left) = self.main.exit(end);
        let still = self.wait_until_idle(end);
        self.log_stopped(begun.elapsed(), still, handled, &left);
        Ok(())
    }

    /// Waits until only stuck applications run, and returns how many run then. To wait for a stuck
    /// one would use up the time, since it may never end.
    fn wait_until_idle(&self, until: Instant) -> usize {
        self.pool.runs.wait(|| self.pool.threads.stuck(), until)
    }

    /// Logs the requests, threads and processes that were cut off, if there are any.
    fn log_stopped(&self, after: Duration, still: usize, handled: bool, left: &Left) {
        let were = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one} was")),
            _ => Some(format!("{count} {more} were")),
        };
        let threads = were(left.threads.len(), "thread", "threads");
        let parts: Vec<_> = [
            were(still, "request", "requests").map(|it| format!("{it} still running in Python")),
            threads.map(|it| format!("{it} still running ({})", list(&left.threads))),
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
            self.pool.hub.log(None, Level::Warn, &text);
        }
    }
}
