//! Other threads: where they are, and exceptions for them. Contexts of the same thread.

use super::{python, run};
use crate::python::context::Context;
use crate::python::{interrupt, stacks};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

const WAITING: &str = "
import threading
entered, leave, caught = threading.Event(), threading.Event(), []
def wait_here():
    entered.set()
    leave.wait()
def target():
    try:
        wait_here()
        for _ in range(1000):
            pass
    except BaseException as error:
        caught.append(type(error).__name__)
thread = threading.Thread(target=target)
thread.start()
entered.wait()
ident = thread.ident
";
const LET_GO: &str = "leave.set()\nthread.join()";

/// What a thread has caught for which `meanwhile` was done while it waited.
fn caught(meanwhile: impl Fn(Python<'_>, u64) + Send) -> Vec<String> {
    python(|py| {
        let globals = run(py, WAITING).unwrap();
        let get = |name: &str| globals.get_item(name).unwrap().unwrap();
        meanwhile(py, get("ident").extract().unwrap());
        py.run(&std::ffi::CString::new(LET_GO).unwrap(), Some(&globals), None).unwrap();
        get("caught").extract().unwrap()
    })
}

#[test]
fn a_stack_is_that_of_the_other_thread() {
    let none = caught(|py, ident| {
        let lines = stacks::lines(py, ident).unwrap();
        assert!(lines.iter().any(|line| line.ends_with("in wait_here")), "{lines:?}");
        assert!(lines.iter().all(|line| !line.contains('\n')), "{lines:?}");
    });
    assert!(none.is_empty());
    python(|py| assert!(stacks::lines(py, 1).unwrap().is_empty(), "there is no such thread"));
}

#[test]
fn a_thread_knows_what_it_is_called() {
    python(|py| {
        let ident = interrupt::thread_ident(py).unwrap();
        assert!(stacks::lines(py, ident).unwrap().is_empty(), "no Python code called this");
    });
}

#[test]
fn an_exception_is_raised_in_the_other_thread() {
    let class = caught(|py, ident| {
        interrupt::raise_in(ident, &py.get_type::<PyKeyboardInterrupt>());
    });
    assert_eq!(class, ["KeyboardInterrupt"]);
}

#[test]
fn an_exception_can_be_taken_back() {
    let none = caught(|py, ident| {
        interrupt::raise_in(ident, &py.get_type::<PyKeyboardInterrupt>());
        interrupt::take_back(py, ident);
    });
    assert!(none.is_empty());
}

#[test]
fn what_is_set_in_a_context_stays_in_it() {
    let seen = python(|py| {
        let code = "import contextvars\nvar = contextvars.ContextVar('var', default='none')";
        let globals = run(py, code).unwrap();
        let var = globals.get_item("var").unwrap().unwrap();
        let get = || var.call_method0("get").unwrap().extract::<String>().unwrap();
        let (one, two) = (Context::copy(py).unwrap(), Context::copy(py).unwrap());
        let token = one.run(py, || var.call_method1("set", ("one",)).unwrap());
        let between = get();
        let inside = [two.run(py, get), one.run(py, get)];
        // A token is of use only in the context that it is of.
        one.run(py, || var.call_method1("reset", (token,)).unwrap());
        [between, inside.join(" "), one.run(py, get)]
    });
    assert_eq!(seen, ["none", "none one", "none"]);
}

#[test]
fn a_context_that_is_entered_is_not_entered_again() {
    python(|py| {
        let context = Context::copy(py).unwrap();
        assert_eq!(context.run(py, || context.run(py, || 7)), 7);
        assert!(PyErr::take(py).is_none(), "no exception is left behind");
    });
}
