//! Helper threads of an application that runs on the polling thread: when they wait for credit.
//!
//! While the polling thread runs applications, it may wait for a helper thread (`thread.join()`).
//! So no helper waits for the polling thread then. At other times the polling thread sends. A
//! helper that writes more than the client takes must wait then, or its output would fill the
//! memory.

use super::exchange::Exchange;
use crate::pool::sync::Mutex;
use std::sync::Arc;

#[derive(Default)]
pub(super) struct OtherThreads {
    state: Mutex<Helpers>,
}

#[derive(Default)]
struct Helpers {
    /// The polling thread runs applications.
    running: bool,
    /// An exchange for each thread that waits.
    waiting: Vec<Arc<Exchange>>,
}

impl OtherThreads {
    /// The polling thread is about to run applications. The helpers that wait go on.
    pub(super) fn begin(&self) {
        let mut state = self.state.lock();
        state.running = true;
        state.waiting.iter().for_each(|exchange| exchange.window().credit().open());
    }

    pub(super) fn end(&self) {
        self.state.lock().running = false;
    }

    /// Waits for the credit of `exchange`, or until the polling thread runs applications. Not with
    /// the GIL held, and not on that thread.
    pub(super) fn wait(&self, exchange: &Arc<Exchange>) {
        {
            let mut state = self.state.lock();
            if state.running {
                return;
            }
            state.waiting.push(exchange.clone());
        }
        exchange.window().credit().wait();
        let mut state = self.state.lock();
        let is_it = |other: &Arc<Exchange>| Arc::ptr_eq(other, exchange);
        if let Some(at) = state.waiting.iter().position(is_it) {
            state.waiting.swap_remove(at);
        }
        // Another helper of this exchange may not have noticed yet that it may go on.
        if !state.waiting.iter().any(is_it) {
            exchange.window().credit().close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tests::{begun, hub};
    use std::thread::spawn;

    fn wait_until(others: &OtherThreads, count: usize) {
        while others.state.lock().waiting.len() < count {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_helper_waits_until_the_polling_thread_runs_applications() {
        let (hub, _calls) = hub(0);
        let (exchange, others) = (begun(&hub), Arc::new(OtherThreads::default()));
        exchange.window().credit().reserve(usize::MAX / 16);
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let (exchange, others) = (exchange.clone(), others.clone());
                spawn(move || others.wait(&exchange))
            })
            .collect();
        wait_until(&others, 2);
        others.begin();
        waiting.into_iter().for_each(|helper| helper.join().expect("it does not panic"));
        others.wait(&exchange);
        others.end();
        let late = spawn({
            let (exchange, others) = (exchange.clone(), others.clone());
            move || others.wait(&exchange)
        });
        wait_until(&others, 1);
        exchange.window().credit().release(usize::MAX / 16);
        late.join().expect("it does not panic");
        assert!(others.state.lock().waiting.is_empty());
    }

    #[test]
    fn a_helper_does_not_wait_for_a_client_that_is_gone() {
        let (hub, _calls) = hub(0);
        let (exchange, others) = (begun(&hub), OtherThreads::default());
        exchange.window().credit().reserve(usize::MAX / 16);
        exchange.window().credit().end();
        others.wait(&exchange);
    }
}
