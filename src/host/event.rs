//! What a response is made of on its way to the host, and how it is delivered.

use super::arena::{Arena, Span};
use super::buffer::{Buffer, Buffers};
use super::log::Line;
use super::{FileRange, Gone, Host, HostRequest, Level};
use smallvec::smallvec;
use std::collections::VecDeque;

/// The status line and the headers of a response, checked by `wsgi::headers`.
#[derive(Default, Debug)]
pub struct Head {
    arena: Arena,
    pub status: u16,
    reason: Span,
    fields: Vec<(Span, Span)>,
    /// What the application stated, or what the library knows.
    pub content_length: Option<u64>,
    /// No body follows, whatever `content_length` says.
    pub no_body: bool,
}

impl Head {
    pub fn new(status: u16, reason: &[u8]) -> Self {
        let mut arena = Arena::with_capacity(256);
        let reason = arena.put(reason);
        Head { arena, status, reason, ..Head::default() }
    }

    /// About so many fields will be added.
    pub fn expect(&mut self, fields: usize) {
        self.fields.reserve(fields);
    }

    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        let field = (self.arena.put(name), self.arena.put(value));
        self.fields.push(field);
    }

    pub fn reason(&self) -> &[u8] {
        self.arena.get(self.reason)
    }

    /// The header fields in the application's order, without Content-Length.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|&(name, value)| (self.arena.get(name), self.arena.get(value)))
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Complete,
    /// Nothing was sent; the answer is 500.
    Failed,
    /// Nothing was sent; the answer is 503 with this many seconds of Retry-After.
    Unavailable {
        retry_after: u32,
    },
    /// What was sent is not the whole response.
    Truncated,
}

/// One step of a response, or what happens beside it.
#[derive(Debug)]
pub enum Event {
    /// The fields of a response 103.
    Hints(Head),
    Head(Head),
    Data(Box<Buffer>),
    File(FileRange),
    WantBody,
    Log(Level, Line),
    End(Outcome),
}

/// Events of one response, oldest first.
pub type Events = VecDeque<Event>;

impl Event {
    /// Appends `bytes` to the buffer that this is, if both are small.
    pub fn join(&mut self, bytes: &[u8]) -> bool {
        match self {
            Event::Data(buffer) => buffer.join(bytes),
            _ => false,
        }
    }

    /// Not about the response, or its end: the host is told though the client is gone.
    pub fn outlives_client(&self) -> bool {
        matches!(self, Event::WantBody | Event::Log(..) | Event::End(_))
    }
}

/// What the host wants to hear of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Deliver {
    All,
    /// What outlives the client.
    EndOnly,
    Nothing,
}

/// What is left of a request after some of its events were delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// More may come.
    Open,
    /// `finish` was called.
    Finished,
    /// A callback said so, or `wants` did.
    Gone,
}

/// How much of its events the polling thread delivers before others have their turn.
#[derive(Debug)]
pub struct Steps(usize);

/// A line for the log is a system call, often to a disk; a piece of a body may be only a pointer.
pub(super) const LINE_STEPS: usize = 4;

impl Steps {
    pub fn all() -> Self {
        Steps(usize::MAX)
    }

    /// One turn of the polling thread: 256 lines, or 1024 pieces.
    pub fn turn() -> Self {
        Steps(1024)
    }

    pub fn are_done(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn take(&mut self, steps: usize) {
        if self.0 != usize::MAX {
            self.0 = self.0.saturating_sub(steps);
        }
    }
}

/// Calls the host's callbacks for `events`, in order, until `steps` are done. Neighbouring pieces of
/// the body go in one `write`. `wants` is asked before each callback, which may have cancelled the
/// request; what comes with its answer is kept until the callback is over. What is not delivered stays
/// in `events`.
pub fn deliver<G>(
    host: &dyn Host,
    request: HostRequest,
    events: &mut Events,
    wants: impl Fn() -> (Deliver, G),
    steps: &mut Steps,
) -> Delivered {
    while !steps.are_done() && !events.is_empty() {
        let (wanted, _calling) = wants();
        if wanted == Deliver::Nothing {
            return Delivered::Gone;
        }
        let Some(event) = events.pop_front() else { break };
        steps.take(if let Event::Log(..) = event { LINE_STEPS } else { 1 });
        if wanted != Deliver::All && !event.outlives_client() {
            continue;
        }
        let result = match event {
            Event::Hints(hints) => host.early_hints(request, &hints),
            Event::Head(head) => host.start(request, &head),
            Event::Data(buffer) => {
                let mut pieces: Buffers = smallvec![buffer];
                while !steps.are_done() && matches!(events.front(), Some(Event::Data(_))) {
                    if let Some(Event::Data(buffer)) = events.pop_front() {
                        steps.take(1);
                        pieces.push(buffer);
                    }
                }
                pieces.iter_mut().for_each(|buffer| buffer.deliver());
                host.write(request, pieces, ends(events))
            }
            Event::File(file) => host.send_file(request, file, ends(events)),
            Event::WantBody => host.want_body(request),
            Event::Log(level, line) => {
                host.log(Some(request), level, &line);
                Ok(())
            }
            Event::End(outcome) => {
                host.finish(request, outcome);
                return Delivered::Finished;
            }
        };
        if result == Err(Gone) {
            return Delivered::Gone;
        }
    }
    Delivered::Open
}

/// What was delivered last is the last piece of a whole response.
fn ends(events: &Events) -> bool {
    matches!(events.front(), Some(Event::End(Outcome::Complete)))
}
