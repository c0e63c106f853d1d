//! One request, from `environ` to `close()`: the server's half of PEP 3333.

use super::app::Application;
use super::early_hints::EarlyHints;
use super::errors::ErrorsGuard;
use super::file_wrapper::FileWrapper;
use super::input::InputGuard;
use super::lent::Lent;
use super::report::{Failure, FailureKind, Report, log_close};
use super::response::{Accepted, Problem, Response};
use super::violation::LogEntry;
use super::{client_disconnected, errors, input, start_response};
use crate::host::Outcome;
use crate::host::client::Client;
use crate::host::hub::Hub;
use crate::host::request::{Field, Request};
use crate::host::{Flow, Transport};
use crate::python::breadcrumb::{self, Breadcrumb};
use crate::python::fork::is_forked;
use crate::python::{child, location, output, repr, tracing};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyIterator, PyList, PyMemoryView, PyString, PyTuple};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Lets `application` answer `request`, and always reports to `transport` how that ended. Returns a
/// paused response if the transport must not wait and the host has enough for now.
pub fn answer(
    py: Python<'_>,
    application: &Application,
    request: Box<Request>,
    transport: Box<dyn Transport>,
    hub: &Arc<Hub>,
) -> Option<Paused> {
    let breadcrumb = set_breadcrumb(&request);
    let response = Response::new(transport, request.get(Field::Method) == b"HEAD");
    let response = match start_response::lend(py, response, hub) {
        Ok(response) => response,
        Err(not_lent) => {
            end(py, application, hub, not_lent.value?, Err(not_lent.error.into()));
            return None;
        }
    };
    let result = guard(|| call(py, application, request, &response, hub));
    leave_if_forked(py, &result);
    let result = result.and_then(|body| guard(|| body.send(py, &response, hub)));
    conclude(py, application, hub, response, result, &breadcrumb)
}

/// "The server or gateway invokes the application callable once for each request it receives from
/// an HTTP client" (PEP 3333, The Server/Gateway Side): `iterable = application(environ,
/// start_response)`.
fn call(
    py: Python<'_>,
    application: &Application,
    mut request: Box<Request>,
    start_response: &Lent<Response>,
    hub: &Arc<Hub>,
) -> Result<Body, Failure> {
    let client = start_response.with(|response| response.client())?;
    let body = std::mem::take(&mut request.body);
    let input = input::lend(py, body, request.content_length, client.clone())?;
    let errors = errors::lend(py, hub)?;
    let disconnected = client_disconnected::lend(py, client)?;

    let environ = application.template.environ(py, &request)?;
    environ.set_item(intern!(py, "wsgi.input"), input.object())?;
    environ.set_item(intern!(py, "wsgi.errors"), errors.object())?;
    environ.set_item(intern!(py, "libwsgi.client_disconnected"), disconnected.object())?;
    if request.early_hints && hub.host().has_early_hints() {
        let hints = EarlyHints::new(&start_response.lease(), hub.clone());
        environ.set_item(intern!(py, "wsgi.early_hints"), hints)?;
    }
    drop(request);

    tracing::begin(py)?;
    let arguments = (environ, start_response.object().clone_ref(py));
    let iterable = application.callable.bind(py).call1(arguments)?.unbind();
    Ok(Body { iterable, blocks: None, _lent: (input, errors, disconnected) })
}

/// An unfinished response. The thread that began it must also resume it.
pub struct Paused {
    response: Lent<Response>,
    body: Body,
    breadcrumb: Vec<u8>,
}

impl Paused {
    /// Sends more, until the response is over or the host has enough again.
    pub fn resume(
        self,
        py: Python<'_>,
        application: &Application,
        hub: &Arc<Hub>,
    ) -> Option<Paused> {
        let Paused { response, body, breadcrumb } = self;
        let breadcrumb = breadcrumb::set(&[&breadcrumb]);
        let result = guard(|| body.send(py, &response, hub));
        conclude(py, application, hub, response, result, &breadcrumb)
    }
}

/// Catches a panic. The state that the panic leaves unfinished belongs to this request, and is
/// dropped with it.
fn guard<R>(work: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(FailureKind::Panic.into()))
}

/// Ends the process if it is a child that the application forked. The child must not go on after
/// the application's own code: the client belongs to its parent, and so does `close()`.
fn leave_if_forked<T>(py: Python<'_>, result: &Result<T, Failure>) {
    if is_forked() {
        child::leave(py, result.as_ref().err().and_then(Failure::raised));
    }
}

/// Ends the request, unless its response is paused.
fn conclude(
    py: Python<'_>,
    application: &Application,
    hub: &Hub,
    mut response: Lent<Response>,
    result: Result<Option<Body>, Failure>,
    breadcrumb: &Breadcrumb,
) -> Option<Paused> {
    let result = match result {
        Ok(Some(body)) => {
            return Some(Paused { response, body, breadcrumb: breadcrumb.text() });
        }
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    };
    // Only a forked child does not get the response back, and a child has left by now.
    end(py, application, hub, response.revoke()?, result);
    None
}

