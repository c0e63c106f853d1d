//! A blocking host in memory. The calls of the library become an [`Answer`].

use crate::limit::Limit;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use wsgi::host::request::body::Body;
use wsgi::host::request::{Arrival, Field, Request};
use wsgi::host::response::buffer::Buffers;
use wsgi::host::response::file_range::FileRange;
use wsgi::host::response::head::Head;
use wsgi::host::{Gone, Host, HostRequest, Level, Outcome};
use wsgi::runtime::Runtime;
use wsgi::runtime::settings::Settings;
use wsgi::wsgi::target::Target;

/// What a client would have received, and the log lines about it.
#[derive(Default, Debug)]
pub struct Answer {
    /// The fields of all responses 103, in their order.
    pub hints: Vec<(String, String)>,
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub content_length: Option<u64>,
    pub no_body: bool,
    /// One entry for each call of `write` and `send_file`.
    pub writes: Vec<Vec<u8>>,
    pub sent_files: usize,
    pub outcome: Option<Outcome>,
    pub log: Vec<String>,
    /// The host reports that the client is gone at its `write` of this number.
    pub leave_at_write: Option<usize>,
    /// The host reports that the client is gone when it gets hints.
    pub leave_at_hints: bool,
    /// The blocks that `read` returns. None is an error.
    pub upload: Vec<Option<Vec<u8>>>,
}

impl Answer {
    pub fn body(&self) -> Vec<u8> {
        self.writes.concat()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body()).expect("a body in UTF-8")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    pub fn logged(&self, part: &str) -> bool {
        self.log.iter().any(|line| line.contains(part))
    }

    pub fn is_complete(&self) -> bool {
        self.outcome == Some(Outcome::Complete)
    }
}

struct MemoryHost;

fn answer(request: HostRequest) -> &'static Mutex<Answer> {
    // SAFETY: `Call::run` passes a pointer to an `Answer` that lives until the call is over, and
    // no callback comes after that.
    unsafe { &*request.0.cast::<Mutex<Answer>>() }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn fields(head: &Head) -> impl Iterator<Item = (String, String)> {
    head.fields().map(|(name, value)| (latin1(name), latin1(value)))
}

impl Host for MemoryHost {
    fn early_hints(&self, request: HostRequest, hints: &Head) -> Result<(), Gone> {
        let mut answer = answer(request).lock().unwrap();
        assert!(answer.status == 0 && answer.outcome.is_none(), "hints come before start");
        answer.hints.extend(fields(hints));
        if answer.leave_at_hints { Err(Gone) } else { Ok(()) }
    }

    fn start(&self, request: HostRequest, head: &Head) -> Result<(), Gone> {
        let mut answer = answer(request).lock().unwrap();
        assert!(answer.status == 0 && answer.outcome.is_none(), "start comes once, and first");
        answer.status = head.status;
        answer.reason = latin1(head.reason());
        answer.headers = fields(head).collect();
        answer.content_length = head.content_length;
        answer.no_body = head.no_body;
        Ok(())
    }

    fn write(&self, request: HostRequest, buffers: Buffers, _last: bool) -> Result<(), Gone> {
        let bytes = buffers.iter().flat_map(|buffer| buffer.bytes().to_vec()).collect();
        let mut answer = answer(request).lock().unwrap();
        assert!(answer.status != 0 && answer.outcome.is_none(), "write is after start");
        answer.writes.push(bytes);
        if answer.leave_at_write == Some(answer.writes.len()) { Err(Gone) } else { Ok(()) }
    }

    fn takes_files(&self) -> bool {
        true
    }

    fn send_file(&self, request: HostRequest, file: FileRange, _last: bool) -> Result<(), Gone> {
        use std::os::unix::fs::FileExt;
        let mut bytes = vec![0; usize::try_from(file.length).unwrap()];
        std::fs::File::from(file.file).read_exact_at(&mut bytes, file.offset).unwrap();
        let mut answer = answer(request).lock().unwrap();
        assert!(answer.status != 0 && answer.outcome.is_none(), "send_file is after start");
        answer.writes.push(bytes);
        answer.sent_files += 1;
        Ok(())
    }

    fn finish(&self, request: HostRequest, outcome: Outcome) {
        let before = answer(request).lock().unwrap().outcome.replace(outcome);
        assert_eq!(before, None, "finish is called once");
    }

    fn read(&self, request: HostRequest, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut answer = answer(request).lock().unwrap();
        if answer.upload.is_empty() {
            return Ok(0);
        }
        let Some(mut block) = answer.upload.remove(0) else {
            let kind = std::io::ErrorKind::ConnectionAborted;
            return Err(std::io::Error::new(kind, "the upload broke off"));
        };
        let rest = block.split_off(block.len().min(buffer.len()));
        if !rest.is_empty() {
            answer.upload.insert(0, Some(rest));
        }
        buffer[..block.len()].copy_from_slice(&block);
        Ok(block.len())
    }

