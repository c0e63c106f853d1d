//! The primitives that the pool uses. They are in one place so that `tests/model` can replace them
//! with loom's.

pub use parking_lot::{Condvar, Mutex};
pub use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
