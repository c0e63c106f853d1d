//! Distinguishes installations of Python. Two of the same minor version are not the same: the
//! extension modules of the standard library belong to the libpython that was built with them.

use super::reach::{Unusable, look};
use pyo3::ffi;
use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The version of Python that the library was built for, such as `3.11`.
pub const VERSION: &str = env!("WSGI_PYTHON_VERSION");
/// The Python that the library was built with.
pub const EXECUTABLE: &str = env!("WSGI_PYTHON_EXECUTABLE");
/// The folder of its standard library.
pub const LIBRARY: &str = env!("WSGI_PYTHON_LIBRARY");

/// The same for scripts/python-link, which finds it in libwsgi.a. A program that is linked with the
/// libpython of another installation starts, but then misses modules.
#[used]
static BUILT_FOR: &str = concat!(
    "\0libwsgi was built for\n",
    env!("WSGI_PYTHON_EXECUTABLE"),
    "\n",
    env!("WSGI_PYTHON_LIBRARY"),
    "\0"
);

/// The longest chain of virtualenvs, each made by the one before it, that is followed.
const MOST_VIRTUALENVS: usize = 8;

/// The version of the loaded libpython, such as `3.11.2`. The distribution may have installed a
/// newer one since the library was built.
pub(super) fn own_version() -> String {
    // SAFETY: CPython allows this at any time, before a start too. The string lives as long as
    // libpython is loaded.
    let text = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy();
    text.split_whitespace().next().unwrap_or(VERSION).to_owned()
}

/// The Python executable in a `bin` folder, if there is one. The `python3` of a prefix may be of
/// another version, so that is not the first choice.
pub(super) fn executable_in(bin: &Path) -> Result<Option<PathBuf>, Unusable> {
    for name in [&format!("python{VERSION}"), "python3", "python"] {
        let path = bin.join(name);
        match look(&path) {
            Ok(it) if it.is_file() => return Ok(Some(path)),
            Ok(_) | Err(Unusable::Missing) => {}
            Err(closed) => return Err(closed),
        }
    }
    Ok(None)
}

/// The standard library of the Python in the folder `bin`, if it is not that of the library's own
/// Python. Python itself looks for it above the folder that it gets. The executable there may be a
/// link to the real one, or the one of a virtualenv.
pub(super) fn foreign_library(bin: &Path) -> Result<Option<PathBuf>, Unusable> {
    foreign(bin, MOST_VIRTUALENVS)
}

fn foreign(bin: &Path, depth: usize) -> Result<Option<PathBuf>, Unusable> {
    let executable = executable_in(bin)?.and_then(|it| fs::canonicalize(it).ok());
    let real = executable.as_deref().and_then(Path::parent);
    for bin in real.into_iter().chain([bin]) {
        let other = match base_of_virtualenv(bin) {
            Some(base) if depth > 0 && base != bin => foreign(&base, depth - 1)?,
            _ => library_above(bin)?.filter(|library| !is_own(library)),
        };
        if other.is_some() {
            return Ok(other);
        }
    }
    Ok(None)
}

/// The folder of the Python that made the virtualenv with this `bin` folder.
fn base_of_virtualenv(bin: &Path) -> Option<PathBuf> {
    let config = fs::read_to_string(bin.parent()?.join("pyvenv.cfg")).ok()?;
    value(&config, "home").map(PathBuf::from)
}

fn library_above(bin: &Path) -> Result<Option<PathBuf>, Unusable> {
    for prefix in bin.ancestors() {
        if let Some(library) = library_in(prefix)? {
            return Ok(Some(library));
        }
    }
    Ok(None)
}

/// The standard library of a prefix.
pub(super) fn library_in(prefix: &Path) -> Result<Option<PathBuf>, Unusable> {
    for name in ["lib", "lib64"] {
        let library = prefix.join(name).join(format!("python{VERSION}"));
        match look(&library.join("os.py")) {
            Ok(it) if it.is_file() => return Ok(Some(library)),
            Ok(_) | Err(Unusable::Missing) => {}
            Err(closed) => return Err(closed),
        }
    }
    Ok(None)
}

/// Whether a folder is the standard library of the library's own Python: by any path or link, or as
/// a folder of links to it. Also true if that library is missing, so that there is nothing to
/// compare with.
pub(super) fn is_own(library: &Path) -> bool {
    let own = Path::new(LIBRARY);
    let Ok(_) = fs::metadata(own.join("os.py")) else { return true };
    let same = |one: &Path, other: &Path| match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    };
    same(library, own) || same(&library.join("os.py"), &own.join("os.py"))
}

/// The value of a key of pyvenv.cfg: `key = value`, keys in any case.
pub(super) fn value<'a>(config: &'a str, key: &str) -> Option<&'a str> {
    config
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim())
}
