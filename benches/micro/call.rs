//! Whole requests, from the submit to the host's last callback, with an application of
//! benches/app.py: on the polling thread itself, and through a pool of one thread.

use crate::host::{self, BYTES, ENVIRON, FINISHED, RUNTIME, long_request, short_request, wait};
use criterion::{Criterion, Throughput};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wsgi::host::hub::Hub;
use wsgi::host::polled::Polled;
use wsgi::host::request::Request;
use wsgi::runtime::App;
use wsgi::wsgi::app::Application;
use wsgi::wsgi::gateway;

const BATCH: usize = 32;
const MEGABYTE: u64 = 1 << 20;

/// An application, its request, and the number of bytes of its answer.
type Case = (&'static str, fn() -> Box<Request>, u64);

const SHORT: [Case; 2] = [("hello_world", short_request, 13), ("from_environ", long_request, 1024)];
const LARGE: [Case; 2] =
    [("one_block", short_request, MEGABYTE), ("blocks", short_request, MEGABYTE)];

/// Sets the counts to 0.
fn reset_counts() {
    FINISHED.store(0, Relaxed);
    BYTES.store(0, Relaxed);
}

/// Asserts that all answers since `reset_counts` had `size` bytes.
fn assert_size(size: u64) {
    let requests = FINISHED.load(Relaxed) as u64;
    assert!(requests > 0);
    assert_eq!(BYTES.load(Relaxed), requests * size);
}

pub fn benches(criterion: &mut Criterion) {
    inline(criterion);
    pooled(criterion);
}

fn inline(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call/inline");
    for (callable, request, size) in SHORT.into_iter().chain(LARGE) {
        group.bench_function(callable, |bencher| {
            host::with_python(|py| {
                let application =
                    Application::import(py, &host::target(callable), ENVIRON, &mut Vec::new());
                let application = application.expect("benches/app.py can be imported");
                let hub = host::hub();
                let answer = || answer(py, &application, request(), &hub);
                reset_counts();
                bencher.iter(answer);
                assert_size(size);
            });
        });
    }
    group.finish();
}

/// Answers a request as the runtime does without threads.
fn answer(py: pyo3::Python<'_>, application: &Application, request: Box<Request>, hub: &Arc<Hub>) {
    let (exchange, _) = hub.accept(request, host::host_request()).expect("there is room");
    let request = exchange.begin().expect("it was not cancelled");
    let transport = Box::new(Polled::pausing(hub.clone(), exchange.clone()));
    let mut paused = gateway::answer(py, application, request, transport, hub);
    hub.poll(0).expect("a poll");
    while let Some(rest) = paused {
        assert!(!exchange.is_paused(), "the host has released all buffers");
        paused = rest.resume(py, application, hub);
        hub.poll(0).expect("a poll");
    }
    hub.deferred().drop_all(py);
}

fn pooled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call/pooled");
    for (callable, request, size) in SHORT {
        let app = RUNTIME.load(host::target(callable)).expect("the runtime runs");
        app.wait(None).expect("benches/app.py can be imported");
        for requests in [1, BATCH] {
            let name = format!("{callable}, {requests} at a time");
            group.throughput(Throughput::Elements(requests as u64));
            group.bench_function(name, |bencher| {
                reset_counts();
                bencher.iter(|| there_and_back(&app, requests, request));
                assert_size(size);
            });
        }
    }
    group.finish();
}

fn there_and_back(app: &Arc<App>, requests: usize, request: fn() -> Box<Request>) {
    for _ in 0..requests {
        app.submit(request(), host::host_request()).expect("there is room");
    }
    let until = FINISHED.load(Relaxed) + requests;
    RUNTIME.poll(0).expect("a poll");
    while FINISHED.load(Relaxed) < until {
        wait();
        while RUNTIME.poll(0).expect("a poll") > 0 {}
    }
}
