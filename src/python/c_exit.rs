//! `exit()` of the C library, called by an application: by a library in C or Fortran that gives up.
//!
//! It would destroy what this thread, and then the whole process, has in its memory, while this
//! thread is in the middle of Python's code and others go on: a crash that says nothing of its
//! cause. And it ends the process with any code, also with one after which a server starts no other
//! process. So it is noticed as early as can be, by what the C library calls first: the destructors of
//! this thread's locals.

use super::fork::is_forked;
use super::gil;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

thread_local! {
    /// How many pieces of work the thread is inside of that use Python.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static IS_HOSTS: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, the thread is at work in Python.
#[must_use]
pub(super) struct Inside(());

#[inline]
pub(super) fn enter() -> Inside {
    if !WATCHED.replace(true) {
        watch_thread();
    }
    INSIDE.set(INSIDE.get() + 1);
    Inside(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(INSIDE.get() - 1);
    }
}

/// The thread is the host's, or this library's: its state of Python is kept, see `thread`.
pub(super) fn is_hosts_thread() {
    IS_HOSTS.set(true);
}

type Destructor = extern "C" fn(*mut libc::c_void);
type AtThreadEnd =
    unsafe extern "C" fn(Destructor, *mut libc::c_void, *mut libc::c_void) -> libc::c_int;

/// Where the C library has no such function, its `exit` is noticed by others, or later.
fn watch_thread() {
    static FUNCTION: OnceCell<Option<AtThreadEnd>> = OnceCell::new();
    let function = FUNCTION.get_or_init(|| {
        // SAFETY: the name ends in NUL. If there is a function of that name it is the one of the C++
        // ABI, and takes what its type says.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"__cxa_thread_atexit_impl".as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut libc::c_void, AtThreadEnd>(found))
        }
    });
    if let Some(function) = function {
        // SAFETY: the destructor takes no notice of what it is given, and stays mapped as long as the
        // process lives (see `fork::watch`).
        unsafe { function(at_thread_end, ptr::null_mut(), ptr::null_mut()) };
    }
}

extern "C" fn at_thread_end(_: *mut libc::c_void) {
    check();
}

/// To be called before a thread local is dropped that has objects of Python, and that may have been used
/// later for the first time than Python was: they go in the opposite order.
pub(super) fn check() {
    if INSIDE.get() > 0 && !is_forked() {
        end();
    }
}

/// A thread local that has objects of Python, and no destructor of its own.
pub struct Local<T>(ManuallyDrop<T>);

impl<T> Local<T> {
    pub const fn new(value: T) -> Self {
        Local(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Local<T> {
    /// The thread ends, and its Python state does after this; or a forked child calls `exit()`.
    fn drop(&mut self) {
        check();
        if gil::can_be_taken() {
            // SAFETY: nobody gets at it after this.
            Python::attach(|_| unsafe { ManuallyDrop::drop(&mut self.0) });
        }
    }
}

/// Ends the process, with a line that says why.
static END: OnceCell<fn() -> !> = OnceCell::new();

fn end() {
    if let Some(end) = END.get() {
        end();
    }
}

/// From now on `end` is called where an application calls `exit()`, also on threads that Python has
/// made.
pub(super) fn watch(end: fn() -> !) {
    if END.set(end).is_err() {
        return;
    }
    // SAFETY: the function stays mapped, as above. If there is no memory for it, nothing is noticed.
    unsafe { libc::atexit(at_exit) };
}

extern "C" fn at_exit() {
    if !is_forked() && (INSIDE.get() > 0 || is_pythons_thread()) {
        end();
    }
}

/// A host may well call `exit` on a thread of its own, though that has used Python.
fn is_pythons_thread() -> bool {
    gil::is_initialized() && gil::has_state() && !IS_HOSTS.get()
}
