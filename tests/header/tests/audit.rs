//! include/wsgi.h and src/abi agree. rustc has compared each signature, size, offset, enum value
//! and constant when this is built, and a newly generated header has the same bytes.
//!
//! build.rs wrote the comparisons. If one fails, rustc names the item. `make header` makes the
//! header from src/abi again.

use wsgi::abi::{self, *};

include!(concat!(env!("OUT_DIR"), "/audit.rs"));

#[test]
fn the_committed_header_is_what_src_abi_generates() {
    let committed = std::fs::read_to_string(header::path()).expect("include/wsgi.h");
    let fresh = header::generate();
    let difference = committed.lines().zip(fresh.lines()).find(|(ours, theirs)| ours != theirs);
    assert!(
        committed == fresh,
        "include/wsgi.h differs from src/abi: run `make header`; first difference: {difference:?}"
    );
}

#[test]
fn the_header_has_no_long_lines() {
    let header = header::generate();
    let long: Vec<&str> = header.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "longer than 100 columns, see src/abi: {long:#?}");
}
