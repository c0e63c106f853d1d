//! environ and wsgi.input.

use crate::host::call;
use wsgi::host::Outcome;

const BODY: &[u8] = b"one\ntwo\n\nfour";

fn read(expression: &'static str) -> String {
    let in_memory = call("read").method("POST").header("X-Read", expression).body(BODY).run();
    let blocks = [Some(&BODY[..5]), Some(&BODY[5..6]), Some(&BODY[6..])];
    let pulled = call("read").method("POST").header("X-Read", expression).upload(&blocks).run();
    assert_eq!(in_memory.text(), pulled.text(), "{expression}");
    pulled.text()
}

#[test]
fn input_reads_as_a_buffered_stream_does() {
    for (expression, result) in [
        ("i.read()", r"b'one\ntwo\n\nfour'"),
        ("i.read(-1)", r"b'one\ntwo\n\nfour'"),
        ("i.read(None)", r"b'one\ntwo\n\nfour'"),
        (
            "(i.read(0), i.read(5), i.read(100), i.read(1), i.read())",
            r"(b'', b'one\nt', b'wo\n\nfour', b'', b'')",
        ),
        (
            "(i.readline(), i.readline(2), i.readline(0), i.readline(-1), i.readline(None))",
            r"(b'one\n', b'tw', b'', b'o\n', b'\n')",
        ),
        ("(i.readline(), i.read(2), i.readline())", r"(b'one\n', b'tw', b'o\n')"),
        ("i.readlines()", r"[b'one\n', b'two\n', b'\n', b'four']"),
        (
            "(i.readlines(1), i.readlines(5), i.readlines())",
            r"([b'one\n'], [b'two\n', b'\n'], [b'four'])",
        ),
        ("list(i)", r"[b'one\n', b'two\n', b'\n', b'four']"),
        (
            "(next(i), list(i), list(i), i.readline())",
            r"(b'one\n', [b'two\n', b'\n', b'four'], [], b'')",
        ),
        ("(lambda b: (i.readinto(b), b))(bytearray(5))", r"(5, bytearray(b'one\nt'))"),
        ("i.close() or i.read(3)", "b'one'"),
        ("(i.read1(0), i.read1(2), i.readline(), i.read1(1))", r"(b'', b'on', b'e\n', b't')"),
        ("b''.join(iter(i.read1, b''))", r"b'one\ntwo\n\nfour'"),
    ] {
        assert_eq!(read(expression), result, "{expression}");
    }
}

#[test]
fn read1_returns_the_bytes_that_are_there() {
    let blocks = [Some(&BODY[..5]), Some(&BODY[5..6]), Some(&BODY[6..])];
    let answer = call("read").method("POST").header("X-Read", "list(iter(i.read1, b''))");
    assert_eq!(answer.upload(&blocks).run().text(), r"[b'one\nt', b'w', b'o\n\nfour']");
}

#[test]
fn bodies_of_all_sizes_are_read_whole() {
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n * 7 % 251) as u8).collect();
    for size in [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 300_000] {
        let body = &bytes[..size];
        let expected = format!("(bytes(n * 7 % 251 for n in range(251)) * 1200)[:{size}]");
        for expression in ["i.read()", "i.read(200000) + i.read(1) + i.read()", "i.read(10**12)"] {
            let expression = format!("{expression} == {expected}");
            let pulled = [Some(&body[..size / 3]), Some(&body[size / 3..])];
            let pulled: Vec<_> = pulled.into_iter().filter(|part| part != &Some(&[][..])).collect();
            let in_memory = call("read").header("X-Read", &expression).body(body).run().text();
            assert_eq!(in_memory, "True", "{size} in memory: {expression}");
            for stated in [None, Some(size)] {
                let call = call("read").header("X-Read", &expression).upload(&pulled);
                let answer = call.state(stated.map(|length| length as u64)).run();
                assert_eq!(answer.text(), "True", "{size}, {stated:?}: {expression}");
            }
        }
    }
}

#[test]
fn a_body_that_is_shorter_than_stated_raises() {
    for expression in ["i.read()", "i.read(13)", "list(i)", "b''.join(iter(i.read1, b''))"] {
        for stated in [14, 26, 1_000_000_000_000] {
            let call = call("read").header("X-Read", expression).upload(&[Some(BODY)]);
            let text = call.state(Some(stated)).run().text();
            let whole = expression == "i.read(13)";
            let error = format!("ended {} bytes before its Content-Length", stated - 13);
            assert_eq!(text.contains(&error), !whole, "{stated}: {expression}: {text}");
        }
    }
}

