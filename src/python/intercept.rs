//! Guards functions of Python's modules: they check what a call means for the server before they do
//! what they do.
//!
//! A [`Rule`] names a function, its parameters and what is done instead. An application that calls
//! it with arguments that Python refuses gets what Python raises. In a child that Python forked,
//! the process is the application's own, and the functions do what Python does.

use super::fork::is_forked;
use super::location;
use super::output::{self, Stream};
use super::strings::readable;
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyString, PyTuple};
use std::collections::HashSet;

/// A line is logged once for each place in the application. After this number of lines no more are
/// logged, since an application can make up places.
const MOST_LINES: usize = 256;

static LOGGED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// A function, and what a call of it does instead.
pub(super) struct Rule {
    /// The module of the function. Messages use the name that `Call::module` returns.
    pub(super) module: &'static str,
    /// Other modules in which the same function may be found.
    pub(super) also: &'static [&'static str],
    pub(super) name: &'static str,
    pub(super) parameters: &'static [&'static str],
    /// This many of them must be given.
    pub(super) required: usize,
    /// They may be given by their names.
    pub(super) by_name: bool,
    pub(super) act: Act,
}

pub(super) type Act = for<'a, 'py> fn(&Call<'a, 'py>) -> PyResult<Bound<'py, PyAny>>;

/// A call whose arguments have the number and the names that the function takes.
pub(super) struct Call<'a, 'py> {
    pub(super) rule: &'static Rule,
    original: &'a Bound<'py, PyAny>,
    args: &'a Bound<'py, PyTuple>,
    options: Option<&'a Bound<'py, PyDict>>,
    values: Vec<Option<Bound<'py, PyAny>>>,
}

impl<'py> Call<'_, 'py> {
    pub(super) fn py(&self) -> Python<'py> {
        self.original.py()
    }

    /// A required argument.
    pub(super) fn value(&self, index: usize) -> &Bound<'py, PyAny> {
        self.values[index].as_ref().expect("a required argument is given")
    }

    pub(super) fn optional(&self, index: usize) -> Option<&Bound<'py, PyAny>> {
        self.values.get(index)?.as_ref()
    }

    /// What messages call its module.
    pub(super) fn module(&self) -> &'static str {
        match self.rule.module {
            "_socket" => "socket",
            module => module,
        }
    }

    /// How many arguments were given without a name.
    pub(super) fn positional(&self) -> usize {
        self.args.len()
    }

    /// What Python does.
    pub(super) fn original(&self) -> PyResult<Bound<'py, PyAny>> {
        self.original.call(self.args, self.options)
    }

    /// The same with other arguments.
    pub(super) fn original_with(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.original.call1(args)
    }

    /// The same with one more option, or another value of it.
    pub(super) fn original_with_option(
        &self,
        name: &str,
        value: impl IntoPyObject<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = match self.options {
            Some(options) => options.copy()?,
            None => PyDict::new(self.py()),
        };
        options.set_item(name, value)?;
        self.original.call(self.args, Some(&options))
    }

    /// `module.name(first, ...)`, where `first` is how the first argument is shown.
    pub(super) fn shown(&self, first: Option<String>) -> String {
        let first = first.unwrap_or_else(|| String::from("..."));
        let more = match self.values.iter().flatten().count() {
            0 => return format!("{}.{}()", self.module(), self.rule.name),
            1 => "",
            _ => ", ...",
        };
        format!("{}.{}({first}{more})", self.module(), self.rule.name)
    }

    /// The same with all arguments, as Python shows them.
    pub(super) fn shown_whole(&self) -> String {
        let shown = |value: &Bound<'py, PyAny>| match value.repr() {
            Ok(text) => readable(&text).into_owned(),
            Err(_) => String::from("..."),
        };
        let all: Vec<_> = self.values.iter().flatten().map(shown).collect();
        format!("{}.{}({})", self.module(), self.rule.name, all.join(", "))
    }

    /// Logs `text` with the place of the call, once for each place.
    pub(super) fn say(&self, text: &str) {
        let py = self.py();
        let line = format!("{text}{}", location::in_brackets(location::of_caller(py)));
        let mut logged = LOGGED.lock();
        let lines = logged.get_or_insert_default();
        if lines.len() < MOST_LINES && lines.insert(line.clone()) {
            drop(logged);
            output::emit_line(py, Stream::Stderr, &line);
        }
    }
}

/// Puts the functions of `rules` into their modules. Functions that this Python does not have are
/// left out. Call it once for each rule. Fails with what Python raises.
pub(super) fn install(py: Python<'_>, rules: &'static [Rule]) -> PyResult<()> {
    for rule in rules {
        let module = py.import(rule.module)?;
        let Some(original) = module.getattr_opt(rule.name)? else { continue };
        let guarded = Bound::new(py, Guarded { rule, original: original.clone().unbind() })?;
        module.setattr(rule.name, &guarded)?;
        for other in rule.also {
            let other = py.import(*other)?;
            if other.getattr_opt(rule.name)?.is_some_and(|it| it.is(&original)) {
                other.setattr(rule.name, &guarded)?;
            }
        }
        keep_support(py, &original, &guarded)?;
    }
    Ok(())
}

/// An application checks what a function can do with `os.execve in os.supports_fd`.
fn keep_support(
    py: Python<'_>,
    original: &Bound<'_, PyAny>,
    guarded: &Bound<'_, Guarded>,
) -> PyResult<()> {
    let os = py.import("os")?;
    for name in ["supports_fd", "supports_dir_fd", "supports_follow_symlinks"] {
        if let Some(supports) = os.getattr_opt(name)? {
            let supports = supports.cast_into::<PySet>()?;
            if supports.contains(original)? {
                supports.add(guarded)?;
            }
        }
    }
    Ok(())
}

/// What an application finds instead of the function.
#[pyclass(frozen, module = "wsgi", name = "GuardedFunction")]
struct Guarded {
    rule: &'static Rule,
    original: Py<PyAny>,
}

#[pymethods]
impl Guarded {
    #[pyo3(signature = (*args, **options))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let original = self.original.bind(py);
        let values = match is_forked() {
            true => None,
            false => values(self.rule, args, options)?,
        };
        // Python raises its own error for the arguments.
        let Some(values) = values else { return original.call(args, options) };
        (self.rule.act)(&Call { rule: self.rule, original, args, options, values })
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.rule.name
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.rule.name
    }

    #[getter]
    fn __doc__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.original.getattr(py, "__doc__")
    }

    #[getter]
    fn __wrapped__(&self, py: Python<'_>) -> Py<PyAny> {
        self.original.clone_ref(py)
    }

    fn __repr__(&self) -> String {
        format!("<guarded function {}.{}>", self.rule.module, self.rule.name)
    }
}

/// The arguments in the order of the parameters, or None if Python would refuse them.
fn values<'py>(
    rule: &Rule,
    args: &Bound<'py, PyTuple>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Vec<Option<Bound<'py, PyAny>>>>> {
    let mut values: Vec<_> = args.iter().map(Some).collect();
    if values.len() > rule.parameters.len() {
        return Ok(None);
    }
    values.resize(rule.parameters.len(), None);
    for (name, value) in options.into_iter().flatten() {
        let name = readable(name.cast::<PyString>()?).into_owned();
        let index = rule.parameters.iter().position(|known| *known == name);
        match index.map(|index| &mut values[index]) {
            Some(place @ None) if rule.by_name => *place = Some(value),
            _ => return Ok(None),
        }
    }
    let whole = values[..rule.required].iter().all(Option::is_some);
    Ok(whole.then_some(values))
}
