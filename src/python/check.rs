//! Whether a folder can be Python's home, told without Python: for a host's "test the
//! configuration".

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The version of Python that the library was built for, such as `3.11`.
pub const VERSION: &str = env!("WSGI_PYTHON_VERSION");

/// Whether `home` is a virtualenv, or the prefix of a Python, of the version that the library was
/// built for. If not, the sentence says what is wrong and what to do. Reads files only; any
/// thread, at any time.
pub fn check_home(home: &Path) -> Result<(), String> {
    let shown = home.display();
    let kind = fs::metadata(home).map_err(|err| cannot_read(&shown, &err))?;
    if !kind.is_dir() {
        return Err(format!(
            "{shown} is a file; name the folder of a virtualenv or of a Python installation"
        ));
    }
    let config = home.join("pyvenv.cfg");
    match fs::read(&config) {
        Ok(text) => check_virtualenv(home, &String::from_utf8_lossy(&text)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => check_prefix(home),
        Err(err) => Err(cannot_read(&config.display(), &err)),
    }
}

/// The Python executable of a virtualenv or of a prefix, if it has one. The `python3` of a prefix
/// may be of another version, so that is not the first choice.
pub(super) fn executable(home: &Path) -> Option<PathBuf> {
    let names = [format!("python{VERSION}"), String::from("python3"), String::from("python")];
    names.iter().map(|name| home.join("bin").join(name)).find(|path| path.is_file())
}

/// `config` is the text of its pyvenv.cfg (PEP 405).
fn check_virtualenv(home: &Path, config: &str) -> Result<(), String> {
    let shown = home.display();
    let again = remedy(&format!("make it again with: python{VERSION} -m venv --clear {shown}"));
    match value(config, "version").or_else(|| value(config, "version_info")) {
        Some(version) if minor(version) != VERSION => {
            return Err(format!(
                "{shown} is a virtualenv of Python {}, but this module was built for Python \
                 {VERSION}; {again}",
                minor(version)
            ));
        }
        // A pyvenv.cfg need not name the version; the folder of the packages does.
        None if !home.join(format!("lib/python{VERSION}")).is_dir() => {
            return Err(format!(
                "{shown} is a virtualenv that holds no lib/python{VERSION}, but this module was \
                 built for Python {VERSION}; {again}"
            ));
        }
        _ => {}
    }
    let library = format!("lib/python{VERSION}");
    if !home.join(&library).is_dir() && home.join(format!("{library}t")).is_dir() {
        return Err(format!(
            "{shown} is a virtualenv of a Python {VERSION} that is free-threaded, whose packages \
             are not for the one with a global interpreter lock that this module was built for; \
             {again}"
        ));
    }
    let Some(base) = value(config, "home") else {
        return Err(format!("{shown}/pyvenv.cfg has no line \"home = ...\"; {again}"));
    };
    if !Path::new(base).is_dir() {
        return Err(format!(
            "{shown} is a virtualenv of a Python in {base}, which is not there (any more); {again}"
        ));
    }
    if executable(home).is_none() {
        return Err(format!(
            "{shown} is a virtualenv without a working bin/python3 (its Python was in {base}); \
             {again}"
        ));
    }
    Ok(())
}

fn check_prefix(home: &Path) -> Result<(), String> {
    let shown = home.display();
    let library = format!("python{VERSION}");
    let has_library = |lib: &str| home.join(lib).join(&library).join("os.py").is_file();
    if has_library("lib") || has_library("lib64") {
        return match executable(home) {
            Some(_) => Ok(()),
            None => Err(format!(
                "{shown} has lib/{library} but no bin/python3; name the prefix of a whole Python \
                 installation, or a virtualenv"
            )),
        };
    }
    let others = other_versions(home);
    if others.is_empty() {
        let make = remedy(&format!("make one with: python{VERSION} -m venv {shown}"));
        return Err(format!(
            "{shown} is neither a virtualenv (it has no pyvenv.cfg) nor the prefix of a Python \
             {VERSION} (it has no lib/{library}/os.py); name one of these, or {make}"
        ));
    }
    Err(format!(
        "{shown} is the prefix of Python {}, but this module was built for Python {VERSION}; name \
         a prefix or a virtualenv of that version, or build the module with \
         PYTHON={shown}/bin/python3",
        others.join(" and ")
    ))
}

/// The versions of the Pythons under a prefix.
fn other_versions(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home.join("lib")).into_iter().flatten().flatten();
    let mut versions: Vec<String> = entries
        .filter(|entry| entry.path().join("os.py").is_file())
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("python").map(String::from))
        .collect();
    versions.sort();
    versions
}

