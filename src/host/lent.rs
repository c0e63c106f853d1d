//! The exchanges that the host has a pointer to.

use super::exchange::Exchange;
use crate::pool::sync::{Mutex, Ordering};
use std::sync::Arc;

/// Keeps the exchanges alive until they are removed.
#[derive(Default)]
pub(super) struct LentExchanges {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    all: Vec<Option<Arc<Exchange>>>,
    free: Vec<usize>,
}

impl LentExchanges {
    pub(super) fn add(&self, exchange: Arc<Exchange>) {
        let mut slots = self.slots.lock();
        let slot = slots.free.pop().unwrap_or(slots.all.len());
        exchange.slot.store(slot, Ordering::Relaxed);
        if slot == slots.all.len() {
            slots.all.push(None);
        }
        slots.all[slot] = Some(exchange);
    }

    /// The exchange itself, if the host still has a pointer to it.
    pub(super) fn get(&self, exchange: &Exchange) -> Option<Arc<Exchange>> {
        let slot = exchange.slot.load(Ordering::Relaxed);
        self.slots.lock().all.get(slot)?.clone()
    }

    /// Removes it. None if it was removed before.
    pub(super) fn remove(&self, exchange: &Exchange) -> Option<Arc<Exchange>> {
        let slot = exchange.slot.swap(usize::MAX, Ordering::Relaxed);
        if slot == usize::MAX {
            return None;
        }
        let mut slots = self.slots.lock();
        slots.free.push(slot);
        slots.all[slot].take()
    }

    pub(super) fn all(&self) -> Vec<Arc<Exchange>> {
        self.slots.lock().all.iter().flatten().cloned().collect()
    }
}
