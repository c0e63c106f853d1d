//! Which folders can be Python's home. No interpreter runs here.

use super::Folder;
use crate::python::check::{check_folder, check_home, check_home_closely};
use crate::python::installation::VERSION;
use crate::python::installation::{EXECUTABLE, LIBRARY};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Folder {
    fn refused(&self, phrase: &str) {
        let sentence = check_home(&self.0).unwrap_err();
        assert!(sentence.contains(phrase), "{sentence}");
    }

    fn config(&self, home: &Path, more: &str) {
        let text = format!("home = {}\nversion = {VERSION}.2\n{more}", home.display());
        self.file("pyvenv.cfg", &text);
    }

    /// Makes it a virtualenv as `venv` would, of the Python in `home`.
    fn virtualenv(&self, home: &Path) {
        self.config(home, "");
        self.file(&format!("lib/python{VERSION}/site-packages/x.py"), "");
        fs::create_dir_all(self.0.join("bin")).unwrap();
        symlink(home.join("python3"), self.0.join("bin/python3")).unwrap();
    }

    /// Makes it an installation of the right version, and says where its `bin` is.
    fn installation(&self) -> PathBuf {
        self.file(&format!("lib/python{VERSION}/os.py"), "");
        self.file("bin/python3", "");
        self.0.join("bin")
    }
}

/// Where the Python is that the library was built with.
fn own_bin() -> PathBuf {
    let code = "import sys; print(sys.base_exec_prefix)";
    let said = Command::new(EXECUTABLE).args(["-I", "-c", code]).output().unwrap();
    PathBuf::from(String::from_utf8(said.stdout).unwrap().trim()).join("bin")
}

fn accepted(folder: &Folder) {
    assert_eq!(check_home(&folder.0), Ok(()));
    assert_eq!(check_home_closely(&folder.0), Ok(()));
}

#[test]
fn the_home_must_exist_and_be_a_folder() {
    let folder = Folder::new("exists");
    assert!(check_home(&folder.0.join("no")).unwrap_err().contains("does not exist; name"));
    let file = folder.file("file", "");
    assert!(check_home(&file).unwrap_err().contains("is a file"));
    folder.refused("neither a virtualenv");
}

#[test]
fn a_path_inside_a_virtualenv_is_not_the_home() {
    let folder = Folder::new("inside");
    folder.virtualenv(&own_bin());
    let expected = format!("name the virtualenv, {}", folder.0.display());
    for inside in ["bin", "bin/python3", &format!("lib/python{VERSION}/site-packages")] {
        let sentence = check_home(&folder.0.join(inside)).unwrap_err();
        assert!(sentence.ends_with(&expected), "{sentence}");
    }
}

#[test]
fn a_virtualenv_of_this_version_is_a_home() {
    let folder = Folder::new("this");
    folder.file("bin/python3", "");
    let home = own_bin();
    let home = home.display();
    for key in ["version", "version_info", "Version"] {
        let text = format!("home = {home}\n{key} = {VERSION}.2.final.0\n");
        folder.file("pyvenv.cfg", &text);
        accepted(&folder);
    }
    folder.file("pyvenv.cfg", &format!("home = {home}\n"));
    folder.refused("holds no lib/python");
    folder.file(&format!("lib/python{VERSION}/site-packages/x.py"), "");
    accepted(&folder);
}

#[test]
fn a_virtualenv_of_another_version_or_kind_is_refused() {
    let folder = Folder::new("version");
    folder.file("pyvenv.cfg", "home = /usr\nversion = 3.1.4\n");
    folder.refused("is a virtualenv of Python 3.1, but libwsgi was built for Python 3.");
    folder.refused(&format!("{EXECUTABLE} -m venv --clear {}", folder.0.display()));
    folder.config(&own_bin(), "implementation = PyPy\n");
    folder.refused("is a virtualenv of PyPy, but");
}

#[test]
fn a_virtualenv_of_a_free_threaded_python_is_refused() {
    let folder = Folder::new("free-threaded");
    folder.file("bin/python3", "");
    folder.config(&own_bin(), "");
    folder.file(&format!("lib/python{VERSION}t/site-packages/x.py"), "");
    folder.refused("that is free-threaded");
    folder.file(&format!("lib/python{VERSION}/site-packages/x.py"), "");
    accepted(&folder);
}

#[test]
fn a_virtualenv_whose_python_is_gone_is_refused() {
    let folder = Folder::new("gone");
    folder.file("pyvenv.cfg", &format!("version = {VERSION}\n"));
    folder.refused("has no line");
    folder.config(Path::new("/no/such"), "");
    folder.refused("which is not there");
    folder.config(Path::new("../usr/bin"), "");
    folder.refused("relative to whatever folder");
    folder.config(&own_bin(), "");
    fs::create_dir_all(folder.0.join("bin")).unwrap();
    symlink("/no/such/python3", folder.0.join("bin/python3")).unwrap();
    folder.refused("without a working bin/python3");
}

