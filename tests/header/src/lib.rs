//! include/wsgi.h as text: the preamble, then a chapter for each file of src/abi.

mod initialisers;

use cbindgen::{Builder, Config};
use std::path::{Path, PathBuf};

/// The files of src/abi in the order in which the header has them: each uses only those before it.
const CHAPTERS: [&str; 6] = ["request", "status", "host", "runtime", "app", "exchange"];

const PREAMBLE: &str = include_str!("../preamble.h");

const BEGIN: &str = "#ifndef WSGI_H
#define WSGI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern \"C\" {
#endif
";

const END: &str = "

#ifdef __cplusplus
}
#endif

#endif // WSGI_H
";

/// The one function that is not in the library.
const STR_FROM: &str = "
// A NUL-terminated string as a wsgi_str, which borrows it; NULL becomes an empty one.
static inline wsgi_str wsgi_str_from(const char *text) {
    wsgi_str s;
    s.data = (const uint8_t *) text;
    s.size = text == NULL ? 0 : strlen(text);
    return s;
}
";

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// The path of the header.
pub fn path() -> PathBuf {
    root().join("include/wsgi.h")
}

/// The header, generated from src/abi as it is now.
pub fn generate() -> String {
    let chapters = CHAPTERS.map(chapter).concat();
    format!("{PREAMBLE}{BEGIN}{chapters}{END}")
}

/// One file of src/abi in C. The first line of the file is the title of the chapter.
fn chapter(name: &str) -> String {
    let source = root().join("src/abi").join(name).with_extension("rs");
    let text = std::fs::read_to_string(&source).expect("a file of src/abi");
    let title = text.lines().next().and_then(|line| line.strip_prefix("//! "));
    let title = title.unwrap_or_else(|| panic!("{} begins with a //! line", source.display()));

    let mut config = Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    // By itself cbindgen leaves out a type that no function of the same file names.
    config.export.include = text.lines().filter_map(type_name).map(String::from).collect();
    let bindings = Builder::new().with_config(config).with_src(&source).generate();
    let mut items = Vec::new();
    bindings.expect("cbindgen can read src/abi").write(&mut items);
    let items = String::from_utf8(items).expect("src/abi is UTF-8");
    let items: Vec<String> = items.trim().lines().map(without_tags).collect();
    let initialisers = initialisers::of(&text);
    let by_hand = if name == "request" { STR_FROM } else { "" };
    format!("\n\n// ---- {title}\n\n{}\n{by_hand}{initialisers}", items.join("\n"))
}

/// The name of the type that begins on this line of Rust.
fn type_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))?;
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
}

/// cbindgen writes `struct x` for a type of the same file and `x` for others. All have a typedef,
/// so a tag is needed only where it is declared.
fn without_tags(line: &str) -> String {
    if line.starts_with("typedef ") || line.trim_start().starts_with("//") {
        return line.to_owned();
    }
    line.replace("struct wsgi_", "wsgi_").replace("enum wsgi_", "wsgi_")
}
