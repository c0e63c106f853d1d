//! What becomes of the host's signal dispositions: SIGINT stays what it was, SIGPIPE and SIGXFSZ are
//! ignored where the host left them at their default, and nothing is taken from a host that has a
//! handler.
//!
//! Python comes up on a thread of its own, while the host goes on and may set handlers. So all that
//! can be done before `wsgi_runtime_start` returns is done there ([`hold`]), and what is changed
//! later is changed only if it still is what the library has put there ([`swap`]).

use once_cell::sync::OnceCell;
use std::mem::MaybeUninit;
use std::ptr;

/// Which signals the host keeps for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// SIGPIPE and SIGXFSZ stay at their default, which ends the process.
    pub leave_pipe: bool,
    /// A crash is not reported.
    pub leave_crashes: bool,
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

/// Signals that the host handles, or ignores, or is ended by, when Python starts.
static HOSTS: OnceCell<Vec<libc::c_int>> = OnceCell::new();

/// How a process is told to end, and to read its configuration again: also where it has no handler.
const TELLING: [libc::c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Remembers which signals are the host's.
pub(super) fn remember() {
    let held = as_by_default as *const () as libc::sighandler_t;
    let is_hosts = |signal: &libc::c_int| {
        let handler = action(*signal).sa_sigaction;
        TELLING.contains(signal) || handler != libc::SIG_DFL && handler != held
    };
    let _ = HOSTS.set((1..libc::SIGRTMAX()).filter(is_hosts).collect());
}

/// Whether an application may have `signal`.
pub(super) fn is_free(signal: libc::c_int) -> bool {
    !HOSTS.get().is_some_and(|hosts| hosts.contains(&signal))
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
/// stays mapped as long as the process lives (see `thread::watch_forks`). The action that it
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
