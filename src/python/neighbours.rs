//! Finds files of one name next to different applications. All applications share one interpreter,
//! in which a name is one module: the second application gets what lies next to the first.

use super::strings::readable;
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// At most this number of an application's own files are read for what they import.
const MOST_FILES: usize = 500;

/// An application that was imported, or tried: its file, behind links, and where its neighbours
/// are.
#[derive(Clone, PartialEq)]
struct Known {
    file: PathBuf,
    folders: Vec<PathBuf>,
}

static APPLICATIONS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// A name for which an application gets another module than its own neighbour.
pub struct Mistaken {
    pub name: String,
    /// The file that it gets.
    pub found: PathBuf,
    /// The file that lies next to the application.
    pub meant: PathBuf,
}

/// The folders that an application's file may import its neighbours from: its own, and if it is a
/// link, also that of the file which it leads to.
pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder_of(path)];
    if fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink()) {
        let real = fs::canonicalize(path).map(|real| folder_of(&real));
        folders.extend(real.ok().filter(|real| *real != folders[0]));
    }
    folders
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

/// The neighbours of the application in the file `path` that it gets from another application. That
/// one was imported before, and has a neighbour of the same name. Call this when the file of the
/// application was run, with success or not.
pub fn mistaken_by_file(py: Python<'_>, path: &Path) -> PyResult<Vec<Mistaken>> {
    let Some(file) = canonical(path.to_owned()) else { return Ok(Vec::new()) };
    mistaken(py, file, folders(path))
}

/// The same for the application in a module, whose neighbours lie next to its package.
pub fn mistaken_by_module(py: Python<'_>, name: &str) -> PyResult<Vec<Mistaken>> {
    let top = name.split('.').next().unwrap_or(name);
    let Some(file) = file_of(py, top)? else { return Ok(Vec::new()) };
    let folder = if is_package(&file) { folder_of(&folder_of(&file)) } else { folder_of(&file) };
    mistaken(py, file, vec![folder])
}

fn mistaken(py: Python<'_>, file: PathBuf, folders: Vec<PathBuf>) -> PyResult<Vec<Mistaken>> {
    let folders: Vec<PathBuf> = folders.into_iter().filter_map(canonical).collect();
    let own = Known { file, folders };
    let mut applications = APPLICATIONS.lock();
    let before = applications.clone();
    if !before.contains(&own) {
        applications.push(own.clone());
    }
    drop(applications);
    let mut others: BTreeSet<PathBuf> = before.iter().flat_map(|it| it.folders.clone()).collect();
    others.retain(|folder| !own.folders.contains(folder));
    let mut found = Vec::new();
    let mut imported = None;
    for (name, meant) in shared_names(&own.folders, &others) {
        let Some(file) = file_of(py, &name)?.filter(|file| is_beside(file, &others)) else {
            continue;
        };
        // Another application is not a neighbour: a host loads it by its path.
        let is_application = before.iter().any(|it| it.file == file);
        let is_loaded = modules(py)?.contains(&name)? && !is_application;
        if meant != own.file && (is_loaded || imports(py, &own, &mut imported)?.contains(&name)) {
            found.push(Mistaken { name, found: file, meant });
        }
    }
    Ok(found)
}

fn canonical(path: PathBuf) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// What lies in `own` and in `others` under one name, with its file in `own`.
fn shared_names(own: &[PathBuf], others: &BTreeSet<PathBuf>) -> Vec<(String, PathBuf)> {
    let elsewhere: BTreeSet<String> =
        others.iter().flat_map(|folder| importable(folder)).map(|(name, _)| name).collect();
    let mut names: Vec<_> = own.iter().flat_map(|folder| importable(folder)).collect();
    names.retain(|(name, _)| elsewhere.contains(name));
    names.sort();
    names
}

/// The modules and packages of a folder.
fn importable(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let name_and_file = |path: PathBuf| {
        let package = path.join("__init__.py");
        let is_module = path.extension().is_some_and(|ending| ending == "py");
        let file = if package.is_file() { package } else { path.clone() };
        let name = path.file_stem()?.to_str()?.to_owned();
        (is_module || file != path).then_some((name, fs::canonicalize(file).ok()?))
    };
    entries.filter_map(|entry| name_and_file(entry.path())).collect()
}

/// The file that `import name` gives now, if it is one.
fn file_of(py: Python<'_>, name: &str) -> PyResult<Option<PathBuf>> {
    let file = match modules(py)?.get_item(name)? {
        Some(module) => module.getattr("__file__").ok(),
        None => {
            let spec = py.import("importlib.util")?.call_method1("find_spec", (name,))?;
            spec.getattr("origin").ok()
        }
    };
    Ok(file.and_then(|file| file.extract::<PathBuf>().ok()).and_then(canonical))
}

/// Whether a module, or the package of an `__init__.py`, lies in one of the folders.
fn is_beside(file: &Path, folders: &BTreeSet<PathBuf>) -> bool {
    file.ancestors()
        .nth(if is_package(file) { 2 } else { 1 })
        .is_some_and(|it| folders.contains(it))
}

fn is_package(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem == "__init__")
}

/// The names that the application's file, and its neighbours that are imported, import anywhere.
fn imports<'a>(
    py: Python<'_>,
    own: &Known,
    known: &'a mut Option<BTreeSet<String>>,
) -> PyResult<&'a BTreeSet<String>> {
    if known.is_none() {
        let mut names = BTreeSet::new();
        add_imports(py, &own.file, &mut names)?;
        for file in loaded_from(py, &own.folders)?.iter().take(MOST_FILES) {
            add_imports(py, file, &mut names)?;
        }
        *known = Some(names);
    }
    Ok(known.get_or_insert_default())
}

/// The files of modules that are imported and lie in one of the folders, or in a package there.
/// Files further below do not count: they may be a virtualenv, with other people's packages.
fn loaded_from(py: Python<'_>, folders: &[PathBuf]) -> PyResult<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (name, module) in modules(py)?.copy()? {
        let Ok(name) = name.extract::<String>() else { continue };
        let file = module.getattr("__file__").ok().and_then(|it| it.extract::<PathBuf>().ok());
        let Some(file) = file.and_then(canonical) else { continue };
        let depth = name.matches('.').count() + if is_package(&file) { 2 } else { 1 };
        if file.ancestors().nth(depth).is_some_and(|root| folders.iter().any(|it| it == root)) {
            files.push(file);
        }
    }
    Ok(files)
}

fn add_imports(py: Python<'_>, path: &Path, names: &mut BTreeSet<String>) -> PyResult<()> {
    let ast = py.import("ast")?;
    let Ok(text) = fs::read(path) else { return Ok(()) };
    // A file that is not source imports nothing.
    let Ok(tree) = ast.call_method1("parse", (text,)) else { return Ok(()) };
    let mut add = |dotted: Bound<'_, PyAny>| -> PyResult<()> {
        let dotted = dotted.cast_into::<pyo3::types::PyString>()?;
        names.extend(readable(&dotted).split('.').next().map(String::from));
        Ok(())
    };
    for node in ast.call_method1("walk", (tree,))?.try_iter()? {
        let node = node?;
        if node.is_instance(&ast.getattr("Import")?)? {
            for alias in node.getattr("names")?.try_iter()? {
                add(alias?.getattr("name")?)?;
            }
        } else if node.is_instance(&ast.getattr("ImportFrom")?)? {
            let module = node.getattr("module")?;
            if node.getattr("level")?.extract::<u32>()? == 0 && !module.is_none() {
                add(module)?;
            }
        }
    }
    Ok(())
}

fn modules(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    Ok(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?)
}