#[test]
fn a_folder_without_a_python_is_noticed() {
    let (folder, empty) = (Folder::new("left"), Folder::new("empty"));
    folder.virtualenv(&own_bin());
    folder.config(&empty.0, "");
    let sentence = check_home_closely(&folder.0).unwrap_err();
    assert!(sentence.contains("where there is none (any more)"), "{sentence}");
    // It may have another name than usual.
    folder.config(&empty.0, &format!("executable = {EXECUTABLE}\n"));
    accepted(&folder);
}

#[test]
fn a_virtualenv_of_another_installation_is_refused() {
    let (folder, other) = (Folder::new("foreign"), Folder::new("other"));
    folder.virtualenv(&other.installation());
    let library = other.0.join(format!("lib/python{VERSION}"));
    folder.refused(&format!("the Python {VERSION}.2 in {}/bin", other.0.display()));
    folder.refused(&format!("with its library in {}, but", library.display()));
    folder.refused(&format!(" of {EXECUTABLE}, with its library in {LIBRARY};"));
    folder.refused(&format!("{EXECUTABLE} -m venv --clear {}", folder.0.display()));
    folder.refused(&format!("PYTHON={}/bin/python3", other.0.display()));
}

#[test]
fn the_advice_is_not_to_clear_a_folder_that_holds_more() {
    let (folder, other) = (Folder::new("more"), Folder::new("more-other"));
    folder.virtualenv(&other.installation());
    folder.refused("-m venv --clear");
    folder.file("application.py", "");
    folder.refused(&format!("{EXECUTABLE} -m venv {}-{VERSION},", folder.0.display()));
    let sentence = check_home(&folder.0).unwrap_err();
    assert!(!sentence.contains("--clear"), "{sentence}");
}

#[test]
fn links_to_another_installation_are_seen_through() {
    let (folder, other, links) = (Folder::new("seen"), Folder::new("real"), Folder::new("links"));
    let bin = other.installation();
    symlink(bin.join("python3"), links.0.join("python3")).unwrap();
    folder.virtualenv(&links.0);
    folder.refused("is a virtualenv of the Python");
    // So is a virtualenv of a virtualenv, whose bin is a copy.
    let first = Folder::new("first");
    first.config(&bin, "");
    first.file("bin/python3", "");
    folder.config(&first.0.join("bin"), "");
    folder.refused("is a virtualenv of the Python");
}

#[test]
fn links_to_the_own_installation_are_seen_through() {
    let (folder, links) = (Folder::new("own"), Folder::new("own-links"));
    symlink(own_bin(), links.0.join("bin")).unwrap();
    folder.virtualenv(&links.0.join("bin"));
    accepted(&folder);
    fs::create_dir(links.0.join("single")).unwrap();
    symlink(EXECUTABLE, links.0.join("single/python3")).unwrap();
    folder.config(&links.0.join("single"), "");
    accepted(&folder);
    // An installation that is nothing but links, as Nix makes them.
    let farm = Folder::new("farm");
    farm.file("bin/python3", "");
    let library = farm.0.join(format!("lib/python{VERSION}"));
    fs::create_dir_all(&library).unwrap();
    symlink(Path::new(LIBRARY).join("os.py"), library.join("os.py")).unwrap();
    folder.config(&farm.0.join("bin"), "");
    accepted(&folder);
    // A virtualenv of a virtualenv.
    let first = Folder::new("own-first");
    first.virtualenv(&own_bin());
    folder.config(&first.0.join("bin"), "");
    accepted(&folder);
}

#[test]
fn a_prefix_must_be_that_of_the_own_installation() {
    let folder = Folder::new("prefix");
    folder.file("lib/python3.1/os.py", "");
    folder.refused("is the prefix of Python 3.1, but");
    folder.file(&format!("lib/python{VERSION}/os.py"), "");
    folder.refused("no bin/python3");
    folder.file("bin/python3", "");
    folder.refused("is the prefix of another Python");
    folder.refused(&format!("PYTHON={}/bin/python3", folder.0.display()));
    assert_eq!(check_home(own_bin().parent().unwrap()), Ok(()));
}

#[test]
fn a_folder_of_the_path_is_there_and_is_a_folder() {
    let folder = Folder::new("folders");
    assert_eq!(check_folder(&folder.0), Ok(()));
    let told = |path: &Path| check_folder(path).unwrap_err();
    assert!(told(&folder.0.join("no")).contains("is not there"));
    assert!(told(&folder.file("module.py", "x = 1")).contains("is a file"));
    assert_eq!(check_folder(&folder.file("modules.zip", "PK\x03\x04")), Ok(()));
}
