//! What comes in: an HTTP request and its body. Its strings are copied, so that the request can
//! outlive the host's.

pub mod body;
pub mod failures;
mod pull;
pub mod upload;

use super::arena::{Arena, Span};
use body::Body;
pub use pull::Pull;

/// Calls `$with` with every string of a request: its [`Field`], then its member of `wsgi_request`.
macro_rules! with_request_strings {
    ($with:ident) => {
        $with! {
            Method method,
            ScriptName script_name,
            PathInfo path_info,
            QueryString query_string,
            RequestUri request_uri,
            Protocol protocol,
            Scheme scheme,
            ServerName server_name,
            ServerPort server_port,
            ServerAddr server_addr,
            RemoteAddr remote_addr,
            RemotePort remote_port,
            DocumentRoot document_root,
            RemoteUser remote_user,
            AuthType auth_type,
            RequestId request_id,
        }
    };
}

pub(crate) use with_request_strings;

macro_rules! define_fields {
    ($($field:ident $member:ident,)*) => {
        /// The strings of a request, each empty if the host did not set it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($field,)* }

        impl Field {
            pub const COUNT: usize = [$(Field::$field),*].len();
            /// Each with its member of `wsgi_request`.
            pub const ALL: [(Field, &str); Field::COUNT] =
                [$((Field::$field, stringify!($member))),*];
        }
    };
}
with_request_strings!(define_fields);

/// How much of a response the host may hold, if the host sets no limit.
pub const BUFFER_SIZE: usize = 1024 * 1024;

/// How the body of a request comes to the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// With the request.
    Whole,
    /// The host pushes it while the application runs.
    Pushed,
    /// The application's thread gets it from the host's `read` callback.
    Pulled,
}

/// A request. All of its strings are in one allocation.
#[derive(Debug)]
pub struct Request {
    arena: Arena,
    fields: [Span; Field::COUNT],
    headers: Vec<(Span, Span)>,
    params: Vec<(Span, Span)>,
    /// The value of CONTENT_LENGTH.
    pub content_length: Option<u64>,
    /// The host can send early hints to this client.
    pub early_hints: bool,
    /// How many bytes of the response the host may hold before the application waits.
    pub buffer_size: usize,
    /// The body, if it is there. If the body arrives later, the thread that begins the request puts
    /// the way to it here.
    pub body: Body,
    pub arrival: Arrival,
}

impl Request {
    /// `capacity` is about the number of bytes of all strings that will be set and added.
    pub fn with_capacity(capacity: usize, headers: usize, params: usize) -> Self {
        Request {
            arena: Arena::with_capacity(capacity),
            fields: [Span::default(); Field::COUNT],
            headers: Vec::with_capacity(headers),
            params: Vec::with_capacity(params),
            content_length: None,
            early_hints: false,
            buffer_size: BUFFER_SIZE,
            body: Body::Empty,
            arrival: Arrival::Whole,
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
