//! Python's main thread: it starts the interpreter, imports applications and runs exit handlers. It
//! answers no request, so that a stuck application cannot keep it from ending the process well.

use super::{App, Runtime, worker};
use crate::error::{Error, Result};
use crate::host::Level;
use crate::pool::sync::{Condvar, Mutex};
use crate::python;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// As much as the main thread of a process has: C extensions recurse deeply.
pub(super) const STACK_SIZE: usize = 8 * 1024 * 1024;

enum Task {
    Import(Arc<App>),
    Exit,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    exited: bool,
    /// Why Python did not start.
    failed: Option<String>,
}

/// What other threads ask of it.
#[derive(Default)]
pub(super) struct MainThread {
    state: Mutex<State>,
    changed: Condvar,
}

impl MainThread {
    pub(super) fn import(&self, app: Arc<App>) {
        self.state.lock().tasks.push_back(Task::Import(app));
        self.changed.notify_all();
    }

    /// Has the exit handlers run. False if they had not ended at `until`.
    pub(super) fn exit(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        state.tasks.push_front(Task::Exit);
        self.changed.notify_all();
        while !state.exited {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.exited
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

fn main(runtime: &'static Runtime, settings: &python::config::Settings) {
    let started = python::config::start(settings).and_then(|()| {
        worker::spawn(runtime).map_err(|error| format!("no threads for Python: {error}"))
    });
    if let Err(sentence) = started {
        let text = format!("WSGI0001 Python could not be started: {sentence}");
        runtime.outbox.log(None, Level::Error, &text);
        runtime.main.state.lock().failed = Some(sentence);
    }
    loop {
        match runtime.main.next() {
            Task::Import(app) => app.import(),
            Task::Exit => {
                if python::thread::is_started() {
                    python::attach(python::exit::run_exit_handlers);
                }
                runtime.main.exited();
            }
        }
    }
}
