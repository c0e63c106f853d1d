//! One `wsgi_run` in progress. Several threads use it: one runs the application, others cancel it,
//! and another may stop the runtime.

use super::callbacks::HostRequest;
use crate::python::fork::is_forked;
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The client is gone, or the host has given the run up.
const GONE: usize = 1;
/// The runtime has been stopped: the host may have forgotten its request.
const STOPPED: usize = 2;
/// One callback in progress; their count is above the flags.
const CALL: usize = 4;

/// Callbacks with the host's request come only as long as the host wants them, and one at a time.
/// Threads of the application may read and write at the same time, but a host does not need to
/// support that. All threads see a change to "gone" and the beginning of a callback in the same
/// order. So once [`Run::stop`] has returned, no callback begins.
#[derive(Debug)]
pub struct Run {
    request: HostRequest,
    id: SmallVec<[u8; 32]>,
    /// The flags above, and how many callbacks are in progress.
    state: AtomicUsize,
    body_broken: AtomicBool,
    /// Held during a callback, except for a line of the log.
    turn: Mutex<()>,
}

/// While it lives, a callback is in progress.
#[must_use]
pub struct Calling<'a> {
    run: &'a Run,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Run {
    /// `id` is the host's name for the request, or empty.
    pub fn new(request: HostRequest, id: &[u8]) -> Self {
        Run {
            request,
            id: SmallVec::from_slice(id),
            state: AtomicUsize::new(0),
            body_broken: AtomicBool::new(false),
            turn: Mutex::new(()),
        }
    }

    pub fn request(&self) -> HostRequest {
        self.request
    }

    pub fn id(&self) -> &[u8] {
        &self.id
    }

    pub fn is_gone(&self) -> bool {
        self.state.load(Ordering::Acquire) & GONE != 0
    }

    /// From now on no callback about the response begins.
    pub fn leave(&self) {
        self.state.fetch_or(GONE, Ordering::AcqRel);
    }

    /// From now on no callback with the host's request begins, not even one for a log line.
    pub fn stop(&self) {
        self.state.fetch_or(GONE | STOPPED, Ordering::AcqRel);
    }

    /// The host reported that the rest of the body will not come, or ended it too early.
    pub fn break_body(&self) {
        self.body_broken.store(true, Ordering::Relaxed);
    }

    pub fn is_body_broken(&self) -> bool {
        self.body_broken.load(Ordering::Relaxed)
    }

    /// The caller must hold the result during a callback. None if there must be no callback. Waits
    /// for a callback on another thread, so not with the GIL held.
    pub fn call(&self) -> Option<Calling<'_>> {
        // The client belongs to the parent process. The thread that held `turn` may not exist here.
        if is_forked() {
            return None;
        }
        self.begin(GONE, Some(self.turn.lock()))
    }

    /// As `call`, for a log line. It is allowed after the client has left.
    pub fn call_log(&self) -> Option<Calling<'_>> {
        self.begin(STOPPED, None)
    }

    fn begin<'a>(&'a self, unless: usize, turn: Option<MutexGuard<'a, ()>>) -> Option<Calling<'a>> {
        let state = self.state.fetch_add(CALL, Ordering::AcqRel);
        let calling = Calling { run: self, _turn: turn };
        (state & unless == 0).then_some(calling)
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.run.state.fetch_sub(CALL, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_come_one_at_a_time_and_log_lines_do_not_wait_for_them() {
        let run = Run::new(HostRequest(std::ptr::null_mut()), b"");
        let calls = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let _calling = run.call();
                        assert_eq!(calls.fetch_add(1, Ordering::Relaxed), 0);
                        assert!(run.call_log().is_some(), "a line does not wait");
                        calls.fetch_sub(1, Ordering::Relaxed);
                    }
                });
            }
        });
    }

    #[test]
    fn callbacks_end_with_the_client_and_log_lines_with_the_runtime() {
        let run = Run::new(HostRequest(std::ptr::null_mut()), b"7");
        assert!(run.call().is_some() && run.call_log().is_some() && !run.is_gone());
        let during = run.call_log();
        run.leave();
        assert!(during.is_some() && run.is_gone());
        assert!(run.call().is_none() && run.call_log().is_some());
        run.stop();
        assert!(run.call_log().is_none());
        drop(during);
        assert_eq!(run.state.load(Ordering::Relaxed), GONE | STOPPED);
    }
}
