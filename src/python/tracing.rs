//! Gives threads the functions that trace or profile, as `threading` does with each thread that it
//! starts. Threads of the pool are older than the application that sets such a function, and
//! `threading` has not started them. So they get the functions with each request, as if it were a
//! new thread.

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::cell::RefCell;
use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often such a function was set. It begins with 1, since a thread has seen none before
/// its first request.
static CHANGES: AtomicUsize = AtomicUsize::new(1);

/// The functions of `threading` that set one; Python has the last two since 3.12.
const SETTERS: [&str; 4] =
    ["settrace", "setprofile", "settrace_all_threads", "setprofile_all_threads"];

/// The name in `threading` that keeps what is set, and the functions of `sys` that get and set what
/// a thread has.
const KINDS: [[&str; 3]; 2] =
    [["_trace_hook", "gettrace", "settrace"], ["_profile_hook", "getprofile", "setprofile"]];

/// The functions that a thread was given.
struct Given {
    changes: usize,
    /// In the order of `KINDS`. They are not dropped when a thread ends, since it has no GIL then.
    functions: ManuallyDrop<[Option<Py<PyAny>>; 2]>,
}

thread_local! {
    static GIVEN: RefCell<Given> =
        const { RefCell::new(Given { changes: 0, functions: ManuallyDrop::new([None, None]) }) };
}

/// Notices from now on when such a function is set. Fails with what Python raises.
pub(super) fn watch(py: Python<'_>) -> PyResult<()> {
    let threading = py.import("threading")?;
    for name in SETTERS {
        let Some(original) = threading.getattr_opt(name)? else { continue };
        let original = original.unbind();
        let set = move |arguments: &Bound<'_, PyTuple>, options: Option<&Bound<'_, PyDict>>| {
            let set = original.bind(arguments.py()).call(arguments, options)?;
            CHANGES.fetch_add(1, Ordering::Relaxed);
            Ok::<_, PyErr>(set.unbind())
        };
        let c_name: &'static _ = Box::leak(CString::new(name)?.into_boxed_c_str());
        threading.setattr(name, PyCFunction::new_closure(py, Some(c_name), None, set)?)?;
    }
    Ok(())
}

/// Gives the calling thread what a new thread of `threading` would get now. Costs nothing where
/// nothing is set.
pub fn begin(py: Python<'_>) -> PyResult<()> {
    let changes = CHANGES.load(Ordering::Relaxed);
    let is_done = GIVEN.with_borrow(|given| {
        given.changes == changes && given.functions.iter().all(Option::is_none)
    });
    if is_done {
        return Ok(());
    }
    GIVEN.with_borrow_mut(|given| given.changes = changes);
    let (sys, threading) = (py.import("sys")?, py.import("threading")?);
    for (number, [hook, get, set]) in KINDS.into_iter().enumerate() {
        let hook = threading.getattr_opt(hook)?.filter(|hook| !hook.is_none());
        let (is_given, is_same) = GIVEN.with_borrow(|given| {
            let given = given.functions[number].as_ref();
            let is_same = |hook: &Bound<'_, PyAny>| given.is_some_and(|given| hook.is(given));
            (given.is_some(), hook.as_ref().is_some_and(is_same))
        });
        // The function may have replaced itself, as coverage does, or removed itself.
        let stays = is_same && !sys.call_method0(get)?.is_none();
        if stays || !is_given && hook.is_none() {
            continue;
        }
        sys.call_method1(set, (hook.as_ref(),))?;
        let hook = hook.map(Bound::unbind);
        drop(GIVEN.with_borrow_mut(|given| std::mem::replace(&mut given.functions[number], hook)));
    }
    Ok(())
}
