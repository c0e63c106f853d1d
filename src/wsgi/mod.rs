//! PEP 3333, one file a noun. [`gateway`] reads like the PEP; the rest is what it speaks of.

#![forbid(unsafe_code)]

mod advice;
pub mod app;
pub mod builtin;
mod client_disconnected;
mod early_hints;
pub mod environ;
mod errors;
mod fields;
mod file_wrapper;
pub mod gateway;
pub mod headers;
mod input;
mod lent;
mod offence;
mod previous;
mod report;
mod response;
mod start_response;
pub mod target;
