//! A request that is being answered, for any thread that asks about its client or logs about it.

use super::exchange::Exchange;
use super::run::Run;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// The client of one request, as far as the host has reported on it. A thread may ask about it even
/// after the request.
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
    /// The host's name for the request, or empty.
    pub fn id(&self) -> &[u8] {
        match self {
            Client::Exchange(exchange) => exchange.id(),
            Client::Direct(run) => run.id(),
        }
    }

    /// Whether nothing that the application sends can arrive any more.
    pub fn is_gone(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.client_is_gone(),
            Client::Direct(run) => run.is_gone(),
        }
    }

    /// Whether the application must stop: its client is gone, and the host has not detached the
    /// request from its client.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_cancelled(),
            Client::Direct(run) => run.is_gone(),
        }
    }

    /// Whether the application must stop although its client is there: the host has answered the
    /// client.
    pub fn is_answered(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_answered(),
            Client::Direct(_) => false,
        }
    }

    /// Whether the request is over for the host. Log lines do not name it then.
    pub fn is_over(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_over(),
            Client::Direct(run) => run.call_log().is_none(),
        }
    }

    /// Ends the request's body, since the request is over: each thread of the application that
    /// waits for the body gets an error, now and later.
    pub fn close_body(&self) {
        if let Client::Exchange(exchange) = self {
            exchange.close_body();
        }
    }

    /// Whether the rest of the request's body will not come, through a fault of the host or the
    /// client.
    pub fn is_body_broken(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_body_broken(),
            Client::Direct(run) => run.is_body_broken(),
        }
    }

    /// Notes that the client is gone. For a blocking host the library has to find that out. An
    /// event-driven host finds it out by its own events.
    pub fn give_up(&self) {
        if let Client::Direct(run) = self {
            run.leave();
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Client>> = const { RefCell::new(None) };
}

/// While it lives, the calling thread answers this request, and its log lines are about the
/// request. A callback of a blocking host may answer another request meanwhile.
pub struct CurrentRequestGuard(Option<Client>);

impl CurrentRequestGuard {
    pub fn new(client: Client) -> Self {
        CurrentRequestGuard(CURRENT.replace(Some(client)))
    }
}

impl Drop for CurrentRequestGuard {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// The request that the calling thread answers, if it answers one.
pub fn current() -> Option<Client> {
    // At the end of a thread its thread-locals are gone, and Python may still write to the log.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}
