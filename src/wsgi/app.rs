//! An imported application, with what its requests have in common.

use super::environ::Template;
use super::target::Target;
use crate::python::modules;
use pyo3::prelude::*;

/// What `wsgi.multithread` and `wsgi.multiprocess` say, and what else an `environ` depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub multithread: bool,
    pub multiprocess: bool,
    /// Fields count whose names have other characters than letters, digits and `-`.
    pub odd_names: bool,
}

/// A callable that takes `environ` and `start_response`.
#[derive(Debug)]
pub struct Application {
    pub(super) callable: Py<PyAny>,
    pub(super) template: Template,
}

impl Application {
    /// Imports what `target` names. Runs the application's own code, so it may fail in any way and
    /// take any time.
    pub fn import(py: Python<'_>, target: &Target, facts: Facts) -> PyResult<Self> {
        let (module, expression) = match target {
            Target::File { path, callable } => (modules::import_file(py, path)?, callable),
            Target::Module { module, attribute } => {
                (modules::import_module(py, module)?, attribute)
            }
        };
        let callable = match modules::resolve(py, &module, expression) {
            Ok(callable) => callable,
            Err(error) => {
                // What is missing may be there when the next import is tried.
                modules::forget(py, &module)?;
                return Err(error);
            }
        };
        Ok(Application { callable: callable.unbind(), template: Template::new(py, facts)? })
    }
}
