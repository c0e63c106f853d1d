//! Python's main thread: it starts the interpreter, imports applications and runs exit handlers. It
//! answers no request, so that a stuck application cannot keep it from ending the process well.

use super::{App, Runtime, inspector, watch, worker};
use crate::error::{Error, Result};
use crate::host::Level;
use crate::pool::sync::{Condvar, Mutex};
use crate::python;
use crate::python::exit::{Left, Told};
use crate::wsgi::builtin;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// As much as the main thread of a process has: C extensions recurse deeply.
pub(super) const STACK_SIZE: usize = 8 * 1024 * 1024;

enum Task {
    Import(Arc<App>),
    /// With a limit.
    Exit(Instant),
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    exited: bool,
    /// What the exit had to leave.
    left: Left,
    /// Why Python did not start.
    failed: Option<String>,
}

/// What other threads ask of it.
#[derive(Default)]
pub(super) struct MainThread {
    state: Mutex<State>,
    changed: Condvar,
    /// `threading.get_ident()`, once Python has started.
    ident: AtomicU64,
}

impl MainThread {
    pub(super) fn ident(&self) -> u64 {
        self.ident.load(Ordering::Relaxed)
    }

    pub(super) fn import(&self, app: Arc<App>) {
        self.state.lock().tasks.push_back(Task::Import(app));
        self.changed.notify_all();
    }

    /// Has Python come to its end. False if that had not ended at `until`; and what was left then.
    pub(super) fn exit(&self, until: Instant) -> (bool, Left) {
        let mut state = self.state.lock();
        state.tasks.push_front(Task::Exit(until));
        self.changed.notify_all();
        while !state.exited {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        (state.exited, std::mem::take(&mut state.left))
    }

    /// Why Python did not start, if it did not.
    pub(super) fn failure(&self) -> Option<String> {
        self.state.lock().failed.clone()
    }

    fn next(&self) -> Task {
        let mut state = self.state.lock();
        loop {
            if let Some(task) = state.tasks.pop_front() {
                return task;
            }
            self.changed.wait(&mut state);
        }
    }

    fn told(&self, told: Told<'_>) {
        match told {
            Told::Left(left) => self.state.lock().left = left.clone(),
            Told::Done => self.exited(),
        }
    }

    fn exited(&self) {
        self.state.lock().exited = true;
        self.changed.notify_all();
    }
}

pub(super) fn spawn(runtime: &'static Runtime, settings: python::config::Settings) -> Result<()> {
    std::thread::Builder::new()
        .name("wsgi-main".into())
        .stack_size(STACK_SIZE)
        .spawn(move || main(runtime, &settings))
        .map(drop)
        .map_err(|error| Error::Python(format!("no thread for Python: {error}")))
}

/// Starts Python and the threads that use it. Fails with a sentence.
fn begin(
    runtime: &'static Runtime,
    settings: &python::config::Settings,
) -> std::result::Result<(), String> {
    python::config::start(settings)?;
    let ident = python::attach(|py| {
        builtin::install(py)?;
        python::interrupt::thread_ident(py)
    });
    runtime.main.ident.store(ident.map_err(|error| error.to_string())?, Ordering::Relaxed);
    let spawned = spawn_watch(runtime).and_then(|()| worker::spawn(runtime));
    spawned.map_err(|error| format!("no threads for Python: {error}"))
}

fn spawn_watch(runtime: &'static Runtime) -> std::io::Result<()> {
    if runtime.hub.host().is_event_driven() {
        let watch = std::thread::Builder::new().name("wsgi-watch".into());
        watch.spawn(move || watch::watch(runtime))?;
        runtime.hub.set_watch(Box::new(|| runtime.watch.look()));
    }
    if runtime.threads > 0 {
        let inspector = std::thread::Builder::new().name("wsgi-inspector".into());
        inspector.spawn(move || inspector::inspect(runtime))?;
    }
    Ok(())
}

fn main(runtime: &'static Runtime, settings: &python::config::Settings) {
    if let Err(sentence) = begin(runtime, settings) {
        let text = format!("WSGI0001 Python could not be started: {sentence}");
        runtime.hub.log(None, Level::Error, &text);
        runtime.main.state.lock().failed = Some(sentence);
    }
    loop {
        match runtime.main.next() {
            Task::Import(app) => app.import(),
            Task::Exit(until) => {
                if python::thread::is_started() {
                    python::attach(|py| {
                        python::exit::run(py, until, |told| runtime.main.told(told));
                        // A handler may have forked.
                        python::child::leave_if_forked(py);
                    });
                }
                runtime.main.exited();
            }
        }
    }
}
