//! Finds out, without Python, whether a folder can be Python's home: for a host's "test the
//! configuration".

use super::installation::{self, EXECUTABLE, LIBRARY, VERSION, value};
use super::reach::{self, Unusable};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Whether `home` is a virtualenv of the Python that the library was built with, or its prefix, and
/// this process may use it. If not, the sentence says what is wrong and what to do. Reads files
/// only; any thread, at any time.
pub fn check_home(home: &Path) -> Result<(), String> {
    let found = reach::look(home).map_err(|why| no_home(home, &why))?;
    if !found.is_dir() {
        let what = inside_home(home).unwrap_or_else(|| {
            String::from("name the folder of a virtualenv or of a Python installation")
        });
        return Err(format!("{} is a file; {what}", home.display()));
    }
    let config = home.join("pyvenv.cfg");
    match reach::look(&config).and_then(|_| reach::open(&config)) {
        Ok(()) => {
            let text = fs::read(&config).map_err(|err| format!("{}: {err}", config.display()))?;
            check_virtualenv(home, &String::from_utf8_lossy(&text))?;
        }
        Err(Unusable::Missing) => check_prefix(home)?,
        Err(why) => return Err(why.sentence(&config)),
    }
    Ok(())
}

/// Finds what need not be wrong with a home, but probably is: packages that this process may not
/// use, and a virtualenv that is left without its Python.
pub fn check_home_closely(home: &Path) -> Result<(), String> {
    check_home(home)?;
    let config = fs::read(home.join("pyvenv.cfg")).unwrap_or_default();
    let config = String::from_utf8_lossy(&config);
    if let Some(base) = value(&config, "home").map(Path::new) {
        let found = installation::executable_in(base).map_err(|why| why.sentence(base))?;
        // venv and virtualenv note the program too, which may have any name.
        let programs = ["executable", "base-executable"].map(|key| value(&config, key));
        let is_there = |program: &str| reach::look(Path::new(program)).is_ok();
        if found.is_none() && !programs.into_iter().flatten().any(is_there) {
            return Err(format!(
                "{} is a virtualenv of a Python in {}, where there is none (any more); {}",
                home.display(),
                base.display(),
                again(home, base)
            ));
        }
    }
    for folder in packages(home) {
        usable(&folder)?;
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match reach::open(&entry.path()) {
                // A link that leads nowhere is not a package.
                Ok(()) | Err(Unusable::Missing) => {}
                Err(why) => return Err(why.sentence(&entry.path())),
            }
        }
    }
    Ok(())
}

/// Whether this process may use the Python that the library was built with. That Python runs if no
/// home is set, and a virtualenv uses its standard library.
pub fn check_own_closely() -> Result<(), String> {
    let library = Path::new(LIBRARY);
    for path in [Path::new(EXECUTABLE), library, &library.join("lib-dynload")] {
        match reach::open(path) {
            // There may be no such folder. If Python is gone altogether, its start reports that.
            Ok(()) | Err(Unusable::Missing) => {}
            Err(why) => {
                return Err(format!(
                    "the Python that libwsgi was built with is {EXECUTABLE}, and {}",
                    why.sentence(path)
                ));
            }
        }
    }
    Ok(())
}

/// Whether something can be imported from `folder`, a folder of sys.path or a zip file.
pub fn check_folder(folder: &Path) -> Result<(), String> {
    const ZIP: &[u8] = b"PK";
    let shown = folder.display();
    let found = match reach::look(folder) {
        Ok(found) => found,
        Err(Unusable::Missing) => {
            return Err(format!(
                "the folder {shown} is not there, so nothing can be imported from it; correct the \
                 path, or make the folder"
            ));
        }
        Err(why) => return Err(why.sentence(folder)),
    };
    usable(folder)?;
    let mut start = [0; ZIP.len()];
    let mut is_zip = || -> io::Result<bool> {
        File::open(folder)?.read_exact(&mut start).map(|()| start == ZIP)
    };
    if !found.is_dir() && !is_zip().is_ok_and(|is_zip| is_zip) {
        return Err(format!(
            "{shown} is a file, so nothing can be imported from it; name the folder that holds the \
             modules"
        ));
    }
    Ok(())
}

/// The Python executable of a virtualenv or of a prefix, if it has one that this process may use.
pub(super) fn executable(home: &Path) -> Option<PathBuf> {
    installation::executable_in(&home.join("bin")).ok().flatten()
}

