//! One request, from `environ` to `close()`: the server's half of PEP 3333.

use super::app::Application;
use super::early_hints::EarlyHints;
use super::file_wrapper::FileWrapper;
use super::headers::type_name;
use super::input;
use super::response::{Problem, Response, Wanted};
use super::start_response::StartResponse;
use super::{builtin, client_disconnected, errors};
use crate::host::event::Outcome;
use crate::host::outbox::Outbox;
use crate::host::request::{Field, Request};
use crate::host::{Flow, Level, Transport, current};
use crate::python::crash::{self, Work};
use crate::python::lease::Loan;
use crate::python::{output, traceback};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyIterator, PyList, PyMemoryView, PyString, PyTuple};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Why there is no whole response.
enum Failure {
    /// The application, or its iterable, raised. Also SystemExit and KeyboardInterrupt: they end a
    /// request, never the server.
    Raised(PyErr),
    /// What it returned is no iterable of bytes; what it is instead.
    NotBytes(String),
    Response(Problem),
    /// A bug of this library.
    Panic,
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Raised(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Response(problem)
    }
}

/// Has `application` answer `request`, and tells `transport` how it ended, whatever happens. Some if
/// the transport must not wait and the host has enough for now.
pub fn answer(
    py: Python<'_>,
    application: &Application,
    request: Request,
    transport: Box<dyn Transport>,
    outbox: &Arc<Outbox>,
) -> Option<Paused> {
    let work = at_work(&request);
    let is_head_request = request.get(Field::Method) == b"HEAD";
    let response = Loan::new("start_response", Response::new(transport, is_head_request));
    let result = guard(|| call(py, application, request, &response, outbox));
    let result = result.and_then(|body| guard(|| body.send(py, &response, outbox)));
    conclude(py, outbox, response, result, &work)
}

/// A response in the middle, on the thread that began it.
pub struct Paused {
    response: Loan<Response>,
    body: Body,
    work: Vec<u8>,
}

impl Paused {
    /// Goes on until the response is over, or the host has enough again.
    pub fn resume(self, py: Python<'_>, outbox: &Arc<Outbox>) -> Option<Paused> {
        let Paused { response, body, work } = self;
        let work = crash::work(&[&work]);
        let result = guard(|| body.send(py, &response, outbox));
        conclude(py, outbox, response, result, &work)
    }
}

/// What a panic leaves half-done is this request's own; it is dropped with it.
fn guard<R>(work: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Failure::Panic))
}

fn conclude(
    py: Python<'_>,
    outbox: &Outbox,
    response: Loan<Response>,
    result: Result<Option<Body>, Failure>,
    work: &Work,
) -> Option<Paused> {
    let result = match result {
        Ok(Some(body)) => return Some(Paused { response, body, work: work.text() }),
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    };
    let mut response = response.revoke();
    let result = result.and_then(|()| response.finish().map_err(Failure::from));
    let outcome = match result {
        Ok(()) => Outcome::Complete,
        Err(failure) => {
            let outcome = response.failure();
            // Whoever has answered in its place has said why, or need not.
            if !response.is_answered() {
                report(py, outbox, failure, response.is_gone(), outcome);
            }
            outcome
        }
    };
    output::flush_thread(py);
    response.end(py, outcome);
    None
}

/// For the last words, should the application end the process.
fn at_work(request: &Request) -> Work {
    let path = match request.get(Field::RequestUri) {
        b"" => [request.get(Field::ScriptName), request.get(Field::PathInfo)],
        uri => [uri, b""],
    };
    crash::work(&[request.get(Field::Method), b" ", path[0], path[1]])
}

fn call(
    py: Python<'_>,
    application: &Application,
    mut request: Request,
    response: &Loan<Response>,
    outbox: &Arc<Outbox>,
) -> Result<Body, Failure> {
    let client = response.with(|response| response.client())?;
    let (reader, input) = input::lend(py, std::mem::take(&mut request.body), client.clone())?;
    let (ending, errors) = errors::lend(py, outbox)?;
    let (asking, disconnected) = client_disconnected::lend(py, client)?;
    let environ = application.template.environ(py, &request)?;
    environ.set_item(intern!(py, "wsgi.input"), input)?;
    environ.set_item(intern!(py, "wsgi.errors"), errors)?;
    environ.set_item(intern!(py, "libwsgi.client_disconnected"), disconnected)?;
    if request.early_hints && outbox.host().gives_hints() {
        let hints = EarlyHints::new(&response.lease(), outbox.clone());
        environ.set_item(intern!(py, "wsgi.early_hints"), hints)?;
    }
    drop(request);
    let start_response = StartResponse::new(response.lease(), outbox.clone());
    let iterable = application.callable.bind(py).call1((environ, start_response))?;
    Ok(Body { iterable: iterable.unbind(), blocks: None, _loans: (reader, ending, asking) })
}

