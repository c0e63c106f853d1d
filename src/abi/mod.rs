//! What C sees: types, entry points, and the guard that turns C's pointers into Rust's references.
//!
//! No policy lives here. `make header` generates include/wsgi.h from these files, so their doc
//! comments are written for a reader of C: **borrowed** is the caller's, and used during the call
//! only; **lent until …** stays valid until then; **owned** is released by its holder.

#![expect(non_camel_case_types, reason = "these are the names of the C header")]
#![expect(
    clippy::missing_safety_doc,
    reason = "each doc comment is a contract with C callers, and is as a whole what must hold"
)]

pub mod app;
mod eventfd;
pub mod exchange;
mod guard;
mod handles;
pub mod host;
mod host_table;
mod misuse;
mod pointers;
mod read_request;
pub mod request;
pub mod runtime;
mod sound_request;
pub mod status;

pub use app::*;
pub use exchange::*;
pub use host::*;
pub use request::*;
pub use runtime::*;
pub use status::*;
