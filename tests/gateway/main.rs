//! The gateway against a host in memory: PEP 3333 where it lives, without HTTP around it.
//!
//! Each test names an application of apps.py and says what a client gets and what the log says.

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
