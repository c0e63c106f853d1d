//! Python's main thread: it starts the interpreter, imports applications and runs exit handlers. It
//! never answers a request, so a stuck application cannot keep it from running the exit handlers.

use super::settings::STACK_SIZE;
use crate::error::{Error, Result};
use crate::pool::sync::{Condvar, Mutex};
use crate::python;
use crate::python::exit::{Left, Progress};
use std::collections::VecDeque;
use std::time::Instant;

enum Task {
    Run(Box<dyn FnOnce() + Send>),
    /// Runs Python's exit handlers, until this time at most.
    Exit(Instant),
}

#[derive(Default)]
struct Tasks {
    waiting: VecDeque<Task>,
    exited: bool,
    /// The threads and processes that the exit could not end.
    left: Left,
    /// Why Python did not start.
    failure: Option<String>,
}

/// The tasks that other threads give to it.
#[derive(Default)]
pub(super) struct MainThread {
    tasks: Mutex<Tasks>,
    changed: Condvar,
}

impl MainThread {
    /// Starts the thread. It calls `begin`, which starts Python, and then runs tasks. If `begin`
    /// fails, it keeps the sentence for [`MainThread::failure`].
    pub(super) fn spawn(
        &'static self,
        begin: impl FnOnce() -> std::result::Result<(), String> + Send + 'static,
    ) -> Result<()> {
        std::thread::Builder::new()
            .name("wsgi-main".into())
            .stack_size(STACK_SIZE)
            .spawn(move || {
                let failure = begin().err();
                self.tasks.lock().failure = failure;
                self.work();
            })
            .map(drop)
            .map_err(|error| Error::Python(format!("no thread for Python: {error}")))
    }

    pub(super) fn run(&self, task: impl FnOnce() + Send + 'static) {
        self.tasks.lock().waiting.push_back(Task::Run(Box::new(task)));
        self.changed.notify_all();
    }

    /// Runs Python's exit handlers. Returns whether they have ended before `until`, and the threads
    /// and processes that were left.
    pub(super) fn exit(&self, until: Instant) -> (bool, Left) {
        let mut tasks = self.tasks.lock();
        tasks.waiting.push_front(Task::Exit(until));
        self.changed.notify_all();
        while !tasks.exited {
            if self.changed.wait_until(&mut tasks, until).timed_out() {
                break;
            }
        }
        (tasks.exited, std::mem::take(&mut tasks.left))
    }

    /// Why Python did not start, if it did not.
    pub(super) fn failure(&self) -> Option<String> {
        self.tasks.lock().failure.clone()
    }

    fn next(&self) -> Task {
        let mut tasks = self.tasks.lock();
        loop {
            if let Some(task) = tasks.waiting.pop_front() {
                return task;
            }
            self.changed.wait(&mut tasks);
        }
    }

    fn work(&'static self) -> ! {
        loop {
            match self.next() {
                Task::Run(task) => task(),
                Task::Exit(until) => {
                    if python::thread::is_started() {
                        python::attach(|py| {
                            python::exit::run(py, until, |told| self.note(told));
                            // A handler may have forked.
                            python::child::leave_if_forked(py);
                        });
                    }
                    self.exited();
                }
            }
        }
    }

    fn note(&self, progress: Progress<'_>) {
        match progress {
            Progress::Left(left) => self.tasks.lock().left = left.clone(),
            Progress::Done => self.exited(),
        }
    }

    fn exited(&self) {
        self.tasks.lock().exited = true;
        self.changed.notify_all();
    }
}
