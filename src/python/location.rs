//! Finds out where in the application's code something happened, as `file:line, in name`. It is for
//! the log, so the library uses it only once something is wrong. Each function returns None if
//! Python does not know.

use super::strings::readable;
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyString, PyType};

/// The Python code that has called this library.
pub fn of_caller(py: Python<'_>) -> Option<String> {
    of_frame(&py.import("sys").ok()?.getattr("_getframe").ok()?.call0().ok()?)
}

/// The `yield` that a generator is at, or the beginning of a generator that has ended. For another
/// iterator, the definition of `__next__` in its class.
pub fn of_iterator(iterator: &Bound<'_, PyAny>) -> Option<String> {
    let generator = iterator.py().import("types").ok()?.getattr("GeneratorType").ok()?;
    if !iterator.get_type().is(&generator) {
        return of_function(&iterator.get_type().getattr("__next__").ok()?);
    }
    match iterator.getattr("gi_frame").ok()? {
        frame if frame.is_none() => of_code(&iterator.getattr("gi_code").ok()?),
        frame => of_frame(&frame),
    }
}

/// Where a function, a method, a class or a callable object is defined.
pub fn of_callable(callable: &Bound<'_, PyAny>) -> Option<String> {
    if callable.is_instance_of::<PyFunction>() {
        return of_function(callable);
    }
    let class = callable.get_type();
    if class.fully_qualified_name().is_ok_and(|name| name == "method") {
        return of_function(&callable.getattr("__func__").ok()?);
    }
    match callable.cast::<PyType>() {
        Ok(class) => of_function(&class.getattr("__init__").ok()?),
        Err(_) => of_function(&class.getattr("__call__").ok()?),
    }
}

/// ` (file:line, in name)`, or nothing.
pub fn in_brackets(location: Option<String>) -> String {
    location.map_or_else(String::new, |location| format!(" ({location})"))
}

/// Where a function is defined. Decorators that name what they wrap are passed over.
fn of_function(function: &Bound<'_, PyAny>) -> Option<String> {
    let inner = function.py().import("inspect").ok()?.call_method1("unwrap", (function,)).ok()?;
    of_code(&inner.cast::<PyFunction>().ok()?.getattr("__code__").ok()?)
}

fn of_frame(frame: &Bound<'_, PyAny>) -> Option<String> {
    text(&frame.getattr("f_code").ok()?, &frame.getattr("f_lineno").ok()?)
}

fn of_code(code: &Bound<'_, PyAny>) -> Option<String> {
    text(code, &code.getattr("co_firstlineno").ok()?)
}

fn text(code: &Bound<'_, PyAny>, line: &Bound<'_, PyAny>) -> Option<String> {
    let file = code.getattr("co_filename").ok()?.cast_into::<PyString>().ok()?;
    let name = code.getattr("co_name").ok()?.cast_into::<PyString>().ok()?;
    let line: usize = line.extract().ok()?;
    Some(format!("{}:{line}, in {}", readable(&file), readable(&name)))
}
