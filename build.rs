//! Tells the crate about the Python it is built for: `PYO3_PYTHON`, or the first `python3` on PATH.

use std::process::Command;

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    let python = pyo3_build_config::get();
    if python.is_free_threaded() {
        // It would compile: docs/decisions/0013-free-threaded-python.md.
        println!(
            "cargo::error=libwsgi relies on Python's global interpreter lock, and the Python that \
             it would be built for has none (it is free-threaded); set PYO3_PYTHON to another"
        );
        return;
    }
    let version = python.version();
    println!("cargo:rustc-env=WSGI_PYTHON_VERSION={}.{}", version.major, version.minor);
    // Without this line cargo would watch every file of the repository.
    println!("cargo:rerun-if-changed=build.rs");
    let executable = python.executable().expect("PYO3_PYTHON names the Python to build for");
    println!("cargo:rustc-env=WSGI_PYTHON_EXECUTABLE={executable}");
    println!("cargo:rustc-env=WSGI_PYTHON_LIBRARY={}", standard_library(executable));
    // The crate's own tests must find a libpython that is not where the system looks.
    if let Some(folder) = python.lib_dir() {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

/// The folder of its standard library, which tells one installation from another.
fn standard_library(executable: &str) -> String {
    let code = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let said = Command::new(executable).args(["-I", "-c", code]).output();
    let said = said.unwrap_or_else(|err| panic!("{executable} cannot be run: {err}"));
    let folder = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    assert!(!folder.is_empty(), "{executable} does not say where its standard library is");
    folder
}
