//! The steps of a response, and how a host gets them.

use super::buffer::{Buffer, Buffers};
use super::file_range::FileRange;
use super::head::Head;
use crate::host::callbacks::{Gone, Host, HostRequest, Level, Outcome};
use crate::host::line::Line;
use smallvec::smallvec;
use std::collections::VecDeque;

/// One step of a response, or something that happens during it.
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
    /// Appends `bytes` if this is a buffer and both are small.
    pub fn join(&mut self, bytes: &[u8]) -> bool {
        match self {
            Event::Data(buffer) => buffer.join(bytes),
            _ => false,
        }
    }

    /// Whether the host gets it even if the client is gone. It is not a part of the response then,
    /// or is its end.
    pub fn outlives_client(&self) -> bool {
        matches!(self, Event::WantBody | Event::Log(..) | Event::End(_))
    }

    /// The line, if this is one.
    pub(in crate::host) fn into_line(self) -> Option<(Level, Line)> {
        match self {
            Event::Log(level, line) => Some((level, line)),
            _ => None,
        }
    }
}

/// Which events of a request its host gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Deliver {
    All,
    /// Those that outlive the client.
    EndOnly,
    Nothing,
}

/// The state of a request after some of its events were delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// More may come.
    Open,
    /// `finish` was called.
    Finished,
    /// A callback returned non-zero, or nothing is delivered any more.
    Gone,
}

/// How many events the polling thread may still deliver before other work has its turn.
#[derive(Debug)]
pub struct Steps(usize);

/// What a log line counts. It is a system call, often to a disk; a piece of a body may be only a
/// pointer.
pub(in crate::host) const LINE_STEPS: usize = 4;

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

    pub(in crate::host) fn spend(&mut self, steps: usize) {
        if self.0 != usize::MAX {
            self.0 = self.0.saturating_sub(steps);
        }
    }
}

/// Calls the host's callbacks for `events`, in order, until `steps` are done. Neighbouring pieces
/// of the body go in one `write`. `wanted` is called before each callback, since the callback
/// before may have cancelled the request. The guard that it returns lives until the callback
/// returns. Events that are not delivered stay in `events`.
pub fn deliver<G>(
    host: &dyn Host,
    request: HostRequest,
    events: &mut Events,
    wanted: impl Fn() -> (Deliver, G),
    steps: &mut Steps,
) -> Delivered {
    while !steps.are_done() && !events.is_empty() {
        let (deliver, _calling) = wanted();
        if deliver == Deliver::Nothing {
            return Delivered::Gone;
        }
        let Some(event) = events.pop_front() else { break };
        steps.spend(if let Event::Log(..) = event { LINE_STEPS } else { 1 });
        if deliver != Deliver::All && !event.outlives_client() {
            continue;
        }
        let result = match event {
            Event::Hints(hints) => host.early_hints(request, &hints),
            Event::Head(head) => host.start(request, &head),
            Event::Data(buffer) => {
                let mut pieces: Buffers = smallvec![buffer];
                while !steps.are_done() && matches!(events.front(), Some(Event::Data(_))) {
                    if let Some(Event::Data(buffer)) = events.pop_front() {
                        steps.spend(1);
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

/// Whether the piece before `events` is the last one of a whole response.
fn ends(events: &Events) -> bool {
    matches!(events.front(), Some(Event::End(Outcome::Complete)))
}
