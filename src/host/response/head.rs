//! The status line and the header fields of a response.

use crate::host::arena::{Arena, Span};

/// A head. `wsgi::response_headers` has checked its parts.
#[derive(Default, Debug)]
pub struct Head {
    arena: Arena,
    pub status: u16,
    reason: Span,
    fields: Vec<(Span, Span)>,
    /// The length that the application stated, or that the library found out.
    pub content_length: Option<u64>,
    /// No body follows, even if there is a `content_length`.
    pub no_body: bool,
}

impl Head {
    pub fn new(status: u16, reason: &[u8]) -> Self {
        let mut arena = Arena::with_capacity(256);
        let reason = arena.put(reason);
        Head { arena, status, reason, ..Head::default() }
    }

    /// About this number of fields will be added.
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
