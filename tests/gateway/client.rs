//! `libwsgi.client_disconnected`, and what a client that is gone means for reads and writes.

use crate::host::call;

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
fn after_the_request_it_says_so() {
    call("asks_for_its_client").path("/late").run();
    let text = call("asks_too_late").path("/late").run().text();
    assert!(text.starts_with("libwsgi.client_disconnected was used after"), "{text}");
}
