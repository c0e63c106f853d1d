//! Strings and keys.

use super::{python, run};
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
