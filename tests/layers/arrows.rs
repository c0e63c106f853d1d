//! The layers that each layer may use.

use crate::paths;
use crate::sources::{Source, assert_none, code, sources};
use std::collections::BTreeSet;

/// From top to bottom: a layer uses only those after it.
pub const LAYERS: [&str; 7] = ["abi", "runtime", "wsgi", "host", "pool", "python", "error"];

/// Pairs of layers that must not use each other.
const APART: [(&str, &str); 1] = [("pool", "python")];

#[test]
fn a_layer_uses_only_the_layers_below_it() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let Some(layer) = layer_of(&source.path) else { continue };
        for used in used_layers(&source) {
            let above = LAYERS.iter().position(|name| *name == used);
            let uses = format!("{}: {} uses {used}", source.path, LAYERS[layer]);
            match above {
                None => broken.push(format!("{uses}, which is not a layer")),
                Some(position) if position < layer => broken.push(uses),
                Some(_) if are_apart(LAYERS[layer], &used) => broken.push(uses),
                Some(_) => {}
            }
        }
    }
    let rule = format!(
        "a layer uses only those after it in {LAYERS:?}, and none of {APART:?} uses the other"
    );
    assert_none(&rule, broken);
}

fn are_apart(one: &str, other: &str) -> bool {
    APART.contains(&(one, other)) || APART.contains(&(other, one))
}

/// The layer of a file. src/lib.rs is in none, since it lists all of them.
fn layer_of(path: &str) -> Option<usize> {
    let name = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    if name == "lib" {
        return None;
    }
    let position = LAYERS.iter().position(|layer| *layer == name);
    assert!(position.is_some(), "{path} belongs to no layer of {LAYERS:?}");
    position
}

/// The names right after each `crate::`, including those in braces and those of `pub use`.
fn used_layers(source: &Source) -> BTreeSet<String> {
    let lines: Vec<&str> = source.lines.iter().map(|line| code(line)).collect();
    let text = lines.join("\n");
    let paths = [paths::used(&text, &BTreeSet::new()), paths::imports(&text)].concat();
    let paths = paths.into_iter().filter(|path| path.first().is_some_and(|word| word == "crate"));
    paths.filter_map(|path| path.into_iter().nth(1)).collect()
}
