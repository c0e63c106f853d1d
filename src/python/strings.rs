//! Python strings from bytes and back: PEP 3333's "native strings", and text for a log.

use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{Bound, ffi};
use std::borrow::Cow;

/// The string whose code points are the given bytes.
///
/// PEP 3333, "Unicode Issues": strings "must contain only code points representable in ISO-8859-1
/// encoding (`\u0000` through `\u00FF`, inclusive)". Fails with MemoryError only.
pub fn native<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // A slice is never longer than isize::MAX.
    let length = bytes.len() as ffi::Py_ssize_t;
    let string = if bytes.len() > 1 && bytes.is_ascii() {
        // SAFETY: attached, as `py` shows. The new string is compact ASCII with room for `length`
        // bytes and its final NUL, and no other code has it before it is filled. Strings of up to
        // one character are not made here: Python shares those.
        unsafe {
            let string = ffi::PyUnicode_New(length, 127);
            if !string.is_null() {
                let data = ffi::PyUnicode_1BYTE_DATA(string);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
            }
            string
        }
    } else {
        // SAFETY: attached; `length` bytes are readable. NULL stands for the default error handler,
        // which is never called: every byte is a code point.
        unsafe { ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), length, std::ptr::null()) }
    };
    // SAFETY: both calls return a new reference to a str, or NULL with an exception set.
    Ok(unsafe { Bound::from_owned_ptr_or_err(py, string)?.cast_into_unchecked() })
}

/// The code points of `s` as bytes, or None if one of them is above U+00FF. Does not copy strings
/// that Python stores with one byte a character.
pub fn latin1<'a>(s: &'a Bound<'_, PyString>) -> Option<Cow<'a, [u8]>> {
    if let Some(bytes) = one_byte_data(s) {
        return Some(Cow::Borrowed(bytes));
    }
    // Python stores a string as narrowly as it can, but C extensions make others. One that has no
    // UTF-8 form has surrogates, which are above U+00FF.
    let text = s.to_cow().ok()?;
    text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>().map(Cow::Owned)
}

/// Whether the code points of `s` are these bytes. Also false for a string that is stored in an
/// unusual way.
pub fn equals_latin1(s: &Bound<'_, PyString>, bytes: &[u8]) -> bool {
    one_byte_data(s) == Some(bytes)
}

/// The bytes that Python itself stores for the string, if that is one byte a character.
fn one_byte_data<'a>(s: &'a Bound<'_, PyString>) -> Option<&'a [u8]> {
    let object = s.as_ptr();
    // SAFETY: attached, and `s` is a str, as its type says. Up to 3.11 a string may be in an old
    // form that READY converts. If there is no memory for that, the exception is cleared and the
    // data is not touched. The bytes neither move nor change while the string lives: strings are
    // immutable, and the returned slice borrows the reference that keeps it.
    unsafe {
        if ffi::PyUnicode_READY(object) != 0 {
            ffi::PyErr_Clear();
            return None;
        }
        if ffi::PyUnicode_KIND(object) != ffi::PyUnicode_1BYTE_KIND {
            return None;
        }
        let length = ffi::PyUnicode_GET_LENGTH(object) as usize;
        Some(std::slice::from_raw_parts(ffi::PyUnicode_1BYTE_DATA(object), length))
    }
}

/// The string as text for people. What UTF-8 cannot express (lone surrogates) is escaped as
/// `\udcff`. Never fails.
pub fn readable<'a>(s: &'a Bound<'_, PyString>) -> Cow<'a, str> {
    if let Ok(text) = s.to_cow() {
        return text;
    }
    let encode = || -> PyResult<String> {
        let bytes = s.call_method1("encode", ("utf-8", "backslashreplace"))?;
        Ok(String::from_utf8_lossy(bytes.extract::<&[u8]>()?).into_owned())
    };
    Cow::Owned(encode().unwrap_or_else(|_| String::from("(a string that cannot be shown)")))
}
