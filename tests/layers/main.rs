//! The rules of the house that no compiler checks: which layer may use which, that the files of a
//! layer use each other in one direction only, how long a file and a function may be, that `unsafe` is
//! argued and becomes no more, and that every numbered log line is explained.
//!
//! The sources are read as text. That is exact enough because rustfmt has been over them.

mod arrows;
mod circles;
mod names;
mod paths;
mod sizes;
mod sources;
mod unsafety;