/// What the application returned, and what it was lent: that is of no use to it after this.
struct Body {
    iterable: Py<PyAny>,
    /// The iterator over it, once it is known to need one.
    blocks: Option<Blocks>,
    _loans: (Loan<input::Reader>, errors::Ending, client_disconnected::Asking),
}

struct Blocks {
    iterator: Py<PyIterator>,
    /// There is one block, and the application says so.
    alone: bool,
}

impl Body {
    /// Sends all of it, or as much as the host wants for now: then this is given back.
    fn send(
        mut self,
        py: Python<'_>,
        response: &Loan<Response>,
        outbox: &Arc<Outbox>,
    ) -> Result<Option<Self>, Failure> {
        let sent = match &self.blocks {
            // While it was paused the client may have left.
            Some(_) if response.with(|response| response.is_gone())? => Err(Problem::Gone.into()),
            Some(blocks) => send_each(py, blocks, response, outbox),
            None => self.begin(py, response, outbox),
        };
        if let Ok(Flow::Pause) = sent {
            return Ok(Some(self));
        }
        close(py, self.iterable.bind(py), outbox);
        sent.map(|_| None)
    }

    fn begin(
        &mut self,
        py: Python<'_>,
        response: &Loan<Response>,
        outbox: &Arc<Outbox>,
    ) -> Result<Flow, Failure> {
        let iterable = self.iterable.bind(py);
        if let Ok(list) = iterable.cast_exact::<PyList>() {
            return send_all(py, &list.to_tuple(), response, outbox);
        }
        if let Ok(tuple) = iterable.cast_exact::<PyTuple>() {
            return send_all(py, tuple, response, outbox);
        }
        if let Ok(wrapper) = iterable.cast_exact::<FileWrapper>() {
            let takes_files = response.with(|response| response.takes_files())?;
            if let Some(file) = takes_files.then(|| wrapper.get().range(py)).flatten() {
                response.with(|response| response.file(file))??;
                return Ok(Flow::GoOn);
            }
        }
        let blocks = Blocks::of(iterable)?;
        send_each(py, self.blocks.insert(blocks), response, outbox)
    }
}

impl Blocks {
    fn of(iterable: &Bound<'_, PyAny>) -> Result<Self, Failure> {
        // These are iterables too, but of one-byte blocks, or of none that are bytes.
        if iterable.is_instance_of::<PyBytes>()
            || iterable.is_instance_of::<PyByteArray>()
            || iterable.is_instance_of::<PyMemoryView>()
            || iterable.is_instance_of::<PyString>()
        {
            return Err(Failure::NotBytes(format!(
                "a bare {}; return it in a list, such as [body], as bytes",
                type_name(iterable)
            )));
        }
        // "if the call to len(iterable) succeeds, the server must be able to rely on the result
        // being accurate"; "if the iterable's length is 1, then the server may determine
        // Content-Length" (PEP 3333).
        let alone = iterable.get_type().hasattr("__len__")? && iterable.len().is_ok_and(|n| n == 1);
        let iterator = iterable.try_iter().map_err(|error| {
            if error.is_instance_of::<PyTypeError>(iterable.py()) {
                Failure::NotBytes(format!("{}, which cannot be iterated over", type_name(iterable)))
            } else {
                Failure::Raised(error)
            }
        })?;
        Ok(Blocks { iterator: iterator.unbind(), alone })
    }
}

/// All blocks are there already: they travel together, and their length is known.
fn send_all(
    py: Python<'_>,
    blocks: &Bound<'_, PyTuple>,
    response: &Loan<Response>,
    outbox: &Arc<Outbox>,
) -> Result<Flow, Failure> {
    let mut total = 0;
    for block in blocks.iter_borrowed() {
        total += bytes(&block)?.as_bytes().len() as u64;
    }
    let wanted = response.with(|response| {
        response.set_length(total);
        for block in blocks.iter_borrowed() {
            match response.block(bytes(&block)?)? {
                Wanted::More => {}
                enough => return Ok(enough),
            }
        }
        Ok::<_, Failure>(Wanted::More)
    })??;
    note_excess(py, outbox, wanted);
    Ok(Flow::GoOn)
}

