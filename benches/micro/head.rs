//! The check of the status and the headers of `start_response`, and their copy from Python.

use crate::host::with_python;
use criterion::Criterion;
use pyo3::types::{PyList, PyString};
use wsgi::wsgi::response_headers::check;

const ONE: &[(&str, &str)] = &[("Content-type", "text/plain")];

/// Headers as a framework gives them.
const TEN: &[(&str, &str)] = &[
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", "13"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Vary", "Accept-Language, Cookie"),
    ("Content-Language", "en"),
    ("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, private"),
    ("Set-Cookie", "sessionid=9f8e7d6c5b4a3928; HttpOnly; Path=/; SameSite=Lax; Max-Age=1209600"),
];

pub fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    for (name, headers) in [("1 header", ONE), ("10 headers", TEN)] {
        group.bench_function(name, |bencher| {
            with_python(|py| {
                let status = PyString::new(py, "200 OK");
                let headers = PyList::new(py, headers).expect("a list");
                bencher.iter(|| check(&status, &headers).expect("good headers"));
            });
        });
    }
    group.finish();
}
