//! Functions that trace or profile threads: those that `threading` gives to each thread that it
//! starts. Threads of the pool are older than the application that sets them, and none of
//! `threading`'s; so they get them with each request, as if it were a thread.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::cell::RefCell;
use std::mem::ManuallyDrop;

/// The namespace of `threading`. Before Python 3.10 it says in no other way what is
/// set.
static THREADING: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

thread_local! {
    /// What the calling thread was given, trace and profile function. Left to the end of the process
    /// where a thread ends sooner: it has no GIL then.
    static GIVEN: RefCell<ManuallyDrop<[Option<Py<PyAny>>; 2]>> =
        const { RefCell::new(ManuallyDrop::new([None, None])) };
}

/// Gives the calling thread what a new thread of `threading` would get now. Where nothing is set and
/// nothing was, these are two looks into a dict.
pub fn begin(py: Python<'_>) -> PyResult<()> {
    let threading = THREADING.get_or_try_init(py, || {
        let names = py.import("threading")?.getattr("__dict__")?.cast_into::<PyDict>()?;
        Ok::<_, PyErr>(names.unbind())
    })?;
    let threading = threading.bind(py);
    for (number, name) in
        [intern!(py, "_trace_hook"), intern!(py, "_profile_hook")].iter().enumerate()
    {
        let hook = threading.get_item(name)?.filter(|hook| !hook.is_none());
        if hook.is_some() || GIVEN.with_borrow(|given| given[number].is_some()) {
            give(number, hook, &py.import("sys")?)?;
        }
    }
    Ok(())
}

fn give(number: usize, hook: Option<Bound<'_, PyAny>>, sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let (get, set) = [("gettrace", "settrace"), ("getprofile", "setprofile")][number];
    let is_same = GIVEN.with_borrow(|given| match (&hook, &given[number]) {
        (Some(hook), Some(given)) => hook.is(given),
        _ => false,
    });
    // It may have put another one in its place, as coverage does, or have taken itself away.
    if is_same && !sys.call_method0(get)?.is_none() {
        return Ok(());
    }
    sys.call_method1(set, (hook.as_ref(),))?;
    let new = hook.map(Bound::unbind);
    let before = GIVEN.with_borrow_mut(|given| std::mem::replace(&mut given[number], new));
    drop(before);
    Ok(())
}
