//! The gateway with a host in memory: PEP 3333 without HTTP around it.
//!
//! Each test names an application of apps.py, and what the client and the log must get.

mod body;
mod client;
mod early_hints;
mod errors;
mod files;
mod host;
mod limit;
mod protocol;
mod streams;
mod strings;
mod tracing;
mod violations;
