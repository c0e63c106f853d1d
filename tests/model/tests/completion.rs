//! Every interleaving of `CompletionQueue`, within loom's bounds.
//!
//! This check can fail, as a trial has shown: loom reports a deadlock if "a notification is under
//! way" is a flag of its own that is cleared after the events were taken.

use loom::sync::Arc;
use loom::thread;
use model::checked::completion::CompletionQueue;
use model::checked::sync::{Condvar, Mutex};
use std::collections::VecDeque;

/// It does what an eventfd does for the host: it stays set until a thread waits for it.
struct Notification {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Notification {
    fn notify(&self) {
        *self.set.lock() = true;
        self.changed.notify_one();
    }

    fn wait(&self) {
        let mut set = self.set.lock();
        while !*set {
            self.changed.wait(&mut set);
        }
        *set = false;
    }
}

/// A consumer that drains only when it is notified sees every event, and the events of each thread
/// in order.
#[test]
fn a_notified_consumer_sees_every_event_in_order() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let done = Arc::new(CompletionQueue::new());
        let notification =
            Arc::new(Notification { set: Mutex::new(false), changed: Condvar::new() });
        let producers = [0, 1].map(|producer| {
            let (done, notification) = (done.clone(), notification.clone());
            thread::spawn(move || {
                for event in 0..2 {
                    if done.push((producer, event)) {
                        notification.notify();
                    }
                }
            })
        });
        let mut seen = VecDeque::new();
        while seen.len() < 4 {
            notification.wait();
            done.drain(&mut seen);
        }
        for producer in producers {
            producer.join().expect("no thread panics");
        }
        for producer in [0, 1] {
            let events: Vec<_> = seen.iter().filter(|of| of.0 == producer).map(|of| of.1).collect();
            assert_eq!(events, [0, 1]);
        }
    });
}
