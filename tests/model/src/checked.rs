//! The pool over loom's primitives. It must be used only inside `loom::model`.

#[path = "../../../src/pool/completion.rs"]
pub mod completion;
#[path = "../../../src/pool/credit.rs"]
pub mod credit;
#[path = "../../../src/pool/handoff.rs"]
pub mod handoff;
#[path = "../../../src/pool/pipe.rs"]
pub mod pipe;
pub mod sync;
