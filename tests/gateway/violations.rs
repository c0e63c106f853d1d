//! A broken rule is one log line with a number, the rule, the value and the place.

use crate::host::{Answer, Call, call_file};
use std::path::{Path, PathBuf};
use wsgi::host::Outcome;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/violations.py")
}

fn call(name: &'static str) -> Call {
    call_file(file(), name)
}

/// `file:line, in name` of the line that has the mark `mark`.
fn place(mark: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file()).unwrap();
    let end = format!("# here: {mark}");
    let index = text.lines().position(|line| line.ends_with(&end)).expect(mark);
    format!("{}:{}, in {name}", file().display(), index + 1)
}

/// The one numbered line of the log.
fn numbered_line(answer: &Answer) -> &str {
    let numbered: Vec<_> = answer.log.iter().filter(|line| line.starts_with("WSGI")).collect();
    assert_eq!(numbered.len(), 1, "{:#?}", answer.log);
    numbered[0]
}

fn has_traceback(answer: &Answer) -> bool {
    answer.logged("Traceback (most recent call last):")
}

fn assert_refused(status: &str, headers: &str, line: &str) {
    let answer = call("head").header("X-Status", status).header("X-Headers", headers).run();
    let here = place("head", "head");
    assert_eq!(numbered_line(&answer), format!("{line} ({here}); the answer is 500"));
    assert!(has_traceback(&answer), "{:#?}", answer.log);
    assert_eq!(answer.outcome, Some(Outcome::Failed));
}

#[test]
fn a_wrong_status_is_one_line_and_a_traceback() {
    for (status, line) in [
        ("b'2'", "WSGI0220 the status must be a str (PEP 3333), not bytes: b'2'"),
        (
            "'OK'",
            "WSGI0209 the status 'OK' does not begin with three digits; PEP 3333 wants one like \
             '200 OK'",
        ),
        (
            "'200 O\\rK'",
            "WSGI0212 the status contains the control character 0x0d, which PEP 3333 forbids: \
             '200 O\\rK'",
        ),
        (
            "'200 ' + chr(8364)",
            "WSGI0213 the status has a character that ISO-8859-1 has not, which PEP 3333 forbids: \
             '200 \u{20ac}'; encode it first, for example as RFC 8187 or percent-encoding says",
        ),
    ] {
        assert_refused(status, "[]", line);
    }
}

#[test]
fn a_wrong_header_is_one_line_and_a_traceback() {
    let value = "the value of the response header A";
    for (headers, line) in [
        (
            "None",
            "WSGI0210 the response headers must be a list of (name, value) tuples (PEP 3333), not \
             None"
                .to_owned(),
        ),
        (
            "[('A',)]",
            "WSGI0221 a response header must be a tuple of two strings, (name, value) (PEP 3333), \
             not ('A',)"
                .to_owned(),
        ),
        ("[('A', 1)]", format!("WSGI0222 {value} must be a str (PEP 3333), not int: 1")),
        (
            "[('A: b', 'c')]",
            "WSGI0211 'A: b' is not the name of a header (PEP 3333, RFC 9110): letters, digits and \
             !#$%&'*+-.^_`|~ are allowed"
                .to_owned(),
        ),
        (
            r"[('A', 'b\r\nC: d')]",
            format!(
                "WSGI0212 {value} contains the control character 0x0d, which PEP 3333 forbids: \
                 'b\\r\\nC: d'"
            ),
        ),
        (
            r"[('A\r', 'b')]",
            "WSGI0212 the name of a response header contains the control character 0x0d, which \
             PEP 3333 forbids: 'A\\r'"
                .to_owned(),
        ),
        (
            "[('A', chr(8364))]",
            format!(
                "WSGI0213 {value} has a character that ISO-8859-1 has not, which PEP 3333 forbids: \
                 '\u{20ac}'; encode it first, for example as RFC 8187 or percent-encoding says"
            ),
        ),
    ] {
        assert_refused("'200 OK'", headers, &line);
    }
}

