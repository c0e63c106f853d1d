//! Streams as programs use them: what `io` has, and what is no use of one request to the next.

use crate::host::{Call, call_file};
use std::path::Path;

const BODY: &[u8] = b"one\ntwo\n\nfour";

fn streams(callable: &'static str) -> Call {
    call_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/streams.py"), callable)
}

#[test]
fn they_have_all_that_the_streams_of_io_have() {
    let answer = streams("attributes").body(BODY).run();
    assert_eq!(answer.text(), "[]", "{:?}", answer.log);
}

#[test]
fn what_goes_to_the_log_bears_what_programs_do() {
    let answer = streams("logs").run();
    assert_eq!(answer.text(), "'done'", "{:?}", answer.log);
    for line in ["bytes", "three", "caf\u{e9}", "five", "wrapped", "detached", "codecs"] {
        assert!(answer.log.iter().filter(|logged| *logged == line).count() >= 4, "{line}");
    }
    for line in ["<element></element>", "a record", "a,row", "redirected", "printed"] {
        assert_eq!(answer.log.iter().filter(|logged| *logged == line).count(), 4, "{line}");
    }
}

#[test]
fn standard_input_is_empty_whoever_has_closed_it() {
    let answer = streams("uses_stdin").run();
    assert_eq!(answer.text(), "[]", "{:?}", answer.log);
}

#[test]
fn a_body_that_is_here_can_be_read_again_as_a_file_can() {
    for call in [streams("same").body(BODY), streams("same").body_in_file(BODY), streams("same")] {
        let answer = call.run();
        assert_eq!(answer.text(), "'the same'", "{:?}", answer.log);
    }
}

#[test]
fn a_body_that_comes_as_it_is_read_cannot() {
    let answer = streams("only_once").upload(&[Some(BODY)]).run();
    assert_eq!(answer.text(), r"(False, b'one', b'one\ntwo\n\nfour')", "{:?}", answer.log);
}

#[test]
fn wsgi_input_can_be_wrapped_and_let_go_of() {
    let body = b"Subject: a message\n\nits text\n";
    for call in [streams("wraps_input").body(body), streams("wraps_input").body_in_file(body)] {
        let answer = call.run();
        let expected = r"('a message', 'its text', b'Subject: a message\n', b'Subj', b'')";
        assert_eq!(answer.text(), expected, "{:?}", answer.log);
    }
}

#[test]
fn nothing_of_one_request_is_left_on_the_streams_of_the_next() {
    let clean = "[None, None, 'read', None, None, 'write']";
    for path in ["/", "/attribute", "/", "/method", "/", "/", "/weak"] {
        let answer = streams("leaves_something").path(path).body(BODY).run();
        assert_eq!(answer.text(), clean, "{path}");
    }
    let answer = streams("leaves_something").path("/inner").body(BODY).run();
    assert_eq!(answer.text(), "[False, None, 'read', False, None, 'write']");
    let answer = streams("uses_inner").body(b"of another request").run();
    assert!(answer.text().contains("wsgi.input was used after"), "{}", answer.text());
}
