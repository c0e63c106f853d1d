//! Tests that need a running interpreter. It is started once, on a thread of its own, as the
//! library does it. A test that needs a start of its own runs in a process of its own.

mod homes;
mod importing;
mod others;
mod printing;
mod starting;
mod values;

use super::output::{self, Stream};
use super::{PythonSettings, config, thread};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Once, mpsc};
use std::thread::ThreadId;
use std::{env, fs};

static LOG: Mutex<Vec<(ThreadId, Stream, String)>> = Mutex::new(Vec::new());

fn log_to_memory() {
    output::set_emit(Box::new(|stream, lines| {
        while let Some(line) = lines.next() {
            LOG.lock().push((std::thread::current().id(), stream, line.into_owned()));
        }
    }));
}

fn start_with(settings: PythonSettings) -> Result<(), String> {
    log_to_memory();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = send.send(config::start(&settings));
        loop {
            std::thread::park();
        }
    });
    receive.recv().unwrap()
}

/// Runs `f` attached, with Python started.
fn python<R>(f: impl for<'py> FnOnce(Python<'py>) -> R) -> R {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| start_with(PythonSettings::default()).unwrap());
    thread::attach(f)
}

/// What the calling thread has logged since it last asked.
fn logged() -> Vec<(Stream, String)> {
    let me = std::thread::current().id();
    let mut log = LOG.lock();
    let (mine, others) = log.drain(..).partition(|(thread, ..)| *thread == me);
    *log = others;
    let mine: Vec<(ThreadId, Stream, String)> = mine;
    mine.into_iter().map(|(_, stream, line)| (stream, line)).collect()
}

fn stderr() -> Vec<String> {
    logged().into_iter().map(|(_, line)| line).collect()
}

fn run<'py>(py: Python<'py>, code: &str) -> PyResult<Bound<'py, PyDict>> {
    let globals = PyDict::new(py);
    py.run(&CString::new(code).unwrap(), Some(&globals), None)?;
    Ok(globals)
}

/// A folder of the test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = env::temp_dir().join(format!("wsgi-python-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs one test in a process of its own, where it finds the argument in its environment.
fn own_process(test: &str, argument: &Path) -> Output {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &format!("{module}::{test}"), "--nocapture", "--test-threads=1"]);
    command.env("WSGI_TEST_ARGUMENT", argument).output().unwrap()
}

fn argument() -> PathBuf {
    env::var_os("WSGI_TEST_ARGUMENT").unwrap().into()
}

fn passed(output: &Output) {
    // The program also succeeds if it has no test of that name.
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(output.status.success() && ran, "{output:?}");
}
