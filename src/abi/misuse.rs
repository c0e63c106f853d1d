//! Misuse that would be undefined behaviour in a release build. A debug build names it on
//! descriptor 2, and ends the process.
//!
//! In debug builds a registry knows which handles C holds, and which thread submits. In release
//! builds the registry is empty.

use crate::python::output::write_fd2;
use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    /// The entry point that the calling thread is in, for [`misused`].
    static CALL: Cell<&'static str> = const { Cell::new("") };
}

/// Notes which function C has called, until the guard is dropped. Meanwhile a callback may call
/// other functions.
pub(super) fn called(name: &'static str) -> Called {
    Called(CALL.replace(name))
}

pub(super) struct Called(&'static str);

impl Drop for Called {
    fn drop(&mut self) {
        CALL.set(self.0);
    }
}

/// Ends the process of a debug build: C has broken a rule in a way that a release build cannot
/// notice.
fn misused(what: &str) -> ! {
    write_fd2(&format!("libwsgi (debug build): {}: {what}", CALL.get()));
    std::process::abort();
}

/// Each function that only the submitting thread may call must call this.
pub(super) fn one_thread_only() {
    if registry::is_other_thread() {
        misused("called on another thread than the first wsgi_submit; one thread only may call it");
    }
}

/// Notes that the calling thread submits. From now on only that thread may use exchanges.
pub(super) fn note_submitter() {
    registry::submits();
}

/// What a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Runtime,
    App,
    Error,
    Exchange,
    Buffer,
}

impl Kind {
    /// Its name in C.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Runtime => "wsgi_runtime",
            Kind::App => "wsgi_app",
            Kind::Error => "wsgi_error",
            Kind::Exchange => "wsgi_exchange",
            Kind::Buffer => "wsgi_buffer",
        }
    }
}

/// How a handle came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Released,
    Cancelled,
    Finished,
}

/// Notes that C has a handle at `address` from now on.
pub(super) fn add(address: usize, kind: Kind) {
    registry::add(address, kind);
}

/// Notes that C gives the handle back.
pub(super) fn remove(address: usize, kind: Kind) {
    registry::remove(address, kind, End::Released);
}

/// Keeps the memory of a handle that is no more, for a while.
#[cfg(debug_assertions)]
pub(super) fn keep(memory: impl Any + Send) {
    registry::keep(memory);
}

/// Checks that C has a handle of this kind at `address`, and has not given it back.
pub(super) fn check(address: usize, kind: Kind) {
    if let Some(complaint) = registry::complaint(address, kind) {
        misused(&complaint);
    }
}

/// Notes that the time of an exchange is over. `kept` keeps it alive for C.
pub(super) fn exchange_over(
    address: usize,
    cancelled: bool,
    kept: Option<Arc<dyn Any + Send + Sync>>,
) {
    let end = if cancelled { End::Cancelled } else { End::Finished };
    registry::remove(address, Kind::Exchange, end);
    registry::keep(kept);
}

#[cfg(debug_assertions)]
mod registry {
    use super::{End, Kind};
    use crate::pool::sync::Mutex;
    use once_cell::sync::{Lazy, OnceCell};
    use std::any::Any;
    use std::collections::{HashMap, VecDeque};
    use std::thread::ThreadId;

    /// The handles by their address. A handle without an end is alive.
    type Handles = HashMap<usize, (Kind, Option<End>)>;

    /// The handles that C has, and old ones at whose place in memory no other handle is yet.
    static HANDLES: Lazy<Mutex<Handles>> = Lazy::new(Mutex::default);

    /// The memory of the last handles that came to their end. No new handle is at their place, so a
    /// second release of an old one does not hit a new one.
    static KEPT: Lazy<Mutex<VecDeque<Box<dyn Any + Send>>>> = Lazy::new(Mutex::default);
    const MOST_KEPT: usize = 4096;

    static SUBMITTER: OnceCell<ThreadId> = OnceCell::new();

    pub(super) fn add(address: usize, kind: Kind) {
        HANDLES.lock().insert(address, (kind, None));
    }

    pub(super) fn remove(address: usize, kind: Kind, end: End) {
        HANDLES.lock().insert(address, (kind, Some(end)));
    }

    pub(super) fn keep(memory: impl Any + Send) {
        let mut kept = KEPT.lock();
        kept.push_back(Box::new(memory));
        let oldest = if kept.len() > MOST_KEPT { kept.pop_front() } else { None };
        drop(kept);
        drop(oldest);
    }

    /// What is wrong with such a handle, as a sentence.
    pub(super) fn complaint(address: usize, kind: Kind) -> Option<String> {
        let known = HANDLES.lock().get(&address).copied();
        let name = kind.name();
        match known {
            Some((its, None)) if its == kind => None,
            Some((its, _)) if its != kind => {
                Some(format!("this {name} is not one: it is a {}", its.name()))
            }
            Some((_, Some(End::Released))) => Some(format!("this {name} was released before")),
            Some((_, Some(End::Cancelled))) => Some(format!(
                "the time of this {name} is over: it was cancelled before, or a callback returned \
                 non-zero"
            )),
            Some((_, Some(End::Finished))) => {
                Some(format!("the time of this {name} is over: `finish` was called for it"))
            }
            Some(_) | None => {
                Some(format!("this {name} is not one that the library has handed out"))
            }
        }
    }

    pub(super) fn submits() {
        let _ = SUBMITTER.set(std::thread::current().id());
    }

    pub(super) fn is_other_thread() -> bool {
        SUBMITTER.get().is_some_and(|id| *id != std::thread::current().id())
    }
}

#[cfg(not(debug_assertions))]
mod registry {
    use super::{End, Kind};
    use std::any::Any;

    pub(super) fn add(_address: usize, _kind: Kind) {}

    pub(super) fn remove(_address: usize, _kind: Kind, _end: End) {}

    pub(super) fn keep(_memory: impl Any + Send) {}

    pub(super) fn complaint(_address: usize, _kind: Kind) -> Option<String> {
        None
    }

    pub(super) fn submits() {}

    pub(super) fn is_other_thread() -> bool {
        false
    }
}
