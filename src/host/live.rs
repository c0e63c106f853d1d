//! Which handles C holds, and which thread submits, in debug builds: what C must not do with them is
//! named then, and not undefined behaviour. In release builds everything here is empty.

use super::exchange::Exchange;
use std::sync::Arc;

/// What a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Runtime,
    App,
    Error,
    Exchange,
    Buffer,
}

impl Kind {
    /// As C calls it.
    pub fn name(self) -> &'static str {
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
pub enum End {
    Released,
    Cancelled,
    Finished,
}

#[cfg(debug_assertions)]
mod registry {
    use super::{End, Kind};
    use crate::host::exchange::Exchange;
    use crate::pool::sync::Mutex;
    use once_cell::sync::{Lazy, OnceCell};
    use std::any::Any;
    use std::collections::{HashMap, VecDeque};
    use std::sync::Arc;
    use std::thread::ThreadId;

    /// By their address. Without an end it lives.
    type Handles = HashMap<usize, (Kind, Option<End>)>;

    /// Those that C has, and those whose place in memory was not used for another since.
    static HANDLES: Lazy<Mutex<Handles>> = Lazy::new(Mutex::default);

    /// The memory of the last handles that came to their end: no new one is at their place, so a
    /// second release of an old one does not hit it.
    static KEPT: Lazy<Mutex<VecDeque<Box<dyn Any + Send>>>> = Lazy::new(Mutex::default);
    const MOST_KEPT: usize = 4096;

    static SUBMITTER: OnceCell<ThreadId> = OnceCell::new();

    pub fn add(address: usize, kind: Kind) {
        HANDLES.lock().insert(address, (kind, None));
    }

    pub fn remove(address: usize, kind: Kind, end: End) {
        HANDLES.lock().insert(address, (kind, Some(end)));
    }

    pub fn keep(memory: Box<dyn Any + Send>) {
        let mut kept = KEPT.lock();
        kept.push_back(memory);
        let oldest = if kept.len() > MOST_KEPT { kept.pop_front() } else { None };
        drop(kept);
        drop(oldest);
    }

    pub fn keep_exchange(exchange: Option<Arc<Exchange>>) {
        keep(Box::new(exchange));
    }

    pub fn complaint(address: usize, kind: Kind) -> Option<String> {
        let known = HANDLES.lock().get(&address).copied();
        let name = kind.name();
        match known {
            Some((its, None)) if its == kind => None,
            Some((its, _)) if its != kind => {
                Some(format!("this {name} is none: it is a {}", its.name()))
            }
            Some((_, Some(End::Released))) => Some(format!("this {name} was released before")),
            Some((_, Some(End::Cancelled))) => Some(format!(
                "the time of this {name} is over: it was cancelled or abandoned before, or a \
                 callback has returned non-zero"
            )),
            Some((_, Some(End::Finished))) => {
                Some(format!("the time of this {name} is over: `finish` was called for it"))
            }
            Some(_) | None => Some(format!("this {name} is none that the library has handed out")),
        }
    }

    pub fn submits() {
        let _ = SUBMITTER.set(std::thread::current().id());
    }

    pub fn is_other_thread() -> bool {
        SUBMITTER.get().is_some_and(|id| *id != std::thread::current().id())
    }
}

#[cfg(not(debug_assertions))]
mod registry {
    use super::{End, Kind};
    use crate::host::exchange::Exchange;
    use std::sync::Arc;

    pub fn add(_address: usize, _kind: Kind) {}

    pub fn remove(_address: usize, _kind: Kind, _end: End) {}

    pub fn keep_exchange(_exchange: Option<Arc<Exchange>>) {}

    pub fn complaint(_address: usize, _kind: Kind) -> Option<String> {
        None
    }

    pub fn submits() {}

    pub fn is_other_thread() -> bool {
        false
    }
}

/// C gets a handle at `address`.
pub fn add(address: usize, kind: Kind) {
    registry::add(address, kind);
}

/// C gives it back.
pub fn remove(address: usize, kind: Kind) {
    registry::remove(address, kind, End::Released);
}

/// Memory that was a handle's, in debug builds.
#[cfg(debug_assertions)]
pub fn keep(memory: Box<dyn std::any::Any + Send>) {
    registry::keep(memory);
}

/// What is wrong with such a handle of C, as a sentence; always None in release builds.
pub fn complaint(address: usize, kind: Kind) -> Option<String> {
    registry::complaint(address, kind)
}

/// The calling thread submits: from now on it is the one that may use exchanges.
pub fn submits() {
    registry::submits();
}

/// Another thread has submitted before; always false in release builds.
pub fn is_other_thread() -> bool {
    registry::is_other_thread()
}

pub(super) fn lent(exchange: *const Exchange) {
    add(exchange.addr(), Kind::Exchange);
}

/// `kept` is what has kept it alive for C.
pub(super) fn revoked(exchange: &Exchange, kept: Option<Arc<Exchange>>) {
    let end = if exchange.is_cancelled() { End::Cancelled } else { End::Finished };
    registry::remove(std::ptr::from_ref(exchange).addr(), Kind::Exchange, end);
    registry::keep_exchange(kept);
}