    fn log(&self, request: Option<HostRequest>, _level: Level, line: &str) {
        match request {
            Some(request) => answer(request).lock().unwrap().log.push(line.to_owned()),
            None => eprintln!("{line}"),
        }
    }

    fn is_event_driven(&self) -> bool {
        false
    }

    fn has_early_hints(&self) -> bool {
        true
    }

    fn has_read(&self) -> bool {
        true
    }
}

static RUNTIME: LazyLock<&'static Runtime> = LazyLock::new(|| {
    let settings = Settings { max_queue: 1, log_line_size: 1000, ..Settings::default() };
    Runtime::start(settings, Box::new(MemoryHost)).expect("Python can be started")
});

/// A request. A test describes it, then runs it.
pub struct Call {
    file: PathBuf,
    callable: &'static str,
    fields: HashMap<&'static str, String>,
    strings: Vec<(Field, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Body>,
    arrival: Arrival,
    stated: Option<u64>,
    early_hints: bool,
    answer: Answer,
}

/// A GET for the application `callable` in apps.py.
pub fn call(callable: &'static str) -> Call {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/apps.py");
    call_file(file, callable)
}

/// A GET for the application `callable` in `file`.
pub fn call_file(file: PathBuf, callable: &'static str) -> Call {
    let fields = HashMap::from([("method", "GET".to_owned()), ("path", "/".to_owned())]);
    let answer = Answer::default();
    Call {
        file,
        callable,
        fields,
        strings: Vec::new(),
        headers: Vec::new(),
        body: None,
        arrival: Arrival::Whole,
        stated: None,
        early_hints: false,
        answer,
    }
}

impl Call {
    pub fn path(mut self, path: &str) -> Self {
        self.fields.insert("path", path.to_owned());
        self
    }

    pub fn method(mut self, method: &str) -> Self {
        self.fields.insert("method", method.to_owned());
        self
    }

    pub fn string(mut self, field: Field, value: &str) -> Self {
        self.strings.push((field, value.to_owned()));
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, bytes: &[u8]) -> Self {
        self.body = Some(Body::Memory { bytes: bytes.into(), position: 0 });
        self
    }

    /// As `body`, but in a file between other bytes.
    pub fn body_in_file(mut self, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("{}.body", std::process::id()));
        std::fs::write(&path, [b"before", bytes, b"after"].concat()).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        self.body = Some(Body::File { file, offset: 6, left: bytes.len() as u64 });
        self
    }

    /// A body that the library pulls. It breaks off at None.
    pub fn upload(mut self, blocks: &[Option<&[u8]>]) -> Self {
        self.answer.upload = blocks.iter().map(|block| block.map(<[u8]>::to_vec)).collect();
        self.arrival = Arrival::Pulled;
        self
    }

    /// The length of the body that the client states. It may be wrong.
    pub fn state(mut self, length: Option<u64>) -> Self {
        self.stated = length;
        self
    }

    /// The host can send hints to this client.
    pub fn early_hints(mut self) -> Self {
        self.early_hints = true;
        self
    }

    pub fn leave_at_hints(mut self) -> Self {
        self.answer.leave_at_hints = true;
        self.early_hints()
    }

    pub fn leave_at_write(mut self, number: usize) -> Self {
        self.answer.leave_at_write = Some(number);
        self
    }

    pub fn run(self) -> Answer {
        let _limit = Limit::begin();
        let app = RUNTIME.load(Target::file(self.file, self.callable).unwrap()).unwrap();
        app.wait(Some(Duration::from_secs(60))).expect("the file can be imported");
        let mut request = Box::new(Request::with_capacity(256, 8, 0));
        request.set(Field::Method, self.fields["method"].as_bytes());
        request.set(Field::PathInfo, self.fields["path"].as_bytes());
        request.set(Field::Protocol, b"HTTP/1.1");
        request.set(Field::Scheme, b"http");
        request.set(Field::ServerName, b"example.org");
        request.set(Field::ServerPort, b"80");
        for (field, value) in self.strings {
            request.set(field, value.as_bytes());
        }
        for (name, value) in self.headers {
            request.add_header(name.as_bytes(), value.as_bytes());
        }
        if let Some(body) = self.body {
            request.content_length = self.stated.or(body.left());
            request.body = body;
        }
        if self.arrival == Arrival::Pulled {
            request.content_length = self.stated;
            request.arrival = self.arrival;
        }
        request.early_hints = self.early_hints;
        let answer = Arc::new(Mutex::new(self.answer));
        let pointer = Arc::as_ptr(&answer).cast_mut();
        // WSGI_GONE is not a failure of the test, which checks the calls that came before it.
        let _ = app.run(request, HostRequest(pointer.cast()));
        Arc::into_inner(answer).unwrap().into_inner().unwrap()
    }
}
