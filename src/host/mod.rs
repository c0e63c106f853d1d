//! What a web server lends, made safe, and the two ways in which a response travels to it.
//!
//! * What comes in is in [`request`], what goes out in [`response`].
//! * [`callbacks`] is what a host offers. `abi::host_table` makes it of C's functions.
//! * [`transport`] is the seam to the layer above. [`polled`] is the way to an event-driven host:
//!   an [`exchange`] carries the response to the thread that polls, and the [`hub`] gives that
//!   thread the exchanges that have something for it. [`direct`] is the way to a blocking host: it
//!   calls the callbacks at once, as long as the [`run`] lets it.
//! * [`client`] is one request being answered, whichever way it goes. [`log`] writes the lines.

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
