//! Strings, keys and bytes.

use super::{python, run};
use crate::python::bytes_writer::BytesWriter;
use crate::python::{KeyCache, strings};
use pyo3::prelude::*;
use pyo3::types::PyString;

#[test]
fn native_strings_are_latin_1_both_ways() {
    python(|py| {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&b""[..], b"a", b"\xff", b"hello", "héllo€".as_bytes(), &all] {
            let string = strings::native(py, bytes).unwrap();
            let same = string.call_method1("encode", ("latin-1",)).unwrap();
            assert_eq!(same.extract::<&[u8]>().unwrap(), bytes);
            assert_eq!(string.len().unwrap(), bytes.len());
            assert_eq!(strings::latin1(&string).as_deref(), Some(bytes));
        }
        let code = "class S(str): pass\nsub = S('caf\\xe9')\nwide = 'a\\u20ac'\nlone = '\\udc80'\n\
                    far = '\\U0001f600'";
        let globals = run(py, code).unwrap();
        let get = |name: &str| globals.get_item(name).unwrap().unwrap();
        let string = |name: &str| get(name).cast_into::<PyString>().unwrap();
        assert_eq!(strings::latin1(&string("sub")).as_deref(), Some(&b"caf\xe9"[..]));
        for name in ["wide", "lone", "far"] {
            assert_eq!(strings::latin1(&string(name)), None);
        }
        assert_eq!(strings::readable(&string("lone")), "\\udc80");
        assert_eq!(strings::readable(&string("far")), "\u{1f600}");
    });
}

#[test]
fn keys_are_made_once_and_a_flood_changes_nothing() {
    python(|py| {
        let cache = KeyCache::new("HTTP_", 4);
        cache.preload(py, &["host", "user-agent"]).unwrap();
        let host = cache.get(py, b"Host").unwrap();
        assert_eq!(host.to_string(), "HTTP_HOST");
        assert!(host.is(cache.get(py, b"hOST").unwrap()));
        for number in 0..100 {
            let name = format!("x-made-up-{number}");
            let key = cache.get(py, name.as_bytes()).unwrap();
            assert_eq!(key.to_string(), format!("HTTP_X_MADE_UP_{number}"));
        }
        assert!(host.is(cache.get(py, b"HOST").unwrap()));
        let agent = cache.get(py, b"User-Agent").unwrap();
        assert!(agent.is(cache.get(py, b"user-agent").unwrap()));
        let late = |name: &[u8]| cache.get(py, name).unwrap();
        assert!(!late(b"x-late").is(late(b"x-late")));
        assert_eq!(late(&[b'x'; 500]).to_string(), format!("HTTP_{}", "X".repeat(500)));
        assert_eq!(late(b"\xe9").to_string(), "HTTP_\u{e9}");
    });
}

#[test]
fn a_writer_takes_bytes_files_and_callbacks_and_is_cut_to_them() {
    let path = std::env::temp_dir().join(format!("writer-{}", std::process::id()));
    std::fs::write(&path, b"0123456789").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let bytes: Vec<u8> = python(|py| {
        let mut writer = BytesWriter::new(py, 8).unwrap();
        assert_eq!(writer.put(b"ab"), 2);
        assert_eq!(writer.put_file(&file, 3, 2).unwrap(), 2);
        assert_eq!(
            writer.put_with(|room| Ok(room.iter_mut().map(|byte| *byte = b'c').count())).unwrap(),
            4
        );
        assert!(writer.is_full());
        assert_eq!((writer.put(b"d"), writer.put_file(&file, 0, 9).unwrap()), (0, 0));
        let mut writer = writer.resize(py, 100_000).unwrap();
        assert_eq!((writer.put(b"efg"), writer.filled(), writer.size()), (3, 11, 100_000));
        assert_eq!(writer.put_file(&file, 8, 99).unwrap(), 2, "the file ends");
        assert_eq!(writer.put_file(&file, 10, 99).unwrap(), 0);
        assert!(writer.put_with(|_| Err(std::io::Error::other("no"))).is_err());
        writer.finish(py).unwrap().as_bytes().to_vec()
    });
    assert_eq!(bytes, b"ab34ccccefg89");
}

#[test]
fn a_writer_may_be_empty_and_fails_without_memory() {
    python(|py| {
        let empty = BytesWriter::new(py, 0).unwrap();
        assert!(empty.is_full());
        assert_eq!(empty.finish(py).unwrap().as_bytes(), b"");
        let unused = BytesWriter::new(py, 1000).unwrap();
        assert_eq!(unused.finish(py).unwrap().as_bytes(), b"");
        assert!(BytesWriter::new(py, usize::MAX).is_err());
        assert!(BytesWriter::new(py, isize::MAX as usize - 64).is_err());
        let writer = BytesWriter::new(py, 10).unwrap();
        assert!(writer.resize(py, isize::MAX as usize - 64).is_err());
    });
}
