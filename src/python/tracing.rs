//! Functions that trace or profile threads: those that `threading` gives to each thread that it
//! starts. Threads of the pool are older than the application that sets them, and none of
//! `threading`'s; so they get them with each request, as if it were a thread.

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::cell::RefCell;
use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often one of them was set. Threads have seen none of it before their first request.
static CHANGES: AtomicUsize = AtomicUsize::new(1);

/// The functions of `threading` that set one; the last two are there since Python 3.12.
const SETTERS: [&str; 4] =
    ["settrace", "setprofile", "settrace_all_threads", "setprofile_all_threads"];

/// Where `threading` keeps what is set, and how a thread is asked and given.
const KINDS: [[&str; 3]; 2] =
    [["_trace_hook", "gettrace", "settrace"], ["_profile_hook", "getprofile", "setprofile"]];

/// What a thread was given.
struct Given {
    changes: usize,
    /// By the order of `KINDS`. Left to the end of the process where a thread ends sooner: it has no
    /// GIL then.
    functions: ManuallyDrop<[Option<Py<PyAny>>; 2]>,
}

thread_local! {
    static GIVEN: RefCell<Given> =
        const { RefCell::new(Given { changes: 0, functions: ManuallyDrop::new([None, None]) }) };
}

/// Notices from now on when one is set. Fails with what Python raises.
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
        // It may have put another one in its place, as coverage does, or have taken itself away.
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
