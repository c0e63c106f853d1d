//! An imported application, with what its requests have in common.

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
    /// Imports what `target` names. Runs the application's own code, so it may fail in any way and
    /// take any time. `warnings` gets a line for each thing that another application has taken.
    pub fn import(
        py: Python<'_>,
        target: &Target,
        settings: EnvironSettings,
        warnings: &mut Vec<String>,
    ) -> PyResult<Self> {
        let watch = Watch::begin(py);
        let result = Self::import_alone(py, target, settings);
        // Warnings are not worth a failure.
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

    /// What to do about a failed import, where the exception alone does not tell.
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
                // What is missing may be there when the next import is tried.
                modules::forget(py, &module)?;
                return Err(error);
            }
        };
        Ok(Application { callable: callable.unbind(), template: Template::new(py, settings)? })
    }
}
