//! `wsgi.input`: the request's body as a file-like object.

use crate::host::body::Body;
use crate::host::client::Client;
use crate::python::lease::{Lease, Loan};
use crate::python::spare::{InUse, Spare};
use pyo3::exceptions::{PyOSError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// How much is read at once when a line is looked for, or when it is not known how much is left.
const BLOCK: usize = 64 * 1024;

/// A [`Body`] with the bytes that were read ahead while looking for a line's end.
pub(super) struct Reader {
    body: Body,
    ahead: Vec<u8>,
    /// `ahead` has been given up to here.
    given: usize,
    client: Client,
    /// Why the rest cannot be had. What was read before may be lost with the read that failed, so
    /// every later one fails too: an application that tries again must not see an end.
    broken: Option<String>,
}

impl Reader {
    fn ahead(&self) -> &[u8] {
        &self.ahead[self.given..]
    }

    fn body(&mut self, py: Python<'_>, buffer: &mut [u8]) -> PyResult<usize> {
        if let Some(why) = &self.broken {
            return Err(PyOSError::new_err(why.clone()));
        }
        self.body.read(py, buffer).map_err(|error| {
            let why = self.broken.insert(format!("wsgi.input: {error}"));
            PyOSError::new_err(why.clone())
        })
    }

    /// Fills `buffer` as far as there is body and says how far.
    fn fill(&mut self, py: Python<'_>, buffer: &mut [u8]) -> PyResult<usize> {
        let mut filled = self.ahead().len().min(buffer.len());
        buffer[..filled].copy_from_slice(&self.ahead()[..filled]);
        self.given += filled;
        while filled < buffer.len() {
            match self.body(py, &mut buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    /// `size` bytes, or fewer at the end of the body.
    fn read<'py>(&mut self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let left = self.body.left().map(|left| left.saturating_add(self.ahead().len() as u64));
        let size = left.map_or(size, |left| size.min(usize::try_from(left).unwrap_or(usize::MAX)));
        if left.is_some() || size <= BLOCK {
            return self.read_sized(py, size);
        }
        // How much will come is not known: the memory grows with what does come.
        let mut bytes = Vec::new();
        while bytes.len() < size {
            let (have, more) = (bytes.len(), BLOCK.min(size - bytes.len()));
            bytes.resize(have + more, 0);
            let count = self.fill(py, &mut bytes[have..])?;
            bytes.truncate(have + count);
            if count < more {
                break;
            }
        }
        Ok(PyBytes::new(py, &bytes))
    }

    fn read_sized<'py>(&mut self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut filled = 0;
        let bytes = PyBytes::new_with(py, size, |buffer| {
            filled = self.fill(py, buffer)?;
            Ok(())
        })?;
        if filled == size { Ok(bytes) } else { Ok(PyBytes::new(py, &bytes.as_bytes()[..filled])) }
    }

    /// What is there, up to `size` bytes; waits only if nothing is.
    fn read_some<'py>(&mut self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        if self.ahead().is_empty() && size > 0 {
            self.read_ahead(py)?;
        }
        Ok(self.take(py, self.ahead().len().min(size)))
    }

    /// Up to and with the next line feed, but not more than `limit` bytes.
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

/// "Technically, a file-like object": `read`, `readline`, `readlines`, iteration (PEP 3333, Input
/// and Error Streams), with the meaning they have in `io.BufferedIOBase`. At the end of the body
/// each gives nothing; if the body cannot be had whole each raises OSError, so that half an upload
/// never looks like one.
#[pyclass(frozen, module = "wsgi", name = "Input")]
pub(super) struct Input {
    reader: Lease<Reader>,
}

thread_local!(static SPARE: Spare<Input> = const { Spare::new() });

/// Ends an [`Input`] when dropped: later use raises. The loan ends first.
pub(super) struct Reading(#[expect(unused)] Loan<Reader>, #[expect(unused)] InUse<Input>);

/// Lends `body` to the application.
pub(super) fn lend(py: Python<'_>, body: Body, client: Client) -> PyResult<(Py<Input>, Reading)> {
    let mut reader = Reader { body, ahead: Vec::new(), given: 0, client, broken: None };
    if let Some(spare) = SPARE.with(Spare::take) {
        match Loan::again(&spare.get().reader, reader) {
            Ok(loan) => {
                return Ok((spare.clone_ref(py), Reading(loan, InUse::new(spare, &SPARE))));
            }
            Err(back) => reader = back,
        }
    }
    let loan = Loan::new("wsgi.input", reader);
    let new = Py::new(py, Input { reader: loan.lease() })?;
    Ok((new.clone_ref(py), Reading(loan, InUse::new(new, &SPARE))))
}

/// None and negative sizes mean "all".
fn limit(size: Option<isize>) -> usize {
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX)
}

impl Input {
    /// Work for a client that is gone is to stop, and a body that is here already is no reason to go
    /// on: who reads learns of it as who writes does.
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
        self.reader.with(|reader| reader.read_some(py, limit(size).min(BLOCK)))?
    }

    fn readinto(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
        // Through memoryview, which knows every kind of buffer.
        let view = py.import("builtins")?.getattr("memoryview")?.call1((buffer,))?;
        let view = view.call_method1("cast", ("B",))?;
        let size = view.len()?;
        let bytes = self.with(|reader| reader.read(py, size))?;
        let count = bytes.as_bytes().len();
        view.set_item(pyo3::types::PySlice::new(py, 0, count as isize, 1), bytes)?;
        Ok(count)
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

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let line = self.readline(py, None)?;
        if line.as_bytes().is_empty() { Err(PyStopIteration::new_err(())) } else { Ok(line) }
    }

    fn readable(&self) -> bool {
        true
    }

    fn writable(&self) -> bool {
        false
    }

    fn seekable(&self) -> bool {
        false
    }

    #[getter]
    fn closed(&self) -> bool {
        false
    }

    /// "applications must not attempt to close these streams, even if they possess close()
    /// methods". Frameworks do so all the same, so it does nothing.
    fn close(&self) {}
}
