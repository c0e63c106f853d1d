//! `wsgi.input`: the request's body as a file-like object.

use super::lent::{Kept, Kind, Lent};
use crate::host::client::Client;
use crate::host::request::body::Body;
use crate::python::bytes_writer::BytesWriter;
use crate::python::free_list::FreeList;
use crate::python::lease::Lease;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList};

/// How many bytes are read at once in search of a line's end, or if the length is not known.
const BLOCK: usize = 64 * 1024;

/// The most memory that is allocated only because a client has announced the bytes. For more than
/// this, memory is allocated as the bytes arrive.
const ON_TRUST: u64 = 8 * 1024 * 1024;

/// A [`Body`] with the bytes that were read ahead while looking for a line's end.
pub(super) struct Reader {
    body: Body,
    ahead: Vec<u8>,
    /// The application has received `ahead` up to here.
    given: usize,
    /// How far beyond the end of the body the application has moved with `seek`.
    beyond: u64,
    /// The length of the body that the client has stated, if it has.
    stated: Option<u64>,
    /// How many bytes of the body have been read.
    taken: u64,
    client: Client,
    /// Why the rest of the body cannot be read. The read that failed may have lost bytes that it
    /// had received. So every later read fails too: an application that tries again must not take
    /// this for the end of the body.
    broken: Option<String>,
}

impl Reader {
    fn ahead(&self) -> &[u8] {
        &self.ahead[self.given..]
    }

    fn body(&mut self, py: Python<'_>, buffer: &mut [u8]) -> PyResult<usize> {
        self.check()?;
        let result = self.body.read(py, buffer);
        let count = result.map_err(|error| self.break_off(format!("wsgi.input: {error}")))?;
        self.taken += count as u64;
        Ok(count)
    }

    /// Fills `writer`, or what the rest of the body fills of it.
    fn fill(&mut self, py: Python<'_>, mut writer: BytesWriter) -> PyResult<BytesWriter> {
        self.given += writer.put(self.ahead());
        if writer.is_full() {
            return Ok(writer);
        }
        self.check()?;
        let before = writer.filled();
        let result = self.body.fill(py, writer);
        let writer = result.map_err(|error| self.break_off(format!("wsgi.input: {error}")))?;
        self.taken += (writer.filled() - before) as u64;
        Ok(writer)
    }

    fn check(&self) -> PyResult<()> {
        self.broken.as_ref().map_or(Ok(()), |why| Err(PyOSError::new_err(why.clone())))
    }

    fn break_off(&mut self, why: String) -> PyErr {
        PyOSError::new_err(self.broken.insert(why).clone())
    }

    /// `size` bytes, or fewer at the end of the body.
    fn read<'py>(&mut self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let left = self.body.left().map(|left| left.saturating_add(self.ahead().len() as u64));
        let size = left.map_or(size, |left| size.min(usize::try_from(left).unwrap_or(usize::MAX)));
        let first = if left.is_some() { size } else { size.min(self.expected()) };
        let mut writer = self.fill(py, BytesWriter::new(py, first)?)?;
        while writer.is_full() && writer.size() < size {
            let larger = writer.size().saturating_add(writer.size().max(BLOCK)).min(size);
            writer = writer.resize(py, larger).inspect_err(|_| {
                self.break_off("wsgi.input: there was no memory for what was read".to_owned());
            })?;
            writer = self.fill(py, writer)?;
        }
        writer.finish(py)
    }

    /// The memory for a read if the length of the rest is not known. It is one byte more than the
    /// client has stated. If it is not full after the read, the body has ended, and no further call
    /// is needed to find that out.
    fn expected(&self) -> usize {
        let left = self.stated.map(|stated| stated.saturating_sub(self.taken).min(ON_TRUST));
        left.map_or(BLOCK, |left| self.ahead().len() + left as usize + 1)
    }

    /// The bytes that are there already, up to `size`. Waits only if there are none.
    fn read_some<'py>(&mut self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        if self.ahead().is_empty() && size > 0 {
            self.read_ahead(py)?;
        }
        Ok(self.take(py, self.ahead().len().min(size)))
    }

    /// Where the next read begins, and where the body ends. None if the body can be read only once.
    fn position(&self) -> Option<(u64, u64)> {
        let read = self.taken - self.ahead().len() as u64;
        Some((read + self.beyond, self.taken + self.body.left()?))
    }

    fn seek(&mut self, to: u64) -> PyResult<u64> {
        self.check()?;
        self.ahead.clear();
        self.given = 0;
        let at = self.body.seek(self.taken, to).unwrap_or(self.taken);
        self.taken = at;
        self.beyond = to - at;
        Ok(to)
    }

    /// The bytes up to and including the next line feed, but at most `limit` bytes.
    fn read_line<'py>(&mut self, py: Python<'py>, limit: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut searched = 0;
        loop {
            let ahead = &self.ahead()[..self.ahead().len().min(limit)];
            let end = ahead[searched..].iter().position(|&byte| byte == b'\n');
            if let Some(end) =
                end.map(|at| searched + at + 1).or((ahead.len() == limit).then_some(limit))
            {
                return Ok(self.take(py, end));
            }
            searched = ahead.len();
            if self.read_ahead(py)? == 0 {
                return Ok(self.take(py, searched));
            }
        }
    }

    fn take<'py>(&mut self, py: Python<'py>, count: usize) -> Bound<'py, PyBytes> {
        let bytes = PyBytes::new(py, &self.ahead()[..count]);
        self.given += count;
        bytes
    }

    fn read_ahead(&mut self, py: Python<'_>) -> PyResult<usize> {
        self.ahead.drain(..self.given);
        self.given = 0;
        let have = self.ahead.len();
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.resize(have + BLOCK, 0);
        let result = self.body(py, &mut ahead[have..]);
        ahead.truncate(have + result.as_ref().map_or(0, |&count| count));
        self.ahead = ahead;
        result
    }
}

