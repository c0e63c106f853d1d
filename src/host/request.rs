//! One HTTP request, copied from the host so that it can outlive it.

use super::arena::{Arena, Span};
use super::body::Body;

/// The strings of a request, each empty if the host did not say.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    Method,
    ScriptName,
    PathInfo,
    QueryString,
    RequestUri,
    Protocol,
    Scheme,
    ServerName,
    ServerPort,
    ServerAddr,
    RemoteAddr,
    RemotePort,
    DocumentRoot,
    RemoteUser,
    AuthType,
    RequestId,
}

/// How much of a response may be with the host, if the host does not say.
pub const BUFFER_SIZE: usize = 1024 * 1024;

const FIELDS: usize = Field::RequestId as usize + 1;

/// A request, its strings in one allocation.
#[derive(Debug)]
pub struct Request {
    arena: Arena,
    fields: [Span; FIELDS],
    headers: Vec<(Span, Span)>,
    params: Vec<(Span, Span)>,
    /// What CONTENT_LENGTH says.
    pub content_length: Option<u64>,
    /// The host can send early hints to this client.
    pub early_hints: bool,
    /// Response bytes the host may hold before the application waits.
    pub buffer_size: usize,
    pub body: Body,
}

impl Request {
    /// `capacity`: about how many bytes of strings will be put in.
    pub fn with_capacity(capacity: usize, headers: usize, params: usize) -> Self {
        Request {
            arena: Arena::with_capacity(capacity),
            fields: [Span::default(); FIELDS],
            headers: Vec::with_capacity(headers),
            params: Vec::with_capacity(params),
            content_length: None,
            early_hints: false,
            buffer_size: BUFFER_SIZE,
            body: Body::Empty,
        }
    }

    pub fn set(&mut self, field: Field, value: &[u8]) {
        self.fields[field as usize] = self.arena.put(value);
    }

    pub fn add_header(&mut self, name: &[u8], value: &[u8]) {
        let header = (self.arena.put(name), self.arena.put(value));
        self.headers.push(header);
    }

    pub fn add_param(&mut self, name: &[u8], value: &[u8]) {
        let param = (self.arena.put(name), self.arena.put(value));
        self.params.push(param);
    }

    pub fn get(&self, field: Field) -> &[u8] {
        self.arena.get(self.fields[field as usize])
    }

    /// In the order received.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.headers.iter().map(|&(name, value)| (self.arena.get(name), self.arena.get(value)))
    }

    pub fn params(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.params.iter().map(|&(name, value)| (self.arena.get(name), self.arena.get(value)))
    }
}
