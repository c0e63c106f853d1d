//! What becomes of the host's signal dispositions: SIGINT stays what it was, SIGPIPE and SIGXFSZ are
//! ignored where the host left them at their default, and nothing is taken from a host that has a
//! handler.
//!
//! Python comes up on a thread of its own, while the host goes on and may set handlers. So all that
//! can be done before `wsgi_runtime_start` returns is done there ([`hold`]), and what is changed
//! later is changed only if it still is what the library has put there ([`swap`]).

use super::fork::is_forked;
use once_cell::sync::OnceCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which signals the host keeps for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// SIGPIPE and SIGXFSZ stay at their default, which ends the process.
    pub leave_pipe: bool,
    /// A crash is not reported.
    pub leave_crashes: bool,
    /// The host sets no handler after Python's start: see [`put_back`].
    pub keep_handlers: bool,
}

/// What Python ignores in a program of its own: its code expects BrokenPipeError and EFBIG, and is
/// not written for the end of the process. `subprocess` gives children the defaults back.
const IGNORED_BY_PYTHON: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// To be called before another thread brings Python up. Does nothing the second time.
pub fn hold(signals: Signals) {
    if !signals.leave_pipe {
        for signal in IGNORED_BY_PYTHON {
            swap(signal, libc::SIG_DFL, libc::SIG_IGN);
        }
    }
    hold_sigint();
}

/// Python's signal module takes SIGINT when it is first imported, if that has its default, although
/// Python was told to install no handlers. With a handler in its place Python takes nothing. This one
/// does what the default does, and a host that sets its own replaces it.
pub(super) fn hold_sigint() {
    swap(libc::SIGINT, libc::SIG_DFL, as_by_default as *const () as libc::sighandler_t);
}

/// Once Python's signal module has been imported: the default is put back, unless the host has set a
/// handler meanwhile.
pub(super) fn let_sigint_go() {
    swap(libc::SIGINT, as_by_default as *const () as libc::sighandler_t, libc::SIG_DFL);
}

extern "C" fn as_by_default(signal: libc::c_int) {
    set(signal, libc::SIG_DFL, 0);
    // SAFETY: allowed in a handler; SA_NODEFER lets the signal arrive at once.
    unsafe { libc::raise(signal) };
}

/// What happens on signals that the host handles, or ignores, or is ended by, when Python starts.
static HOSTS: OnceCell<Vec<(libc::c_int, libc::sigaction)>> = OnceCell::new();

/// What is there is not the host's in any case: `crash` may have taken them, and so may the virtual
/// machine of another language, which lives by them.
const OF_CRASHES: [libc::c_int; 5] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];

static KEEP_HANDLERS: AtomicBool = AtomicBool::new(false);

/// How a process is told to end, and to read its configuration again: also where it has no handler.
const TELLING: [libc::c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Remembers which signals are the host's.
pub(super) fn remember(signals: Signals) {
    let held = as_by_default as *const () as libc::sighandler_t;
    let hosts = |signal| {
        let action = action(signal);
        let handler = action.sa_sigaction;
        let is_hosts = TELLING.contains(&signal) || handler != libc::SIG_DFL && handler != held;
        is_hosts.then_some((signal, action))
    };
    let _ = HOSTS.set((1..libc::SIGRTMAX()).filter_map(hosts).collect());
    KEEP_HANDLERS.store(signals.keep_handlers, Ordering::Relaxed);
}

/// Whether an application may have `signal`.
pub(super) fn is_free(signal: libc::c_int) -> bool {
    !HOSTS.get().is_some_and(|hosts| hosts.iter().any(|(known, _)| *known == signal))
}

/// Gives the host the signals back that have another handler than it had when Python started, if it
/// wants that, and says which. C code has set it: what Python offers for that is guarded.
pub(super) fn put_back() -> Vec<libc::c_int> {
    let mut taken = Vec::new();
    if !KEEP_HANDLERS.load(Ordering::Relaxed) || is_forked() {
        return taken;
    }
    let held = as_by_default as *const () as libc::sighandler_t;
    for (signal, before) in HOSTS.get().into_iter().flatten() {
        let is_ours = OF_CRASHES.contains(signal) || before.sa_sigaction == held;
        if !is_ours && action(*signal).sa_sigaction != before.sa_sigaction {
            // SAFETY: `before` came from the kernel, and its handler is still there, by the host's word.
            unsafe { libc::sigaction(*signal, before, ptr::null_mut()) };
            taken.push(*signal);
        }
    }
    taken
}

/// What happens on `signal`.
pub(super) fn action(signal: libc::c_int) -> libc::sigaction {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks for the action of a signal that there is; zeros are a valid `sigaction`.
    unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    }
}

/// `handler` takes one argument, or three where `flags` has SA_SIGINFO, or is SIG_DFL or SIG_IGN. It
/// stays mapped as long as the process lives (see `fork::watch`). The action that it
/// replaces comes back.
pub(super) fn set(
    signal: libc::c_int,
    handler: libc::sighandler_t,
    flags: libc::c_int,
) -> libc::sigaction {
    let mut next = MaybeUninit::<libc::sigaction>::zeroed();
    let mut before = next;
    // SAFETY: zeros are a valid `sigaction`, with an empty mask; the handler is what it has to be by
    // this function's text, which its callers in this folder keep.
    unsafe {
        (*next.as_mut_ptr()).sa_sigaction = handler;
        (*next.as_mut_ptr()).sa_flags = flags;
        libc::sigaction(signal, next.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}

/// Replaces `expected` by `handler`, if it still is in place; whether it was.
///
/// C has no such step, and another thread may set a handler of its own between the look and the
/// change. The change tells what it has replaced, and that is put back then.
fn swap(signal: libc::c_int, expected: libc::sighandler_t, handler: libc::sighandler_t) -> bool {
    swap_with(signal, expected, handler, libc::SA_NODEFER)
}

pub(super) fn swap_with(
    signal: libc::c_int,
    expected: libc::sighandler_t,
    handler: libc::sighandler_t,
    flags: libc::c_int,
) -> bool {
    if action(signal).sa_sigaction != expected {
        return false;
    }
    let before = set(signal, handler, flags);
    let swapped = before.sa_sigaction == expected;
    if !swapped {
        // SAFETY: `before` came from the kernel a moment ago.
        unsafe { libc::sigaction(signal, &before, ptr::null_mut()) };
    }
    swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No other test of this program looks at this signal.
    const SIGNAL: libc::c_int = libc::SIGURG;

    #[test]
    fn a_handler_is_replaced_only_if_it_is_the_expected_one() {
        let ours = as_by_default as *const () as libc::sighandler_t;
        assert!(!swap(SIGNAL, libc::SIG_IGN, ours));
        assert_eq!(action(SIGNAL).sa_sigaction, libc::SIG_DFL);
        assert!(swap(SIGNAL, libc::SIG_DFL, ours));
        assert_eq!(action(SIGNAL).sa_sigaction, ours);
        assert!(swap(SIGNAL, ours, libc::SIG_IGN));
        assert!(!swap(SIGNAL, ours, libc::SIG_DFL));
        assert_eq!(action(SIGNAL).sa_sigaction, libc::SIG_IGN);
    }
}
