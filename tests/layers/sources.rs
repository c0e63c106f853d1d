//! The sources of the repository as text, and functions that several rules need.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the root of the repository, and its lines.
pub struct Source {
    pub path: String,
    pub lines: Vec<String>,
}

impl Source {
    pub fn is(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// A place in the file, for a message.
    pub fn at(&self, index: usize) -> String {
        format!("{}:{}", self.path, index + 1)
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust, C and Python files below a folder.
pub fn sources(folder: &str) -> Vec<Source> {
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

pub fn all_sources() -> Vec<Source> {
    ["src", "ngx_module", "scripts", "tests", "examples", "benches"]
        .into_iter()
        .flat_map(sources)
        .collect()
}

pub fn assert_none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

pub fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

pub fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
