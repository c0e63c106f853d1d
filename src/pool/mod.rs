//! How work goes from the host's thread to the Python threads and back: queue, completions, credit.
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
//! **Attach first, then pop.** Only one thread can run Python, so to hand each job to a thread of
//! its own would only make them queue for the GIL, at two context switches a job. Here a thread
//! takes the GIL first and pops jobs while it holds it, one after the other, until there is none.
//!
//! **One standby.** While one thread runs jobs and more are queued, exactly one other waits for the
//! GIL. If the running thread releases the GIL to wait for a database, the standby gets it at once
//! and goes on with the queue; if the running thread only computes, the standby waits, and no
//! switch is paid. So the GIL itself decides whether another thread is of use. The standby that
//! gets the GIL appoints its successor, if jobs are left.
//!
//! **Coalesced notification.** Waking the host's thread costs a system call, so one notification
//! stands for all events that the thread has not drained yet.
//!
//! **Byte credit.** An application that yields faster than the client reads waits, without the GIL,
//! until no more than half of what may be in flight still is.
//!
//! **Destinations.** The thread of an application that reads a whole upload wakes once, when all of
//! it is there, and not for each piece.
//!
//! Threads take the mutexes here while they hold the GIL. So no code under them may take the GIL or
//! run foreign code: it makes and drops no Python object, and runs no job.
//!
//! `tests/model` checks every interleaving of these pieces, within bounds.

#![forbid(unsafe_code)]

pub mod completion;
pub mod credit;
pub mod handoff;
pub mod pipe;
pub mod sync;
