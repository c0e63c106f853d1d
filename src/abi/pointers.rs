//! The pointers that C hands in, with what wsgi.h promises about them.

use crate::error::{Error, Result};
use std::ffi::{CStr, c_char};
use std::marker::PhantomData;

/// A pointer of C's that the library reads, with what wsgi.h promises about it.
pub(super) struct Given<'a, T>(*const T, PhantomData<&'a T>);

impl<T> Clone for Given<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Given<'_, T> {}

impl<'a, T> Given<'a, T> {
    /// # Safety
    /// For all of `'a`, `pointer` is NULL or what wsgi.h requires: a live handle; a structure; or
    /// as many values as its count says. A structure of another version may be there if its
    /// `struct_size` differs.
    pub(super) unsafe fn new(pointer: *const T) -> Self {
        Given(pointer, PhantomData)
    }

    pub(super) fn pointer(self) -> *const T {
        self.0
    }

    pub(super) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// `count` values. No pointer is needed for none.
    pub(super) fn array(self, count: usize, name: &str) -> Result<&'a [T]> {
        if count == 0 {
            return Ok(&[]);
        }
        if self.is_null() {
            return Err(Error::invalid(format!("`{name}` is NULL but has a count of {count}")));
        }
        // SAFETY: not NULL, so by the promise of `new` there are `count` values for 'a.
        Ok(unsafe { std::slice::from_raw_parts(self.0, count) })
    }

    /// A structure that the caller has filled, if it is one of this version.
    pub(super) fn structure(self, name: &str) -> Result<&'a T> {
        if self.is_null() {
            return Err(Error::invalid(format!("`{name}` is NULL")));
        }
        let ours = size_of::<T>();
        // SAFETY: not NULL. In every version a structure that a caller fills begins with its size,
        // so the size may be read, and all of it may if the size is that of a `T`.
        let (size, structure) = unsafe {
            let size = self.0.cast::<usize>().read();
            (size, if size == ours { self.0.as_ref() } else { None })
        };
        structure.ok_or_else(|| {
            Error::invalid(format!(
                "`{name}` has a struct_size of {size}, but in this libwsgi it is {ours}; set it with \
                 sizeof, and compile the host with the wsgi.h of this libwsgi"
            ))
        })
    }
}

impl<'a> Given<'a, u8> {
    /// `size` bytes. No pointer is needed for none.
    pub(super) fn bytes(self, size: usize, name: &str) -> Result<&'a [u8]> {
        if size != 0 && self.is_null() {
            return Err(Error::invalid(format!("`{name}` is NULL but has a size of {size}")));
        }
        self.array(size, name)
    }
}

impl<'a> Given<'a, c_char> {
    /// A NUL-terminated string; None for NULL.
    pub(super) fn string(self) -> Option<&'a CStr> {
        // SAFETY: not NULL, so by the promise of `new` it is a string for 'a.
        (!self.is_null()).then(|| unsafe { CStr::from_ptr(self.0) })
    }
}

/// A place of C's that the library writes to, or NULL.
#[derive(Clone, Copy)]
pub(super) struct Out<'a, T>(*mut T, PhantomData<&'a T>);

impl<T> Out<'_, T> {
    /// # Safety
    /// For the call, `pointer` is NULL or points to room for a `T`.
    pub(super) unsafe fn new(pointer: *mut T) -> Self {
        Out(pointer, PhantomData)
    }

    pub(super) fn null() -> Self {
        Out(std::ptr::null_mut(), PhantomData)
    }

    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// NULL is allowed, and gets nothing.
    pub(super) fn set(&self, value: T) {
        if !self.is_null() {
            // SAFETY: not NULL, so by the promise of `new` there is room. What is there is not
            // dropped, because C need not have initialised it.
            unsafe { self.0.write(value) };
        }
    }
}

impl<T> Out<'_, *mut T> {
    /// A call that makes a handle begins with this: the place must be there, and becomes NULL.
    pub(super) fn begin(&self, name: &str) -> Result<()> {
        if self.is_null() {
            return Err(Error::invalid(format!(
                "`{name}` is NULL; there is no place for the result"
            )));
        }
        self.set(std::ptr::null_mut());
        Ok(())
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| {
        Error::invalid(format!("\"{}\" is not valid UTF-8", String::from_utf8_lossy(bytes)))
    })
}
