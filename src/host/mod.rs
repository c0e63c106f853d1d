//! A safe form of what a web server lends, and the two ways of a response to the server.
//!
//! * What comes in is in [`request`]. What goes out is in [`response`].
//! * [`callbacks`] is what a host offers. `abi::host_table` makes it from functions of C.
//! * [`transport`] is the seam to the layer above. [`polled`] is the way to an event-driven host:
//!   an [`exchange`] carries the response to the thread that polls, and the [`hub`] gives that
//!   thread the exchanges that have events for it. [`direct`] is the way to a blocking host: it
//!   calls the callbacks at once, as long as the [`run`] allows that.
//! * [`client`] is a request that is being answered, on either way. [`log`] writes the lines.

pub mod arena;
mod backlog;
pub mod callbacks;
pub mod client;
pub mod direct;
pub mod exchange;
pub mod hub;
mod lent;
mod line;
mod log;
mod news;
mod other_threads;
pub mod polled;
pub mod polling;
pub mod progress;
pub mod request;
pub mod response;
pub mod run;
mod shared;
pub mod transport;

#[cfg(test)]
mod tests;

pub use callbacks::{Gone, Host, HostRequest, Level, Outcome};
pub use transport::{Flow, Transport};
