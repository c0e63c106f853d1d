//! Logs where an application changes the process that it shares with the web server: its limits,
//! its user, its root folder. The change itself is made, since the application may intend it.

use super::intercept::{self, Act, Call, Rule};
use nix::unistd;
use pyo3::prelude::*;
use std::mem::MaybeUninit;

const OS: (&str, &[&str]) = ("os", &["posix"]);
const RESOURCE: (&str, &[&str]) = ("resource", &[]);

const RULES: &[Rule] = &[
    rule(OS, "setuid", &["uid"], 1, user),
    rule(OS, "seteuid", &["euid"], 1, user),
    rule(OS, "setreuid", &["ruid", "euid"], 2, user),
    rule(OS, "setresuid", &["ruid", "euid", "suid"], 3, user),
    rule(OS, "setgid", &["gid"], 1, user),
    rule(OS, "setegid", &["egid"], 1, user),
    rule(OS, "setregid", &["rgid", "egid"], 2, user),
    rule(OS, "setresgid", &["rgid", "egid", "sgid"], 3, user),
    rule(OS, "setgroups", &["groups"], 1, user),
    rule(OS, "initgroups", &["username", "gid"], 2, user),
    Rule { by_name: true, ..rule(OS, "chroot", &["path"], 1, root) },
    rule(RESOURCE, "setrlimit", &["resource", "limits"], 2, limit),
    rule(RESOURCE, "prlimit", &["pid", "resource", "limits"], 3, limit_of_process),
    Rule { by_name: true, ..rule(FAULTHANDLER, "dump_traceback_later", LATER, 1, later) },
];

const FAULTHANDLER: (&str, &[&str]) = ("faulthandler", &[]);
const LATER: &[&str] = &["timeout", "repeat", "file", "exit"];

const fn rule(
    (module, also): (&'static str, &'static [&'static str]),
    name: &'static str,
    parameters: &'static [&'static str],
    required: usize,
    act: Act,
) -> Rule {
    Rule { module, also, name, parameters, required, by_name: false, act }
}

/// Guards the functions. Call it once. Fails with what Python raises.
pub(super) fn intercept(py: Python<'_>) -> PyResult<()> {
    intercept::install(py, RULES)
}

fn say(call: &Call<'_, '_>) {
    let what = call.shown_whole();
    call.say(&format!("WSGI0310 {what} has changed the process of the web server"));
}

/// The C library changes the user of all threads of the process.
fn user<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let before = credentials();
    let result = call.original()?;
    if credentials() != before {
        say(call);
    }
    Ok(result)
}

/// The users and groups of the process.
fn credentials() -> impl PartialEq {
    (unistd::getresuid(), unistd::getresgid(), unistd::getgroups())
}

fn root<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let result = call.original()?;
    say(call);
    Ok(result)
}

fn limit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    limited(call, call.value(0))
}

fn limit_of_process<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let process = call.value(0).extract::<libc::pid_t>();
    let own = [0, std::process::id() as libc::pid_t];
    if process.is_ok_and(|process| own.contains(&process)) {
        limited(call, call.value(1))
    } else {
        call.original()
    }
}

/// Logs only a lower limit. A higher one does no harm, for example for more open files.
fn limited<'py>(call: &Call<'_, 'py>, which: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let before = limits(which);
    let result = call.original()?;
    let lower = |(before, after): (libc::rlimit, libc::rlimit)| {
        after.rlim_cur < before.rlim_cur || after.rlim_max < before.rlim_max
    };
    if before.zip(limits(which)).is_some_and(lower) {
        say(call);
    }
    Ok(result)
}

fn limits(which: &Bound<'_, PyAny>) -> Option<libc::rlimit> {
    let which: libc::__rlimit_resource_t = which.extract().ok()?;
    let mut limits = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: zeros are valid limits. The call fails if `which` is not a resource.
    unsafe { (libc::getrlimit(which, limits.as_mut_ptr()) == 0).then(|| limits.assume_init()) }
}

/// C code ends the process when the time is over, and no guard notices that.
fn later<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let result = call.original()?;
    if call.optional(3).is_some_and(|exit| exit.is_truthy().unwrap_or(false)) {
        let first = call.value(0).str().ok().map(|it| it.to_string());
        call.say(&format!(
            "WSGI0311 {} with exit=True ends the process of the web server when its time is over",
            call.shown(first)
        ));
    }
    Ok(result)
}
