//! Starting, threads, forks, and the end.

use super::{
    Folder, LOG, argument, log_to_memory, own_process, passed, python, run, start_with, stderr,
};
use crate::python::{PythonSettings, check, config, exit, fork, installation, thread};
use pyo3::prelude::*;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn the_interpreter_takes_nothing_from_outside() {
    python(|py| {
        run(
            py,
            "import sys, threading, ssl, ctypes, decimal, sqlite3, os\n\
             assert sys.argv == ['wsgi'], sys.argv\n\
             assert sys.flags.utf8_mode == 1 and sys.flags.ignore_environment == 1\n\
             assert sys.flags.no_user_site == 1 and '' not in sys.path, sys.path\n\
             assert os.path.basename(sys.executable).startswith('python'), sys.executable\n\
             assert os.path.isfile(os.__file__)\n\
             assert sys.stdin.read() == ''\n\
             assert threading.current_thread() is not threading.main_thread()\n",
        )
        .unwrap();
    });
}

#[test]
fn a_virtualenv_and_a_path_are_honoured() {
    if env::var_os("WSGI_TEST_ARGUMENT").is_some() {
        let folder = argument();
        let path = vec![folder.join("first"), folder.join("second")];
        start_with(PythonSettings {
            home: Some(folder.join("venv")),
            path: path.clone(),
            ..PythonSettings::default()
        })
        .unwrap();
        return thread::attach(|py| {
            let sys = py.import("sys").unwrap();
            let get = |name: &str| sys.getattr(name).unwrap().extract::<PathBuf>().unwrap();
            assert_eq!(get("prefix"), folder.join("venv"));
            assert_ne!(get("prefix"), get("base_prefix"));
            assert_eq!(
                get("executable"),
                folder.join(format!("venv/bin/python{}", installation::VERSION))
            );
            let found: Vec<PathBuf> = sys.getattr("path").unwrap().extract().unwrap();
            assert_eq!(found[..3], [path[0].clone(), folder.join("more"), path[1].clone()]);
        });
    }
    let folder = Folder::new("venv");
    folder.file("first/x.pth", "../more\n");
    folder.file("more/x", "");
    folder.file("second/x", "");
    let venv = folder.0.join("venv");
    let mut make = Command::new(env!("WSGI_PYTHON_EXECUTABLE"));
    assert!(make.args(["-m", "venv", "--without-pip"]).arg(&venv).status().unwrap().success());
    assert_eq!(check::check_home(&venv), Ok(()));
    passed(&own_process("starting::a_virtualenv_and_a_path_are_honoured", &folder.0));
}

#[test]
fn a_wrong_home_is_an_error_that_says_so() {
    if env::var_os("WSGI_TEST_ARGUMENT").is_some() {
        let home = argument();
        let sentence = start_with(PythonSettings {
            home: Some(home),
            path: vec![],
            ..PythonSettings::default()
        })
        .unwrap_err();
        assert!(sentence.contains("is a virtualenv of the Python"), "{sentence}");
        assert!(!thread::is_started());
        return;
    }
    let folder = Folder::new("wrong");
    let version = installation::VERSION;
    folder.file(
        "pyvenv.cfg",
        &format!("home = {}/base/bin\nversion = {version}\n", folder.0.display()),
    );
    folder.file("bin/python3", "");
    folder.file("base/bin/python3", "");
    folder.file(&format!("base/lib/python{version}/os.py"), "");
    passed(&own_process("starting::a_wrong_home_is_an_error_that_says_so", &folder.0));
}

#[test]
fn a_home_without_a_program_is_an_error_and_no_other_python_is_started() {
    if env::var_os("WSGI_TEST_ARGUMENT").is_some() {
        let home = argument();
        let sentence = start_with(PythonSettings {
            home: Some(home.clone()),
            path: vec![],
            ..PythonSettings::default()
        })
        .unwrap_err();
        assert!(sentence.contains(home.to_str().unwrap()), "{sentence}");
        assert!(!thread::is_started());
        return;
    }
    // As after an upgrade that took the program away, between the check and the start.
    let folder = Folder::new("gone");
    folder.file(&format!("lib/python{}/os.py", installation::VERSION), "");
    let test = "starting::a_home_without_a_program_is_an_error_and_no_other_python_is_started";
    passed(&own_process(test, &folder.0));
}

#[test]
fn exit_handlers_run_and_what_they_raise_is_logged() {
    if env::var_os("WSGI_TEST_ARGUMENT").is_none() {
        let test = "starting::exit_handlers_run_and_what_they_raise_is_logged";
        return passed(&own_process(test, Path::new("-")));
    }
    // The end belongs to the thread that has started Python.
    log_to_memory();
    config::start(&PythonSettings::default()).unwrap();
    thread::attach(|py| {
        let code = "import atexit\natexit.register(print, 'bye', end='')\n\
                    atexit.register(lambda: 1/0)";
        run(py, code).unwrap();
        exit::run(py, Instant::now() + Duration::from_secs(9), |_| ());
    });
    let lines = stderr();
    assert!(lines.iter().any(|line| line.contains("ZeroDivisionError")), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("bye"));
}

#[test]
fn a_fork_knows_that_it_is_one() {
    python(|py| {
        assert!(!fork::is_forked());
        let code = "import os, signal\n\
                    r, w = os.pipe()\n\
                    pid = os.fork()\n\
                    if pid == 0:\n\
                    \x20 try:\n\
                    \x20  os.dup2(w, 2)\n\
                    \x20  handler = lambda *a: None\n\
                    \x20  signal.signal(signal.SIGUSR1, handler)\n\
                    \x20  assert signal.getsignal(signal.SIGUSR1) is handler\n\
                    \x20  print('from the child')\n\
                    \x20  os._exit(7)\n\
                    \x20 finally: os._exit(1)\n\
                    os.close(w)\n\
                    said = os.read(r, 100); os.close(r)\n\
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n\
                    assert (code, said) == (7, b'from the child\\n'), (code, said)\n";
        run(py, code).unwrap();
        assert!(!fork::is_forked());
    });
}

#[test]
fn a_thread_keeps_its_state_and_gives_it_back_at_its_end() {
    python(|py| {
        let code = "import threading\nlocal = threading.local()\ngone = []\n\
                    class Value:\n  def __del__(self): gone.append(1); print('gone')\n";
        let globals = run(py, code).unwrap().unbind();
        let ended = py.detach(|| {
            std::thread::spawn(move || {
                thread::attach(|py| {
                    let set = c"local.value = Value()";
                    py.run(set, Some(globals.bind(py)), None).unwrap();
                });
                thread::attach(|py| {
                    py.run(c"local.value", Some(globals.bind(py)), None).unwrap();
                    thread::attach(|py| py.run(c"local.value", Some(globals.bind(py)), None))
                        .unwrap();
                });
                globals
            })
            .join()
        });
        let globals = ended.unwrap();
        py.run(c"assert gone == [1], gone", Some(globals.bind(py)), None).unwrap();
    });
    assert!(LOG.lock().iter().any(|(.., line)| line == "gone"));
}

#[test]
fn python_threads_and_attached_threads_run_at_the_same_time() {
    python(|py| {
        let code = "import threading\nout = []\n\
                    t = threading.Thread(target=lambda: out.append(1)); t.start(); t.join()\n\
                    assert out == [1]";
        run(py, code).unwrap();
    });
}
