//! The queue of events from any thread to the host's thread.

use super::sync::Mutex;
use std::collections::VecDeque;

/// Events of many threads for one consumer, oldest first.
///
/// The queue itself is the flag "a notification is under way". It is not empty from the push that
/// notifies until the drain that follows. So the drain clears the flag and takes the events in one
/// step under one mutex, and no event can come in between.
pub struct CompletionQueue<T> {
    items: Mutex<VecDeque<T>>,
}

impl<T> Default for CompletionQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> CompletionQueue<T> {
    pub fn new() -> Self {
        CompletionQueue { items: Mutex::new(VecDeque::new()) }
    }

    /// Adds an event. Returns true if the caller must notify the consumer. The consumer then
    /// drains.
    #[must_use = "the consumer sleeps until it is notified"]
    pub fn push(&self, item: T) -> bool {
        let mut items = self.items.lock();
        items.push_back(item);
        items.len() == 1
    }

    pub fn is_empty(&self) -> bool {
        self.items.lock().is_empty()
    }

    /// Moves all events to the end of `into`.
    pub fn drain(&self, into: &mut VecDeque<T>) {
        into.append(&mut self.items.lock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_push_since_a_drain_notifies() {
        let done = CompletionQueue::new();
        assert!(done.push(1));
        assert!(!done.push(2));
        let mut seen = VecDeque::from([0]);
        done.drain(&mut seen);
        assert_eq!(seen, [0, 1, 2]);
        assert!(done.push(3));
    }
}
