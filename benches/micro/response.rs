//! The way of a response from the application's thread to the host's callbacks, without an
//! application: exchange, head, blocks, end, and one poll for all.

use crate::host::{host_request, hub, short_request, with_python};
use criterion::Criterion;
use pyo3::types::PyBytes;
use wsgi::host::polled::Polled;
use wsgi::host::response::buffer::KEEP_FROM;
use wsgi::host::response::head::Head;
use wsgi::host::{Outcome, Transport};

pub fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("response");
    for (name, blocks, size) in
        [("13 bytes", 1, 13), ("16 blocks of 1 KB", 16, 1024), ("a block kept", 1, KEEP_FROM)]
    {
        group.bench_function(name, |bencher| {
            with_python(|py| {
                let hub = hub();
                let block = PyBytes::new(py, &vec![b'x'; size]);
                bencher.iter(|| {
                    let accepted = hub.accept(short_request(), host_request());
                    let (exchange, _) = accepted.expect("there is room");
                    exchange.begin().expect("it was not cancelled");
                    let mut transport = Polled::new(hub.clone(), exchange);
                    let mut head = Head::new(200, b"OK");
                    head.add(b"Content-type", b"text/plain");
                    transport.head(head);
                    for _ in 0..blocks {
                        transport.data(&block, size);
                    }
                    transport.end(py, Outcome::Complete);
                    hub.poll(0).expect("a poll");
                    hub.deferred().drop_all(py);
                });
            });
        });
    }
    group.finish();
}
