//! The greatest length of a file and a function.

use crate::sources::{Source, all_sources, assert_none, code, indentation};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

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

/// A Rust function ends with the first closing brace below its `fn` at the same depth.
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

/// A C function begins with a brace in the first column, or at the end of a line that begins there
/// and has parentheses. It ends with a brace in the first column.
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
