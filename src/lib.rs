//! WSGI (PEP 3333) inside a web server: CPython embedded behind a C ABI.
//!
//! The crate is a static library, `libwsgi.a`, with the header include/wsgi.h. Read it from the
//! bottom; each layer uses only those below it, which a test asserts:
//!
//! * [`error`]: why a call failed.
//! * [`python`]: the little of CPython that is needed, behind safe functions. Knows no HTTP.
//! * [`pool`]: how requests get to the threads that hold the GIL and how answers get back. Knows
//!   neither HTTP nor Python.
//! * [`host`]: the safe face of what a web server lends, and the two ways to it.
//! * [`wsgi`]: PEP 3333. `wsgi::gateway` is the heart; begin there.
//! * [`runtime`]: the one runtime of a process, which puts these together.
//! * [`abi`]: what C sees.

pub mod abi;
pub mod error;
pub mod host;
pub mod pool;
pub mod python;
pub mod runtime;
pub mod wsgi;
