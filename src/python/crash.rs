//! The last lines of a process that crashes, in a C extension or in Python. They show in the log
//! what the thread worked on and where its Python code was.
//!
//! The handler of the signal neither allocates nor locks. It writes what the thread works on
//! (`breadcrumb`). Python's own faulthandler writes the stack. Then the signal has its usual
//! effect: an exit by signal, a core.
//!
//! This module sets one handler above faulthandler's and one below it. The one above writes its
//! line before faulthandler writes the stack. The one below is for a fatal error of Python, which
//! removes faulthandler's handler before it ends the process.

use super::breadcrumb::{self, MAX_TEXT};
use super::dispositions::{self, action};
use super::exit;
use super::fork::is_forked;
use nix::sys::signal::{SaFlags, SigHandler};
use nix::unistd;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

const SIGNALS: [(libc::c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGABRT, "SIGABRT"),
];

/// The line is written once.
static SPOKEN: AtomicBool = AtomicBool::new(false);

/// The process ends by `exit()` of C and not by a crash: see `c_exit`.
static BY_EXIT: AtomicBool = AtomicBool::new(false);

/// The exit code of the process then. The code of the application may have a meaning for a server.
const EXIT_CODE: libc::c_int = 1;

/// The handlers that get the signals next, in the order of `SIGNALS`: those of faulthandler.
static PREVIOUS: OnceCell<[libc::sigaction; SIGNALS.len()]> = OnceCell::new();

/// Sets the handlers for crashes of this process. A host that has a handler of its own for one of
/// the signals reports crashes in its own way, and keeps all of them. A handler that the host sets
/// while this function runs stays too. Fails with what Python raises.
pub(super) fn watch(py: Python<'_>) -> PyResult<()> {
    let faulthandler = py.import("faulthandler")?;
    // Code that Python's start has run may have enabled it.
    faulthandler.call_method0("disable")?;
    if SIGNALS.iter().any(|(signal, _)| action(*signal).sa_sigaction != libc::SIG_DFL) {
        return Ok(());
    }
    for (signal, _) in SIGNALS {
        let below = SigHandler::SigAction(after_stack);
        dispositions::swap_with(signal, libc::SIG_DFL, below, FLAGS);
    }
    let options = PyDict::new(py);
    options.set_item("file", libc::STDERR_FILENO)?;
    options.set_item("all_threads", false)?;
    faulthandler.call_method("enable", (), Some(&options))?;
    let previous = SIGNALS.map(|(signal, _)| action(signal));
    if PREVIOUS.set(previous).is_ok() {
        let ours = SigHandler::SigAction(on_crash);
        for ((signal, _), previous) in SIGNALS.iter().zip(previous) {
            dispositions::swap_with(*signal, previous.sa_sigaction, ours, FLAGS);
        }
    }
    Ok(())
}

/// SA_NODEFER: a crash inside the handler must not be blocked, and faulthandler raises the signal
/// once more to end the process.
const FLAGS: SaFlags = SaFlags::SA_ONSTACK.union(SaFlags::SA_NODEFER);

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

extern "C" fn on_crash(signal: libc::c_int, info: *mut libc::siginfo_t, at: *mut libc::c_void) {
    // A child that the application forked is not the server: only faulthandler writes there.
    if !is_forked() && !SPOKEN.swap(true, Ordering::Relaxed) {
        say(b"WSGI0303 ", name(signal), b"follows");
    }
    let index = SIGNALS.iter().position(|(known, _)| *known == signal);
    let previous = index.and_then(|index| Some(PREVIOUS.get()?[index]));
    match previous.map(|previous| previous.sa_sigaction) {
        None | Some(libc::SIG_DFL | libc::SIG_IGN) => {}
        Some(handler) => {
            // SAFETY: a handler that is not one of the two constants is a function. faulthandler's
            // takes only the number. In this platform's calling convention a function may get more
            // arguments than it takes, and the kernel itself relies on that.
            let handler = unsafe { std::mem::transmute::<libc::sighandler_t, Handler>(handler) };
            handler(signal, info, at);
        }
    }
    take_effect(signal);
}

/// The handler below faulthandler's, which has written the stack and removed itself.
extern "C" fn after_stack(signal: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    if !is_forked() && !SPOKEN.swap(true, Ordering::Relaxed) {
        say(b"WSGI0303 ", name(signal), b"is above, if it is known");
    }
    take_effect(signal);
}

/// Gives the signal the effect that it would have without these handlers.
fn take_effect(signal: libc::c_int) {
    if BY_EXIT.load(Ordering::Relaxed) && !is_forked() {
        exit::at_once(EXIT_CODE);
    }
    dispositions::set(signal, SigHandler::SigDfl, FLAGS);
    dispositions::raise(signal);
}

/// Handles a call of `exit()` of C by an application: writes the last lines, then ends the process.
pub(super) fn end_by_exit() -> ! {
    SPOKEN.store(true, Ordering::Relaxed);
    BY_EXIT.store(true, Ordering::Relaxed);
    say(b"WSGI0312 ", "exit() of C code", b"follows");
    if PREVIOUS.get().is_some() {
        // faulthandler writes the stack only when a signal arrives. This call returns if the host
        // has another handler for it.
        dispositions::raise(libc::SIGABRT);
    }
    exit::at_once(EXIT_CODE)
}

fn name(signal: libc::c_int) -> &'static str {
    SIGNALS.iter().find(|(known, _)| *known == signal).map_or("a signal", |it| it.1)
}

/// Writes the line, in one piece, to where the host's log is. Neither allocates nor locks.
fn say(number: &[u8], cause: &str, stack: &[u8]) {
    let mut line = Line { bytes: [0; MAX_TEXT + 128], length: 0 };
    line.push(number.iter().copied());
    line.push(cause.bytes());
    line.push(*b" ends process ");
    line.push_number(std::process::id());
    match breadcrumb::here() {
        Some(slot) => {
            line.push(*b" at work on \"");
            line.push(slot.text());
            line.push(*b"\"");
        }
        None => line.push(*b" in a thread that answers no request"),
    }
    line.push(*b"; the stack of its Python ");
    line.push(stack.iter().copied());
    line.push(*b"\n");
    // `stderr` only names the descriptor here, and locks nothing. A failure cannot be reported.
    let _ = unistd::write(io::stderr(), &line.bytes[..line.length]);
}

/// A line that is built without an allocation.
struct Line {
    bytes: [u8; MAX_TEXT + 128],
    length: usize,
}

impl Line {
    fn push(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for (to, byte) in self.bytes[self.length..].iter_mut().zip(bytes) {
            *to = byte;
            self.length += 1;
        }
    }

    fn push_number(&mut self, number: u32) {
        let mut scale = 1;
        while number / scale >= 10 {
            scale *= 10;
        }
        while scale > 0 {
            self.push([b'0' + (number / scale % 10) as u8]);
            scale /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 7, 10, 4_294_967_295] {
            let mut line = Line { bytes: [0; MAX_TEXT + 128], length: 0 };
            line.push_number(number);
            assert_eq!(&line.bytes[..line.length], number.to_string().as_bytes());
        }
    }
}
