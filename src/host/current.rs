//! Which request the calling thread is answering: so that a log line knows whose it is.

use super::exchange::Exchange;
use super::run::Run;
use std::cell::RefCell;
use std::sync::Arc;

/// A request in the making, as far as the log is concerned.
#[derive(Clone, Debug)]
pub enum Current {
    Exchange(Arc<Exchange>),
    Direct(Arc<Run>),
}

impl Current {
    /// What the host calls the request, or nothing.
    pub fn id(&self) -> &[u8] {
        match self {
            Current::Exchange(exchange) => exchange.id(),
            Current::Direct(run) => run.id(),
        }
    }

    /// A line for the log comes without the host's request: the host has given that up.
    pub fn is_over(&self) -> bool {
        match self {
            Current::Exchange(exchange) => exchange.is_over(),
            Current::Direct(run) => run.call_log().is_none(),
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// While it lives, the calling thread answers that request. A callback of a blocking host may answer
/// another one meanwhile.
pub struct Answering(Option<Current>);

impl Answering {
    pub fn new(current: Current) -> Self {
        Answering(CURRENT.replace(Some(current)))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// The request that the calling thread answers, if it does.
pub fn current() -> Option<Current> {
    // While a thread ends its thread-locals are gone, and Python may still write something.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}
