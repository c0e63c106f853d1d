//! Errors for the application: the reasons why the rest of a request's body will not come.

use std::io;

fn error(kind: io::ErrorKind, text: &str) -> io::Error {
    io::Error::new(kind, text)
}

/// The host reports that the rest will not come.
pub fn incomplete() -> io::Error {
    error(io::ErrorKind::ConnectionAborted, "the client did not send the whole request body")
}

pub fn client_gone() -> io::Error {
    error(io::ErrorKind::BrokenPipe, "the client is gone")
}

/// The body ended `left` bytes before the length that its client had stated.
pub(super) fn too_short(left: u64) -> io::Error {
    let text = format!("the request body ended {left} bytes before its Content-Length");
    error(io::ErrorKind::UnexpectedEof, &text)
}

pub(super) fn shortened() -> io::Error {
    let text = "the file with the request's body is shorter than it was";
    error(io::ErrorKind::UnexpectedEof, text)
}

/// The request is over, and a thread of the application still waits for its body.
pub(super) fn closed() -> io::Error {
    io::Error::other("the request has ended meanwhile")
}
