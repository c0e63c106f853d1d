//! Each `unsafe` is argued, and their number may only become smaller.

use crate::arrows::LAYERS;
use crate::sources::{Source, assert_none, code, sources};

const SAFETY_REACH: usize = 3;

/// The number of unsafe blocks and implementations of each layer. It may only become smaller.
const UNSAFE: [(&str, usize); 7] = [
    ("abi", 51),
    ("runtime", 0),
    ("wsgi", 0),
    ("host", 6),
    ("pool", 0),
    ("python", 50),
    ("error", 0),
];

#[test]
fn every_unsafe_block_is_argued() {
    let mut broken = Vec::new();
    for source in sources("src") {
        for (index, line) in source.lines.iter().enumerate() {
            if opened(line) > 0 && !argued(&source.lines, index) {
                broken.push(source.at(index));
            }
        }
    }
    assert_none("a comment with `SAFETY:` is right above each unsafe block", broken);
}

/// Whether a comment with `SAFETY:` ends at most three lines above.
fn argued(lines: &[String], index: usize) -> bool {
    let comment = |i: &usize| lines[*i].trim_start().starts_with("//");
    let Some(last) = (index.saturating_sub(SAFETY_REACH)..index).rev().find(comment) else {
        return false;
    };
    (0..=last).rev().take_while(comment).any(|i| lines[i].contains("SAFETY:"))
}

/// How many unsafe blocks and implementations begin in a line.
fn opened(line: &str) -> usize {
    let line = code(line);
    line.matches("unsafe {").count() + line.matches("unsafe impl").count()
}

#[test]
fn a_layer_gets_no_more_unsafe() {
    let count = |layer: &str| {
        let is_in = |source: &Source| {
            source.path.trim_start_matches("src/").split(['/', '.']).next() == Some(layer)
        };
        let lines = sources("src").into_iter().filter(is_in).flat_map(|source| source.lines);
        lines.map(|line| opened(&line)).sum()
    };
    let there = LAYERS.map(|layer| (layer, count(layer)));
    assert_eq!(
        there, UNSAFE,
        "left: the number of unsafe blocks; right: UNSAFE in tests/layers/unsafety.rs. If a left \
         number is smaller, write it down there. If it is larger, remove an unsafe block"
    );
}
