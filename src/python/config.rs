//! Starting the interpreter: every setting explicit, nothing taken from the environment.

use super::dispositions::{self, Signals};
use super::installation::{EXECUTABLE, VERSION};
use super::{
    c_exit, changes, check, child, crash, descriptors, fork, kill, linking, output, process,
    signals, thread, traceback, tracing,
};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::ffi::{CStr, CString, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How Python must run.
#[derive(Debug, Clone, Default)]
pub struct PythonSettings {
    /// A virtualenv or a prefix that `check::check_home` accepts, or None for the Python that the
    /// library was built with.
    pub home: Option<PathBuf>,
    /// Folders for the front of sys.path, in this order; their .pth files are honoured.
    pub path: Vec<PathBuf>,
    pub signals: Signals,
}

/// Starts Python. The calling thread becomes Python's main thread, which lives as long as the
/// process; it is left detached, and `thread::attach` attaches it as it does any other.
///
/// Call it once in a process: Python cannot be started again, nor after a failure. The sentence
/// says what went wrong and, if the home causes it, what to do. After a success
/// `thread::is_started` is true, sys.stdout and sys.stderr are those of `output`, the application
/// cannot reach the server's signals and process, and a crash is reported with what the thread
/// worked on.
pub fn start(settings: &PythonSettings) -> Result<(), String> {
    fork::watch();
    c_exit::watch(crash::end_by_exit);
    linking::share_libpython();
    dispositions::hold_sigint();
    let up = bring_up(settings);
    dispositions::let_sigint_go();
    up?;
    thread::set_started();
    Ok(())
}

fn bring_up(settings: &PythonSettings) -> Result<(), String> {
    initialise(settings)?;
    let result = Python::attach(|py| {
        prepare(py, settings).map_err(|err| traceback::lines(py, &err).join(" | "))
    });
    // SAFETY: `initialise` has left this thread attached, and the nested `Python::attach` has
    // ended. The state stays reachable for this thread's next attachment through PyGILState, so the
    // pointer need not be kept.
    unsafe { ffi::PyEval_SaveThread() };
    result.map_err(|what| format!("Python started, but could not be set up: {what}"))
}

/// Prepares Python before any other code uses it.
fn prepare(py: Python<'_>, settings: &PythonSettings) -> PyResult<()> {
    // Up to 3.12, `threading` takes the thread that first imports it for the main thread.
    py.import("threading")?;
    child::prepare(py)?;
    linking::prefer_own_libraries(py)?;
    output::install(py)?;
    guard(py, settings.signals)?;
    tracing::watch(py)?;
    import_site(py)?;
    if !settings.signals.leave_crashes {
        crash::watch(py)?;
    }
    put_in_front(py, &settings.path)
}

/// Guards what belongs to the host against application code, which begins with the .pth files of a
/// virtualenv.
fn guard(py: Python<'_>, signals: Signals) -> PyResult<()> {
    descriptors::remember();
    dispositions::remember(signals);
    signals::intercept(py)?;
    kill::intercept(py)?;
    changes::intercept(py)?;
    process::intercept(py)
}

/// Does what Python's own start would do: paths, .pth files, sitecustomize. They run the code of
/// agents and the like. During Python's own start that code would run before the guards exist, and
/// would print to streams that do not go to the log.
fn import_site(py: Python<'_>) -> PyResult<()> {
    let flags = py.import("sys")?.getattr("flags")?;
    // Otherwise site does nothing, and children that multiprocessing spawns would have no site.
    let wanted = 0_i32.into_pyobject(py)?.into_any().unbind();
    // SAFETY: `flags` has more fields than this in each version of Python, and owns what it is
    // given. It is a tuple, and no code has taken its hash yet. Its value there was a small
    // integer, to which one more reference does no harm.
    unsafe { ffi::PyStructSequence_SetItem(flags.as_ptr(), NO_SITE, wanted.into_ptr()) };
    let result = py.import("site").map(drop);
    output::flush_thread(py);
    result
}

/// Where `sys.flags` has `no_site`.
const NO_SITE: ffi::Py_ssize_t = 6;

/// `site.addsitedir` reads the .pth files, but appends to sys.path. This moves what it added to the
/// front.
fn put_in_front(py: Python<'_>, folders: &[PathBuf]) -> PyResult<()> {
    fn add(to: &mut Vec<OsString>, items: impl IntoIterator<Item = OsString>) {
        for item in items {
            if !to.contains(&item) {
                to.push(item);
            }
        }
    }
    let site = py.import("site")?;
    let path = py.import("sys")?.getattr("path")?.cast_into::<PyList>()?;
    let mut front = Vec::new();
    for folder in folders {
        let before: Vec<OsString> = path.extract()?;
        let folder = std::path::absolute(folder)?.into_os_string();
        site.call_method1("addsitedir", (&folder,))?;
        let added =
            path.extract::<Vec<OsString>>()?.into_iter().filter(|item| !before.contains(item));
        add(&mut front, [folder]);
        add(&mut front, added);
    }
    add(&mut front, path.extract::<Vec<OsString>>()?);
    path.set_slice(0, path.len(), PyList::new(py, front)?.as_any())
}

/// Runs Python's own start. The calling thread is attached afterwards if that succeeds.
fn initialise(settings: &PythonSettings) -> Result<(), String> {
    let executable = match &settings.home {
        Some(home) => check::executable(home).ok_or_else(|| hint(home))?,
        None => PathBuf::from(EXECUTABLE),
    };
    // SAFETY: no thread uses Python yet, as `start` requires. The structure is plain integers,
    // which the call fills before they are read.
    let status = unsafe {
        let mut preconfig = MaybeUninit::zeroed();
        ffi::PyPreConfig_InitIsolatedConfig(preconfig.as_mut_ptr());
        let mut preconfig: ffi::PyPreConfig = preconfig.assume_init();
        // The locale belongs to the host. File names and the like are UTF-8, whatever the locale
        // is.
        preconfig.utf8_mode = 1;
        ffi::Py_PreInitialize(&preconfig)
    };
    let started = check_status(status).and_then(|()| {
        let mut config = Config::new();
        config.set_strings(&executable)?;
        config.start()
    });
    started.map_err(|what| match &settings.home {
        Some(home) => format!("Python did not start: {what}. {}", hint(home)),
        None => format!(
            "Python did not start: {what}. Is the Python that the library was built with, \
             {EXECUTABLE}, still whole?"
        ),
    })
}

/// What is wrong with a home with which Python does not start.
fn hint(home: &Path) -> String {
    check::check_home(home).err().unwrap_or_else(|| {
        format!(
            "Is {} a whole virtualenv, or the prefix of a whole Python {}?",
            home.display(),
            VERSION
        )
    })
}

/// A `PyConfig`, cleared when dropped.
struct Config(ffi::PyConfig);

impl Config {
    fn new() -> Config {
        // SAFETY: a structure of integers and pointers, all of which the call sets.
        let mut config = unsafe {
            let mut config = MaybeUninit::<ffi::PyConfig>::zeroed();
            ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
            config.assume_init()
        };
        config.use_environment = 0;
        config.user_site_directory = 0;
        // It is imported later, see `import_site`.
        config.site_import = 0;
        config.install_signal_handlers = 0;
        config.parse_argv = 0;
        config.configure_c_stdio = 0;
        config.buffered_stdio = 1;
        config.pathconfig_warnings = 0;
        #[cfg(Py_3_11)]
        {
            config.safe_path = 1;
        }
        Config(config)
    }

    /// Python finds its library by the path of the executable: near it, or, if there is a
    /// pyvenv.cfg, where that points (PEP 405). `multiprocessing` also starts this executable.
    fn set_strings(&mut self, executable: &Path) -> Result<(), String> {
        let executable = CString::new(executable.as_os_str().as_bytes())
            .map_err(|_| String::from("the path of its home has a NUL byte"))?;
        let config = &raw mut self.0;
        let mut argv = [c"wsgi".as_ptr()];
        // SAFETY: `config` is initialised and Python preinitialised; the fields are its own, the
        // strings end in NUL and are copied. The fields are named through the pointer, so that no
        // reference exists at the same time.
        unsafe {
            let name = &raw mut (*config).program_name;
            check_status(ffi::PyConfig_SetBytesString(config, name, executable.as_ptr()))?;
            let name = &raw mut (*config).executable;
            check_status(ffi::PyConfig_SetBytesString(config, name, executable.as_ptr()))?;
            check_status(ffi::PyConfig_SetBytesArgv(config, 1, argv.as_mut_ptr()))
        }
    }

    fn start(&self) -> Result<(), String> {
        // SAFETY: the configuration is initialised, and Python is not running, as `start` requires.
        check_status(unsafe { ffi::Py_InitializeFromConfig(&self.0) })
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, cleared once; Python has copied what it needs.
        unsafe { ffi::PyConfig_Clear(&mut self.0) };
    }
}

/// A failure as `function: message`.
fn check_status(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: only looks at the status.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    let text = |text: *const libc::c_char| {
        // SAFETY: not NULL; CPython keeps these strings as constants.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy())
    };
    match (text(status.func), text(status.err_msg)) {
        (Some(function), Some(message)) => Err(format!("{function}: {message}")),
        (None, Some(message)) => Err(message.into_owned()),
        _ => Err(format!("it ended with exit status {}", status.exitcode)),
    }
}
