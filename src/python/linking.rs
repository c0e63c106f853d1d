//! How C extensions find the functions that they call.

use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// C extensions expect the symbols of libpython to be global. They are not if a host has loaded
/// this library, and libpython with it, with RTLD_LOCAL: so libpython is loaded once more.
pub(super) fn share_libpython() {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    let symbol = ffi::Py_IsInitialized as *const libc::c_void;
    // SAFETY: any address may be looked up. `info` is filled if the result is not 0, and its file
    // name is then a string that lives as long as that file is loaded. RTLD_NOLOAD loads nothing
    // and runs no code. The handle is kept until the process ends, as libpython is. If Python is a
    // part of the program itself there is no handle, and its symbols are global already.
    unsafe {
        if libc::dladdr(symbol, info.as_mut_ptr()) != 0 {
            let file = info.assume_init().dli_fname;
            libc::dlopen(file, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_GLOBAL);
        }
    }
}

/// Some hosts load libxml2 globally, as nginx does with its module xslt. An extension that brings
/// another libxml2 then gets the host's, and `import xmlsec` fails. So extensions prefer what they
/// bring, or are linked with, to what the host has.
///
/// This is not done for all hosts, since it has a price: extensions then bypass a library that
/// replaces a function for the whole process, for example a malloc of LD_PRELOAD. If there is such
/// a library, nothing is changed.
#[cfg(target_env = "gnu")]
pub(super) fn prefer_own_libraries(py: Python<'_>) -> PyResult<()> {
    if address(libc::RTLD_DEFAULT, c"xmlCheckVersion").is_null() || is_libc_replaced() {
        return Ok(());
    }
    let sys = py.import("sys")?;
    let flags: libc::c_int = sys.call_method0("getdlopenflags")?.extract()?;
    sys.call_method1("setdlopenflags", (flags | libc::RTLD_DEEPBIND,)).map(drop)
}

/// Other C libraries do not offer this.
#[cfg(not(target_env = "gnu"))]
pub(super) fn prefer_own_libraries(_: Python<'_>) -> PyResult<()> {
    Ok(())
}

/// Whether another library than libc, or the program itself, defines what extensions must share
/// with the whole process: memory, and the environment, of which a program may have a copy of its
/// own.
#[cfg(target_env = "gnu")]
fn is_libc_replaced() -> bool {
    // SAFETY: RTLD_NOLOAD loads nothing and runs no code; the handle is kept, as libc is.
    let libc = unsafe { libc::dlopen(c"libc.so.6".as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
    let shared = [c"malloc", c"free", c"environ"];
    libc.is_null()
        || shared.iter().any(|name| address(libc, name) != address(libc::RTLD_DEFAULT, name))
}

#[cfg(target_env = "gnu")]
fn address(library: *mut libc::c_void, name: &CStr) -> *mut libc::c_void {
    // SAFETY: `library` is RTLD_DEFAULT or what dlopen gave; the name ends in NUL.
    unsafe { libc::dlsym(library, name.as_ptr()) }
}
