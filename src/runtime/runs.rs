//! The number of applications that run at the moment, and the calls of `wsgi_run` in progress.

use crate::host::HostRequest;
use crate::host::run::Run;
use crate::pool::sync::{Condvar, Mutex};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

thread_local! {
    /// How many applications the calling thread itself runs. It is not 0 inside a callback of
    /// `wsgi_run`.
    static OWN: Cell<usize> = const { Cell::new(0) };
}

#[derive(Default)]
pub(super) struct Runs {
    /// The calls in progress, including those that wait for an import.
    all: Mutex<Vec<Arc<Run>>>,
    /// How many applications run.
    running: Mutex<usize>,
    idle: Condvar,
}

impl Runs {
    /// Notes `run` until the guard is dropped. A stop of the runtime cancels it until then.
    pub(super) fn enter(&self, run: &Arc<Run>) -> Entered<'_> {
        self.all.lock().push(run.clone());
        Entered(self, run.clone())
    }

    /// Calls `what` with each run of the host's `request`. Returns whether there is one.
    pub(super) fn with(&self, request: HostRequest, what: impl Fn(&Run)) -> bool {
        let all = self.all.lock();
        let runs = all.iter().filter(|run| run.request() == request);
        runs.map(|run| what(run)).count() > 0
    }

    /// From now on no callback of any run begins.
    pub(super) fn stop(&self) {
        self.all.lock().iter().for_each(|run| run.stop());
    }

    /// Counts an application as running until the guard is dropped, on the thread that runs it.
    pub(super) fn begin(&self) -> Running<'_> {
        *self.running.lock() += 1;
        OWN.set(OWN.get() + 1);
        Running(self)
    }

    /// Waits until at most `accepted` applications run, and returns how many run. Those on the
    /// calling thread itself do not count, since they wait until it returns from its callback.
    pub(super) fn wait(&self, accepted: impl Fn() -> usize, until: Instant) -> usize {
        let own = OWN.get();
        let mut running = self.running.lock();
        while *running > accepted() + own {
            if self.idle.wait_until(&mut running, until).timed_out() {
                break;
            }
        }
        *running - own
    }
}

pub(super) struct Entered<'a>(&'a Runs, Arc<Run>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut all = self.0.all.lock();
        if let Some(index) = all.iter().position(|run| Arc::ptr_eq(run, &self.1)) {
            all.swap_remove(index);
        }
    }
}

pub(super) struct Running<'a>(&'a Runs);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        OWN.set(OWN.get() - 1);
        *self.0.running.lock() -= 1;
        // This is cheap, since a thread waits here only at the end of the runtime.
        self.0.idle.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_run_of_the_calling_thread_is_not_waited_for() {
        let runs = Runs::default();
        let own = runs.begin();
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(runs.wait(|| 0, later), 0);
        std::thread::scope(|scope| {
            scope.spawn(|| std::mem::forget(runs.begin()));
        });
        assert_eq!(runs.wait(|| 0, Instant::now()), 1);
        assert_eq!(runs.wait(|| 1, later), 1, "it must not wait for a stuck one either");
        drop(own);
    }

    #[test]
    fn a_call_reaches_only_the_runs_of_its_request() {
        let runs = Runs::default();
        let request = |number: usize| HostRequest(std::ptr::without_provenance_mut(number));
        let (one, two) = (Arc::new(Run::new(request(1), b"")), Arc::new(Run::new(request(2), b"")));
        let entered = (runs.enter(&one), runs.enter(&two));
        assert!(runs.with(request(1), Run::leave));
        assert!(one.is_gone() && !two.is_gone());
        drop(entered);
        assert!(!runs.with(request(1), Run::leave));
    }
}