/// `config` is the text of its pyvenv.cfg (PEP 405).
fn check_virtualenv(home: &Path, config: &str) -> Result<(), String> {
    let shown = home.display();
    check_kind(home, config)?;
    let Some(base) = value(config, "home") else {
        return Err(format!("{shown}/pyvenv.cfg has no line \"home = ...\"; {}", remake(home)));
    };
    let base = Path::new(base);
    if base.is_relative() {
        return Err(format!(
            "{shown}/pyvenv.cfg says \"home = {}\", which is relative to whatever folder a process \
             is in; {}",
            base.display(),
            remake(home)
        ));
    }
    match reach::look(base) {
        Ok(found) if found.is_dir() => {}
        Ok(_) | Err(Unusable::Missing) => {
            return Err(format!(
                "{shown} is a virtualenv of a Python in {}, which is not there (any more); {}",
                base.display(),
                remake(home)
            ));
        }
        Err(why) => return Err(in_base(home, base, &why)),
    }
    let other = installation::foreign_library(base).map_err(|why| in_base(home, base, &why))?;
    if let Some(library) = other {
        let version = value(config, "version").or_else(|| value(config, "version_info"));
        return Err(format!(
            "{shown} is a virtualenv of the Python {} in {}, with its library in {}, but libwsgi \
             runs {}; what is compiled for one does not work in the other; {}",
            version.map_or(VERSION, patch),
            base.display(),
            library.display(),
            own(),
            again(home, base)
        ));
    }
    usable(Path::new(LIBRARY))?;
    match installation::executable_in(&home.join("bin")) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(format!(
            "{shown} is a virtualenv without a working bin/python3 (its Python was in {}); {}",
            base.display(),
            remake(home)
        )),
        Err(why) => Err(why.sentence(&home.join("bin/python3"))),
    }
}

/// Whether the virtualenv is of a CPython of the right version.
fn check_kind(home: &Path, config: &str) -> Result<(), String> {
    let shown = home.display();
    let kind = value(config, "implementation").unwrap_or("CPython");
    if !kind.eq_ignore_ascii_case("CPython") {
        return Err(format!(
            "{shown} is a virtualenv of {kind}, but libwsgi was built for CPython {VERSION}; {}",
            remake(home)
        ));
    }
    match value(config, "version").or_else(|| value(config, "version_info")) {
        Some(version) if minor(version) != VERSION => {
            return Err(format!(
                "{shown} is a virtualenv of Python {}, but libwsgi was built for Python \
                 {VERSION}; {}",
                minor(version),
                remake(home)
            ));
        }
        // A pyvenv.cfg need not name the version; the folder of the packages does.
        None if !home.join(format!("lib/python{VERSION}")).is_dir() => {
            return Err(format!(
                "{shown} is a virtualenv that holds no lib/python{VERSION}, but libwsgi was \
                 built for Python {VERSION}; {}",
                remake(home)
            ));
        }
        _ => {}
    }
    let library = format!("lib/python{VERSION}");
    if !home.join(&library).is_dir() && home.join(format!("{library}t")).is_dir() {
        return Err(format!(
            "{shown} is a virtualenv of a Python {VERSION} that is free-threaded, whose packages \
             are not for the one with a global interpreter lock that libwsgi was built for; {}",
            remake(home)
        ));
    }
    Ok(())
}

fn check_prefix(home: &Path) -> Result<(), String> {
    let shown = home.display();
    let library = installation::library_in(home).map_err(|why| why.sentence(home))?;
    let Some(library) = library else { return Err(no_prefix(home)) };
    let bin = home.join("bin");
    let executable = installation::executable_in(&bin).map_err(|why| why.sentence(&bin))?;
    let Some(executable) = executable else {
        return Err(format!(
            "{shown} has lib/python{VERSION} but no bin/python3; name the prefix of a whole Python \
             installation, or a virtualenv"
        ));
    };
    if !installation::is_own(&library) {
        return Err(format!(
            "{shown} is the prefix of another Python {VERSION} than the one of libwsgi, which is {}; \
             what is compiled for one does not work in the other; set no home for Python, name \
             a virtualenv made with: {EXECUTABLE} -m venv FOLDER, or build libwsgi for that \
             Python with PYTHON={}",
            own(),
            executable.display()
        ));
    }
    usable(&library)
}

