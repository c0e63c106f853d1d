//! `libwsgi.client_disconnected`, and what a client that is gone means for reads and writes.

use crate::host::{call, call_file};

#[test]
fn a_client_that_stays_is_there() {
    let answer = call("asks_for_its_client").method("POST").body(b"a line").run();
    let said = "asked: [False, None, False, False, b'a line']";
    assert!(answer.logged(said) && answer.is_complete(), "{answer:?}");
}

#[test]
fn a_client_that_leaves_is_gone_on_every_thread_and_for_reads() {
    let answer = call("asks_for_its_client").method("POST").body(b"a line").leave_at_write(1).run();
    let said = "asked: [False, 'write(): the client is gone', True, True, \
                'wsgi.input: the client is gone']";
    assert!(answer.logged(said), "{answer:?}");
    assert_eq!(answer.outcome, None, "nothing more is said to the host");
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

#[test]
fn what_is_raised_without_a_client_is_told_as_its_leaving_unless_it_is_an_interrupt() {
    for (error, lines) in [("KeyError()", 1), ("KeyboardInterrupt()", 1), ("RequestTimeout()", 0)] {
        let answer =
            call("raises_without_a_client").header("X-Raises", error).leave_at_write(1).run();
        let told = answer.log.iter().filter(|line| line.contains("WSGI")).collect::<Vec<_>>();
        assert_eq!(told.len(), lines, "{error}: {told:?}");
        assert!(told.iter().all(|line| line.starts_with("WSGI0208")), "{error}: {told:?}");
    }
}

#[test]
fn after_the_request_it_says_so() {
    call("asks_for_its_client").path("/late").run();
    let text = call("asks_too_late").path("/late").run().text();
    assert!(text.starts_with("libwsgi.client_disconnected was used after"), "{text}");
}
