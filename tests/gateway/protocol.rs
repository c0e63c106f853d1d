//! start_response, write, the iterable and its close().

use crate::host::call;
use wsgi::host::Outcome;

#[test]
fn the_canonical_application_is_one_block_with_a_length() {
    let answer = call("hello_world").run();
    assert_eq!((answer.status, answer.reason.as_str()), (200, "OK"));
    assert_eq!(answer.header("Content-type"), Some("text/plain"));
    assert_eq!(answer.content_length, Some(13));
    assert_eq!(answer.writes, [b"Hello world!\n"]);
    assert!(answer.is_complete());
}

#[test]
fn each_block_of_an_iterator_is_written_before_the_next_is_asked_for() {
    let answer = call("two_blocks").run();
    assert_eq!(answer.writes, [&b"first"[..], b"second"]);
    assert_eq!(answer.content_length, None);
    assert!(answer.logged("closed on the thread of the call: True"));
}

#[test]
fn start_response_may_be_called_as_late_as_the_first_next() {
    let answer = call("late_start").run();
    assert_eq!((answer.status, answer.text().as_str()), (404, "late"));
}

#[test]
fn an_empty_block_does_not_send_the_head() {
    let answer = call("replaced_before_first_block").run();
    assert_eq!((answer.status, answer.text().as_str()), (500, "error page"));
    assert_eq!((answer.header("X-New"), answer.header("X-Old")), (Some("1"), None));
    assert!(answer.is_complete());
}

#[test]
fn exc_info_after_the_head_was_sent_raises_the_original() {
    let answer = call("exc_info_after_first_block").run();
    assert_eq!(answer.text(), "block");
    assert_eq!(answer.outcome, Some(Outcome::Truncated));
    assert!(answer.logged("ValueError: too late to replace"));
}

#[test]
fn a_second_start_response_without_exc_info_is_an_error() {
    let answer = call("started_twice").run();
    assert_eq!(answer.outcome, Some(Outcome::Failed));
    assert!(answer.logged("AssertionError: start_response was called a second time"));
}

#[test]
fn a_block_without_start_response_is_an_error() {
    let answer = call("never_started").run();
    assert_eq!(answer.outcome, Some(Outcome::Failed));
    assert!(answer.logged("WSGI0202"));
}

#[test]
fn written_blocks_come_before_the_returned_ones() {
    let answer = call("written").run();
    assert_eq!(answer.writes, [&b"written "[..], b"returned"]);
    assert_eq!(answer.content_length, None);
    assert!(answer.is_complete());
}

#[test]
fn write_takes_bytes_only() {
    let answer = call("written_text").run();
    assert_eq!(answer.outcome, Some(Outcome::Failed));
    assert!(answer.logged("TypeError: write() takes bytes (PEP 3333), not str"));
}

#[test]
fn an_empty_response_has_a_length_of_zero() {
    let answer = call("empty").run();
    assert_eq!((answer.status, answer.content_length), (200, Some(0)));
    assert!(answer.writes.is_empty() && answer.is_complete());
}

#[test]
fn head_sends_the_head_and_closes() {
    let before: u32 = call("closed_count").run().text().parse().unwrap();
    let answer = call("no_end").method("HEAD").run();
    assert_eq!((answer.status, answer.content_length), (200, None));
    assert!(answer.no_body && answer.writes.is_empty() && answer.is_complete());
    let after: u32 = call("closed_count").run().text().parse().unwrap();
    assert!(after > before, "close() is called for HEAD too");
}

#[test]
fn statuses_without_a_body_get_none() {
    for (app, status) in [("no_content", 204), ("not_modified", 304)] {
        let answer = call(app).run();
        assert_eq!((answer.status, answer.content_length), (status, None));
        assert!(answer.no_body && answer.writes.is_empty() && answer.is_complete());
    }
}

#[test]
fn fewer_bytes_than_promised_are_cut_off_and_never_complete() {
    let answer = call("sized").header("X-Blocks", "4,5").run();
    assert_eq!(answer.body().len(), 9);
    assert_eq!(answer.outcome, Some(Outcome::Truncated));
    assert!(answer.logged("the Content-Length says, 10, but the application gave 9"));
}

#[test]
fn no_bytes_instead_of_the_promised_ones_is_a_500() {
    let answer = call("sized").header("X-Blocks", "0").run();
    assert_eq!(answer.outcome, Some(Outcome::Failed));
    assert!(answer.logged("WSGI0204"));
}

#[test]
fn more_bytes_than_promised_are_not_sent() {
    for app in ["sized", "sized_list"] {
        let answer = call(app).header("X-Blocks", "12").run();
        assert_eq!(answer.body().len(), 10);
        assert!(answer.is_complete() && answer.logged("WSGI0205"));
    }
}

#[test]
fn a_file_is_sent_from_where_it_is_read_to() {
    let answer = call("file_wrapped").run();
    assert_eq!((answer.text().as_str(), answer.sent_files), ("23456789", 1));
    assert_eq!(answer.content_length, Some(8));
    let answer = call("file_wrapped").header("X-Headers", "[('Content-Length', '3')]").run();
    assert_eq!((answer.text().as_str(), answer.content_length), ("234", Some(3)));
}

#[test]
fn an_object_that_is_not_a_file_is_read_in_blocks() {
    let answer = call("bytesio_wrapped").run();
    assert_eq!(answer.writes, [&b"0123"[..], b"4567", b"89"]);
    assert_eq!(answer.sent_files, 0);
}

#[test]
fn a_client_that_leaves_ends_the_iteration() {
    let before: u32 = call("closed_count").run().text().parse().unwrap();
    let answer = call("no_end").leave_at_write(3).run();
    assert_eq!((answer.writes.len(), answer.outcome), (3, None));
    let after: u32 = call("closed_count").run().text().parse().unwrap();
    assert!(after > before, "close() is called nevertheless");
}
