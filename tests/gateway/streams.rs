//! The streams as programs use them: they do what those of `io` do, and nothing of one request is
//! left on those of the next.

use crate::host::{Call, call_file};
use std::path::Path;

const BODY: &[u8] = b"one\ntwo\n\nfour";

fn streams(callable: &'static str) -> Call {
    call_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/streams.py"), callable)
}

#[test]
fn the_streams_have_each_attribute_of_those_of_io() {
    let answer = streams("attributes").body(BODY).run();
    assert_eq!(answer.text(), "[]", "{:?}", answer.log);
}

#[test]
fn streams_to_the_log_work_as_programs_use_them() {
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
fn standard_input_is_empty_even_after_a_close() {
    let answer = streams("uses_stdin").run();
    assert_eq!(answer.text(), "[]", "{:?}", answer.log);
}

#[test]
fn a_body_that_is_there_can_be_read_again_as_a_file_can() {
    for call in [streams("same").body(BODY), streams("same").body_in_file(BODY), streams("same")] {
        let answer = call.run();
        assert_eq!(answer.text(), "'the same'", "{:?}", answer.log);
    }
}

#[test]
fn a_body_that_arrives_during_reads_can_be_read_only_once() {
    let answer = streams("only_once").upload(&[Some(BODY)]).run();
    assert_eq!(answer.text(), r"(False, b'one', b'one\ntwo\n\nfour')", "{:?}", answer.log);
}

#[test]
fn wsgi_input_can_be_wrapped_and_detached() {
    let body = b"Subject: a message\n\nits text\n";
    for call in [streams("wraps_input").body(body), streams("wraps_input").body_in_file(body)] {
        let answer = call.run();
        let expected = r"('a message', 'its text', b'Subject: a message\n', b'Subj', b'')";
        assert_eq!(answer.text(), expected, "{:?}", answer.log);
    }
}

#[test]
fn nothing_of_a_request_stays_on_the_streams_of_the_next() {
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