#[test]
fn a_wrong_length_is_one_line_and_a_traceback() {
    let line = "WSGI0214 the Content-Length 'ten' is not a number of bytes, as HTTP and PEP 3333 \
                want it";
    assert_refused("'200 OK'", "[('Content-Length', 'ten')]", line);
    let two = "[('Content-Length', '1'), ('content-length', '2')]";
    let line = "WSGI0223 there are two Content-Lengths, 1 and 2; PEP 3333 wants headers that are \
                correct HTTP";
    assert_refused("'200 OK'", two, line);
}

#[test]
fn a_violation_in_a_call_names_the_caller() {
    let again = "WSGI0215 start_response was called a second time; PEP 3333 allows that only with \
                 exc_info, to report an error";
    let bad_exc_info = "WSGI0224 exc_info must be a tuple as sys.exc_info() returns it (PEP 3333), \
                        not 'why'";
    let text = "WSGI0216 write() takes bytes (PEP 3333), not str: 'text'";
    let too_much = "WSGI0218 write() was given more than the 3 bytes of the Content-Length that \
                    start_response was given (PEP 3333)";
    let (failed, cut) = ("the answer is 500", "the response was cut off");
    for (app, line, result) in [
        ("again", again, failed),
        ("bad_exc_info", bad_exc_info, cut),
        ("written_text", text, failed),
        ("written_too_much", too_much, cut),
    ] {
        let answer = call(app).run();
        assert_eq!(numbered_line(&answer), format!("{line} ({}); {result}", place(app, app)));
        assert!(has_traceback(&answer));
    }
}

#[test]
fn a_wrong_return_value_names_the_yield_or_the_application() {
    let bytes = "WSGI0203 the application must return an iterable of bytes (PEP 3333), but it \
                 returned";
    let bare = r"a bare bytes, b'\x1b[31m'; return it in a list, such as [body], as bytes";
    let coroutine = "coroutine: it is asynchronous, which WSGI does not have";
    let cut = format!("an iterable with a str in it, '{}...{}'", "x".repeat(37), "x".repeat(38));
    let start = "WSGI0202 the application did not call start_response before the first bytes of \
                 its response, or its end, as PEP 3333 wants it";
    let few = "WSGI0204 PEP 3333 wants as many bytes as the Content-Length says, 3, but the \
               application gave 2";
    let (failed, broken) = ("the answer is 500", "the response was cut off");
    let in_iterator = "__next__";
    for (app, name, line, result) in [
        (
            "text_yielded",
            "text_yielded",
            format!("{bytes} an iterable with a str in it, 'text'"),
            broken,
        ),
        (
            "text_iterated",
            in_iterator,
            format!("{bytes} an iterable with a str in it, 'text'"),
            failed,
        ),
        ("text_listed", "text_listed", format!("{bytes} {cut}"), failed),
        ("object_listed", "object_listed", format!("{bytes} an iterable with a Costly"), failed),
        ("bare", "bare", format!("{bytes} {bare}"), failed),
        ("nothing", "nothing", format!("{bytes} NoneType, which cannot be iterated over"), failed),
        ("asynchronous", "asynchronous", format!("{bytes} {coroutine}"), failed),
        ("not_started", "not_started", start.to_owned(), failed),
        ("not_started_listed", "not_started_listed", start.to_owned(), failed),
        ("instance", "__call__", start.to_owned(), failed),
        ("method", "method", start.to_owned(), failed),
        ("Class", "__init__", start.to_owned(), failed),
        ("wrapped", "wrapped", start.to_owned(), failed),
        ("too_little", "too_little", few.to_owned(), broken),
    ] {
        let answer = call(app).run();
        assert_eq!(numbered_line(&answer), format!("{line} ({}); {result}", place(app, name)));
        assert!(!has_traceback(&answer), "no exception was raised");
    }
    assert!(
        numbered_line(&call("builtin").run())
            .contains("builtin_function_or_method, which cannot be")
    );
}

