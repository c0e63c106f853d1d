//! The cost of each part of a request alone, in nanoseconds: `make bench-micro`.
//!
//! There are one process, one interpreter and one working thread; only `hand-off` and `call/pooled`
//! have a second thread. A name on the command line selects a part: `cargo bench --bench micro --
//! environ`.

mod call;
mod environ;
mod handoff;
mod head;
mod host;
mod response;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

criterion_group! {
    name = pieces;
    config = Criterion::default().measurement_time(Duration::from_secs(3));
    targets = environ::benches, head::benches, response::benches, handoff::benches, call::benches
}
criterion_main!(pieces);
