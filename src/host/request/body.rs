//! Where the bytes of a request's body come from.

use super::failures;
use super::pull::Pull;
use crate::python::bytes_writer::BytesWriter;
use crate::python::child::OfTheParent;
use crate::python::fork::is_forked;
use pyo3::Python;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A body that the host pushes while the application runs. It has the errors of [`Body::read`].
pub trait PushedBody: fmt::Debug + Send + Sync {
    /// Reads at least one byte. Returns 0 at the end. Waits without the GIL.
    fn read(self: Arc<Self>, py: Python<'_>, buffer: &mut [u8]) -> io::Result<usize>;

    /// Fills `writer`, or what the rest of the body fills of it. Waits without the GIL.
    fn fill(self: Arc<Self>, py: Python<'_>, writer: BytesWriter) -> io::Result<BytesWriter>;
}

/// The body of a request, read from its beginning to its end. A body that is there as a whole can
/// be read twice.
#[derive(Debug, Default)]
pub enum Body {
    #[default]
    Empty,
    Memory {
        bytes: Box<[u8]>,
        position: usize,
    },
    /// The next byte is at `offset`, and `left` bytes will come. The file's own position is not
    /// used: the host may share it.
    File {
        file: File,
        offset: u64,
        left: u64,
    },
    /// The host pushes it.
    Pushed(Arc<dyn PushedBody>),
    /// The host's `read` callback gives it.
    Pulled(Pull),
}

impl Body {
    /// Puts up to `buffer.len()` bytes into `buffer` and returns how many. 0 means the end.
    /// Releases the GIL while it waits. An error means that the rest will not come: the client is
    /// gone, or sent less than it stated.
    pub fn read(&mut self, py: Python<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.check_owner()?;
        match self {
            Body::Empty => Ok(0),
            Body::Memory { bytes, position } => {
                let rest = &bytes[*position..];
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                *position += count;
                Ok(count)
            }
            Body::File { file, offset, left } => {
                let want = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                if want == 0 {
                    return Ok(0);
                }
                let count = py.detach(|| file.read_at(&mut buffer[..want], *offset))?;
                if count == 0 {
                    return Err(failures::shortened());
                }
                *offset += count as u64;
                *left -= count as u64;
                Ok(count)
            }
            Body::Pushed(body) => body.clone().read(py, buffer),
            Body::Pulled(pull) => py.detach(|| pull.read(buffer)),
        }
    }

    /// Fills `writer`, or what the rest of the body fills of it. Releases the GIL while it waits,
    /// and while it reads a file. It has the errors of [`Body::read`]. After an error the bytes
    /// that came before it are lost.
    pub fn fill(&mut self, py: Python<'_>, mut writer: BytesWriter) -> io::Result<BytesWriter> {
        self.check_owner()?;
        match self {
            Body::Empty => Ok(writer),
            Body::Memory { bytes, position } => {
                *position += writer.put(&bytes[*position..]);
                Ok(writer)
            }
            Body::File { file, offset, left } => py.detach(|| {
                while *left > 0 && !writer.is_full() {
                    let count = writer.put_file(file, *offset, *left)? as u64;
                    if count == 0 {
                        return Err(failures::shortened());
                    }
                    *offset += count;
                    *left -= count;
                }
                Ok(writer)
            }),
            Body::Pushed(body) => body.clone().fill(py, writer),
            Body::Pulled(pull) => py.detach(|| {
                while !writer.is_full() && writer.put_with(|buffer| pull.read(buffer))? > 0 {}
                Ok(writer)
            }),
        }
    }

    /// A forked child must not read bytes that the host has not given yet. It would wait in vain,
    /// or would take them from its parent.
    fn check_owner(&self) -> io::Result<()> {
        let comes_later = matches!(self, Body::Pushed(_) | Body::Pulled(_));
        if comes_later && is_forked() {
            Err(OfTheParent("the request's body").into())
        } else {
            Ok(())
        }
    }

    /// Moves from `at` to `to`, or to the end if the body is shorter. Both are counted from the
    /// beginning. Returns the new position, or None if the body can be read only once.
    pub fn seek(&mut self, at: u64, to: u64) -> Option<u64> {
        let length = at + self.left()?;
        let to = to.min(length);
        match self {
            Body::Memory { position, .. } => *position = usize::try_from(to).ok()?,
            Body::File { offset, left, .. } => {
                *offset = *offset - at + to;
                *left = length - to;
            }
            Body::Empty | Body::Pushed(_) | Body::Pulled(_) => {}
        }
        Some(to)
    }

    /// How many bytes are left, if that is known without reading.
    pub fn left(&self) -> Option<u64> {
        match self {
            Body::Empty => Some(0),
            Body::Memory { bytes, position } => Some((bytes.len() - position) as u64),
            Body::File { left, .. } => Some(*left),
            Body::Pushed(_) | Body::Pulled(_) => None,
        }
    }
}
