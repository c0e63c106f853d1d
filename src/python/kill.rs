//! Logs where the application sends a signal to the process that it runs in, or to another process
//! of the server.

use super::dispositions::action;
use super::intercept::{self, Act, Call, Rule};
use super::{descriptors, process};
use nix::unistd::{self, Pid};
use pyo3::prelude::*;
use std::os::fd::RawFd;

const RULES: &[Rule] = &[
    rule("os", &["posix"], "kill", &["pid", "signal"], kill),
    rule("os", &["posix"], "killpg", &["pgid", "signal"], kill_group),
    rule("signal", &["_signal"], "raise_signal", &["signalnum"], raise),
    rule("signal", &["_signal"], "pthread_kill", &["thread_id", "signalnum"], raise),
    Rule {
        required: 2,
        ..rule("signal", &["_signal"], "pidfd_send_signal", BY_DESCRIPTOR, by_descriptor)
    },
];

const BY_DESCRIPTOR: &[&str] = &["pidfd", "signalnum", "siginfo", "flags"];

const fn rule(
    module: &'static str,
    also: &'static [&'static str],
    name: &'static str,
    parameters: &'static [&'static str],
    act: Act,
) -> Rule {
    Rule { module, also, name, parameters, required: parameters.len(), by_name: false, act }
}

/// Guards the functions. Call it once. Fails with what Python raises.
pub(super) fn intercept(py: Python<'_>) -> PyResult<()> {
    intercept::install(py, RULES)
}

fn kill<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(process) = call.value(0).extract::<libc::pid_t>() else { return call.original() };
    match process {
        -1 | 0 => to_group(call),
        ..-1 => to_own_group(call, -process),
        _ => to(call, process),
    }
}

/// The signal is the second argument.
fn to<'py>(call: &Call<'_, 'py>, process: libc::pid_t) -> PyResult<Bound<'py, PyAny>> {
    if process == std::process::id() as libc::pid_t {
        return to_process(call, 1);
    }
    let asks = matches!(call.value(1).extract::<libc::c_int>(), Ok(0) | Err(_));
    if !asks && is_servers(process) {
        // An application may ask for a reload in this way, so the signal is sent. It may also end
        // the site.
        call.say(&format!(
            "WSGI0317 {} is a signal to another process of the web server",
            call.shown_whole()
        ));
    }
    call.original()
}

/// Whether `process` is in the group of this process, and is its parent or another child of its
/// parent. That is true of a server's processes, and not of a child of the application.
fn is_servers(process: libc::pid_t) -> bool {
    let parent = unistd::getppid().as_raw();
    let same_group = unistd::getpgid(Some(Pid::from_raw(process))) == Ok(unistd::getpgrp());
    same_group && (process == parent || parent_of(process) == Some(parent))
}

fn parent_of(process: libc::pid_t) -> Option<libc::pid_t> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may be anything, are the state and the parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn by_descriptor<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let process = call.value(0).extract::<RawFd>().ok().and_then(descriptors::process_of);
    process.map_or_else(|| call.original(), |process| to(call, process))
}

fn kill_group<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    match call.value(0).extract::<libc::pid_t>() {
        Ok(0) => to_group(call),
        Ok(group) => to_own_group(call, group),
        Err(_) => call.original(),
    }
}

fn raise<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    to_process(call, call.rule.parameters.len() - 1)
}

fn to_own_group<'py>(call: &Call<'_, 'py>, group: libc::pid_t) -> PyResult<Bound<'py, PyAny>> {
    if group == unistd::getpgrp().as_raw() { to_group(call) } else { call.original() }
}

/// The group is that of all processes of the server, unless some program has put this process into
/// another group.
fn to_group<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    if matches!(call.value(1).extract::<libc::c_int>(), Ok(0) | Err(_)) {
        return call.original();
    }
    call.say(&format!(
        "WSGI0308 {} was refused: it is for all processes of the web server; give children a group \
         of their own (start_new_session)",
        call.shown_whole()
    ));
    Err(process::os_error(libc::EPERM))
}

/// `index` is the position of the signal among the arguments. An application that asks for a
/// restart in this way gets one.
fn to_process<'py>(call: &Call<'_, 'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    let Ok(signal) = call.value(index).extract::<libc::c_int>() else { return call.original() };
    match effect(signal) {
        Effect::None => {}
        Effect::Stops => {
            // No process would continue it.
            call.say(&format!(
                "WSGI0316 {} was refused: it would stop the web server",
                call.shown_whole()
            ));
            return Err(process::os_error(libc::EPERM));
        }
        Effect::Ends => {
            let text = format!("WSGI0309 {} is a signal to process", call.shown_whole());
            process::last_words(call.py(), &text);
        }
    }
    call.original()
}

enum Effect {
    None,
    Stops,
    /// Ends the server, or asks it for something.
    Ends,
}

fn effect(signal: libc::c_int) -> Effect {
    match signal {
        libc::SIGSTOP => return Effect::Stops,
        libc::SIGKILL => return Effect::Ends,
        1..=64 => {}
        _ => return Effect::None,
    }
    match (action(signal).sa_sigaction, signal) {
        (libc::SIG_IGN, _)
        | (libc::SIG_DFL, libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH) => {
            Effect::None
        }
        (libc::SIG_DFL, libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => Effect::Stops,
        _ => Effect::Ends,
    }
}
