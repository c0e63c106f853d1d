//! What goes out: the response of one request, and how much of it may be on its way.
//!
//! A response is a sequence of [`event`]s: a [`head`], [`buffer`]s and [`file_range`]s, and an end.
//! In an event-driven host they wait in an [`outgoing`] queue for the polling thread. A [`window`]
//! limits how much the host holds of one response. [`pressure`] limits what it holds of all of
//! them. [`deferred`] drops the Python objects that buffers were sent from.

pub mod buffer;
pub mod deferred;
pub mod event;
pub mod file_range;
pub mod head;
pub mod outgoing;
pub mod pressure;
pub mod window;
