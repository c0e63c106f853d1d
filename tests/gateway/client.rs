//! `libwsgi.client_disconnected`, and reads and writes after the client has left.

use crate::host::{call, call_file};

#[test]
fn a_client_that_stays_is_not_gone() {
    let answer = call("asks_for_its_client").method("POST").body(b"a line").run();
    let printed = "asked: [False, None, False, False, b'a line']";
    assert!(answer.logged(printed) && answer.is_complete(), "{answer:?}");
}

#[test]
fn a_client_that_leaves_is_gone_on_every_thread_and_for_reads() {
    let answer = call("asks_for_its_client").method("POST").body(b"a line").leave_at_write(1).run();
    let printed = "asked: [False, 'write(): the client is gone', True, True, \
                   'wsgi.input: the client is gone']";
    assert!(answer.logged(printed), "{answer:?}");
    assert_eq!(answer.outcome, None, "the host gets no further callback");
}

#[test]
fn a_client_that_has_all_that_was_promised_may_leave() {
    let promised = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateway/promised.py");
    for (path, more) in [("/", false), ("/written", false), ("/more", true)] {
        let answer =
            call_file(promised.into(), "goes_on_after_all").path(path).leave_at_write(1).run();
        assert!(answer.logged("went on"), "{path}: {answer:?}");
        assert!(!answer.logged("WSGI0208"), "{path}: {answer:?}");
        assert_eq!(answer.logged("WSGI0205"), more, "{path}: {answer:?}");
    }
}

/// An interrupt does not count: its own line is logged elsewhere.
#[test]
fn an_exception_without_a_client_is_logged_as_a_client_that_left() {
    for (error, lines) in [("KeyError()", 1), ("KeyboardInterrupt()", 1), ("RequestTimeout()", 0)] {
        let answer =
            call("raises_without_a_client").header("X-Raises", error).leave_at_write(1).run();
        let logged = answer.log.iter().filter(|line| line.contains("WSGI")).collect::<Vec<_>>();
        assert_eq!(logged.len(), lines, "{error}: {logged:?}");
        assert!(logged.iter().all(|line| line.starts_with("WSGI0208")), "{error}: {logged:?}");
    }
}

#[test]
fn client_disconnected_raises_after_the_request() {
    call("asks_for_its_client").path("/late").run();
    let text = call("asks_too_late").path("/late").run().text();
    assert!(text.starts_with("libwsgi.client_disconnected was used after"), "{text}");
}
