//! How work goes from the host's thread to the Python threads and back: queue, done list, credit.
//!
//! Generic pieces: they move jobs and events of any type, and count bytes.
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
//!   give  ------------>  bytes in flight  <--------------- take, and wait once it is over
//!
//!                        Pipe
//!   push ------------->  bytes, or right into -----------> lend a destination, and wait until it is
//!                        what was lent                     full
//! ```
//!
//! **Attach first, then pop.** Only one thread can run Python, so to hand each job to a thread of
//! its own would only make them queue for the GIL, at two context switches a job. Here a thread
//! takes the GIL first and pops jobs while it holds it, one after the other, until there is none.
//!
//! **One standby.** While one thread runs jobs and more are queued, exactly one other waits for the
//! GIL. If the running thread releases the GIL to wait for a database, the standby gets it at once
//! and goes on with the queue; if the running thread only computes, the standby waits, and no
//! switch is paid. So the GIL itself tells whether another thread is of use. The standby that has
//! got the GIL appoints its successor, if jobs are left.
//!
//! **Coalesced notification.** To wake the host's thread costs a system call, so it is done once
//! for all events that it has not drained yet.
//!
//! **Byte credit.** An application that yields faster than the client reads is parked, with the GIL
//! released, until the host has sent half of what may be in flight.
//!
//! **Lent destinations.** An application that reads a whole upload is woken once, when it is there, and
//! not for each piece.
//!
//! The mutexes here are taken with the GIL held. So nothing is done under them that could take the
//! GIL or run foreign code: no Python object is made or dropped, no job is run.
//!
//! Every interleaving of these pieces, within bounds, is checked by `tests/model`.

#![forbid(unsafe_code)]

pub mod completion;
pub mod credit;
pub mod handoff;
pub mod pipe;
pub mod sync;
