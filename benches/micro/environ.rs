//! The dict that an application gets.

use crate::host::{FACTS, long_request, short_request, with_python};
use criterion::Criterion;
use wsgi::wsgi::environ::Template;

pub fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("environ");
    for (name, request) in [("1 header", short_request()), ("12 headers", long_request())] {
        group.bench_function(name, |bencher| {
            with_python(|py| {
                let template = Template::new(py, FACTS).expect("a template");
                bencher.iter(|| template.environ(py, &request).expect("an environ"));
            });
        });
    }
    group.finish();
}
