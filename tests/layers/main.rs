//! Rules of this repository that a compiler does not check. A layer uses only those below it. Files
//! do not use each other in a circle. Files and functions are short. Each `unsafe` is argued, and
//! there are never more of them. Each numbered log line is explained.
//!
//! The tests read the sources as text. That is exact enough, since rustfmt has formatted them.

mod arrows;
mod circles;
mod names;
mod paths;
mod sizes;
mod sources;
mod unsafety;
