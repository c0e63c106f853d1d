//! The application's hands off the process that it shares with the web server.
//!
//! Functions of the module os that would end the server, or open it to others, are replaced: they
//! say in the log what they did instead. In a child that Python forked the process is the
//! application's own, and they do what they always do.

use super::output::{self, Stream};
use super::strings::readable;
use super::thread::is_forked;
use super::{crash, place};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

/// The first descriptor that is not a standard one.
const FIRST_FREE: i64 = 3;

/// What a process ends with instead of what the application gave to `os._exit`. Some codes mean
/// something to a server: nginx does not replace a worker that ends with 2.
const EXIT_CODE: i32 = 1;

#[derive(Clone, Copy)]
enum Function {
    Exit,
    Close,
    CloseRange,
    System,
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Function::Exit => "_exit",
            Function::Close => "close",
            Function::CloseRange => "closerange",
            Function::System => "system",
        }
    }
}

/// Replaces `os._exit`, `os.close`, `os.closerange` and `os.system`. Call it once. Fails with what
/// Python raises.
pub(super) fn intercept(py: Python<'_>) -> PyResult<()> {
    let module = py.import("os")?;
    for function in [Function::Exit, Function::Close, Function::CloseRange, Function::System] {
        let original = module.getattr(function.name())?.unbind();
        module.setattr(function.name(), Bound::new(py, Intercepted { function, original })?)?;
    }
    Ok(())
}

/// A function of the module os with an eye on the server.
#[pyclass(frozen, module = "wsgi", name = "GuardedFunction")]
struct Intercepted {
    function: Function,
    original: Py<PyAny>,
}

#[pymethods]
impl Intercepted {
    #[pyo3(signature = (*args, **options))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let original = self.original.bind(py);
        if is_forked() {
            return original.call(args, options);
        }
        let names: &[&str] = match self.function {
            Function::Exit => &["status"],
            Function::Close => &["fd"],
            Function::CloseRange => &["fd_low", "fd_high"],
            Function::System => &["command"],
        };
        let Some(values) = values(names, args, options)? else {
            // Python says what is wrong with the arguments.
            return original.call(args, options);
        };
        match self.function {
            Function::Exit => exit(original, &values[0]),
            Function::Close => close(original, &values[0]),
            Function::CloseRange => close_range(original, &values[0], &values[1]),
            Function::System => system(&values[0]),
        }
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.function.name()
    }

    #[getter]
    fn __doc__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.original.getattr(py, "__doc__")
    }

    #[getter]
    fn __wrapped__(&self, py: Python<'_>) -> Py<PyAny> {
        self.original.clone_ref(py)
    }
}

/// The arguments in the order of `names`, or None if they are not just these.
fn values<'py>(
    names: &[&str],
    args: &Bound<'py, PyTuple>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
    let mut values: Vec<_> = args.iter().collect();
    if let Some(options) = options {
        for name in names.iter().skip(values.len()) {
            values.extend(options.get_item(name)?);
        }
    }
    let given = args.len() + options.map_or(0, |options| options.len());
    Ok((values.len() == names.len() && given == names.len()).then_some(values))
}

/// The lines go to descriptor 2 at once: the thread that writes the log will not live to do it.
fn exit<'py>(
    original: &Bound<'py, PyAny>,
    status: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = original.py();
    let Ok(code) = status.extract::<i32>() else { return original.call1((status,)) };
    py.detach(output::settle);
    output::write_fd2(&format!(
        "WSGI0302 os._exit({code}) ends process {}{}; the stack of its Python follows",
        std::process::id(),
        crash::at_work()
    ));
    for line in stack(py).unwrap_or_default() {
        output::write_fd2(&line);
    }
    original.call1((EXIT_CODE,))
}

/// The calling Python code as a traceback has it.
fn stack(py: Python<'_>) -> PyResult<Vec<String>> {
    let mut lines = Vec::new();
    for entry in py.import("traceback")?.call_method0("format_stack")?.cast::<PyList>()? {
        lines.extend(readable(entry.cast::<PyString>()?).lines().map(String::from));
    }
    Ok(lines)
}

/// The next connection would get the number, and what is written to standard error would go to
/// that client.
fn close<'py>(original: &Bound<'py, PyAny>, fd: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match fd.extract::<i64>() {
        Ok(number) if (0..FIRST_FREE).contains(&number) => {
            note_kept(original.py(), &format!("close({number})"));
            Ok(original.py().None().into_bound(original.py()))
        }
        _ => original.call1((fd,)),
    }
}

fn close_range<'py>(
    original: &Bound<'py, PyAny>,
    low: &Bound<'py, PyAny>,
    high: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match (low.extract::<i64>(), high.extract::<i64>()) {
        (Ok(from), Ok(to)) if from < FIRST_FREE && to > 0 => {
            note_kept(original.py(), &format!("closerange({from}, {to})"));
            original.call1((FIRST_FREE, to))
        }
        _ => original.call1((low, high)),
    }
}

fn note_kept(py: Python<'_>, call: &str) {
    let line = format!(
        "WSGI0304 os.{call} left standard input, output and error open: they belong to the web \
         server{}",
        place::in_brackets(place::of_caller(py))
    );
    output::emit_line(py, Stream::Stderr, &line);
}

/// The system() of libc knows no handlers of forks, so a command that it leaves behind would keep
/// the connections of clients open. It also ignores SIGINT and SIGQUIT meanwhile, in the server.
fn system<'py>(command: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = command.py();
    let options = PyDict::new(py);
    options.set_item("shell", true)?;
    let child = py.import("subprocess")?.getattr("Popen")?.call((command,), Some(&options))?;
    let code: i32 = child.call_method0("wait")?.extract()?;
    // The status as waitpid() has it, which is what os.system() returns.
    let status = if code < 0 { -code } else { code << 8 };
    Ok(status.into_pyobject(py)?.into_any())
}
