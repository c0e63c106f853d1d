//! Applications that break the rules or fail. Each gets a clear log line, and none ends more than
//! its own request.

use crate::host::call;
use wsgi::host::Outcome;

#[test]
fn an_exception_before_the_head_is_a_500_with_its_traceback() {
    for (app, last_line) in [
        ("raises", "KeyError: 'nothing here'"),
        ("raises_before_block", "ValueError: at the start"),
        ("exits", "SystemExit: 3"),
        ("interrupts", "KeyboardInterrupt"),
    ] {
        let answer = call(app).run();
        assert_eq!(answer.outcome, Some(Outcome::Failed), "{app}");
        assert!(answer.logged("WSGI0201"), "{app}");
        assert!(answer.logged("Traceback (most recent call last):"), "{app}");
        assert_eq!(answer.log.iter().filter(|line| *line == last_line).count(), 1, "{app}");
    }
}

#[test]
fn an_exception_after_the_head_cuts_the_response_off() {
    let answer = call("raises_after_block").run();
    assert_eq!(answer.text(), "block");
    assert_eq!(answer.outcome, Some(Outcome::Truncated));
    assert!(answer.logged("ValueError: in the middle") && answer.logged("closed on the thread"));
}

#[test]
fn an_exception_in_close_is_logged_and_changes_nothing() {
    let answer = call("bad_close").run();
    assert_eq!(answer.text(), "fine");
    assert!(answer.is_complete() && answer.logged("WSGI0207"));
    assert!(answer.logged("RuntimeError: close failed"));
}

#[test]
fn a_body_that_is_not_an_iterable_of_bytes_is_refused() {
    for (returned, what) in [
        ("b'raw'", "a bare bytes"),
        ("'text'", "a bare str"),
        ("['text']", "an iterable with a str in it"),
        ("[b'x', 1]", "an iterable with a int in it"),
        ("None", "NoneType, which cannot be iterated over"),
        ("42", "int, which cannot be iterated over"),
    ] {
        let answer = call("returns").header("X-Returns", returned).run();
        assert_eq!(answer.outcome, Some(Outcome::Failed), "{returned}");
        assert!(answer.logged("WSGI0203") && answer.logged(what), "{returned}: {:?}", answer.log);
    }
}

#[test]
fn a_wrong_status_or_header_raises_in_the_application() {
    for (status, headers, error) in [
        ("b'200 OK'", "[]", "TypeError: the status must be a str (PEP 3333), not bytes"),
        ("'abc'", "[]", "does not begin with three digits"),
        ("'2000'", "[]", "has no space after its three digits"),
        ("'101 Switching Protocols'", "[]", "is not one that can end a request"),
        (r"'200 OK\r\nX: y'", "[]", "contains the control character 0x0d"),
        ("'200 ' + chr(8364)", "[]", "has a character that ISO-8859-1 has not"),
        ("'200 OK'", "()", "must be a list of (name, value) tuples (PEP 3333), not ()"),
        ("'200 OK'", "[['A', 'b']]", "must be a tuple of two strings"),
        ("'200 OK'", "[('A',)]", "must be a tuple of two strings"),
        (
            "'200 OK'",
            "[('A', 1)]",
            "the value of the response header A must be a str (PEP 3333), not int",
        ),
        (
            "'200 OK'",
            "[(b'A', 'b')]",
            "the name of a response header must be a str (PEP 3333), not bytes",
        ),
        ("'200 OK'", r"[('A', 'b\r\nC: d')]", "contains the control character 0x0d"),
        ("'200 OK'", r"[('A', 'b\0')]", "contains the control character 0x00"),
        ("'200 OK'", "[('A: b', 'c')]", "is not the name of a header"),
        ("'200 OK'", "[('', 'c')]", "is not the name of a header"),
        ("'200 OK'", "[('Content-Length', '-1')]", "is not a number of bytes"),
        (
            "'200 OK'",
            "[('Content-Length', '1'), ('content-length', '2')]",
            "there are two Content-Lengths, 1 and 2",
        ),
    ] {
        let answer = call("head").header("X-Status", status).header("X-Headers", headers).run();
        assert_eq!(answer.outcome, Some(Outcome::Failed), "{status} {headers}");
        assert!(answer.logged(error), "{status} {headers}: {:?}", answer.log);
    }
}

#[test]
fn headers_are_sent_as_they_were_given() {
    let headers = "[('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2'), ('X-Latin', '\u{e9}')]";
    let answer = call("head").header("X-Status", "'200'").header("X-Headers", headers).run();
    assert_eq!((answer.status, answer.reason.as_str()), (200, ""));
    let names: Vec<_> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(names, ["Set-Cookie: a=1", "Set-Cookie: b=2", "X-Latin: \u{c3}\u{a9}"]);
}

#[test]
fn hop_by_hop_headers_are_left_out_with_a_warning() {
    let headers = "[('Transfer-Encoding', 'chunked'), ('Connection', 'close'), ('X', 'y')]";
    let answer = call("head").header("X-Status", "'200 OK'").header("X-Headers", headers).run();
    assert_eq!(answer.headers, [("X".to_owned(), "y".to_owned())]);
    assert!(answer.logged("WSGI0206") && answer.is_complete());
}

#[test]
fn objects_of_an_earlier_request_raise() {
    assert!(call("keeps").run().is_complete());
    let answer = call("uses_kept").run();
    let text = answer.text();
    let lines: Vec<_> = text.lines().collect();
    for (line, name) in lines.iter().zip(["wsgi.input", "start_response", "write()"]) {
        assert!(line.contains(name), "{line}");
    }
    assert_eq!(lines.len(), 3);
}

#[test]
fn other_threads_may_do_everything_while_the_request_lasts() {
    for call in [call("other_thread").body(b"body"), call("other_thread").upload(&[Some(b"body")])]
    {
        let answer = call.run();
        assert_eq!((answer.status, answer.text().as_str()), (201, "body returned"));
        assert!(answer.logged("from another thread") && answer.is_complete());
    }
}

#[test]
fn all_text_is_logged_line_by_line() {
    let answer = call("logs").run();
    for line in ["one", "two three", "printed", "unfinished", r"bell \x07 and \udcff"] {
        assert!(answer.log.iter().any(|logged| logged == line), "{line}: {:?}", answer.log);
    }
    let sizes: Vec<_> =
        answer.log.iter().filter(|line| line.starts_with("xxx")).map(String::len).collect();
    assert_eq!(sizes, [1000, 1000, 250], "long lines are split, not cut");
}
