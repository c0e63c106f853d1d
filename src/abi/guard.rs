//! The only place where a raw handle becomes a reference and back.
//!
//! Every entry point runs inside [`entry`]: no panic crosses into C, and a process that was forked
//! from the one with the runtime gets an error. Handles go out by [`owned_out`] or [`lent_out`], are
//! looked at by [`borrowed`] and come back by [`owned_in`] or [`release`]. In debug builds a registry
//! knows which of them C holds: misuse that would be undefined behaviour in a release build is named on
//! descriptor 2, and ends the process ([`misused`]).

use super::host::wsgi_buffer;
use crate::error::{Error, Result};
use crate::host::HostRequest;
use crate::host::buffer::Buffer;
use crate::host::live::{self, Kind};
use crate::python;
use crate::python::output::write_fd2;
use std::cell::Cell;
use std::ffi::c_void;
#[cfg(debug_assertions)]
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The entry point that the calling thread is in, for [`misused`].
    static CALL: Cell<&'static str> = const { Cell::new("") };
}

/// Says which function C has called until the guard is dropped; a callback may call others meanwhile.
pub(super) fn called(name: &'static str) -> Called {
    Called(CALL.replace(name))
}

pub(super) struct Called(&'static str);

impl Drop for Called {
    fn drop(&mut self) {
        CALL.set(self.0);
    }
}

/// In a debug build: C has broken a rule in a way that a release build cannot see.
fn misused(what: &str) -> ! {
    write_fd2(&format!("libwsgi (debug build): {}: {what}", CALL.get()));
    std::process::abort();
}

/// For a function that one thread only may call, the one that submits.
pub(super) fn one_thread_only() {
    if live::is_other_thread() {
        misused("called on another thread than the first wsgi_submit; one thread only may call it");
    }
}

/// Runs the body of the entry point `name`.
pub(super) fn entry(name: &'static str, body: impl FnOnce() -> Result<()>) -> Result<()> {
    if python::thread::is_forked() {
        return Err(Error::Forked);
    }
    let _called = called(name);
    // What a panic leaves half-done sits behind mutexes that do not poison; each holds its
    // invariants at every step, so going on is sound.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Panic(what.unwrap_or_else(|| "a panic without a message".into())))
    })
}

pub(super) fn owned_out<T>(value: T, kind: Kind) -> *mut T {
    let pointer = Box::into_raw(Box::new(value));
    live::add(pointer.addr(), kind);
    pointer
}

/// A handle to what lives for ever.
pub(super) fn lent_out<T>(value: &'static T, kind: Kind) -> *mut T {
    let pointer = std::ptr::from_ref(value).cast_mut();
    live::add(pointer.addr(), kind);
    pointer
}

/// # Safety
/// `pointer` came from [`owned_out`] with this type and `kind`, and has not come back.
pub(super) unsafe fn owned_in<T>(pointer: *mut T, kind: Kind) -> Box<T> {
    check(pointer.addr(), kind);
    live::remove(pointer.addr(), kind);
    // SAFETY: by this function's contract it is a box of ours that nobody else owns.
    unsafe { Box::from_raw(pointer) }
}

/// The same, and drops it. A debug build drops what is in it, and keeps its place for a while.
///
/// # Safety
/// As for [`owned_in`].
pub(super) unsafe fn release<T: 'static>(pointer: *mut T, kind: Kind) {
    // SAFETY: the caller's promise.
    let owned = unsafe { owned_in(pointer, kind) };
    #[cfg(debug_assertions)]
    {
        // SAFETY: a box may become one of the same memory without a value; that is dropped once.
        let memory = unsafe {
            let raw = Box::into_raw(owned);
            std::ptr::drop_in_place(raw);
            Box::from_raw(raw.cast::<Memory<T>>())
        };
        live::keep(memory);
    }
    #[cfg(not(debug_assertions))]
    drop(owned);
}

/// Memory as large as a `T`, without one.
#[cfg(debug_assertions)]
#[repr(transparent)]
struct Memory<T>(MaybeUninit<T>);

// SAFETY: nobody looks into it.
#[cfg(debug_assertions)]
unsafe impl<T> Send for Memory<T> {}

