//! `wsgi.file_wrapper`: which files the host may send by itself.

use crate::host::{Call, call_file};
use std::path::Path;
use wsgi::host::Outcome;

/// A file wrapper around the value of an expression, which uses the names in files.py.
fn wrap(file: &str) -> Call {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/files.py");
    call_file(path, "wrapped").header("X-File", file)
}

#[test]
fn the_host_sends_a_file_if_read_returns_its_content() {
    for (file, sent) in [
        ("open(DIGITS, 'rb')", true),
        ("open(DIGITS, 'rb', 0)", true),
        ("open(DIGITS, 'r+b')", true),
        ("open(DIGITS, 'r+b', 0)", true),
        ("begun(tempfile.TemporaryFile())", false),
        ("(lambda t: begun(open(t.name, 'r+b')))(digits())", true),
        ("digits()", true),
        ("(lambda f: f.read(2) and f)(digits())", true),
        ("tempfile.TemporaryFile()", false),
        ("(lambda f: (f.write(b'0123'), f.seek(1), f)[2])(tempfile.TemporaryFile())", true),
        ("(lambda f: (f.write(b'0123'), f.seek(1), f)[2])(tempfile.SpooledTemporaryFile())", false),
        ("compressed(gzip)", false),
        ("compressed(bz2)", false),
        ("compressed(lzma)", false),
        ("Letters(DIGITS)", false),
        ("io.BufferedReader(Letters(DIGITS))", false),
        ("type('Reader', (io.BufferedReader,), {})(io.FileIO(DIGITS))", false),
        ("Half(open(DIGITS, 'rb'))", false),
        ("(lambda f: setattr(f, 'close', f.close) or f)(open(DIGITS, 'rb'))", true),
        ("lettered(open(DIGITS, 'rb'))", false),
        ("lettered(open(DIGITS, 'rb', 0))", false),
        ("io.BufferedReader(lettered(io.FileIO(DIGITS)))", false),
        ("lettered(digits())", false),
        ("io.BufferedReader(io.BytesIO(b'0123456789'))", false),
    ] {
        let wrapped = wrap(file).run();
        let read = wrap(file).header("X-Read", "1").run();
        assert_eq!(wrapped.text(), read.text(), "{file}");
        assert!(wrapped.is_complete(), "{file}: {:?}", wrapped.log);
        assert_eq!(wrapped.sent_files, usize::from(sent), "{file}");
    }
}

/// PEP 3333 calls the size a "suggestion". To `read()`, None and -1 mean "all", and other servers
/// pass them on to it.
#[test]
fn a_value_that_cannot_be_a_block_size_means_the_default() {
    for size in ["None", "-1", "0", "1", "2**63 - 1", "2**63", "2**70", "-2**70", "False"] {
        for file in ["io.BytesIO(b'0123456789')", "open(DIGITS, 'rb')"] {
            let answer = wrap(file).header("X-Size", size).run();
            assert_eq!(answer.text(), "0123456789", "{size}, {file}");
        }
    }
    let answer = wrap("io.BytesIO(b'0123456789')").header("X-Size", "1.5").run();
    assert!(answer.logged("TypeError: 'float' object"), "{:?}", answer.log);
}

#[test]
fn a_file_that_cannot_be_read_is_the_applications_error() {
    for (file, error) in [
        ("open(DIGITS)", "an iterable with a str in it"),
        ("open(DIGITS, 'ab', 0)", "UnsupportedOperation"),
        ("(lambda f: f.close() or f)(open(DIGITS, 'rb'))", "ValueError"),
        ("(lambda f: f.detach() and f)(open(DIGITS, 'rb'))", "ValueError"),
    ] {
        let answer = wrap(file).run();
        assert_eq!(answer.outcome, Some(Outcome::Failed), "{file}");
        assert!(answer.logged(error) && answer.sent_files == 0, "{file}: {:?}", answer.log);
    }
}
