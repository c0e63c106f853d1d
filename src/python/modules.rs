//! Importing an application, and finding it by name in what was imported.

use super::strings::readable;
use super::{neighbours, spawned};
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString};
use std::fs;
use std::path::{Path, PathBuf};

/// Imports a Python file, with any ending, as a module that has the name of the file's stem. If
/// that name belongs to something else, an imported module or one that `import` would find, the
/// module gets a name of its own, which stays the same for the file.
///
/// The file's folder is put at the end of sys.path, so that the file can import its siblings. If
/// the file is a link, so is the folder of the file that it leads to. The module is in
/// `sys.modules`, so that its classes can be pickled, and processes that multiprocessing starts
/// anew find it by that name. A file that is there already is not run again. The file is compiled
/// each time, as a script is: no .pyc is read or written.
///
/// Runs the file. Fails with what that raises, and with OSError or SyntaxError; nothing of the file
/// is left in `sys.modules` then. One thread at a time.
pub fn import_file<'py>(py: Python<'py>, path: &Path) -> PyResult<Bound<'py, PyModule>> {
    let path = std::path::absolute(path)?;
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    refresh(py)?;
    let name = match place(py, &modules, &path)? {
        Place::Imported(module) => return Ok(module),
        Place::Free(name) => name,
    };
    let machinery = py.import("importlib.machinery")?;
    let loader = machinery.getattr("SourceFileLoader")?.call1((&name, path.as_os_str()))?;
    let source = loader.call_method1("get_data", (path.as_os_str(),))?;
    let code = loader.call_method1("source_to_code", (source, path.as_os_str()))?;
    for folder in neighbours::folders(&path) {
        append_to_path(py, &folder)?;
    }
    if !is_found(py, &name, &path)? {
        // Where there is no multiprocessing there are no such processes either.
        let _ = spawned::know(py, &name, &path);
    }
    let options = PyDict::new(py);
    options.set_item("loader", loader)?;
    let util = py.import("importlib.util")?;
    let from_file = util.getattr("spec_from_file_location")?;
    let spec = from_file.call((&name, path.as_os_str()), Some(&options))?;
    let module = util.call_method1("module_from_spec", (spec,))?.cast_into::<PyModule>()?;
    modules.set_item(&name, &module)?;
    let run = || py.import("builtins")?.call_method1("exec", (code, module.dict()));
    if let Err(err) = run() {
        forget(py, &module)?;
        return Err(err);
    }
    Ok(module)
}

/// Imports a module by its dotted name, as `importlib.import_module` does, and fails with what that
/// raises. Runs the module, unless it is imported already.
pub fn import_module<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    refresh(py)?;
    let module = py.import("importlib")?.call_method1("import_module", (name,))?;
    Ok(module.cast_into::<PyModule>()?)
}

/// Takes a module out of `sys.modules`, so that the next import runs its file again. For a module
/// that turned out not to have what was looked for. Modules that it has imported stay.
pub fn forget(py: Python<'_>, module: &Bound<'_, PyModule>) -> PyResult<()> {
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    let name = module.name()?;
    if modules.get_item(&name)?.is_some_and(|known| known.is(module)) {
        modules.del_item(&name)?;
    }
    Ok(())
}

/// Lets `import` see files that have come since it last looked.
fn refresh(py: Python<'_>) -> PyResult<()> {
    py.import("importlib")?.call_method0("invalidate_caches").map(drop)
}

/// The name that a file's module must get, or the module if the file is imported already.
enum Place<'py> {
    Imported(Bound<'py, PyModule>),
    Free(String),
}

fn place<'py>(py: Python<'py>, modules: &Bound<'py, PyDict>, path: &Path) -> PyResult<Place<'py>> {
    // The code that reads the file reports a missing one, with its name.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let own_name = own_name(&stem, &real);
    for name in [&stem, &own_name] {
        let known = modules.get_item(name)?.and_then(|known| known.cast_into::<PyModule>().ok());
        let of_file = |module: &Bound<'_, PyModule>| file_of(module).is_some_and(|f| f == real);
        if let Some(module) = known.filter(of_file) {
            return Ok(Place::Imported(module));
        }
    }
    // A dot would make it a module inside a package.
    let taken = stem.contains('.') || modules.contains(&stem)? || found(py, &stem, &real)?;
    Ok(Place::Free(if taken { own_name } else { stem }))
}

/// Whether `import name` would find something else than the file.
fn found(py: Python<'_>, name: &str, real: &Path) -> PyResult<bool> {
    // A folder that might be a namespace package has no origin. A file of its name takes
    // precedence.
    let origin = origin(py, name)?;
    Ok(origin.is_some_and(|origin| fs::canonicalize(origin).map_or(true, |origin| origin != real)))
}

