//! One request being answered, for any thread that asks about its client or logs about it.

use super::exchange::Exchange;
use super::run::Run;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// The client of one request, as far as the host has reported. It may be asked after the request
/// too.
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
    /// The host's name for the request, or nothing.
    pub fn id(&self) -> &[u8] {
        match self {
            Client::Exchange(exchange) => exchange.id(),
            Client::Direct(run) => run.id(),
        }
    }

    /// Nothing that the application sends can arrive any more.
    pub fn is_gone(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.client_is_gone(),
            Client::Direct(run) => run.is_gone(),
        }
    }

    /// The application must stop: its client is gone, and the host has not let it go on
    /// without one.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_cancelled(),
            Client::Direct(run) => run.is_gone(),
        }
    }

    /// The application must stop although its client is not gone: the host has answered it.
    pub fn is_answered(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_answered(),
            Client::Direct(_) => false,
        }
    }

    /// The host has given up the request: lines for the log come without it.
    pub fn is_over(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_over(),
            Client::Direct(run) => run.call_log().is_none(),
        }
    }

    /// The request is over: a thread of the application that waits for its body, or will, gets an
    /// error.
    pub fn close_body(&self) {
        if let Client::Exchange(exchange) = self {
            exchange.close_body();
        }
    }

    /// The rest of the request's body will not come, which is the fault of the host or the client.
    pub fn is_body_broken(&self) -> bool {
        match self {
            Client::Exchange(exchange) => exchange.is_body_broken(),
            Client::Direct(run) => run.is_body_broken(),
        }
    }

    /// There is no client left to answer. Only the library of a blocking host decides that; an
    /// event-driven host has its own events.
    pub fn give_up(&self) {
        if let Client::Direct(run) = self {
            run.leave();
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Client>> = const { RefCell::new(None) };
}

/// While it lives, the calling thread answers this request, and its log lines are about it. A
/// callback of a blocking host may answer another one meanwhile.
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
    // While a thread ends its thread-locals are gone, and Python may still write something.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}