fn end(
    py: Python<'_>,
    application: &Application,
    hub: &Hub,
    mut response: Response,
    result: Result<(), Failure>,
) {
    let result = result.and_then(|()| response.finish().map_err(Failure::from));
    let outcome = if result.is_ok() { Outcome::Complete } else { response.failure() };
    // If the host has answered instead of the application, it has logged the reason if there was
    // one to log.
    let failure = result.err().filter(|_| !response.is_answered());
    let entries = response.take_entries();
    if failure.is_some() || !entries.is_empty() {
        let client = response.client();
        let broken = client.is_body_broken() && failure.as_ref().is_some_and(|f| f.is_of_input(py));
        if broken {
            client.give_up();
        }
        let gone = broken || response.is_gone();
        Report { py, application, hub, outcome, gone, broken }.log(failure, entries);
    }
    output::flush_thread(py);
    response.end(py, outcome);
}

/// Notes the request for the log, in case the application ends the process.
fn set_breadcrumb(request: &Request) -> Breadcrumb {
    let path = match request.get(Field::RequestUri) {
        b"" => [request.get(Field::ScriptName), request.get(Field::PathInfo)],
        uri => [uri, b""],
    };
    breadcrumb::set(&[request.get(Field::Method), b" ", path[0], path[1]])
}

/// What the application returned, and the objects that it was lent. These only raise once they are
/// dropped. The fields are dropped in this order, since the iterable may have the last references
/// to the objects.
struct Body {
    iterable: Py<PyAny>,
    /// Its iterator. None until it is known that one is needed.
    blocks: Option<Blocks>,
    _lent: (InputGuard, ErrorsGuard, Lent<Client>),
}

struct Blocks {
    iterator: Py<PyIterator>,
    /// The iterable's `len()` is 1.
    is_single: bool,
}

impl Body {
    /// Sends the body. Returns the rest if the host has enough for now.
    fn send(
        mut self,
        py: Python<'_>,
        response: &Lent<Response>,
        hub: &Arc<Hub>,
    ) -> Result<Option<Self>, Failure> {
        let sent = match &self.blocks {
            // The client may have left while the response was paused.
            Some(_) if response.with(|response| response.is_cut_off())? => {
                Err(Problem::Gone.into())
            }
            Some(blocks) => send_each(py, blocks, response),
            None => self.begin(py, response),
        };
        leave_if_forked(py, &sent);
        if let Ok(Flow::Pause) = sent {
            return Ok(Some(self));
        }
        let sent = sent.map_err(|failure| self.located(py, failure));
        close(py, self.iterable.bind(py), hub);
        sent.map(|_| None)
    }

    /// The failure with the place in the application's code, if the iterable has one.
    fn located(&self, py: Python<'_>, failure: Failure) -> Failure {
        let blocks = self.blocks.as_ref().filter(|_| failure.wants_location());
        let location = blocks.and_then(|blocks| location::of_iterator(blocks.iterator.bind(py)));
        failure.at(location)
    }

    fn begin(&mut self, py: Python<'_>, response: &Lent<Response>) -> Result<Flow, Failure> {
        let iterable = self.iterable.bind(py);
        if let Ok(list) = iterable.cast_exact::<PyList>() {
            return send_all(py, &list.to_tuple(), response);
        }
        if let Ok(tuple) = iterable.cast_exact::<PyTuple>() {
            return send_all(py, tuple, response);
        }
        if let Ok(wrapper) = iterable.cast_exact::<FileWrapper>() {
            let takes_files = response.with(|response| response.takes_files())?;
            if let Some(file) = takes_files.then(|| wrapper.get().range(py)).flatten() {
                response.with(|response| response.file(file))??;
                return Ok(Flow::GoOn);
            }
        }
        let blocks = Blocks::of(iterable)?;
        send_each(py, self.blocks.insert(blocks), response)
    }
}

impl Blocks {
    fn of(iterable: &Bound<'_, PyAny>) -> Result<Self, Failure> {
        // These are iterables too, but their items are not bytes objects, or are one byte each.
        if iterable.is_instance_of::<PyBytes>()
            || iterable.is_instance_of::<PyByteArray>()
            || iterable.is_instance_of::<PyMemoryView>()
            || iterable.is_instance_of::<PyString>()
        {
            return Err(not_bytes(format!(
                "a bare {}, {}; return it in a list, such as [body], as bytes",
                repr::type_name(iterable),
                repr::value(iterable)
            )));
        }
        // "If a call to len(iterable) succeeds, the server must be able to rely on the result being
        // accurate"; for one "whose len() is 1, then the server can automatically determine
        // Content-Length" (PEP 3333).
        let is_single =
            iterable.get_type().hasattr("__len__")? && iterable.len().is_ok_and(|n| n == 1);
        let iterator = iterable.try_iter().map_err(|error| {
            if !error.is_instance_of::<PyTypeError>(iterable.py()) {
                return error.into();
            }
            let class = repr::type_name(iterable);
            not_bytes(match class.as_str() {
                "coroutine" | "async_generator" => {
                    format!("{class}: it is asynchronous, which WSGI does not have")
                }
                _ => format!("{class}, which cannot be iterated over"),
            })
        })?;
        Ok(Blocks { iterator: iterator.unbind(), is_single })
    }
}

