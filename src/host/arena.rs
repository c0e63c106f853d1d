//! Many short runs of bytes in one allocation.

/// A place in an [`Arena`]. It is valid only with the arena that made it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Span {
    start: usize,
    end: usize,
}

/// Runs of bytes that are added one after the other and freed together.
#[derive(Default, Debug)]
pub struct Arena {
    bytes: Vec<u8>,
}

impl Arena {
    pub fn with_capacity(capacity: usize) -> Self {
        Arena { bytes: Vec::with_capacity(capacity) }
    }

    pub fn put(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Span { start, end: self.bytes.len() }
    }

    pub fn get(&self, span: Span) -> &[u8] {
        &self.bytes[span.start..span.end]
    }
}
