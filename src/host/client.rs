//! Whether the client of a request is still there, for whoever asks on any thread.

use super::exchange::Exchange;
use super::run::Run;
use std::fmt;
use std::sync::Arc;

/// The client of one request, as far as the host has told. It may be asked after the request too.
#[derive(Clone)]
pub enum Client {
    Exchange(Arc<Exchange>),
    Direct(Arc<Run>),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("is_gone", &self.is_gone()).finish()
    }
}

impl Client {
    /// Nothing that the application says can arrive any more.
    pub fn is_gone(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.client_is_gone(),
            Client::Direct(run) => run.is_gone(),
        }
    }

    /// The application is to stop: its client is gone, and the host has not asked it to go on
    /// nevertheless.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_cancelled(),
            Client::Direct(run) => run.is_gone(),
        }
    }

    /// The application is to stop, and not because its client is gone: the host has answered it.
    pub fn is_answered(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_answered(),
            Client::Direct(_) => false,
        }
    }

    /// The application has no use for the body any more: a thread of its that waits for it is told.
    pub fn close_body(&self) {
        if let Client::Exchange(exchange) = self {
            exchange.close_body();
        }
    }

    /// The request's body cannot be had whole, and its host or its client is to blame.
    pub fn is_body_broken(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_body_broken(),
            Client::Direct(run) => run.is_body_broken(),
        }
    }

    /// Nobody is left who could be answered, as far as that is for the library to say: an
    /// event-driven host has its own events.
    pub fn give_up(&self) {
        if let Client::Direct(run) = self {
            run.leave();
        }
    }
}
