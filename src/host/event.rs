//! What a response is made of on its way to the host, and how it is delivered.

use super::arena::{Arena, Span};
use super::buffer::{Buffer, Buffers};
use super::{FileRange, Gone, Host, HostRequest, Level};
use smallvec::smallvec;

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
    Log(Level, String),
    End(Outcome),
}

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
pub enum Wants {
    All,
    /// What outlives the client.
    End,
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

/// Calls the host's callbacks for `events`, in order. Neighbouring pieces of the body go in one
/// `write`. `wants` is asked before each callback: a callback may have cancelled the request.
/// What belongs to a request that is gone is dropped, except its log lines.
pub fn deliver(
    host: &dyn Host,
    request: HostRequest,
    events: Vec<Event>,
    wants: impl Fn() -> Wants,
) -> Delivered {
    let mut delivered = Delivered::Open;
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        let wanted = wants();
        if delivered == Delivered::Open && wanted == Wants::Nothing {
            delivered = Delivered::Gone;
        }
        if let Event::Log(level, line) = &event {
            let about = (delivered == Delivered::Open).then_some(request);
            host.log(about, *level, line);
            continue;
        }
        let heard = wanted == Wants::All || event.outlives_client();
        if delivered != Delivered::Open || !heard {
            continue;
        }
        let result = match event {
            Event::Hints(hints) => host.early_hints(request, &hints),
            Event::Head(head) => host.start(request, &head),
            Event::Data(buffer) => {
                let mut pieces: Buffers = smallvec![buffer];
                while let Some(Event::Data(_)) = events.peek() {
                    if let Some(Event::Data(buffer)) = events.next() {
                        pieces.push(buffer);
                    }
                }
                let last = matches!(events.peek(), Some(Event::End(Outcome::Complete)));
                pieces.iter_mut().for_each(|buffer| buffer.deliver());
                host.write(request, pieces, last)
            }
            Event::File(file) => {
                let last = matches!(events.peek(), Some(Event::End(Outcome::Complete)));
                host.send_file(request, file, last)
            }
            Event::WantBody => host.want_body(request),
            Event::Log(..) => Ok(()),
            Event::End(outcome) => {
                host.finish(request, outcome);
                delivered = Delivered::Finished;
                Ok(())
            }
        };
        if result == Err(Gone) {
            delivered = Delivered::Gone;
        }
    }
    delivered
}