/// Whether `import name` finds the file, in this process and in any that has its sys.path.
fn is_found(py: Python<'_>, name: &str, path: &Path) -> PyResult<bool> {
    // In this process `find_spec` would import a package for a name with a dot.
    let origin = if name.contains('.') { None } else { origin(py, name)? };
    let real = fs::canonicalize(path).ok();
    Ok(origin.is_some_and(|origin| fs::canonicalize(origin).ok() == real))
}

fn origin(py: Python<'_>, name: &str) -> PyResult<Option<PathBuf>> {
    let spec = py.import("importlib.util")?.call_method1("find_spec", (name,))?;
    if spec.is_none() { Ok(None) } else { spec.getattr("origin")?.extract() }
}

fn file_of(module: &Bound<'_, PyModule>) -> Option<PathBuf> {
    let file = module.getattr(intern!(module.py(), "__file__")).ok()?.extract::<PathBuf>().ok()?;
    fs::canonicalize(file).ok()
}

/// A name that no other file has: FNV-1a of the path, so that it is the same in every process and
/// in the next version, and a pickle can be read there.
fn own_name(stem: &str, real: &Path) -> String {
    let bytes = real.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("_wsgi_{hash:016x}_{}", stem.replace('.', "_"))
}

fn append_to_path(py: Python<'_>, folder: &Path) -> PyResult<()> {
    let path = py.import("sys")?.getattr("path")?.cast_into::<PyList>()?;
    let folder = folder.as_os_str().into_pyobject(py)?;
    if path.contains(&folder)? { Ok(()) } else { path.append(folder) }
}

/// The callable that `expression` names in a module: an attribute, or dotted attributes; with `()`
/// at its end what the factory of that name returns, called without arguments.
///
/// Fails with AttributeError if there is no such attribute, and with TypeError if it cannot be
/// called, each with a sentence that says what there is. Also fails with what the factory raises.
pub fn resolve<'py>(
    py: Python<'py>,
    module: &Bound<'py, PyModule>,
    expression: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let expression = expression.trim();
    let path = expression.strip_suffix("()").map_or(expression, str::trim_end);
    let is_factory = path.len() != expression.len();
    let mut object = module.clone().into_any();
    let mut place = shown(module);
    for name in path.split('.') {
        object = match object.getattr(name) {
            Ok(next) => next,
            Err(err) if err.is_instance_of::<PyAttributeError>(py) => {
                return Err(no_attribute(&object, &place, name, err));
            }
            Err(err) => return Err(err),
        };
        place = format!("{place}: {name}");
    }
    check_callable(&object, &format!("{}: {path}", shown(module)))?;
    if !is_factory {
        return Ok(object);
    }
    let made = object.call0()?;
    check_callable(&made, &format!("{}: what {path}() returned", shown(module)))?;
    Ok(made)
}

fn check_callable(object: &Bound<'_, PyAny>, what: &str) -> PyResult<()> {
    if object.is_callable() {
        return Ok(());
    }
    let class = object.get_type().name()?;
    let class = readable(&class);
    Err(PyTypeError::new_err(format!("{what} is of type {class} and cannot be called")))
}

/// `hello.py`, or the module's name if it has no file.
fn shown(module: &Bound<'_, PyModule>) -> String {
    let file =
        module.getattr(intern!(module.py(), "__file__")).and_then(|f| f.extract::<PathBuf>());
    match file.ok().as_deref().and_then(Path::file_name) {
        Some(file) => file.to_string_lossy().into_owned(),
        None => module.name().map_or_else(|_| "the module".into(), |n| readable(&n).into_owned()),
    }
}

/// The AttributeError for a name that is not there, with what may have been meant.
fn no_attribute(object: &Bound<'_, PyAny>, place: &str, name: &str, cause: PyErr) -> PyErr {
    let py = object.py();
    let instead = suggestion(object, name).unwrap_or_default();
    let err = PyAttributeError::new_err(format!("{place} has no attribute '{name}'{instead}"));
    // A cause with a traceback comes from the application's own code, such as a `__getattr__`.
    if cause.traceback(py).is_some() {
        err.set_cause(py, Some(cause));
    }
    err
}

fn suggestion(object: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let py = object.py();
    let mut callables = Vec::new();
    for candidate in object.dir()? {
        let candidate = readable(candidate.cast::<PyString>()?).into_owned();
        let is_callable = object.getattr(candidate.as_str()).is_ok_and(|value| value.is_callable());
        if is_callable && !candidate.starts_with('_') {
            callables.push(candidate);
        }
    }
    let close = py.import("difflib")?.call_method1("get_close_matches", (name, &callables, 1))?;
    if let Some(close) = close.extract::<Vec<String>>()?.first() {
        return Ok(format!("; did you mean '{close}'?"));
    }
    Ok(match callables.len() {
        0 => String::from("; there is nothing in it that can be called"),
        1..=5 => format!("; what can be called there: {}", callables.join(", ")),
        _ => String::new(),
    })
}
