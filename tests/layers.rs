//! The rules of the house that no compiler checks: which layer may use which, how long a file and a
//! function may be, that `unsafe` is argued, and that every numbered log line is explained.
//!
//! The sources are read as text. That is exact enough because rustfmt has been over them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From top to bottom: a layer uses only those after it.
const LAYERS: [&str; 7] = ["abi", "runtime", "wsgi", "host", "pool", "python", "error"];

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;
const SAFETY_REACH: usize = 3;

/// A source file: its path from the root of the repository, and its lines.
struct Source {
    path: String,
    lines: Vec<String>,
}

impl Source {
    fn is(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// A place in the file, for a message.
    fn at(&self, index: usize) -> String {
        format!("{}:{}", self.path, index + 1)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust, C and Python files below a folder.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(source) = read(path) {
                found.push(source);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn read(path: PathBuf) -> Option<Source> {
    let extension = path.extension()?.to_str()?;
    if !["rs", "c", "h", "py"].contains(&extension) {
        return None;
    }
    let text = fs::read_to_string(&path).expect("a source file in UTF-8");
    let path = path.strip_prefix(root()).expect("below the root").display().to_string();
    Some(Source { path, lines: text.lines().map(String::from).collect() })
}

fn all_sources() -> Vec<Source> {
    ["src", "ngx_module", "tests", "examples", "benches"].into_iter().flat_map(sources).collect()
}

fn assert_none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[test]
fn a_layer_uses_only_the_layers_below_it() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let Some(layer) = layer_of(&source.path) else { continue };
        let text: Vec<&str> = source.lines.iter().map(|line| code(line)).collect();
        for used in used_modules(&text.join("\n")) {
            let above = LAYERS.iter().position(|name| *name == used);
            match above {
                None => broken.push(format!("{}: `crate::{used}` is no layer", source.path)),
                Some(position) if position < layer => {
                    broken.push(format!("{}: {} uses {used}", source.path, LAYERS[layer]));
                }
                Some(_) => {}
            }
        }
    }
    assert_none(&format!("uses point down in {LAYERS:?}"), broken);
}

/// Which layer a file is in; src/lib.rs, the map of all of them, is in none.
fn layer_of(path: &str) -> Option<usize> {
    let name = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    if name == "lib" {
        return None;
    }
    let position = LAYERS.iter().position(|layer| *layer == name);
    assert!(position.is_some(), "{path} belongs to no layer of {LAYERS:?}");
    position
}

/// The modules named right after each `crate::`, also those in braces.
fn used_modules(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => found.extend(first_names(group)),
            None => found.extend(name_at_start(rest)),
        }
    }
    found
}

/// Of `a::b, c::{d, e}}`, the inside of a group: `a` and `c`.
fn first_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut expected) = (Vec::new(), 0, true);
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if expected && !character.is_whitespace() => {
                names.extend(name_at_start(&group[index..]));
                expected = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at_start(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn files_and_functions_are_short() {
    let mut broken = Vec::new();
    for source in all_sources() {
        if source.lines.len() > FILE_LINES {
            broken.push(format!("{} has {} lines", source.path, source.lines.len()));
        }
        for (start, end) in functions(&source) {
            if end - start + 1 > FUNCTION_LINES {
                broken.push(format!("{} has {} lines", source.at(start), end - start + 1));
            }
        }
    }
    let rule = format!("a file has at most {FILE_LINES} lines, a function {FUNCTION_LINES}");
    assert_none(&rule, broken);
}

/// The first and last line of each function.
fn functions(source: &Source) -> Vec<(usize, usize)> {
    let end: fn(&[String], usize) -> Option<usize> = if source.is(&["rs"]) {
        end_in_rust
    } else if source.is(&["py"]) {
        end_in_python
    } else {
        end_in_c
    };
    let starts = 0..source.lines.len();
    starts.filter_map(|start| Some((start, end(&source.lines, start)?))).collect()
}

/// A Rust function ends with the first closing brace below its `fn`.
fn end_in_rust(lines: &[String], start: usize) -> Option<usize> {
    let words: Vec<&str> = lines[start].split_whitespace().collect();
    let before = words.iter().position(|word| *word == "fn")?;
    let modifiers = ["const", "async", "unsafe", "extern", "\"C\""];
    if !words[..before].iter().all(|w| modifiers.contains(w) || w.starts_with("pub")) {
        return None;
    }
    let opened =
        (start..lines.len()).find(|i| code(&lines[*i]).trim_end().ends_with(['{', ';', '}']))?;
    if !code(&lines[opened]).trim_end().ends_with('{') {
        return Some(opened);
    }
    let depth = indentation(&lines[start]);
    (opened + 1..lines.len())
        .find(|i| indentation(&lines[*i]) == depth && lines[*i].trim_start().starts_with('}'))
}

/// A C function is opened by a brace in the first column, or at the end of a line that begins there
/// and has parentheses; it ends with a brace in the first column.
fn end_in_c(lines: &[String], start: usize) -> Option<usize> {
    let line = lines[start].trim_end();
    let head = line.ends_with('{') && line.contains('(') && !line.contains('=');
    let opens = line == "{" || (head && indentation(line) == 0);
    opens.then(|| (start..lines.len()).find(|i| lines[*i].starts_with('}')))?
}

/// A Python function ends before the next line that is not deeper than its `def`.
fn end_in_python(lines: &[String], start: usize) -> Option<usize> {
    if !lines[start].trim_start().starts_with("def ") {
        return None;
    }
    let depth = indentation(&lines[start]);
    let outside = |line: &String| !line.trim().is_empty() && indentation(line) <= depth;
    let body = (start + 1..lines.len()).find(|i| indentation(&lines[*i]) > depth)?;
    let next = (body..lines.len()).find(|i| outside(&lines[*i])).unwrap_or(lines.len());
    (start..next).rev().find(|i| !lines[*i].trim().is_empty())
}

#[test]
fn every_unsafe_block_is_argued() {
    let mut broken = Vec::new();
    for source in sources("src") {
        for (index, line) in source.lines.iter().enumerate() {
            let opens = code(line).contains("unsafe {") || code(line).contains("unsafe impl");
            if opens && !argued(&source.lines, index) {
                broken.push(source.at(index));
            }
        }
    }
    assert_none("`// SAFETY:` stands right above an unsafe block", broken);
}

/// Whether a comment that ends at most three lines above says `SAFETY:`.
fn argued(lines: &[String], index: usize) -> bool {
    let comment = |i: &usize| lines[*i].trim_start().starts_with("//");
    let Some(last) = (index.saturating_sub(SAFETY_REACH)..index).rev().find(comment) else {
        return false;
    };
    (0..=last).rev().take_while(comment).any(|i| lines[i].contains("SAFETY:"))
}

#[test]
fn names_of_files_say_what_is_in_them() {
    let empty = ["util", "helper", "manager", "common", "misc"];
    let says_nothing = |word: &str| empty.contains(&word.trim_end_matches('s'));
    let broken = all_sources().into_iter().map(|source| source.path);
    let broken = broken.filter(|path| path.split(['/', '_', '.', '-']).any(says_nothing));
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

/// Every `WSGI` that four digits follow.
fn numbers(line: &str) -> Vec<String> {
    let found = line.match_indices("WSGI").filter_map(|(index, _)| line.get(index..index + 8));
    found.filter(|w| w[4..].chars().all(|c| c.is_ascii_digit())).map(String::from).collect()
}
