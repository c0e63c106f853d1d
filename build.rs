//! Tells the crate about the Python it is built for: `PYO3_PYTHON`, or the first `python3` on PATH.

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
    // The crate's own tests must find a libpython that is not where the system looks.
    if let Some(folder) = python.lib_dir() {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
