//! The little of CPython that the library needs, behind safe functions. Knows no HTTP.
//!
//! * Once in a process: `config` starts the interpreter. Before that `check` checks its home:
//!   `installation` distinguishes one Python from another, `reach` finds out what the user may
//!   read. `signals`, `kill`, `changes` and `process` guard the server's signals and process
//!   against the application, by way of `intercept`. `descriptors` knows which descriptors are the
//!   server's. `output` takes what the application prints (`streams` has the classes). `exit` runs
//!   Python's exit handlers. `dispositions` preserves the host's signals. Python is never
//!   finalised: threads that run application code cannot be ended, so the process exits with them.
//! * When a process ends early: `crash` writes the last lines, also when C code calls `exit()`
//!   (`c_exit`). `breadcrumb` is what the thread works on, `alt_stack` the stack for the handler.
//! * On each thread: `thread` attaches it. `gil` knows whether the GIL can be taken, `fork` whether
//!   this process is a fork. `child` ends a forked child.
//! * On a thread that `threading` does not know: `tracing` gives it the functions of debuggers.
//! * About another thread: `stacks` shows where it is, `interrupt` raises an exception in it.
//! * For an application: `modules` imports it, and `spawned` makes its children find it.
//!   `neighbours` and `claims` notice what it gets of another application instead. `traceback`
//!   shows why the import failed, `location` where in its code it was, `repr` what a value of its
//!   was.
//! * For responses that take turns on a thread: `context`.
//! * For a request: `strings` and `keys` build what goes into a dict, and `bytes_writer` fills a
//!   bytes object. `lease` lends objects that the application cannot use after their time, to one
//!   thread at a time (`turns`). `free_list` keeps them for the next request. `lines` makes log
//!   lines of text.
//!
//! Everything here runs in the main interpreter. `ffi` is used for what pyo3 does not offer: the
//! configuration (`config`), a thread state that is kept (`thread`), an exception for another
//! thread (`interrupt`), entering a context (`context`), latin-1 strings (`strings`), bytes that
//! are not zeroed first (`bytes_writer`), libpython's version (`installation`), a flag that Python
//! does not change any more (`config`). The build must set `WSGI_PYTHON_VERSION`,
//! `WSGI_PYTHON_EXECUTABLE`, `WSGI_PYTHON_LIBRARY`, and pyo3's cfgs.
//!
//! Numbers of log lines: WSGI0301 and WSGI0314 (`signals`), WSGI0302 and WSGI0304 to WSGI0307
//! (`process`), WSGI0308, WSGI0309, WSGI0316 and WSGI0317 (`kill`), WSGI0310 and WSGI0311
//! (`changes`), WSGI0303 and WSGI0312 (`crash`).

mod alt_stack;
pub mod breadcrumb;
pub mod bytes_writer;
pub mod c_exit;
mod changes;
pub mod check;
pub mod child;
pub mod claims;
pub mod config;
pub mod context;
pub mod crash;
mod descriptors;
pub mod dispositions;
pub mod exit;
pub mod fork;
pub mod free_list;
mod gil;
pub mod installation;
mod intercept;
pub mod interrupt;
pub mod keys;
mod kill;
pub mod lease;
pub mod lines;
mod linking;
pub mod location;
pub mod modules;
pub mod neighbours;
pub mod output;
mod process;
pub mod reach;
pub mod repr;
pub mod signals;
mod spawned;
pub mod stacks;
pub mod streams;
pub mod strings;
pub mod thread;
pub mod traceback;
pub mod tracing;
mod turns;

#[cfg(test)]
mod tests;

pub use config::PythonSettings;
pub use keys::KeyCache;
pub use lease::{Lease, Loan};
pub use thread::attach;