fn remedy(first: &str) -> String {
    format!("{first}, or build the module for its Python with PYTHON=...")
}

fn cannot_read(shown: &dyn Display, err: &io::Error) -> String {
    match err.kind() {
        io::ErrorKind::NotFound => format!(
            "{shown} does not exist; name the folder of a virtualenv or of a Python installation"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("{shown} cannot be read by this user; change its permissions, or its owner")
        }
        _ => format!("{shown} cannot be read ({err})"),
    }
}

/// The value of a key of pyvenv.cfg: `key = value`, keys in any case.
fn value<'a>(config: &'a str, key: &str) -> Option<&'a str> {
    config
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim())
}

/// `3.11` of `3.11.2` and of `3.11.2.final.0`.
fn minor(version: &str) -> &str {
    let second_dot = version.match_indices('.').nth(1);
    second_dot.map_or(version, |(at, _)| &version[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder of the test's own, removed with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("wsgi-{name}-{}", std::process::id()));
            fs::create_dir_all(path.join("bin")).unwrap();
            Folder(path)
        }

        fn file(&self, name: &str, text: &str) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn refused(&self, phrase: &str) {
            let sentence = check_home(&self.0).unwrap_err();
            assert!(sentence.contains(phrase), "{sentence}");
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_home_must_exist_and_be_a_folder() {
        let folder = Folder::new("exists");
        assert!(check_home(&folder.0.join("no")).unwrap_err().contains("does not exist"));
        folder.file("file", "");
        assert!(check_home(&folder.0.join("file")).unwrap_err().contains("is a file"));
        folder.refused("neither a virtualenv");
    }

    #[test]
    fn a_virtualenv_of_this_version_is_a_home() {
        let folder = Folder::new("venv");
        folder.file("bin/python3", "");
        for key in ["version", "version_info", "Version"] {
            folder.file("pyvenv.cfg", &format!("home = /usr\n{key} = {VERSION}.2.final.0\n"));
            assert_eq!(check_home(&folder.0), Ok(()));
        }
        folder.file("pyvenv.cfg", "home = /usr\n");
        folder.refused("holds no lib/python");
        folder.file(&format!("lib/python{VERSION}/site-packages/x.py"), "");
        assert_eq!(check_home(&folder.0), Ok(()));
    }

    #[test]
    fn a_virtualenv_of_another_version_is_refused() {
        let folder = Folder::new("version");
        folder.file("pyvenv.cfg", "home = /usr\nversion = 3.1.4\n");
        folder.refused("is a virtualenv of Python 3.1, but this module was built for Python 3.");
        folder.refused("-m venv --clear");
    }

    #[test]
    fn a_virtualenv_of_a_free_threaded_python_is_refused() {
        let folder = Folder::new("free-threaded");
        folder.file("bin/python3", "");
        folder.file("pyvenv.cfg", &format!("home = /usr\nversion = {VERSION}.2\n"));
        folder.file(&format!("lib/python{VERSION}t/site-packages/x.py"), "");
        folder.refused("that is free-threaded");
        folder.file(&format!("lib/python{VERSION}/site-packages/x.py"), "");
        assert_eq!(check_home(&folder.0), Ok(()));
    }

    #[test]
    fn a_virtualenv_whose_python_is_gone_is_refused() {
        let folder = Folder::new("gone");
        folder.file("pyvenv.cfg", &format!("version = {VERSION}\n"));
        folder.refused("has no line");
        folder.file("pyvenv.cfg", &format!("home = /no/such\nversion = {VERSION}\n"));
        folder.refused("which is not there");
        folder.file("pyvenv.cfg", &format!("home = /usr\nversion = {VERSION}\n"));
        symlink("/no/such/python3", folder.0.join("bin/python3")).unwrap();
        folder.refused("without a working bin/python3");
    }

    #[test]
    fn a_prefix_of_this_version_is_a_home() {
        let folder = Folder::new("prefix");
        folder.file("lib/python3.1/os.py", "");
        folder.refused("is the prefix of Python 3.1, but");
        folder.file(&format!("lib/python{VERSION}/os.py"), "");
        folder.refused("no bin/python3");
        folder.file("bin/python3", "");
        assert_eq!(check_home(&folder.0), Ok(()));
    }
}
