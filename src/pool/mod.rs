//! The way of work from the host's thread to the Python threads and back: queue, completions,
//! credit.
//!
//! The pieces are generic: they move jobs and events of any type, and count bytes. The pattern of
//! the threads is Leader/Followers (Schmidt et al., Pattern-Oriented Software Architecture 2): the
//! leader runs jobs with the GIL, one follower is next, the others sleep.
//!
//! ```text
//!        host's thread                                    Python threads
//!                        Handoff
//!   push ------------->  [ job | job | job ] ------------> one runs, holding the GIL
//!     |                                                      ^    |
//!     | wakes one, if there                                  |    | Turn::next: the next job
//!     | is no standby yet                                    |    | <--+
//!     |                                                      |
//!     +---------------------------> one stands by, waiting for the GIL
//!                                                            ^
//!                                   the others are idle, waiting for a signal
//!
//!                        CompletionQueue
//!   drain <------------  [ event | event ] <-------------- push
//!     ^                                                      |
//!     +--- notify, only for the first event since a drain ---+
//!
//!                        Credit
//!   release  --------->  bytes in flight  <--------------- reserve, and wait once it is over
//!
//!                        Pipe
//!   push ------------->  bytes, or right into -----------> read, or read into a destination and
//!                        the reader's destination          wait until it is full
//! ```
//!
//! **Attach first, then pop.** Only one thread can run Python. If each job went to a thread of its
//! own, these would queue for the GIL, at two context switches for each job. Here a thread takes
//! the GIL first. It pops jobs while it holds the GIL, one after the other, until there is none.
//!
//! **One standby.** While one thread runs jobs and more are queued, exactly one other waits for the
//! GIL. If the running thread releases the GIL to wait for a database, the standby gets it at once
//! and goes on with the queue. If the running thread only computes, the standby waits, and there is
//! no context switch. So the GIL itself decides whether another thread is useful. The standby that
//! gets the GIL appoints its successor, if jobs are left.
//!
//! **Coalesced notification.** Waking the host's thread costs a system call, so one notification
//! stands for all events that the thread has not drained yet.
//!
//! **Byte credit.** An application that yields faster than the client reads waits, without the GIL,
//! until at most half of the limit is in flight.
//!
//! **Destinations.** The thread of an application that reads a whole upload wakes once, when all of
//! it is there, and not for each piece.
//!
//! Threads lock the mutexes here while they hold the GIL. So code that holds a mutex must not take
//! the GIL, nor run foreign code: it must not make or drop a Python object, nor run a job.
//!
//! `tests/model` checks every interleaving of these pieces, within bounds.

#![forbid(unsafe_code)]

pub mod completion;
pub mod credit;
pub mod handoff;
pub mod pipe;
pub mod sync;
