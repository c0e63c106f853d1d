//! Advice about an application that cannot be imported, or that gets a module or a setting of
//! another application.

use super::target::Target;
use crate::python::claims::{self, Taken};
use crate::python::neighbours::Mistaken;
use pyo3::exceptions::{PyImportError, PySyntaxError, PyValueError};
use pyo3::prelude::*;
use std::path::Path;

/// The correct spelling, if the exception alone does not show it.
pub(super) fn of_failure(py: Python<'_>, target: &Target, error: &PyErr) -> Option<String> {
    let Target::File { path, callable } = target else { return None };
    let contains = |words: &str| error.value(py).to_string().contains(words);
    let is_import_error = error.is_instance_of::<PyImportError>(py);
    if is_import_error && contains("relative import with no known parent") {
        return Some(of_relative_import(path, callable));
    }
    let is_text =
        error.is_instance_of::<PySyntaxError>(py) || error.is_instance_of::<PyValueError>(py);
    if is_text && contains("null bytes") {
        return Some(format!(
            "{} has bytes of value 0, so it is not Python's source in UTF-8; name the .py file",
            path.display()
        ));
    }
    None
}

/// A file that is named by its path is not a part of a package, just as a script is not.
fn of_relative_import(path: &Path, callable: &str) -> String {
    let mut names = vec![path.file_stem().unwrap_or_default().to_string_lossy()];
    let mut folder = path.parent().unwrap_or(Path::new("/"));
    // A package does not need an `__init__.py`. A folder above it without one is taken for a plain
    // folder.
    while let (Some(name), Some(above)) = (folder.file_name(), folder.parent()) {
        if names.len() > 1 && !folder.join("__init__.py").is_file() {
            break;
        }
        names.push(name.to_string_lossy());
        folder = above;
    }
    names.reverse();
    format!(
        "a file that is named by its path is in no package, so it cannot import relative to one: \
         name it {}:{callable} and add {} to python_path",
        names.join("."),
        folder.display()
    )
}

pub(super) fn of_mistaken(target: &Target, it: &Mistaken) -> String {
    format!(
        "WSGI0015 the application {target} gets \"{}\" from {}, beside another application, and not \
         from {}: all applications share one interpreter, where a name is one module; give the two \
         files different names, put each application into a package of its own, or run it in \
         another process",
        it.name,
        it.found.display(),
        it.meant.display()
    )
}

pub(super) fn of_taken(target: &Target, taken: &Taken) -> String {
    let Taken { by, value, wanted } = taken;
    let name = claims::VARIABLE;
    format!(
        "WSGI0016 the application {target} wants {name} to be {wanted}, but {by} has set it to \
         {value}, and all applications share one process: this one answers with the settings and \
         URLs of that one; run each Django project in a server of its own"
    )
}