/// A pointer of C's that is not NULL is a live handle of this kind.
fn check(address: usize, kind: Kind) {
    if let Some(complaint) = live::complaint(address, kind) {
        misused(&complaint);
    }
}

/// # Safety
/// `pointer` is NULL, or a handle of that type and `kind` which stays valid for `'a`.
pub(super) unsafe fn borrowed<'a, T>(pointer: *const T, kind: Kind) -> Result<&'a T> {
    if pointer.is_null() {
        return Err(Error::invalid(format!("the pointer to the {} is NULL", kind.name())));
    }
    check(pointer.addr(), kind);
    // SAFETY: not NULL; by this function's contract valid for 'a.
    Ok(unsafe { &*pointer })
}

/// Where a call puts the handle it makes; it begins as NULL.
///
/// # Safety
/// `pointer` is NULL or points to room for a pointer that nobody else uses for `'a`.
pub(super) unsafe fn out_pointer<'a, T>(
    pointer: *mut *mut T,
    name: &str,
) -> Result<&'a mut *mut T> {
    if pointer.is_null() {
        return Err(Error::invalid(format!("`{name}` is NULL; there is no place for the result")));
    }
    // SAFETY: not NULL; by this function's contract room for a pointer. Written before it becomes a
    // reference, because C need not have initialised it.
    unsafe {
        pointer.write(std::ptr::null_mut());
        Ok(&mut *pointer)
    }
}

/// # Safety
/// `data` is NULL or points to `size` bytes that stay unchanged for `'a`.
pub(super) unsafe fn bytes<'a>(data: *const u8, size: usize, name: &str) -> Result<&'a [u8]> {
    if size == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::invalid(format!("`{name}` is NULL but has a size of {size}")));
    }
    // SAFETY: not NULL; by this function's contract `size` bytes for 'a.
    Ok(unsafe { std::slice::from_raw_parts(data, size) })
}

/// # Safety
/// `data` is NULL or points to `count` values of `T` that stay unchanged for `'a`.
pub(super) unsafe fn array<'a, T>(data: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::invalid(format!("`{name}` is NULL but has a count of {count}")));
    }
    // SAFETY: not NULL; by this function's contract `count` values for 'a.
    Ok(unsafe { std::slice::from_raw_parts(data, count) })
}

/// A structure that the caller has filled, if it is one of this version.
///
/// # Safety
/// `pointer` is NULL or points to a `T`, or to a size_t that differs from `size_of::<T>()`.
pub(super) unsafe fn structure<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    if pointer.is_null() {
        return Err(Error::invalid(format!("`{name}` is NULL")));
    }
    // SAFETY: every structure that a caller fills begins with its size, as wsgi.h says.
    let size = unsafe { pointer.cast::<usize>().read() };
    let ours = size_of::<T>();
    if size != ours {
        return Err(Error::invalid(format!(
            "`{name}` has a struct_size of {size}, but in this libwsgi it is {ours}; set it with \
             sizeof, and compile the host with the wsgi.h of this libwsgi"
        )));
    }
    // SAFETY: not NULL; its size says that it is a `T`.
    Ok(unsafe { &*pointer })
}

pub(super) fn host_pointer(pointer: *mut c_void) -> Result<HostRequest> {
    if pointer.is_null() {
        return Err(Error::invalid("`host_request` is NULL; the callbacks would get it"));
    }
    Ok(HostRequest(pointer))
}

pub(super) fn buffer_out(buffer: Box<Buffer>) -> *mut wsgi_buffer {
    let pointer = Box::into_raw(buffer);
    live::add(pointer.addr(), Kind::Buffer);
    pointer.cast()
}

/// # Safety
/// `pointer` came from [`buffer_out`] and has not come back.
pub(super) unsafe fn buffer_in(pointer: *mut wsgi_buffer) -> Box<Buffer> {
    // SAFETY: the caller's promise; `Buffer` begins with the fields of `wsgi_buffer`.
    unsafe { owned_in(pointer.cast::<Buffer>(), Kind::Buffer) }
}

/// # Safety
/// As for [`buffer_in`].
pub(super) unsafe fn buffer_release(pointer: *mut wsgi_buffer) {
    // SAFETY: as above.
    unsafe { release(pointer.cast::<Buffer>(), Kind::Buffer) }
}