/// The sentence about a folder that is neither a virtualenv nor a prefix of this version.
fn no_prefix(home: &Path) -> String {
    let shown = home.display();
    if let Some(what) = inside_home(home) {
        return format!("{shown} is not a virtualenv, but something inside one; {what}");
    }
    let others = other_versions(home);
    if others.is_empty() {
        return format!(
            "{shown} is neither a virtualenv (it has no pyvenv.cfg) nor the prefix of a Python \
             {VERSION} (it has no lib/python{VERSION}/os.py); name one of these, or make one with: \
             {EXECUTABLE} -m venv {shown}, or build libwsgi for its Python with PYTHON=..."
        );
    }
    format!(
        "{shown} is the prefix of Python {}, but libwsgi was built for Python {VERSION}; name \
         a virtualenv of {EXECUTABLE}, or build libwsgi with PYTHON={shown}/bin/python3",
        others.join(" and ")
    )
}

/// What to name instead of `bin` or `bin/python3`, which other programs take.
fn inside_home(path: &Path) -> Option<String> {
    let home = path.ancestors().skip(1).find(|it| it.join("pyvenv.cfg").is_file())?;
    Some(format!("name the virtualenv, {}", home.display()))
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

/// The folders of a home that hold packages: those that are there, or that are closed.
fn packages(home: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for name in ["lib", "lib64"] {
        let folder = home.join(name).join(format!("python{VERSION}/site-packages"));
        let is_known = folders.iter().any(|known: &PathBuf| {
            fs::canonicalize(known).is_ok_and(|known| fs::canonicalize(&folder).ok() == Some(known))
        });
        if !is_known && !matches!(reach::look(&folder), Err(Unusable::Missing)) {
            folders.push(folder);
        }
    }
    folders
}

fn usable(path: &Path) -> Result<(), String> {
    reach::open(path).map_err(|why| why.sentence(path))
}

fn no_home(home: &Path, why: &Unusable) -> String {
    let sentence = why.sentence(home);
    match why {
        Unusable::Missing => {
            format!("{sentence}; name the folder of a virtualenv or of a Python installation")
        }
        _ => sentence,
    }
}

fn in_base(home: &Path, base: &Path, why: &Unusable) -> String {
    format!(
        "{} is a virtualenv of the Python in {}, and {}",
        home.display(),
        base.display(),
        why.sentence(base)
    )
}

fn own() -> String {
    format!(
        "the Python {} of {EXECUTABLE}, with its library in {LIBRARY}",
        installation::own_version()
    )
}

/// How to get a virtualenv of the right Python. `--clear` removes all that is in the folder, which
/// may be more than a virtualenv.
fn remake(home: &Path) -> String {
    let shown = home.display();
    let make = if holds_more(home) {
        format!("make another one with: {EXECUTABLE} -m venv {shown}-{VERSION}")
    } else {
        format!("make it again with: {EXECUTABLE} -m venv --clear {shown}")
    };
    format!(
        "{make}, and install its packages again; or build libwsgi for its Python with PYTHON=..."
    )
}

/// Whether a virtualenv has something in it that the tools which make virtualenvs do not put there.
fn holds_more(home: &Path) -> bool {
    const FOLDERS: [&str; 7] = ["bin", "etc", "include", "lib", "lib64", "man", "share"];
    const FILES: [&str; 4] = ["pyvenv.cfg", ".gitignore", ".lock", "CACHEDIR.TAG"];
    let is_other = |name: &str| !FOLDERS.contains(&name) && !FILES.contains(&name);
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_str().is_none_or(is_other))
}

/// The same, with the Python that libwsgi would be built for, if that is known.
fn again(home: &Path, base: &Path) -> String {
    let python = installation::executable_in(base).ok().flatten();
    python.map_or_else(
        || remake(home),
        |python| remake(home).replace("PYTHON=...", &format!("PYTHON={}", python.display())),
    )
}

/// `3.11` of `3.11.2` and of `3.11.2.final.0`.
fn minor(version: &str) -> &str {
    until_dot(version, 1)
}

/// `3.11.2` of `3.11.2.final.0`.
fn patch(version: &str) -> &str {
    until_dot(version, 2)
}

fn until_dot(version: &str, number: usize) -> &str {
    let dot = version.match_indices('.').nth(number);
    dot.map_or(version, |(at, _)| &version[..at])
}
