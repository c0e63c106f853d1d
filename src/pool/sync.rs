//! The primitives the pool is built from, in one place so that `tests/model` can put loom's there.

pub use parking_lot::{Condvar, Mutex};
pub use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
