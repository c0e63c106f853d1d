//! Preserves the host's signal dispositions. SIGINT stays what it was. SIGPIPE and SIGXFSZ are
//! ignored if the host left them at their default. A host that has a handler keeps it.
//!
//! Python starts on a thread of its own, while the host goes on and may set handlers. So [`hold`]
//! does all that can be done before `wsgi_runtime_start` returns. Later, the library changes a
//! disposition only if it still is the one that the library has set ([`swap`]).

use super::fork::is_forked;
use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, Signal};
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

/// The signals that Python ignores in a program of its own. Python code expects BrokenPipeError and
/// EFBIG, and not that the process ends. `subprocess` gives children the defaults back.
const IGNORED_BY_PYTHON: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// Call it before another thread starts Python. It does nothing the second time.
pub fn hold(signals: Signals) {
    if !signals.leave_pipe {
        for signal in IGNORED_BY_PYTHON {
            swap(signal, libc::SIG_DFL, SigHandler::SigIgn);
        }
    }
    hold_sigint();
}

/// When Python's signal module is first imported, it sets a handler for SIGINT if that has its
/// default, although the configuration of Python forbids handlers. If SIGINT has a handler, Python
/// does not change it. So this sets a handler that does what the default does. A host that sets its
/// own replaces it.
pub(super) fn hold_sigint() {
    swap(libc::SIGINT, libc::SIG_DFL, SigHandler::Handler(as_by_default));
}

/// Puts the default back once Python's signal module has been imported, unless the host has set a
/// handler meanwhile.
pub(super) fn let_sigint_go() {
    swap(libc::SIGINT, held(), SigHandler::SigDfl);
}

/// The handler that the kernel reports for a signal while [`as_by_default`] is in place.
fn held() -> libc::sighandler_t {
    as_by_default as *const () as libc::sighandler_t
}

extern "C" fn as_by_default(signal: libc::c_int) {
    set(signal, SigHandler::SigDfl, SaFlags::empty());
    // SA_NODEFER lets the signal arrive at once.
    raise(signal);
}

/// The dispositions that the host's signals have when Python starts: the signals that it handles or
/// ignores, and those of `END_OR_RELOAD`.
static HOSTS: OnceCell<Vec<(libc::c_int, libc::sigaction)>> = OnceCell::new();

/// The handlers of these signals need not be the host's. `crash` may have set them, or the virtual
/// machine of another language, which depends on them.
const OF_CRASHES: [libc::c_int; 5] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];

static KEEP_HANDLERS: AtomicBool = AtomicBool::new(false);

/// The signals that ask a process to end or to read its configuration again. They are the host's
/// even if it has no handler for them.
const END_OR_RELOAD: [libc::c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Remembers which signals are the host's.
pub(super) fn remember(signals: Signals) {
    let hosts = |signal| {
        let action = action(signal);
        let handler = action.sa_sigaction;
        let is_hosts =
            END_OR_RELOAD.contains(&signal) || handler != libc::SIG_DFL && handler != held();
        is_hosts.then_some((signal, action))
    };
    let _ = HOSTS.set((1..libc::SIGRTMAX()).filter_map(hosts).collect());
    KEEP_HANDLERS.store(signals.keep_handlers, Ordering::Relaxed);
}

/// Whether an application may have `signal`.
pub(super) fn is_free(signal: libc::c_int) -> bool {
    !HOSTS.get().is_some_and(|hosts| hosts.iter().any(|(known, _)| *known == signal))
}

/// Gives the host back each signal whose handler is not the one that it had when Python started, if
/// the host wants that, and returns these signals. C code has set such a handler, since the
/// functions of Python that do so are guarded.
pub(super) fn put_back() -> Vec<libc::c_int> {
    let mut taken = Vec::new();
    if !KEEP_HANDLERS.load(Ordering::Relaxed) || is_forked() {
        return taken;
    }
    for (signal, before) in HOSTS.get().into_iter().flatten() {
        let is_ours = OF_CRASHES.contains(signal) || before.sa_sigaction == held();
        if !is_ours && action(*signal).sa_sigaction != before.sa_sigaction {
            exchange(*signal, Some(before));
            taken.push(*signal);
        }
    }
    taken
}

/// The disposition of `signal`.
pub(super) fn action(signal: libc::c_int) -> libc::sigaction {
    exchange(signal, None)
}

/// Sets `handler`, and returns the action that it replaces. Allowed in a handler.
pub(super) fn set(signal: libc::c_int, handler: SigHandler, flags: SaFlags) -> libc::sigaction {
    exchange(signal, Some(&SigAction::new(handler, flags, SigSet::empty()).into()))
}

/// Returns the disposition of `signal`, and sets `next` if it is given. For this file only: `next`
/// must be an action that the kernel has reported, or that of `set`.
fn exchange(signal: libc::c_int, next: Option<&libc::sigaction>) -> libc::sigaction {
    let next = next.map_or(ptr::null(), ptr::from_ref);
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: zeros are a valid `sigaction`, and remain if there is no such signal. `next` is NULL,
    // or has a handler whose arguments match its flags. The host had set that handler, and keeps it
    // mapped as wsgi.h requires; or it is one of this library, which stays mapped too (see
    // `fork::watch`).
    unsafe {
        libc::sigaction(signal, next, before.as_mut_ptr());
        before.assume_init()
    }
}

/// Sends `signal` to the calling thread. Allowed in a handler.
pub(super) fn raise(signal: libc::c_int) {
    let _ = Signal::try_from(signal).and_then(signal::raise);
}

/// Replaces `expected` by `handler` if it still is in place. Returns whether it was.
///
/// C has no such step, and another thread may set a handler of its own between the check and the
/// change. The change returns what it has replaced, and this function then puts that back.
fn swap(signal: libc::c_int, expected: libc::sighandler_t, handler: SigHandler) -> bool {
    swap_with(signal, expected, handler, SaFlags::SA_NODEFER)
}

pub(super) fn swap_with(
    signal: libc::c_int,
    expected: libc::sighandler_t,
    handler: SigHandler,
    flags: SaFlags,
) -> bool {
    if action(signal).sa_sigaction != expected {
        return false;
    }
    let before = set(signal, handler, flags);
    let swapped = before.sa_sigaction == expected;
    if !swapped {
        exchange(signal, Some(&before));
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
        let ours = SigHandler::Handler(as_by_default);
        assert!(!swap(SIGNAL, libc::SIG_IGN, ours));
        assert_eq!(action(SIGNAL).sa_sigaction, libc::SIG_DFL);
        assert!(swap(SIGNAL, libc::SIG_DFL, ours));
        assert_eq!(action(SIGNAL).sa_sigaction, held());
        assert!(swap(SIGNAL, held(), SigHandler::SigIgn));
        assert!(!swap(SIGNAL, held(), SigHandler::SigDfl));
        assert_eq!(action(SIGNAL).sa_sigaction, libc::SIG_IGN);
    }
}
