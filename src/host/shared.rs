//! What all exchanges of a runtime share.

use super::backlog::Backlog;
use super::progress::Clock;
use super::response::pressure::Pressure;

pub struct Shared {
    pub clock: Clock,
    pub backlog: Backlog,
    pub pressure: Pressure,
}

impl Shared {
    pub(super) fn new(max_queue: usize) -> Self {
        let (backlog, pressure) = (Backlog::new(max_queue), Pressure::new());
        Shared { clock: Clock::start(), backlog, pressure }
    }
}
