//! Which handles C holds, in debug builds: use after release is then an error and not undefined
//! behaviour. In release builds everything here is empty.

use super::exchange::Exchange;

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

#[cfg(debug_assertions)]
mod registry {
    use super::Kind;
    use crate::pool::sync::Mutex;
    use once_cell::sync::Lazy;
    use std::collections::HashMap;

    static LIVE: Lazy<Mutex<HashMap<usize, Kind>>> = Lazy::new(Mutex::default);

    pub fn add(address: usize, kind: Kind) {
        LIVE.lock().insert(address, kind);
    }

    pub fn remove(address: usize) {
        LIVE.lock().remove(&address);
    }

    pub fn has(address: usize, kind: Kind) -> bool {
        LIVE.lock().get(&address) == Some(&kind)
    }
}

#[cfg(not(debug_assertions))]
mod registry {
    use super::Kind;

    pub fn add(_address: usize, _kind: Kind) {}

    pub fn remove(_address: usize) {}

    pub fn has(_address: usize, _kind: Kind) -> bool {
        true
    }
}

/// C gets a handle at `address`.
pub fn add(address: usize, kind: Kind) {
    registry::add(address, kind);
}

/// C gives it back.
pub fn remove(address: usize) {
    registry::remove(address);
}

/// Whether C holds such a handle; always true in release builds.
pub fn has(address: usize, kind: Kind) -> bool {
    registry::has(address, kind)
}

pub(super) fn lent(exchange: *const Exchange) {
    add(exchange.addr(), Kind::Exchange);
}

pub(super) fn revoked(exchange: *const Exchange) {
    remove(exchange.addr());
}
