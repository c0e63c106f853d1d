//! The handles of C: which Rust type stands behind each of its pointers, and how one goes out and
//! comes back.

use super::misuse::{self, Kind};
use super::pointers::Given;
use crate::error::{Error, Result};

/// A type of C whose pointers are handles.
///
/// A `*mut H` is made only from an `H::Inner`, by [`owned_out`] or [`out`]. So whatever an
/// implementation names, what goes out as an `H` comes back as the same `H::Inner`, and no handle
/// can be read as another type.
pub(super) trait Handle {
    type Inner: Send + 'static;
    const KIND: Kind;
}

/// C owns the handle from now on, until [`owned_in`] or [`release`].
pub(super) fn owned_out<H: Handle>(inner: Box<H::Inner>) -> *mut H {
    let pointer: *mut H = out(Box::into_raw(inner));
    misuse::add(pointer.addr(), H::KIND);
    pointer
}

/// The handle for something that stays alive by itself until C's time with it is over.
pub(super) fn out<H: Handle>(inner: *const H::Inner) -> *mut H {
    inner.cast_mut().cast()
}

/// The handle for something that is never dropped.
pub(super) fn static_out<H: Handle>(inner: &'static H::Inner) -> *mut H {
    let pointer: *mut H = out(inner);
    misuse::add(pointer.addr(), H::KIND);
    pointer
}

/// # Safety
/// `pointer` came from [`owned_out`], and has not come back.
pub(super) unsafe fn owned_in<H: Handle>(pointer: *mut H) -> Box<H::Inner> {
    misuse::check(pointer.addr(), H::KIND);
    misuse::remove(pointer.addr(), H::KIND);
    // SAFETY: by this function's contract it is a box that `owned_out` has taken apart, and no
    // other code owns it.
    unsafe { Box::from_raw(pointer.cast()) }
}

/// The same, and drops it. NULL is allowed. A debug build drops what is in the box, and keeps its
/// place for a while.
///
/// # Safety
/// As for [`owned_in`], or NULL.
pub(super) unsafe fn release<H: Handle>(pointer: *mut H) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: not NULL, so that this function's contract is that of `owned_in`. A box may become
    // one of the same memory without a value, once that value is dropped.
    unsafe {
        let owned = owned_in(pointer);
        #[cfg(debug_assertions)]
        {
            let raw = Box::into_raw(owned);
            std::ptr::drop_in_place(raw);
            misuse::keep(Box::from_raw(raw.cast::<std::mem::MaybeUninit<H::Inner>>()));
        }
        #[cfg(not(debug_assertions))]
        drop(owned);
    }
}

impl<'a, H: Handle> Given<'a, H>
where
    // Several threads of C may use a handle at the same time.
    H::Inner: Sync,
{
    /// What stands behind the handle. NULL is an error.
    pub(super) fn handle(self) -> Result<&'a H::Inner> {
        if self.is_null() {
            let name = H::KIND.name();
            return Err(Error::invalid(format!("the pointer to the {name} is NULL")));
        }
        misuse::check(self.pointer().addr(), H::KIND);
        // SAFETY: `self` promises that it is NULL or a live handle, and it is not NULL. A handle
        // points to an `H::Inner`.
        Ok(unsafe { &*self.pointer().cast() })
    }
}