/// "An input stream (file-like object)": `read`, `readline`, `readlines`, iteration (PEP 3333,
/// environ Variables). They mean what they mean in `io.BufferedIOBase`. At the end of the body each
/// of them returns nothing. If the rest of the body cannot be read, each raises OSError, so that
/// half of an upload never looks like a whole one. An application can read a body twice if all of
/// it was there before the request began.
///
/// `Input` of streams.py wraps it, and adds the rest of `io.BufferedIOBase`.
#[pyclass(frozen, module = "wsgi", name = "InputReader")]
pub(super) struct Input {
    reader: Lease<Reader>,
}

thread_local!(static FREE: FreeList<Kept<Reader>> = const { FreeList::new() });

static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

const KIND: Kind<Reader> =
    Kind { name: "wsgi.input", stream: Some(("Input", &CLASS)), free: &FREE };

/// When it is dropped, the [`Input`] can no longer be used: each later use raises.
pub(super) struct InputGuard {
    /// The client, if a read may have to wait for it.
    client: Option<Client>,
    lent: Lent<Reader>,
}

impl InputGuard {
    /// What the application gets.
    pub(super) fn object(&self) -> &Py<PyAny> {
        self.lent.object()
    }
}

impl Drop for InputGuard {
    fn drop(&mut self) {
        // The end of the loan waits for a read on another thread. That read may wait for the
        // client, which may wait for the end of the response. So the read is ended here.
        if let Some(client) = &self.client {
            client.close_body();
        }
    }
}

/// Lends `body` to the application. `stated` is its length, if the client has stated it.
pub(super) fn lend(
    py: Python<'_>,
    body: Body,
    stated: Option<u64>,
    client: Client,
) -> PyResult<InputGuard> {
    let waits_for = body.left().is_none().then(|| client.clone());
    let reader = Reader {
        body,
        ahead: Vec::new(),
        given: 0,
        beyond: 0,
        stated,
        taken: 0,
        client,
        broken: None,
    };
    let lent = KIND.lend(py, reader, |reader| Input { reader })?;
    Ok(InputGuard { client: waits_for, lent })
}

/// None and negative sizes mean "all".
fn limit(size: Option<isize>) -> usize {
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX)
}

impl Input {
    /// An application should stop once its client has gone, even if the whole body is already here.
    /// So reads raise OSError then, as writes do.
    fn with<R>(&self, read: impl FnOnce(&mut Reader) -> PyResult<R>) -> PyResult<R> {
        self.reader.with(|reader| {
            if reader.client.is_cancelled() {
                return Err(PyOSError::new_err("wsgi.input: the client is gone"));
            }
            read(reader)
        })?
    }
}

#[pymethods]
impl Input {
    #[pyo3(signature = (size = None, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|reader| reader.read(py, limit(size)))
    }

    #[pyo3(signature = (size = None, /))]
    fn read1<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|reader| reader.read_some(py, limit(size).min(BLOCK)))
    }

    /// The bytes that the next read will begin with: at least one, except at the end of the body.
    fn peek<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|reader| {
            if reader.ahead().is_empty() {
                reader.read_ahead(py)?;
            }
            Ok(PyBytes::new(py, reader.ahead()))
        })
    }

    #[pyo3(signature = (size = None, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|reader| reader.read_line(py, limit(size)))
    }

    /// Lines until there are no more, or until they have `hint` bytes together.
    #[pyo3(signature = (hint = None, /))]
    fn readlines<'py>(&self, py: Python<'py>, hint: Option<isize>) -> PyResult<Bound<'py, PyList>> {
        // 0 means "all" here, as in io.IOBase.readlines.
        let limit = limit(hint.filter(|&hint| hint != 0));
        let lines = PyList::empty(py);
        let mut total = 0;
        while total < limit {
            let line = self.readline(py, None)?;
            if line.as_bytes().is_empty() {
                break;
            }
            total += line.as_bytes().len();
            lines.append(line)?;
        }
        Ok(lines)
    }

    fn seekable(&self) -> PyResult<bool> {
        self.reader.with(|reader| reader.position().is_some())
    }

    fn tell(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader.with(|reader| reader.position())?.map(|(at, _)| at).ok_or_else(|| once(py))
    }

    fn seek(&self, py: Python<'_>, offset: i64, whence: u8) -> PyResult<u64> {
        self.reader.with(|reader| {
            let (at, end) = reader.position().ok_or_else(|| once(py))?;
            let from = match whence {
                0 => Some(0),
                1 => i64::try_from(at).ok(),
                2 => i64::try_from(end).ok(),
                _ => {
                    let message = format!("invalid whence ({whence}, should be 0, 1 or 2)");
                    return Err(PyValueError::new_err(message));
                }
            };
            let to = from.map_or(i64::MAX, |from| from.saturating_add(offset));
            // As io.BytesIO does: a relative seek to before the beginning goes to the beginning.
            match u64::try_from(to) {
                Ok(to) => reader.seek(to),
                Err(_) if whence > 0 => reader.seek(0),
                Err(_) => Err(PyValueError::new_err(format!("negative seek value {to}"))),
            }
        })?
    }
}

/// The exception that `io` raises if a stream cannot do something.
fn once(py: Python<'_>) -> PyErr {
    let message = "wsgi.input comes from the client as it is read: it can be read once only";
    match py.import("io").and_then(|io| io.getattr("UnsupportedOperation")?.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
