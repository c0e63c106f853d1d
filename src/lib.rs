//! WSGI (PEP 3333) inside a web server: CPython embedded behind a C ABI.
//!
//! The crate is a static library, `libwsgi.a`, with the header include/wsgi.h. Read it from the
//! bottom; each layer uses only those below it, which a test asserts:
//!
//! * [`error`]: why a call failed.
//! * [`python`]: safe functions for the parts of CPython that the library needs. It does not know
//!   HTTP.
//! * [`pool`]: the way of requests to the threads that hold the GIL, and the way back. It knows
//!   neither HTTP nor Python.
//! * [`host`]: a safe form of what a web server lends, and the two ways to the server.
//! * [`wsgi`]: PEP 3333. Begin with `wsgi::gateway`, the main part of the library.
//! * [`runtime`]: the one runtime of a process. It combines the layers below.
//! * [`abi`]: the functions and types for C.

pub mod abi;
pub mod error;
pub mod host;
pub mod pool;
pub mod python;
pub mod runtime;
pub mod wsgi;
