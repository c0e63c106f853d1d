//! Which request the calling thread is answering: so that a log line knows whose it is.

use super::HostRequest;
use super::exchange::Exchange;
use std::cell::RefCell;
use std::sync::Arc;

/// A request in the making, as far as the log is concerned.
#[derive(Clone, Debug)]
pub enum Current {
    Exchange(Arc<Exchange>),
    Direct(HostRequest),
}

impl Current {
    pub(super) fn direct(&self) -> Option<HostRequest> {
        match self {
            Current::Exchange(_) => None,
            Current::Direct(request) => Some(*request),
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// While it lives, the calling thread answers that request.
pub struct Answering(());

impl Answering {
    pub fn new(current: Current) -> Self {
        CURRENT.set(Some(current));
        Answering(())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// The request that the calling thread answers, if it does.
pub fn current() -> Option<Current> {
    // While a thread ends its thread-locals are gone, and Python may still write something.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}
