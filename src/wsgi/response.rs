//! The response of one request: what the application has given so far, and what it may give next.

use crate::host::client::Client;
use crate::host::response::file_range::FileRange;
use crate::host::response::head::Head;
use crate::host::{Flow, Outcome, Transport};
use crate::python::fork::is_forked;
use crate::wsgi::violation::LogEntry;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The most violations of one request that are logged. An application may break rules in a loop.
const MOST_ENTRIES: usize = 8;

/// "start_response ... must not actually transmit the response headers. Instead, it must store them
/// for the server or gateway to transmit only after the first iteration of the application return
/// value that yields a non-empty bytestring" (PEP 3333, The start_response() Callable).
enum State {
    /// `start_response` has not been called.
    Unset,
    /// `start_response` raised an error about its arguments.
    Refused,
    /// `start_response` set a head. Another call with `exc_info` may still replace it.
    Set(Head),
    /// The head is sent, and cannot be sent again. `promised` is its Content-Length.
    Sent { promised: Option<u64>, given: u64, no_body: bool },
}

/// How much of a block goes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    All,
    /// The response has no body: it answers HEAD, or its status is 204 or 304.
    NoBody,
    /// The application gave more than its Content-Length; the rest was dropped.
    Excess {
        content_length: u64,
    },
}

/// Why a response cannot go on.
#[derive(Debug)]
pub(super) enum Problem {
    /// A block or the end came before `start_response` was called.
    NotStarted,
    /// The body ended before its Content-Length.
    TooShort { promised: u64, given: u64 },
    /// The client is gone.
    Gone,
    /// The hints of the application are above the limit.
    TooManyHints,
}

/// How many bytes of hints one request may send. A thread that sends hints does not wait for the
/// client, so they need a limit. No client accepts more than this.
const HINTS_SIZE: usize = 64 * 1024;

/// How many bytes each call counts besides its own: the host and the client handle it as a response
/// of its own. So a request has at most 127 of them.
const HINT_COST: usize = 512;
/// How many bytes each field counts besides its own, for a structure of the host and 4 bytes of
/// HTTP.
const FIELD_COST: usize = 64;

pub(super) struct Response {
    transport: Box<dyn Transport>,
    is_head_request: bool,
    hinted: usize,
    state: State,
    /// The library has found out the length, since the application has not stated it.
    has_length_found: bool,
    /// The violations so far.
    entries: Vec<LogEntry>,
}

impl Response {
    pub(super) fn new(transport: Box<dyn Transport>, is_head_request: bool) -> Self {
        Response {
            transport,
            is_head_request,
            hinted: 0,
            state: State::Unset,
            has_length_found: false,
            entries: Vec::new(),
        }
    }

    pub(super) fn is_unset(&self) -> bool {
        matches!(self.state, State::Unset)
    }

    pub(super) fn is_sent(&self) -> bool {
        matches!(self.state, State::Sent { .. })
    }

    pub(super) fn is_gone(&self) -> bool {
        self.client().is_cancelled()
    }