#[test]
fn more_than_was_promised_is_logged_and_not_sent() {
    let excess = "WSGI0205 the application gave more than the 3 bytes of its Content-Length \
                  (PEP 3333)";
    let lie = "WSGI0217 the iterable gave more than one block, though its len() is 1; PEP 3333 \
               lets the server rely on that";
    for (app, line) in [("too_much", excess), ("too_much_listed", excess), ("liar", lie)] {
        let answer = call(app).run();
        let here = place(app, app);
        assert_eq!(numbered_line(&answer), format!("{line} ({here}); the rest was not sent"));
        assert!(answer.is_complete() && answer.body().len() == 3, "{answer:?}");
    }
}

#[test]
fn an_application_that_catches_the_exception_does_not_hide_it() {
    let status = "WSGI0209 the status 'oops' does not begin with three digits; PEP 3333 wants one \
                  like '200 OK'";
    let answer = call("caught").run();
    let result = "the application went on without start_response; the answer is 500";
    assert_eq!(
        numbered_line(&answer),
        format!("{status} ({}); {result}", place("caught", "caught"))
    );
    assert_eq!((answer.status, answer.outcome), (0, Some(Outcome::Failed)));

    let answer = call("mended").run();
    let result = "the application caught the exception";
    assert_eq!(
        numbered_line(&answer),
        format!("{status} ({}); {result}", place("mended", "mended"))
    );
    assert_eq!((answer.status, answer.text().as_str()), (500, "the application's own page"));
}

#[test]
fn start_response_that_raised_counts_as_called() {
    let answer = call("again_after_error").run();
    let numbered: Vec<_> = answer.log.iter().filter(|line| line.starts_with("WSGI")).collect();
    assert_eq!(numbered.len(), 2, "one for each violation: {:#?}", answer.log);
    assert!(numbered[0].starts_with("WSGI0209 ") && numbered[0].contains("caught the exception"));
    let here = place("again_after_error", "again_after_error");
    assert!(numbered[1].starts_with("WSGI0215 ") && numbered[1].contains(&here));
    assert_eq!((answer.status, answer.outcome), (0, Some(Outcome::Failed)));
}

#[test]
fn start_response_takes_no_keywords() {
    let answer = call("keywords").run();
    assert!(
        numbered_line(&answer).starts_with("WSGI0201 the application raised TypeError: "),
        "{answer:?}"
    );
    assert!(answer.logged("positional-only arguments") && answer.logged("'status"), "{answer:?}");
}

#[test]
fn write_does_not_send_a_head_that_was_refused() {
    let answer = call("refused_after_write").run();
    assert_eq!((answer.status, answer.outcome), (0, Some(Outcome::Failed)));
    assert!(answer.logged("write() was called after start_response had refused"));
}

#[test]
fn rules_broken_in_a_loop_are_logged_a_few_times() {
    let answer = call("written_too_often").run();
    assert_eq!(answer.log.iter().filter(|line| line.starts_with("WSGI0218")).count(), 8);
}

#[test]
fn a_header_of_the_connection_is_logged_with_its_value() {
    let answer = call("connection").run();
    let line = "WSGI0206 the response header Connection ('close') was left out: it speaks of the \
                connection, which belongs to the server (PEP 3333, Other HTTP Features)";
    assert_eq!(numbered_line(&answer), format!("{line} ({})", place("connection", "connection")));
    assert_eq!(answer.headers, [("X-Some".to_owned(), "thing".to_owned())]);
}

#[test]
fn an_exception_is_named_in_its_line() {
    let answer = call("raises").run();
    let line = format!("WSGI0201 the application raised KeyError: '{}...", "x".repeat(99));
    assert_eq!(numbered_line(&answer), format!("{line}; the answer is 500"));
    let answer = call("bad_close").run();
    let line = "WSGI0207 close() of the BadClose that the application returned raised \
                RuntimeError: no such table";
    assert_eq!(numbered_line(&answer), line);
}
