//! The bytes of a pushed body between the polling thread and the application's.

use crate::pool::sync::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io;

/// How many bytes of a pushed body wait for the application, at most.
const CAPACITY: usize = 256 * 1024;

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    end: Option<End>,
    /// The host was asked for more and has not pushed since.
    asked: bool,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Whole,
    Broken,
}

/// What a reader gets.
pub enum Take {
    /// So many bytes; 0 is the end of the body.
    Bytes(usize),
    /// None are there, and the host has not been asked: ask it, then call [`Ring::wait`].
    Ask,
    /// None are there, and the host has been asked.
    Wait,
}

/// A bounded run of bytes with one writer, which never waits, and one reader, which may.
#[derive(Debug, Default)]
pub struct Ring {
    state: Mutex<State>,
    changed: Condvar,
}

impl Ring {
    /// Copies what fits and says how much that was; None after the end.
    pub fn push(&self, bytes: &[u8], last: bool) -> Option<usize> {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return None;
        }
        let count = bytes.len().min(CAPACITY - state.bytes.len());
        state.bytes.extend(&bytes[..count]);
        state.asked &= count == 0;
        if last && count == bytes.len() {
            state.end = Some(End::Whole);
        }
        self.changed.notify_one();
        Some(count)
    }

    /// The rest of the body will not come. False after the end.
    pub fn break_off(&self) -> bool {
        let mut state = self.state.lock();
        let open = state.end.is_none();
        state.end.get_or_insert(End::Broken);
        drop(state);
        self.changed.notify_one();
        open
    }

    /// Takes what is there. Bytes that came before the body broke off are still given.
    pub fn take(&self, buffer: &mut [u8]) -> io::Result<Take> {
        let mut state = self.state.lock();
        let count = state.bytes.len().min(buffer.len());
        if count > 0 {
            let (front, back) = state.bytes.as_slices();
            let (first, second) = buffer[..count].split_at_mut(count.min(front.len()));
            first.copy_from_slice(&front[..first.len()]);
            second.copy_from_slice(&back[..second.len()]);
            state.bytes.drain(..count);
            return Ok(Take::Bytes(count));
        }
        match state.end {
            Some(End::Whole) => Ok(Take::Bytes(0)),
            Some(End::Broken) => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the client did not send the whole request body",
            )),
            None if state.asked => Ok(Take::Wait),
            None => {
                state.asked = true;
                Ok(Take::Ask)
            }
        }
    }

    /// Waits until there are bytes or an end. Not with the GIL held.
    pub fn wait(&self) {
        let mut state = self.state.lock();
        while state.bytes.is_empty() && state.end.is_none() && state.asked {
            self.changed.wait(&mut state);
        }
    }
}
