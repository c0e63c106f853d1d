//! The smallest web server that is enough: an event-driven host that counts what it gets, and
//! requests as clients send them.

use pyo3::Python;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use wsgi::host::hub::Hub;
use wsgi::host::request::{Field, Request};
use wsgi::host::response::buffer::Buffers;
use wsgi::host::response::head::Head;
use wsgi::host::{Gone, Host, HostRequest, Level, Outcome};
use wsgi::python;
use wsgi::runtime::Runtime;
use wsgi::runtime::settings::Settings;
use wsgi::wsgi::environ::EnvironSettings;
use wsgi::wsgi::target::Target;

pub const ENVIRON: EnvironSettings =
    EnvironSettings { multithread: true, multiprocess: false, odd_names: false };

/// The number of responses that have ended.
pub static FINISHED: AtomicUsize = AtomicUsize::new(0);
/// The number of bytes of all bodies.
pub static BYTES: AtomicU64 = AtomicU64::new(0);

/// The eventfd that `notify` writes to and `wait` reads.
static WAKE: LazyLock<i32> = LazyLock::new(|| {
    // SAFETY: no memory is involved.
    unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) }
});

struct CountingHost;

impl Host for CountingHost {
    fn start(&self, _request: HostRequest, head: &Head) -> Result<(), Gone> {
        assert_eq!(head.status, 200);
        Ok(())
    }

    fn write(&self, _request: HostRequest, buffers: Buffers, _last: bool) -> Result<(), Gone> {
        for buffer in buffers {
            BYTES.fetch_add(buffer.bytes().len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn finish(&self, _request: HostRequest, outcome: Outcome) {
        assert_eq!(outcome, Outcome::Complete);
        FINISHED.fetch_add(1, Ordering::Relaxed);
    }

    fn log(&self, _request: Option<HostRequest>, _level: Level, line: &str) {
        eprintln!("{line}");
    }

    fn notify(&self) {
        notify();
    }

    fn is_event_driven(&self) -> bool {
        true
    }
}

/// Wakes the thread in `wait`, or ends the next `wait` at once.
pub fn notify() {
    let one = 1_u64;
    // SAFETY: eight bytes of `one` are written to an eventfd, which lives as long as the process.
    let written = unsafe { libc::write(*WAKE, (&raw const one).cast(), 8) };
    assert_eq!(written, 8);
}

/// Sleeps until `notify` was called.
pub fn wait() {
    let mut count = 0_u64;
    // SAFETY: `count` has room for the eight bytes of an eventfd.
    let read = unsafe { libc::read(*WAKE, (&raw mut count).cast(), 8) };
    assert_eq!(read, 8);
}

/// A hub with this host, but without a runtime.
pub fn hub() -> std::sync::Arc<Hub> {
    Hub::new(Box::new(CountingHost), 0, usize::MAX)
}

/// A runtime with one Python thread. `poll` wakes it, as in the nginx module.
pub static RUNTIME: LazyLock<&'static Runtime> = LazyLock::new(|| {
    let settings = Settings { threads: 1, max_queue: 1024, batch: true, ..Settings::default() };
    Runtime::start(settings, Box::new(CountingHost)).expect("Python can be started")
});

/// An application of benches/app.py.
pub fn target(callable: &str) -> Target {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/app.py");
    Target::file(file, callable).expect("a file and a name")
}

/// Runs `work` attached to Python.
pub fn with_python<R>(work: impl for<'py> FnOnce(Python<'py>) -> R) -> R {
    let app = RUNTIME.load(target("hello_world")).expect("the runtime runs");
    app.wait(Some(Duration::from_secs(60))).expect("benches/app.py can be imported");
    python::attach(work)
}

/// The library does not read what the pointer points to, but it must not be NULL.
pub fn host_request() -> HostRequest {
    HostRequest(std::ptr::dangling_mut::<u8>().cast())
}

/// A request as wrk sends it: `GET /` with one header.
pub fn short_request() -> Box<Request> {
    let mut request = Box::new(Request::with_capacity(512, 12, 0));
    for (field, value) in [
        (Field::Method, "GET"),
        (Field::PathInfo, "/"),
        (Field::RequestUri, "/"),
        (Field::Protocol, "HTTP/1.1"),
        (Field::Scheme, "http"),
        (Field::ServerName, "127.0.0.1"),
        (Field::ServerPort, "8080"),
        (Field::ServerAddr, "127.0.0.1"),
        (Field::RemoteAddr, "127.0.0.1"),
        (Field::RemotePort, "51234"),
        (Field::DocumentRoot, "/srv/html"),
        (Field::RequestId, "8f6d1a2b3c4d5e6f708192a3b4c5d6e7"),
    ] {
        request.set(field, value.as_bytes());
    }
    request.add_header(b"Host", b"127.0.0.1:8080");
    request
}

/// A request as a browser sends it, with twelve headers.
pub fn long_request() -> Box<Request> {
    long_request_of("")
}

/// The same request of another client. All headers except one have values of its own.
pub fn long_request_of(client: &str) -> Box<Request> {
    let mut request = short_request();
    for line in include_str!("../headers.txt").lines() {
        let (name, value) = line.split_once(": ").expect("a header");
        request.add_header(name.as_bytes(), format!("{value}{client}").as_bytes());
    }
    request
}
