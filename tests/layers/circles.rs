//! No files use each other in a circle: to understand one, a reader would have to understand all.

use crate::arrows::LAYERS;
use crate::paths::{self, Path};
use crate::sources::{Source, code, sources};
use std::collections::{BTreeMap, BTreeSet};

/// The files that each file uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// One file of src, with its code without comments and tests.
struct Module {
    file: String,
    text: String,
    children: BTreeSet<String>,
    imports: BTreeMap<String, Path>,
}

type Modules = BTreeMap<Path, Module>;

fn modules() -> Modules {
    let sources: Vec<Source> = sources("src").into_iter().filter(|s| s.is(&["rs"])).collect();
    let keys: Vec<Path> = sources.iter().map(|source| key(&source.path)).collect();
    let mut found = Modules::new();
    for (source, key) in sources.iter().zip(&keys) {
        if key.iter().any(|word| word == "tests") {
            continue;
        }
        let lines: Vec<&str> = source.lines.iter().map(|line| code(line)).collect();
        let text = lines.join("\n");
        let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default().to_string();
        let is_child = |other: &&Path| other.len() == key.len() + 1 && other.starts_with(key);
        let children = keys.iter().filter(is_child).filter_map(|k| k.last().cloned()).collect();
        let imports = paths::imports(&text).into_iter();
        let imports = imports.filter_map(|path| Some((path.last()?.clone(), path))).collect();
        found.insert(key.clone(), Module { file: source.path.clone(), text, children, imports });
    }
    found
}

/// `["host", "log"]` for src/host/log.rs, `["host"]` for src/host/mod.rs, `[]` for src/lib.rs.
fn key(path: &str) -> Path {
    let name = path.trim_start_matches("src/").trim_end_matches(".rs");
    let name = name.trim_end_matches("/mod").trim_end_matches("lib");
    name.split('/').filter(|word| !word.is_empty()).map(String::from).collect()
}

/// The module that a path in module `from` names, or whose item it names. If a module has imported
/// the name, the search goes on in the other module, at most `steps` times.
fn resolve(modules: &Modules, from: &Path, path: &[String], steps: usize) -> Option<Path> {
    let mut at = match path.first()?.as_str() {
        "crate" => Path::new(),
        "super" => from[..from.len().checked_sub(1)?].to_vec(),
        "self" => from.clone(),
        child if modules.get(from)?.children.contains(child) => {
            [from.as_slice(), &path[..1]].concat()
        }
        _ => return None,
    };
    for (index, name) in path.iter().enumerate().skip(1) {
        let next = [at.as_slice(), &path[index..=index]].concat();
        match (name.as_str(), modules.get(&at)?.imports.get(name)) {
            ("super", _) => _ = at.pop(),
            ("self", _) => {}
            _ if modules.contains_key(&next) => at = next,
            (_, Some(import)) if steps > 0 && import != &path[..=index] => {
                return resolve(modules, &at, import, steps - 1).or(Some(at));
            }
            _ => break,
        }
    }
    Some(at)
}

/// The files of their own layer that the files of src use.
fn uses_in_src() -> Uses {
    let modules = modules();
    let mut uses = Uses::new();
    for (key, module) in &modules {
        let used = paths::used(&module.text, &module.children);
        let used = used.iter().filter_map(|path| resolve(&modules, key, path, 4));
        let used = used.filter(|other| other.first() == key.first() && other != key);
        uses.insert(module.file.clone(), used.map(|key| modules[&key].file.clone()).collect());
    }
    uses
}

/// The files of the nginx module that each of its files uses: those whose functions it names.
fn uses_in_module() -> Uses {
    let sources = sources("ngx_module");
    let mut owners = BTreeMap::new();
    for source in &sources {
        for pair in source.lines.windows(2).filter(|pair| !pair[0].starts_with("static")) {
            match pair[1].split_once('(') {
                Some((name, _)) if name.starts_with("ngx_http_wsgi_") => {
                    owners.insert(name.to_string(), source.path.clone());
                }
                _ => {}
            }
        }
    }
    let mut uses = Uses::new();
    for source in sources.iter().filter(|source| source.is(&["c"])) {
        let is_comment = |line: &str| ["/*", "* "].iter().any(|sign| line.starts_with(sign));
        let code = source.lines.iter().filter(|line| !is_comment(line.trim_start()));
        let words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let used = words.filter_map(|word| owners.get(word)).filter(|file| **file != source.path);
        uses.insert(source.path.clone(), used.cloned().collect());
    }
    uses
}

fn reachable(uses: &Uses, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![from];
    while let Some(file) = left.pop() {
        for used in uses.get(file).into_iter().flatten() {
            if found.insert(used.clone()) {
                left.push(used);
            }
        }
    }
    found
}

/// The sets of files in which each file uses all others, directly or through others.
fn circles(uses: &Uses) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&String, _> = uses.keys().map(|f| (f, reachable(uses, f))).collect();
    let mutual = |a: &String, b: &String| reached[a].contains(b) && reached[b].contains(a);
    let of = |file: &&String| uses.keys().filter(|other| mutual(file, other)).cloned().collect();
    uses.keys().filter(|file| mutual(file, file)).map(|file| of(&file)).collect()
}

fn assert_no_circles(uses: &Uses) {
    let found = circles(uses);
    for circle in &found {
        for file in circle {
            let within = uses[file].iter().filter(|used| circle.contains(used));
            println!("{file} uses {}", within.cloned().collect::<Vec<_>>().join(", "));
        }
    }
    assert!(found.is_empty(), "these files use each other, as listed above: {found:?}");
}

#[test]
fn no_files_of_a_layer_use_each_other_in_a_circle() {
    let uses = uses_in_src();
    assert!(LAYERS.iter().all(|layer| uses.keys().any(|file| file.contains(layer))));
    assert_no_circles(&uses);
}

#[test]
fn no_files_of_the_nginx_module_use_each_other_in_a_circle() {
    assert_no_circles(&uses_in_module());
}

#[test]
fn the_search_finds_circles() {
    let uses = |pairs: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (file, used) in pairs {
            uses.entry(file.to_string()).or_default().insert(used.to_string());
            uses.entry(used.to_string()).or_default();
        }
        uses
    };
    assert!(circles(&uses(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let two = circles(&uses(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "c")]));
    assert_eq!(two.into_iter().map(|circle| circle.concat()).collect::<Vec<_>>(), ["ab", "cd"]);
}
