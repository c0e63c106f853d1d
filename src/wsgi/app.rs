//! An imported application, and the part of `environ` that is the same in all of its requests.

use super::advice;
use super::environ::{EnvironSettings, Template};
use super::target::Target;
use crate::python::claims::Watch;
use crate::python::{modules, neighbours};
use pyo3::prelude::*;

/// A callable that takes `environ` and `start_response`.
#[derive(Debug)]
pub struct Application {
    pub(super) callable: Py<PyAny>,
    pub(super) template: Template,
}

impl Application {
    /// Imports what `target` names. It runs the application's own code, so it may fail in any way
    /// and may take any time. `warnings` gets a line for each module or setting that belongs to
    /// another application.
    pub fn import(
        py: Python<'_>,
        target: &Target,
        settings: EnvironSettings,
        warnings: &mut Vec<String>,
    ) -> PyResult<Self> {
        let watch = Watch::begin(py);
        let result = Self::import_alone(py, target, settings);
        // An application must not fail because its warnings cannot be made.
        if let Ok(Some(taken)) = watch.and_then(|watch| watch.end(py, &target.to_string())) {
            warnings.push(advice::of_taken(target, &taken));
        }
        let mistaken = match target {
            Target::File { path, .. } => neighbours::mistaken_by_file(py, path),
            Target::Module { module, .. } => neighbours::mistaken_by_module(py, module),
        };
        let mistaken = mistaken.unwrap_or_default();
        warnings.extend(mistaken.iter().map(|it| advice::of_mistaken(target, it)));
        result
    }

    /// Advice about a failed import, if the exception alone does not show the cure.
    pub fn advice(py: Python<'_>, target: &Target, error: &PyErr) -> Option<String> {
        advice::of_failure(py, target, error)
    }

    fn import_alone(py: Python<'_>, target: &Target, settings: EnvironSettings) -> PyResult<Self> {
        let (module, expression) = match target {
            Target::File { path, callable } => (modules::import_file(py, path)?, callable),
            Target::Module { module, attribute } => {
                (modules::import_module(py, module)?, attribute)
            }
        };
        let callable = match modules::resolve(py, &module, expression) {
            Ok(callable) => callable,
            Err(error) => {
                // The next attempt must read the file again: the callable may be there by then.
                modules::forget(py, &module)?;
                return Err(error);
            }
        };
        Ok(Application { callable: callable.unbind(), template: Template::new(py, settings)? })
    }
}
