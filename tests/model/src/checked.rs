//! The pool over loom's primitives: to be used inside of `loom::model` only.

#[path = "../../../src/pool/credit.rs"]
pub mod credit;
#[path = "../../../src/pool/done.rs"]
pub mod done;
#[path = "../../../src/pool/handoff.rs"]
pub mod handoff;
#[path = "../../../src/pool/ring.rs"]
pub mod ring;
pub mod sync;
