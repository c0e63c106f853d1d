//! libwsgi.a exports the functions of include/wsgi.h under their C names, and no others.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

/// The path of the library: `WSGI_LIBRARY`, or the place where `cargo build --release` puts it.
fn library() -> PathBuf {
    let named = std::env::var_os("WSGI_LIBRARY").map(PathBuf::from);
    named.unwrap_or_else(|| header::root().join("target/release/libwsgi.a"))
}

#[test]
fn the_library_exports_exactly_the_functions_of_the_header() {
    let library = library();
    assert!(
        library.is_file(),
        "{} is missing: run `make build`, or name the library in WSGI_LIBRARY",
        library.display()
    );
    // Without /dev/null, nm uses a plugin of LLVM if one is installed. If its LLVM is older than
    // that of rustc, it finds no symbols at all.
    let nm = Command::new("nm")
        .args(["--extern-only", "--defined-only", "--format=posix", "--plugin=/dev/null"])
        .arg(&library)
        .output()
        .expect("nm, of binutils, is installed");
    assert!(nm.status.success(), "nm: {}", String::from_utf8_lossy(&nm.stderr));

    let listing = String::from_utf8_lossy(&nm.stdout).into_owned();
    let exported: BTreeSet<&str> = own_symbols(&listing).filter(|name| !of_rust(name)).collect();
    let declared: BTreeSet<&str> = FUNCTIONS.iter().copied().collect();
    assert_eq!(exported, declared, "left: libwsgi.a, right: wsgi.h");
}

/// The names in the members of the archive that come from this crate. nm writes `archive[member]:`
/// above the symbols of each member.
fn own_symbols(listing: &str) -> impl Iterator<Item = &str> {
    let mut own = false;
    listing.lines().filter_map(move |line| {
        if let Some((_, member)) = line.strip_suffix("]:").and_then(|line| line.rsplit_once('[')) {
            own = member.starts_with("wsgi-");
            return None;
        }
        line.split(' ').next().filter(|_| own)
    })
}

/// Whether the name is Rust's own: a mangled one, or a mark of unwind tables.
fn of_rust(name: &str) -> bool {
    ["_ZN", "_R", "DW.ref.", "rust_eh_personality"].iter().any(|prefix| name.starts_with(prefix))
}