/// Sends blocks that are all there already. The host gets them together, and their length is known.
fn send_all(
    py: Python<'_>,
    blocks: &Bound<'_, PyTuple>,
    response: &Lent<Response>,
) -> Result<Flow, Failure> {
    let mut total = 0;
    for block in blocks.iter_borrowed() {
        total += bytes(&block)?.as_bytes().len() as u64;
    }
    response.with(|response| {
        response.set_length(total);
        if total > 0 {
            response.ready(py)?;
        }
        for block in blocks.iter_borrowed() {
            match response.block(bytes(&block)?)? {
                Accepted::All => {}
                Accepted::NoBody => break,
                Accepted::Excess { content_length } => {
                    log_excess(response, content_length, None);
                    break;
                }
            }
        }
        Ok::<_, Failure>(Flow::GoOn)
    })?
}

/// "the server or gateway must transmit the yielded bytestrings to the client in an unbuffered
/// fashion, completing the transmission of each bytestring before requesting another one" (PEP
/// 3333, Specification Overview). "Buffering and Streaming" allows three ways to do that. This is
/// the one in which the host sends a block while the application makes the next one.
fn send_each(py: Python<'_>, blocks: &Blocks, response: &Lent<Response>) -> Result<Flow, Failure> {
    for block in blocks.iterator.bind(py) {
        let block = block?;
        child::leave_if_forked(py);
        let block = bytes(&block)?;
        if block.as_bytes().is_empty() {
            // An empty block is not sent, so only this check notices a client that is gone.
            if response.with(|response| response.is_cut_off())? {
                return Err(Problem::Gone.into());
            }
            continue;
        }
        let (accepted, flow) = response.with(|response| {
            if blocks.is_single {
                response.set_length(block.as_bytes().len() as u64);
            }
            response.ready(py)?;
            let accepted = response.block(block)?;
            Ok::<_, Problem>((accepted, response.flush(py)))
        })??;
        if let Accepted::Excess { content_length } = accepted {
            // The client has every promised byte, so it does not matter whether it is still there.
            let location = location::of_iterator(blocks.iterator.bind(py));
            response.with(|response| log_excess(response, content_length, location))?;
            break;
        }
        let flow = flow?;
        if accepted == Accepted::NoBody {
            break;
        }
        if flow == Flow::Pause {
            return Ok(flow);
        }
    }
    Ok(Flow::GoOn)
}

fn bytes<'a, 'py>(block: &'a Bound<'py, PyAny>) -> Result<&'a Bound<'py, PyBytes>, Failure> {
    block.cast::<PyBytes>().map_err(|_| {
        let (class, wrong) = (repr::type_name(block), repr::value(block));
        let wrong = if wrong == class { class } else { format!("{class} in it, {wrong}") };
        not_bytes(format!("an iterable with a {wrong}"))
    })
}

fn not_bytes(what: String) -> Failure {
    FailureKind::NotBytes(what).into()
}

/// "If the iterable returned by the application has a close() method, the server or gateway must
/// call that method upon completion of the current request, whether the request was completed
/// normally, or terminated early" (PEP 3333). If it fails, that changes nothing for the client.
fn close(py: Python<'_>, iterable: &Bound<'_, PyAny>, hub: &Arc<Hub>) {
    // Lists and tuples have no close(). To look it up would cost a tenth of a short request, since
    // Python raises an exception for it.
    if iterable.is_exact_instance_of::<PyList>() || iterable.is_exact_instance_of::<PyTuple>() {
        return;
    }
    let closed = match iterable.getattr_opt("close") {
        Ok(Some(close)) => close.call0().map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = closed {
        log_close(py, hub, iterable, &error);
    }
}

/// "the server should not transmit more bytes to the client than the header allows, and should stop
/// iterating over the response when enough data has been sent" (PEP 3333, Handling the
/// Content-Length Header).
fn log_excess(response: &mut Response, content_length: u64, location: Option<String>) {
    let (number, message) = if response.has_length_found() {
        let has = "the iterable gave more than one block, though its len() is 1";
        ("WSGI0217", format!("{has}; PEP 3333 lets the server rely on that"))
    } else {
        let gave = "the application gave more than the";
        ("WSGI0205", format!("{gave} {content_length} bytes of its Content-Length (PEP 3333)"))
    };
    response.add_entry(LogEntry::silent(number, message, location));
}
