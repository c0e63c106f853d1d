//! wsgi.early_hints: header fields that are sent before the response.

use crate::host::{Answer, call, call_file};
use std::path::Path;
use wsgi::host::Outcome;

fn hint(callable: &'static str) -> Answer {
    call_file(file(), callable).early_hints().run()
}

fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/early_hints.py")
}

fn text(hints: &[(String, String)]) -> Vec<String> {
    hints.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn only_a_client_that_can_get_hints_has_the_key() {
    assert_eq!(call_file(file(), "has_key").early_hints().run().text(), "True");
    assert_eq!(call_file(file(), "has_key").run().text(), "False");
    assert_eq!(call("hello_world").early_hints().run().hints, []);
}

#[test]
fn hints_come_before_the_response_in_their_order() {
    let answer = hint("two_hints");
    let links = ["Link: </a.css>; rel=preload", "Link: </b.js>; rel=preload", "Link: </c>"];
    assert_eq!(text(&answer.hints), links);
    assert_eq!((answer.status, answer.text().as_str()), (200, "hinted"));
    assert!(answer.is_complete() && answer.headers.is_empty());
}

#[test]
fn hints_after_start_response_and_before_the_first_block_are_sent() {
    assert_eq!(text(&hint("between").hints), ["Link: </a>"]);
}

#[test]
fn hints_after_the_head_are_dropped() {
    let answer = hint("too_late");
    assert_eq!((answer.hints.len(), answer.text().as_str()), (0, "firstsecond"));
}

#[test]
fn headers_of_the_body_or_the_connection_are_left_out() {
    let answer = hint("unfit");
    assert_eq!(text(&answer.hints), ["X-Fit: 1"]);
    assert!(answer.logged("WSGI0206 the response header Connection"));
}

#[test]
fn wrong_hints_are_refused_as_start_response_refuses_headers() {
    assert_eq!(hint("wrong").text(), "TypeError TypeError TypeError ValueError ValueError");
}

#[test]
fn the_hints_of_a_request_are_limited() {
    let answer = hint("endless");
    assert_eq!(answer.outcome, Some(Outcome::Failed));
    assert!(answer.logged("ValueError: wsgi.early_hints was given more than 64 KB"));
    assert_eq!(answer.hints.len(), 64 * 1024 / (1000 + 512 + 64));
}

#[test]
fn each_hint_counts_even_if_it_is_short() {
    assert_eq!(hint("endless_short").hints.len(), 64 * 1024 / (2 + 512 + 64));
    assert_eq!(hint("many_fields").hints.len(), 0, "a field counts too");
}

#[test]
fn a_hint_to_a_client_that_left_raises_oserror() {
    let answer = call_file(file(), "caught").leave_at_hints().run();
    for number in [1, 2] {
        assert!(answer.logged(&format!("hint {number}: OSError")), "{:?}", answer.log);
    }
    assert_eq!((answer.hints.len(), answer.outcome), (1, None), "the host is called once");
}

#[test]
fn hints_work_on_each_thread_until_the_request_ends() {
    let refused = "RuntimeError: wsgi.early_hints was used";
    let other = hint("on_another_thread");
    assert_eq!((other.hints.len(), other.text().as_str()), (1, "hinted"));
    let kept = hint("kept").text() + &hint("kept").text();
    assert!(kept.starts_with(&format!("keeping{refused} after its request had ended")), "{kept}");
}
