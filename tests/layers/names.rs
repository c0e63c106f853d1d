//! Rules for names of files and numbers of log lines.

use crate::sources::{all_sources, assert_none, root, sources};
use std::collections::BTreeSet;
use std::fs;

#[test]
fn names_of_files_describe_their_content() {
    let empty = ["util", "helper", "manager", "common", "misc"];
    let is_empty = |word: &str| empty.contains(&word.trim_end_matches('s'));
    let broken = all_sources().into_iter().map(|source| source.path);
    let broken = broken.filter(|path| path.split(['/', '_', '.', '-']).any(is_empty));
    assert_none(&format!("no file or folder is called {empty:?}"), broken.collect());
}

#[test]
fn every_numbered_log_line_is_explained() {
    let code = ["src", "ngx_module"].into_iter().flat_map(sources);
    let used: BTreeSet<String> =
        code.flat_map(|source| source.lines).flat_map(|line| numbers(&line)).collect();
    let page = fs::read_to_string(root().join("docs/errors.md")).expect("docs/errors.md");
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let explained: BTreeSet<String> = headings.flat_map(numbers).collect();
    assert_eq!(used, explained, "left: numbers in src and ngx_module, right: docs/errors.md");
}

/// Each `WSGI` with four digits after it.
fn numbers(line: &str) -> Vec<String> {
    let found = line.match_indices("WSGI").filter_map(|(index, _)| line.get(index..index + 8));
    found.filter(|w| w[4..].chars().all(|c| c.is_ascii_digit())).map(String::from).collect()
}
