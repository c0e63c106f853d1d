//! The environ of an application, for requests of one client, and of several clients in
//! alternation.

use crate::host::{ENVIRON, long_request, long_request_of, short_request, with_python};
use criterion::Criterion;
use wsgi::wsgi::environ::Template;

pub fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("environ");
    let clients = ["a", "b", "c", "d"].map(long_request_of);
    for (name, requests) in [
        ("1 header", &[short_request()][..]),
        ("12 headers", &[long_request()]),
        ("12 headers, 4 clients", &clients),
    ] {
        group.bench_function(name, |bencher| {
            with_python(|py| {
                let template = Template::new(py, ENVIRON).expect("a template");
                let mut turns = requests.iter().cycle();
                bencher.iter(|| {
                    let request = turns.next().expect("there is no end");
                    template.environ(py, request).expect("an environ")
                });
            });
        });
    }
    group.finish();
}