    /// The client is gone before the application has given all that was promised.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_gone() && !self.is_given()
    }

    /// The application has given all that was promised. If the client leaves now, the application
    /// still runs to its end.
    fn is_given(&self) -> bool {
        match self.state {
            State::Sent { promised: Some(promised), given, .. } => given >= promised,
            _ => false,
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.client().is_answered()
    }

    pub(super) fn client(&self) -> Client {
        self.transport.client()
    }

    /// Sends `hints` at once. Drops them if the head is already sent, since they have no use then.
    pub(super) fn hint(&mut self, py: Python<'_>, hints: Head) -> Result<(), Problem> {
        let size: usize =
            hints.fields().map(|(name, value)| name.len() + value.len() + FIELD_COST).sum();
        if size == 0 || self.is_sent() {
            return Ok(());
        }
        self.hinted += size + HINT_COST;
        if self.hinted > HINTS_SIZE {
            return Err(Problem::TooManyHints);
        }
        self.transport.hints(hints);
        self.flush(py).map(drop)
    }

    /// `start_response` was called, and raised an error.
    pub(super) fn refuse(&mut self) {
        self.state = State::Refused;
    }

    pub(super) fn add_entry(&mut self, entry: LogEntry) {
        if self.entries.len() < MOST_ENTRIES {
            self.entries.push(entry);
        }
    }

    pub(super) fn take_entries(&mut self) -> Vec<LogEntry> {
        std::mem::take(&mut self.entries)
    }

    /// Sets the head, or replaces one that is not sent yet.
    pub(super) fn set(&mut self, mut head: Head) {
        head.no_body |= self.is_head_request;
        self.state = State::Set(head);
    }

    /// Sets the Content-Length to `length`, the known length of the whole body, unless the
    /// application has stated one. "If the application does not supply a Content-Length header, a
    /// server or gateway may choose one of several approaches" (PEP 3333, Handling the
    /// Content-Length Header).
    pub(super) fn set_length(&mut self, length: u64) {
        match &mut self.state {
            State::Set(head) if !head.no_body && head.content_length.is_none() => {
                head.content_length = Some(length);
                self.has_length_found = true;
            }
            _ => {}
        }
    }

    pub(super) fn has_length_found(&self) -> bool {
        self.has_length_found
    }

    /// Adds a block of the body. The next `flush` sends it. An empty one does nothing.
    pub(super) fn block(&mut self, block: &Bound<'_, PyBytes>) -> Result<Accepted, Problem> {
        let size = block.as_bytes().len();
        if size == 0 {
            return Ok(Accepted::All);
        }
        let (send, accepted) = self.account_for(size as u64)?;
        if send > 0 {
            // No more than `size`, so it is a usize.
            self.transport.data(block, send as usize);
        }
        Ok(accepted)
    }

    pub(super) fn takes_files(&self) -> bool {
        self.transport.takes_files() && !self.is_unset()
    }

    /// Sends a file as the body, at most `Content-Length` bytes of it: "until the end is reached,
    /// or until Content-Length bytes have been written" (PEP 3333, Optional Platform-Specific File
    /// Handling). `finish` reports it if bytes are missing.
    pub(super) fn file(&mut self, mut file: FileRange) -> Result<(), Problem> {
        if let State::Set(head) = &self.state {
            file.length = file.length.min(head.content_length.unwrap_or(file.length));
        }
        self.set_length(file.length);
        let (send, _) = self.account_for(file.length)?;
        file.length = send;
        if send > 0 {
            self.transport.file(file);
        }
        Ok(())
    }

    /// Sends the head if it is not sent yet. Returns how many of `size` bytes may be sent after it.
    fn account_for(&mut self, size: u64) -> Result<(u64, Accepted), Problem> {
        self.send_head()?;
        let State::Sent { promised, given, no_body } = &mut self.state else {
            return Err(Problem::NotStarted);
        };
        if *no_body {
            return Ok((0, Accepted::NoBody));
        }
        let Some(promised) = *promised else { return Ok((size, Accepted::All)) };
        let send = size.min(promised - *given);
        *given += send;
        Ok((
            send,
            if send < size { Accepted::Excess { content_length: promised } } else { Accepted::All },
        ))
    }

    fn send_head(&mut self) -> Result<(), Problem> {
        match std::mem::replace(&mut self.state, State::Unset) {
            State::Set(head) => {
                let (promised, no_body) = (head.content_length, head.no_body);
                self.state = State::Sent { promised, given: 0, no_body };
                self.transport.head(head);
                Ok(())
            }
            sent @ State::Sent { .. } => {
                self.state = sent;
                Ok(())
            }
            not_started @ (State::Unset | State::Refused) => {
                self.state = not_started;
                Err(Problem::NotStarted)
            }
        }
    }

    /// Waits until the host can take another block.
    pub(super) fn ready(&mut self, py: Python<'_>) -> Result<(), Problem> {
        if self.is_given() && !is_forked() {
            return Ok(());
        }
        self.transport.ready(py).map_err(|_| Problem::Gone)
    }

    /// Sends what has been added. Returns `Pause` if the host has enough for now.
    pub(super) fn flush(&mut self, py: Python<'_>) -> Result<Flow, Problem> {
        match self.transport.flush(py) {
            Err(_) if self.is_given() && !is_forked() => Ok(Flow::GoOn),
            flow => flow.map_err(|_| Problem::Gone),
        }
    }

    /// The application has given all. An error if that is not a whole response.
    pub(super) fn finish(&mut self) -> Result<(), Problem> {
        if let State::Set(Head { content_length: Some(promised @ 1..), no_body: false, .. }) =
            self.state
        {
            // Nothing is sent yet, so the client can still get an error page.
            return Err(Problem::TooShort { promised, given: 0 });
        }
        self.set_length(0);
        self.send_head()?;
        match self.state {
            State::Sent { promised: Some(promised), given, no_body: false } if given < promised => {
                Err(Problem::TooShort { promised, given })
            }
            _ => Ok(()),
        }
    }

    /// The outcome of a response that is not whole.
    pub(super) fn failure(&self) -> Outcome {
        if self.is_sent() { Outcome::Truncated } else { Outcome::Failed }
    }

    pub(super) fn end(mut self, py: Python<'_>, outcome: Outcome) {
        self.transport.end(py, outcome);
    }
}
