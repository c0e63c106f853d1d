//! Notices when an application calls `exit()` of the C library. A library in C or Fortran that
//! gives up does so.
//!
//! That `exit()` would destroy what this thread, and then the whole process, has in its memory,
//! while this thread runs Python code and other threads go on. The result would be a crash whose
//! cause no line of the log shows. It also ends the process with any code, perhaps with one after
//! which a server starts no new process. So the library must notice it as early as possible. The C
//! library first calls the destructors of this thread's locals, so they check for it.

use super::fork::is_forked;
use super::gil;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

thread_local! {
    /// The number of pieces of work with Python that the thread is in, one inside the other.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static IS_HOSTS: Cell<bool> = const { Cell::new(false) };
}

/// While this value lives, the thread is at work in Python.
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

/// Notes that the calling thread is the host's or this library's. `thread` keeps its Python state.
pub(super) fn is_hosts_thread() {
    IS_HOSTS.set(true);
}

type Destructor = extern "C" fn(*mut libc::c_void);
type AtThreadEnd =
    unsafe extern "C" fn(Destructor, *mut libc::c_void, *mut libc::c_void) -> libc::c_int;

/// If the C library has no such function, the destructors of other thread locals notice its `exit`,
/// or `at_exit` does so later.
fn watch_thread() {
    static FUNCTION: OnceCell<Option<AtThreadEnd>> = OnceCell::new();
    let function = FUNCTION.get_or_init(|| {
        // SAFETY: the name ends in NUL. If there is a function of that name it is the one of the
        // C++ ABI, and its type is `AtThreadEnd`.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"__cxa_thread_atexit_impl".as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut libc::c_void, AtThreadEnd>(found))
        }
    });
    if let Some(function) = function {
        // SAFETY: the destructor ignores its argument, and stays mapped until the process ends (see
        // `fork::watch`).
        unsafe { function(at_thread_end, ptr::null_mut(), ptr::null_mut()) };
    }
}

extern "C" fn at_thread_end(_: *mut libc::c_void) {
    check();
}

/// A thread local that has objects of Python must call this before it drops them. Thread locals are
/// destroyed in the opposite order of their first use. So one that was first used after Python is
/// destroyed before `at_thread_end` runs.
pub(super) fn check() {
    if INSIDE.get() > 0 && !is_forked() {
        end();
    }
}

/// The value of a thread local that has objects of Python, and no destructor of its own.
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
    /// Runs when the thread ends, before its Python state does, or when a forked child calls
    /// `exit()`.
    fn drop(&mut self) {
        check();
        if gil::can_be_taken() {
            // SAFETY: no code uses the value after this.
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

/// From now on, `end` is called when an application calls `exit()`, also on threads that Python has
/// made.
pub(super) fn watch(end: fn() -> !) {
    if END.set(end).is_err() {
        return;
    }
    // SAFETY: the function stays mapped, as above. If there is no memory for it, it notices
    // nothing.
    unsafe { libc::atexit(at_exit) };
}

extern "C" fn at_exit() {
    if !is_forked() && (INSIDE.get() > 0 || is_pythons_thread()) {
        end();
    }
}

/// Whether Python has made the calling thread. A host may call `exit` on a thread of its own, even
/// after that thread has used Python.
fn is_pythons_thread() -> bool {
    gil::is_initialized() && gil::has_state() && !IS_HOSTS.get()
}
