//! Finding the application.

use super::{Folder, python};
use crate::python::{modules, traceback};
use pyo3::exceptions::{PyAttributeError, PyTypeError, PyZeroDivisionError};
use pyo3::prelude::*;
use std::fs;
use std::path::PathBuf;

#[test]
fn a_file_is_imported_once_under_the_name_of_its_stem() {
    let folder = Folder::new("stem");
    folder.file("wsgi_t_sibling.py", "value = 1\n");
    let text = "import pickle, wsgi_t_sibling\nclass C: pass\n\
                assert type(pickle.loads(pickle.dumps(C()))) is C\n";
    let file = folder.file("wsgi_t_app.py", text);
    let ending = folder.file("wsgi_t_other.wsgi", "def application(): pass\n");
    let odd = folder.file("wsgi-t odd.v2.py", "x = 1\n");
    python(|py| {
        let module = modules::import_file(py, &file).unwrap();
        assert_eq!(module.name().unwrap().to_string(), "wsgi_t_app");
        assert!(module.is(modules::import_file(py, &file).unwrap()));
        assert!(module.is(py.import("wsgi_t_app").unwrap()));
        assert_eq!(
            modules::import_file(py, &ending).unwrap().name().unwrap().to_string(),
            "wsgi_t_other"
        );
        assert!(modules::import_file(py, &odd).unwrap().getattr("x").is_ok());
        let path: Vec<PathBuf> =
            py.import("sys").unwrap().getattr("path").unwrap().extract().unwrap();
        assert_eq!(path.iter().filter(|entry| **entry == folder.0).count(), 1);
        assert_eq!(fs::read_dir(folder.0.join("__pycache__")).unwrap().count(), 1, "the sibling's");
    });
}

#[test]
fn a_name_that_is_taken_stays_with_its_owner() {
    let folder = Folder::new("taken");
    let files = ["a/wsgi_t_same.py", "b/wsgi_t_same.py", "json.py", "code.py", "__main__.py"];
    let files = files.map(|name| folder.file(name, &format!("name = {name:?}\n")));
    python(|py| {
        let modules: Vec<_> =
            files.iter().map(|file| modules::import_file(py, file).unwrap()).collect();
        assert_eq!(modules[0].name().unwrap().to_string(), "wsgi_t_same");
        for module in &modules[1..] {
            assert!(module.name().unwrap().to_cow().unwrap().starts_with("_wsgi_"));
        }
        for (module, file) in modules.iter().zip(&files) {
            assert!(module.is(modules::import_file(py, file).unwrap()));
        }
        assert!(py.import("json").unwrap().getattr("dumps").is_ok());
        assert!(py.import("code").unwrap().getattr("interact").is_ok());
    });
}

#[test]
fn a_failed_import_leaves_nothing_and_can_be_tried_again() {
    let folder = Folder::new("failed");
    let file = folder.file("wsgi_t_failed.py", "1/0");
    python(|py| {
        let err = modules::import_file(py, &file).unwrap_err();
        assert!(err.is_instance_of::<PyZeroDivisionError>(py));
        let lines = traceback::lines(py, &err);
        assert!(lines[1].contains("wsgi_t_failed.py\", line 1"), "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("importlib")));
        assert!(py.import("wsgi_t_failed").is_err());
        folder.file("wsgi_t_failed.py", "x=1");
        let module = modules::import_file(py, &file).unwrap();
        folder.file("wsgi_t_failed.py", "x=2");
        modules::forget(py, &module).unwrap();
        let module = modules::import_file(py, &file).unwrap();
        assert_eq!(module.getattr("x").unwrap().extract::<u32>().unwrap(), 2);
        assert!(modules::import_file(py, &folder.0.join("no.py")).is_err());
        assert!(modules::import_module(py, "no.such.module").is_err());
        assert!(modules::import_module(py, "email.mime.text").is_ok());
    });
}

#[test]
fn an_application_is_found_by_name_or_missed_with_a_hint() {
    let folder = Folder::new("resolve");
    let text = "def application(e, s): pass\ndef make(): return application\n\
                def bad(): return 1\nvalue = 'x'\nclass n:\n  f = application\n";
    let file = folder.file("wsgi_t_resolve.py", text);
    python(|py| {
        let module = modules::import_file(py, &file).unwrap();
        let application = module.getattr("application").unwrap();
        for expression in ["application", "make()", "n.f", " make ( )"] {
            let found = modules::resolve(py, &module, expression.replace("( )", "()").as_str());
            assert!(found.unwrap().is(&application), "{expression}");
        }
        let fails = |expression: &str| {
            let err = modules::resolve(py, &module, expression).unwrap_err();
            (err.is_instance_of::<PyAttributeError>(py), err.value(py).to_string())
        };
        assert_eq!(
            fails("aplication"),
            (
                true,
                "wsgi_t_resolve.py has no attribute 'aplication'; did you mean 'application'?"
                    .into()
            )
        );
        assert_eq!(
            fails("zzz").1,
            "wsgi_t_resolve.py has no attribute 'zzz'; what can be called there: application, bad, \
             make, n"
        );
        assert!(fails("n.zzz").1.starts_with("wsgi_t_resolve.py: n has no attribute 'zzz'"));
        assert_eq!(
            fails("value").1,
            "wsgi_t_resolve.py: value is of type str and cannot be called"
        );
        assert_eq!(
            fails("bad()").1,
            "wsgi_t_resolve.py: what bad() returned is of type int and cannot be called"
        );
        let err = modules::resolve(py, &module, "application()").unwrap_err();
        assert!(err.is_instance_of::<PyTypeError>(py));
    });
}
