//! The paths in a Rust source, in its `use` declarations and in its expressions.

use std::collections::BTreeSet;

/// `["crate", "host", "log"]` for `crate::host::log`.
pub type Path = Vec<String>;

/// Each path that begins with `crate`, `super`, `self` or a child of the module. A group is several
/// paths: `super::{a, b::c}` is two. Paths that the module only passes on, with `pub use`, do not
/// count.
pub fn used(text: &str, children: &BTreeSet<String>) -> Vec<Path> {
    let tokens = tokens(text);
    let passed_on = passed_on(&tokens);
    let begins = |word: &str| ["crate", "super", "self"].contains(&word) || children.contains(word);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let inside = index > 0 && ["::", "."].contains(&tokens[index - 1].as_str());
        let leads = tokens.get(index + 1).is_some_and(|next| next == "::");
        if begins(token) && leads && !inside && !passed_on.contains(&index) {
            tree(&tokens, index, &[], &mut found);
        }
    }
    found
}

/// Each path of a `use` declaration, `pub` or not. The module has these names in addition to its
/// own.
pub fn imports(text: &str) -> Vec<Path> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| *token == "use") {
        tree(&tokens, index + 1, &[], &mut found);
    }
    found
}

/// The places of the tokens of each `pub use` declaration.
fn passed_on(tokens: &[String]) -> BTreeSet<usize> {
    let mut places = BTreeSet::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| *token == "use") {
        if index > 0 && ["pub", ")"].contains(&tokens[index - 1].as_str()) {
            places.extend((index..tokens.len()).take_while(|i| tokens[*i] != ";"));
        }
    }
    places
}

/// Words, `::`, and each other sign alone.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let size = match rest.find(|c: char| !is_word(c)) {
            Some(0) if rest.starts_with("::") => 2,
            Some(0) => first.len_utf8(),
            Some(size) => size,
            None => rest.len(),
        };
        found.push(rest[..size].to_string());
        rest = rest[size..].trim_start();
    }
    found
}

/// Adds the paths of the tree that begins at a token, and returns the place after it.
fn tree(tokens: &[String], at: usize, before: &[String], found: &mut Vec<Path>) -> usize {
    match tokens.get(at).map(String::as_str) {
        Some("{") => group(tokens, at + 1, before, found),
        Some(word) if word.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
            let path = [before, &[word.to_string()]].concat();
            let follows = tokens.get(at + 2).is_some_and(|next| next != "<");
            if follows && tokens[at + 1] == "::" {
                return tree(tokens, at + 2, &path, found);
            }
            found.push(path);
            at + 1
        }
        // `*`, or no path at all.
        _ => {
            found.push(before.to_vec());
            at + 1
        }
    }
}

fn group(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<Path>) -> usize {
    while at < tokens.len() && tokens[at] != "}" {
        at = tree(tokens, at, before, found);
        // A new name, `as name`, does not count.
        while at < tokens.len() && ![",", "}"].contains(&tokens[at].as_str()) {
            at += 1;
        }
        at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
    }
    at + 1
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    let text = "
        mod child;
        pub use child::Name;
        use crate::host::{self, log::{Log, Lines}, run as runs};
        use std::io;
        fn f(a: super::A) { self.x(); child::g::<u8>(); other::h(); crate::pool::*; }
    ";
    let children = BTreeSet::from(["child".to_string()]);
    let joined = |paths: Vec<Path>| paths.iter().map(|p| p.join("::")).collect::<Vec<_>>();
    let expected = [
        "crate::host::self",
        "crate::host::log::Log",
        "crate::host::log::Lines",
        "crate::host::run",
        "super::A",
        "child::g",
        "crate::pool",
    ];
    assert_eq!(joined(used(text, &children)), expected);
    let expected = ["child::Name", expected[0], expected[1], expected[2], expected[3], "std::io"];
    assert_eq!(joined(imports(text)), expected);
}
