//! The files of `src/pool`, compiled twice: over loom's primitives and over the real ones.

#![forbid(unsafe_code)]
#![allow(clippy::duplicate_mod, reason = "the same files over two kinds of primitives")]
#![allow(
    clippy::len_without_is_empty,
    clippy::new_without_default,
    reason = "libwsgi does not export the pool; it is public only here, for the tests"
)]

pub mod checked;
#[path = "../../../src/pool/mod.rs"]
pub mod real;