#[test]
fn the_host_is_not_asked_for_more_than_its_client_has_stated() {
    for expression in ["i.read()", "i.read(100)", "b''.join(i)", "b''.join(iter(i.read1, b''))"] {
        for stated in [0, 1, 5, 12] {
            let call = call("read").header("X-Read", expression).upload(&[Some(BODY), None]);
            let text = call.state(Some(stated)).run().text();
            let part = std::str::from_utf8(&BODY[..stated as usize]).unwrap();
            assert_eq!(text, format!("b{part:?}").replace('"', "'"), "{stated}: {expression}");
        }
    }
}

#[test]
fn an_uncaught_error_of_a_broken_body_is_not_the_applications() {
    for (application, upload) in [
        ("reads_all", &[Some(&b"one"[..]), None][..]),
        ("wraps_the_error", &[None][..]),
        ("reads_all", &[Some(&b"one"[..])][..]),
    ] {
        let answer =
            call(application).method("POST").path("/up").upload(upload).state(Some(9)).run();
        let line = "WSGI0219 the client left before its request body was whole: \"POST /up\"";
        assert!(answer.logged(line), "{application}: {answer:?}");
        assert!(!answer.logged("WSGI0201") && !answer.logged("Traceback"), "{answer:?}");
        assert_eq!(answer.outcome, None, "there is no client left to answer");
    }
}

#[test]
fn other_errors_after_a_broken_body_are_the_applications() {
    let answer = call("fails_after_a_broken_body").method("POST").upload(&[None]).run();
    assert!(answer.logged("WSGI0201") && answer.logged("ValueError: of its own"), "{answer:?}");
    assert_eq!(answer.outcome, Some(Outcome::Failed));
    let answer = call("no_such_file").method("POST").upload(&[Some(b"whole")]).run();
    assert!(
        answer.logged("WSGI0201") && !answer.logged("WSGI0208") && !answer.logged("WSGI0219"),
        "{answer:?}"
    );
}

#[test]
fn without_a_body_input_is_empty() {
    let expression = "(i.read(), i.read(5), i.readline(), i.readlines(), list(i))";
    let answer = call("read").header("X-Read", expression).run();
    assert_eq!(answer.text(), "(b'', b'', b'', [], [])");
}

#[test]
fn a_body_that_breaks_off_raises_and_never_looks_like_the_end() {
    for expression in ["i.read()", "i.read(10)", "i.readlines()", "i.readline() and i.readline()"] {
        let upload = [Some(&b"one\ntw"[..]), None];
        let answer = call("read").header("X-Read", expression).upload(&upload).run();
        assert!(answer.text().contains("OSError"), "{expression}: {}", answer.text());
    }
}

#[test]
fn a_body_that_broke_off_stays_broken() {
    let upload = [Some(&b"one\ntw"[..]), None];
    let answer = call("read_on").method("POST").upload(&upload).run();
    let broken = "wsgi.input: the upload broke off";
    assert_eq!(answer.text(), format!("one\n|{broken}|{broken}|{broken}|{broken}"));
}

#[test]
fn environ_is_a_new_dict_with_the_keys_of_the_pep() {
    let answer = call("environ")
        .header("Content-Type", "text/a")
        .header("content-type", "text/b")
        .header("Content-Length", "99")
        .header("X-Twice", "a")
        .header("x-twice", "b")
        .header("Cookie", "a=1")
        .header("Cookie", "b=2")
        .header("X_Under", "evil")
        .header("Proxy", "evil")
        .header("Transfer-Encoding", "chunked")
        .header("Bad Name", "evil")
        .body(BODY)
        .run();
    let text = answer.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "dict");
    for line in [
        "REQUEST_METHOD='GET'",
        "SCRIPT_NAME=''",
        "PATH_INFO='/'",
        "QUERY_STRING=''",
        "SERVER_NAME='example.org'",
        "SERVER_PORT='80'",
        "SERVER_PROTOCOL='HTTP/1.1'",
        "CONTENT_LENGTH='13'",
        "CONTENT_TYPE='text/a'",
        "HTTP_X_TWICE='a, b'",
        "HTTP_COOKIE='a=1; b=2'",
        "wsgi.version=(1, 0)",
        "wsgi.url_scheme='http'",
        "wsgi.multithread=True",
        "wsgi.multiprocess=False",
        "wsgi.run_once=False",
        "wsgi.input_terminated=True",
    ] {
        assert!(lines.contains(&line), "{line}: {text}");
    }
    for key in [
        "HTTP_CONTENT",
        "HTTP_X_UNDER",
        "HTTP_PROXY",
        "HTTP_TRANSFER",
        "HTTP_BAD",
        "HTTPS",
        "REMOTE",
        "PATH=",
    ] {
        assert!(!lines.iter().any(|line| line.starts_with(key)), "{key}: {text}");
    }
    assert!(!text.contains("evil"), "under any key: {text}");
}

#[test]
fn sys_executable_is_a_python() {
    let answer = call("executable").run();
    assert!(answer.text().contains("/python"), "{}", answer.text());
}
