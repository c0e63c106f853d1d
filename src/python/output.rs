//! sys.stdout and sys.stderr of the application: every line goes to the host's log.
//!
//! Text waits for its line break per thread and per stream, so that lines of two threads never mix.
//! A thread hands its lines over without the GIL and without a lock, since the host's log may be
//! full for a while. In a fork no thread reads that log, so lines go to file descriptor 2.

use super::fork::is_forked;
use super::lines::{LineBuffer, Lines, decode, escape};
use super::streams;
use nix::unistd;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};
use std::cell::{Cell, RefCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Takes the lines of one text, all of them. It is called on any thread, never with the GIL held,
/// and may block. Lines may be of any length and may hold control characters (see `lines::escape`).
pub type Emit = Box<dyn Fn(Stream, &mut Lines<'_>) + Send + Sync>;

/// Which stream a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

static EMIT: OnceCell<Emit> = OnceCell::new();
static DRAIN: OnceCell<Box<dyn Fn() + Send + Sync>> = OnceCell::new();

thread_local! {
    static PARTIAL: RefCell<Partial> = const { RefCell::new(Partial::new()) };
}

/// The lines that a thread has begun.
struct Partial {
    stdout: LineBuffer,
    stderr: LineBuffer,
}

impl Partial {
    const fn new() -> Partial {
        Partial { stdout: LineBuffer::new(), stderr: LineBuffer::new() }
    }

    fn of(&mut self, stream: Stream) -> &mut LineBuffer {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn finish(&mut self) -> impl Iterator<Item = (Stream, Lines<'static>)> + use<> {
        [(Stream::Stdout, self.stdout.finish()), (Stream::Stderr, self.stderr.finish())]
            .into_iter()
            .filter_map(|(stream, lines)| Some((stream, lines?)))
    }
}

/// The thread ends, and has no Python any more. No text follows what it has begun.
impl Drop for Partial {
    fn drop(&mut self) {
        // A panic must not leave the destructor of a thread local: it would end the process.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.finish().for_each(|(stream, mut lines)| emit(stream, &mut lines));
        }));
    }
}

/// Sets where lines go. Only the first call has an effect. Before it, lines go to file descriptor
/// 2.
pub fn set_emit(to: Emit) {
    let _ = EMIT.set(to);
}

/// Sets the function that waits, for a short time, until the lines that were handed over are
/// written.
pub fn set_drain(drain: Box<dyn Fn() + Send + Sync>) {
    let _ = DRAIN.set(drain);
}

/// Waits for a short time until the lines that were handed over are written. Call it before the
/// process ends in a way that the host does not know. Not with the GIL held.
pub(super) fn drain() {
    if let Some(drain) = DRAIN.get() {
        drain();
    }
}

/// Hands over the lines that the calling thread has begun and not ended, on both streams. Call it
/// when a request ends, so that its last text does not look like that of another request. Releases
/// the GIL meanwhile.
pub fn flush_thread(py: Python<'_>) {
    let Ok(begun) = PARTIAL.try_with(|partial| partial.borrow_mut().finish()) else { return };
    for (stream, mut lines) in begun {
        py.detach(|| emit(stream, &mut lines));
    }
}

/// Hands over one whole line, past what the thread has begun. Releases the GIL meanwhile.
pub fn emit_line(py: Python<'_>, stream: Stream, line: &str) {
    py.detach(|| emit(stream, &mut Lines::of(line)));
}

fn emit(stream: Stream, lines: &mut Lines<'_>) {
    if let Some(emit) = EMIT.get().filter(|_| !is_forked()) {
        return emit(stream, lines);
    }
    while let Some(line) = lines.next() {
        write_fd2(&line);
    }
}

/// One write, so that lines of several processes do not mix; no lock, since a fork may have been
/// made while another thread held it. A failure cannot be reported.
pub fn write_fd2(line: &str) {
    put_fd2(&format!("{}\n", escape(line)));
}

thread_local! {
    /// In a forked child: a line on descriptor 2 has begun and has no end yet.
    static LINE_IS_OPEN: Cell<bool> = const { Cell::new(false) };
}

/// In a forked child: writes what the calling thread has begun, as it is.
fn flush_fd2() {
    let Ok(begun) = PARTIAL.try_with(|partial| partial.borrow_mut().finish()) else { return };
    for (_, mut lines) in begun {
        if let Some(text) = lines.next() {
            put_fd2(&escape(&text));
            LINE_IS_OPEN.set(true);
        }
    }
}

/// In a forked child: ends the line that was flushed, so that the next text of the log begins a
/// line.
fn end_line_fd2() {
    if LINE_IS_OPEN.replace(false) {
        put_fd2("\n");
    }
}

fn put_fd2(line: &str) {
    if line.ends_with('\n') {
        LINE_IS_OPEN.set(false);
    }
    let _ = unistd::write(io::stderr(), line.as_bytes());
}

/// Adds text to what the thread has begun, and hands over the lines that are whole now.
fn write(py: Python<'_>, stream: Stream, text: &[u8]) {
    let Ok(lines) = PARTIAL.try_with(|partial| partial.borrow_mut().of(stream).push(text)) else {
        // The thread is ending: a `__del__` of one of its values prints.
        return py.detach(|| emit(stream, &mut Lines::of(&decode(text))));
    };
    if let Some(mut lines) = lines {
        py.detach(|| emit(stream, &mut lines));
        let _ = PARTIAL.try_with(|partial| partial.borrow_mut().of(stream).put_back(lines));
    }
}

/// Puts the streams in place of Python's own, and an empty file in place of sys.stdin. Fails with
/// what Python raises.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    let classes = streams::classes(py)?.as_any();
    let class = classes.get_item("LogStream")?;
    for (stream, name) in [(Stream::Stdout, "stdout"), (Stream::Stderr, "stderr")] {
        let object = class.call1((Bound::new(py, Sink { stream })?,))?;
        sys.setattr(name, &object)?;
        sys.setattr(format!("__{name}__"), object)?;
    }
    let stdin = classes.get_item("EmptyStream")?.call0()?;
    sys.setattr("stdin", &stdin)?;
    sys.setattr("__stdin__", stdin)
}

/// What is below sys.stdout and sys.stderr, whose classes are in streams.py.
#[pyclass(frozen, module = "wsgi", name = "LogSink")]
struct Sink {
    stream: Stream,
}

#[pymethods]
impl Sink {
    #[pyo3(name = "write")]
    fn put(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let data = bytes_of(data)?;
        write(py, self.stream, data.as_bytes());
        Ok(data.as_bytes().len())
    }

    /// A line goes out when it is whole, not earlier. A forked child has no lines, only descriptor
    /// 2.
    fn flush(&self) {
        if is_forked() {
            flush_fd2();
        }
    }

    /// Called when the application flushes, and not for the buffering of lines. A forked child may
    /// end next.
    fn end_line(&self) {
        if is_forked() {
            end_line_fd2();
        }
    }

    #[getter]
    fn name(&self) -> &'static str {
        match self.stream {
            Stream::Stdout => "<stdout>",
            Stream::Stderr => "<stderr>",
        }
    }
}

/// The bytes in any kind of buffer.
pub fn bytes_of<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let bytes = PyMemoryView::from(data)?.call_method0("tobytes")?;
    Ok(bytes.cast_into::<PyBytes>()?)
}