/// "the server or gateway must transmit the yielded bytestrings to the client in an unbuffered
/// fashion, completing the transmission of each bytestring before requesting another one" (PEP 3333,
/// Specification Overview). Handing it to a host that sends while the next is made is one of the
/// three ways that "Buffering and Streaming" allows.
fn send_each(
    py: Python<'_>,
    blocks: &Blocks,
    response: &Loan<Response>,
    outbox: &Arc<Outbox>,
) -> Result<Flow, Failure> {
    for block in blocks.iterator.bind(py) {
        let block = block?;
        let block = bytes(&block)?;
        if block.as_bytes().is_empty() {
            continue;
        }
        let (wanted, flow) = response.with(|response| {
            if blocks.alone {
                response.set_length(block.as_bytes().len() as u64);
            }
            let wanted = response.block(block)?;
            response.flush(py).map(|flow| (wanted, flow))
        })??;
        note_excess(py, outbox, wanted);
        if wanted != Wanted::More {
            break;
        }
        if flow == Flow::Pause {
            return Ok(flow);
        }
    }
    Ok(Flow::GoOn)
}

fn bytes<'a, 'py>(block: &'a Bound<'py, PyAny>) -> Result<&'a Bound<'py, PyBytes>, Failure> {
    block
        .cast::<PyBytes>()
        .map_err(|_| Failure::NotBytes(format!("an iterable with a {} in it", type_name(block))))
}

/// "If the iterable returned by the application has a close() method, the server or gateway must
/// call that method upon completion of the current request, whether the request was completed
/// normally, or terminated early" (PEP 3333). Its own failure changes nothing for the client.
fn close(py: Python<'_>, iterable: &Bound<'_, PyAny>, outbox: &Arc<Outbox>) {
    // To learn that it has none costs an exception, a tenth of a short request.
    if iterable.is_exact_instance_of::<PyList>() || iterable.is_exact_instance_of::<PyTuple>() {
        return;
    }
    let closed = match iterable.getattr_opt("close") {
        Ok(Some(close)) => close.call0().map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = closed {
        log(py, outbox, Level::Error, "WSGI0207 close() of the application's iterable failed");
        log_traceback(py, outbox, &error);
    }
}

fn note_excess(py: Python<'_>, outbox: &Outbox, wanted: Wanted) {
    if wanted == Wanted::NotSoMuch {
        let text = "WSGI0205 the application gave more bytes than the Content-Length that it set; \
                    the rest was not sent";
        log(py, outbox, Level::Error, text);
    }
}

fn report(py: Python<'_>, outbox: &Outbox, failure: Failure, gone: bool, outcome: Outcome) {
    if gone || matches!(failure, Failure::Response(Problem::Gone)) {
        // Not the application's fault, and what it raised is how it learnt of it. Of an interrupt
        // the log has told already.
        if matches!(&failure, Failure::Raised(error) if builtin::is_request_timeout(py, error)) {
            return;
        }
        log(py, outbox, Level::Info, "WSGI0208 the client left before the response was complete");
        return;
    }
    let result = match outcome {
        Outcome::Truncated => "the response was cut off",
        _ => "the answer is 500",
    };
    let text = match &failure {
        Failure::Raised(_) => format!("WSGI0201 the application raised an exception; {result}"),
        Failure::NotBytes(what) => format!(
            "WSGI0203 the application must return an iterable of bytes, but it returned {what}; \
             {result}"
        ),
        Failure::Response(Problem::TooShort { missing }) => format!(
            "WSGI0204 the application gave {missing} bytes fewer than the Content-Length that it \
             set; {result}"
        ),
        Failure::Response(_) => {
            format!("WSGI0202 the application did not call start_response; {result}")
        }
        Failure::Panic => format!("WSGI0004 libwsgi failed, which is a bug of its own; {result}"),
    };
    log(py, outbox, Level::Error, &text);
    if let Failure::Raised(error) = &failure {
        log_traceback(py, outbox, error);
    }
}

fn log_traceback(py: Python<'_>, outbox: &Outbox, error: &PyErr) {
    for line in traceback::lines(py, error) {
        log(py, outbox, Level::Error, &line);
    }
}

/// A line for the log, about the request that this thread answers.
pub(super) fn log(py: Python<'_>, outbox: &Outbox, level: Level, text: &str) {
    py.detach(|| outbox.log(current::current().as_ref(), level, text));
}
