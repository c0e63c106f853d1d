//! Reads the configuration structures.

use super::app::wsgi_app_config;
use super::guard;
use super::runtime::{
    WSGI_ABI_VERSION, WSGI_BUNCHES, WSGI_CHECK_CLOSELY, WSGI_DEFAULT_MAX_QUEUE, WSGI_EVENTFD,
    WSGI_KEEP_HANDLERS, WSGI_KEEP_SIGPIPE, WSGI_MULTIPROCESS, WSGI_NO_CRASH_REPORT,
    WSGI_ODD_HEADER_NAMES, wsgi_runtime_config,
};
use crate::error::{Error, Result};
use crate::python;
use crate::python::dispositions::Signals;
use crate::runtime::settings::Settings;
use crate::wsgi::target::Target;
use std::ffi::{CStr, OsStr, c_char};
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const FLAGS: u32 = WSGI_MULTIPROCESS
    | WSGI_BUNCHES
    | WSGI_KEEP_SIGPIPE
    | WSGI_NO_CRASH_REPORT
    | WSGI_EVENTFD
    | WSGI_CHECK_CLOSELY
    | WSGI_ODD_HEADER_NAMES
    | WSGI_KEEP_HANDLERS;

pub(super) const VERSION: &CStr = match CStr::from_bytes_with_nul(
    concat!("libwsgi/", env!("CARGO_PKG_VERSION"), " Python/", env!("WSGI_PYTHON_VERSION"), "\0")
        .as_bytes(),
) {
    Ok(version) => version,
    Err(_) => unreachable!(),
};

/// # Safety
/// `config` is NULL or what wsgi.h says of a `wsgi_runtime_config`, borrowed for the call; or the
/// beginning of one, up to `abi_version`, of another version.
pub(super) unsafe fn read(config: *const wsgi_runtime_config) -> Result<Settings> {
    if !config.is_null() {
        // The version says more than a wrong size would, so it is looked at first.
        let at = offset_of!(wsgi_runtime_config, abi_version);
        // SAFETY: not NULL; the field is at this place in every version of the structure.
        let theirs = unsafe { config.byte_add(at).cast::<u32>().read() };
        if theirs != WSGI_ABI_VERSION {
            return Err(Error::WrongVersion { theirs, ours: WSGI_ABI_VERSION });
        }
    }
    // SAFETY: the caller's promise.
    let config = unsafe { guard::structure(config, "wsgi_runtime_config") }?;
    if config.flags & !FLAGS != 0 {
        return Err(Error::invalid("wsgi_runtime_config: unknown flags"));
    }
    // SAFETY: the caller's promise: a NULL or a string, borrowed for the call.
    let home = unsafe { string(config.python_home) }.map(path);
    // SAFETY: the caller's promise: so many strings.
    let folders =
        unsafe { guard::array(config.python_path, config.python_path_count, "python_path") }?;
    let folders = folders.iter().map(|&folder| {
        // SAFETY: as above.
        unsafe { string(folder) }
            .map(path)
            .ok_or_else(|| Error::invalid("wsgi_runtime_config: a string of python_path is NULL"))
    });
    let settings = Settings {
        python: python::config::Settings {
            home,
            path: folders.collect::<Result<_>>()?,
            signals: Signals {
                leave_pipe: config.flags & WSGI_KEEP_SIGPIPE != 0,
                leave_crashes: config.flags & WSGI_NO_CRASH_REPORT != 0,
                keep_handlers: config.flags & WSGI_KEEP_HANDLERS != 0,
            },
        },
        threads: config.threads as usize,
        max_queue: match config.max_queue {
            0 => WSGI_DEFAULT_MAX_QUEUE as usize,
            number => number as usize,
        },
        max_stuck: config.max_stuck as usize,
        log_line_size: config.log_line_size,
        bunches: config.flags & WSGI_BUNCHES != 0,
        multiprocess: config.flags & WSGI_MULTIPROCESS != 0,
        odd_names: config.flags & WSGI_ODD_HEADER_NAMES != 0,
        closely: config.flags & WSGI_CHECK_CLOSELY != 0,
    };
    settings.check_numbers()?;
    Ok(settings)
}

/// # Safety
/// `config` is NULL or what wsgi.h says of a `wsgi_app_config`, borrowed for the call.
pub(super) unsafe fn read_target(config: *const wsgi_app_config) -> Result<Target> {
    // SAFETY: the caller's promise.
    let config = unsafe { guard::structure(config, "wsgi_app_config") }?;
    // SAFETY: the caller's promise: NULL or a string, borrowed for the call.
    let (target, callable) = unsafe { (string(config.target), string(config.callable)) };
    let target =
        target.ok_or_else(|| Error::invalid("wsgi_app_config: `target` is NULL"))?.to_bytes();
    match callable {
        Some(callable) => {
            Target::file(PathBuf::from(OsStr::from_bytes(target)), utf8(callable.to_bytes())?)
        }
        None => Target::module(utf8(target)?),
    }
}

/// # Safety
/// `pointer` is NULL or a NUL-terminated string, borrowed for `'a`.
unsafe fn string<'a>(pointer: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not NULL; the caller's promise.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) })
}

fn path(string: &CStr) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(string.to_bytes()))
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| {
        Error::invalid(format!("\"{}\" is not valid UTF-8", String::from_utf8_lossy(bytes)))
    })
}
