//! Bytes on their way from a thread that must not block to one that may.

use super::sync::{Condvar, Mutex};
use std::collections::VecDeque;

/// Memory of the reader's, which the writer fills from its beginning.
pub trait Destination {
    /// Copies what there is room for and says how much that was.
    fn put(&mut self, bytes: &[u8]) -> usize;
    fn is_full(&self) -> bool;
}

/// A bounded run of bytes with one writer, which never waits, and one reader, which may.
///
/// A reader that wants much lends its destination. What is written goes there without a stay in
/// between, and the reader sleeps until the destination is full or nothing more comes: it is woken
/// once, not for each piece. It must not ask for more than it needs, since it waits for all of it.
pub struct Pipe<D> {
    state: Mutex<State<D>>,
    changed: Condvar,
    /// How many bytes wait for a reader that has lent nothing, at most.
    capacity: usize,
}

struct State<D> {
    /// Empty while there is a destination with room.
    bytes: VecDeque<u8>,
    end: Option<End>,
    /// The writer knows that bytes are wanted, and has not written any since.
    asked: bool,
    lent: Option<D>,
    /// The reader is to wait no more.
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Whole,
    /// The rest will not come.
    Broken,
    /// Nobody is to read any more.
    Closed,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// What it came for, or all that there will be.
    Done(T, Option<End>),
    /// It has to wait, and the writer has not been asked: ask it, then wait.
    Ask,
    /// It has to wait, and the writer has been asked.
    Wait,
}

/// What became of bytes that were written.
#[derive(Debug, PartialEq, Eq)]
pub struct Pushed {
    pub taken: usize,
    /// They were too few for a reader that waits: whoever writes only when it is asked must be
    /// asked once more.
    pub wants_more: bool,
}

impl<D: Destination> State<D> {
    /// Why the reader need not wait.
    fn end(&self) -> Option<End> {
        if self.closed { Some(End::Closed) } else { self.end }
    }

    /// There is a destination that the reader waits for, and the wait is not over.
    fn is_filling(&self) -> bool {
        self.end().is_none() && self.lent.as_ref().is_some_and(|lent| !lent.is_full())
    }

    /// Copies what waits here, but not more than there is room for.
    fn pour(&mut self, to: &mut impl Destination) -> usize {
        let (front, back) = self.bytes.as_slices();
        let mut count = to.put(front);
        if count == front.len() {
            count += to.put(back);
        }
        self.bytes.drain(..count);
        count
    }

    fn wait<T>(&mut self) -> Read<T> {
        if std::mem::replace(&mut self.asked, true) { Read::Wait } else { Read::Ask }
    }
}

impl<D: Destination> Pipe<D> {
    pub fn new(capacity: usize) -> Self {
        let state =
            State { bytes: VecDeque::new(), end: None, asked: false, lent: None, closed: false };
        Pipe { state: Mutex::new(state), changed: Condvar::new(), capacity }
    }

    /// Copies what there is room for. `last` ends the run, if all was taken. None after the end.
    pub fn push(&self, bytes: &[u8], last: bool) -> Option<Pushed> {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return None;
        }
        let mut taken = state.lent.as_mut().map_or(0, |lent| lent.put(bytes));
        let more = (bytes.len() - taken).min(self.capacity - state.bytes.len());
        state.bytes.extend(&bytes[taken..taken + more]);
        taken += more;
        if last && taken == bytes.len() {
            state.end = Some(End::Whole);
        }
        let filling = state.is_filling();
        if taken > 0 {
            state.asked = filling;
        }
        drop(state);
        if !filling {
            self.changed.notify_one();
        }
        Some(Pushed { taken, wants_more: filling && taken > 0 })
    }

    pub fn is_ended(&self) -> bool {
        self.state.lock().end.is_some()
    }

    /// The rest will not come. False after the end.
    pub fn break_off(&self) -> bool {
        let mut state = self.state.lock();
        let open = state.end.is_none();
        state.end.get_or_insert(End::Broken);
        drop(state);
        self.changed.notify_one();
        open
    }

    /// Has the reader wait no more, neither now nor later, whatever the writer does.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_one();
    }

    /// Takes what is there, if anything is, and says how much; [`Pipe::wait`] waits for it. Bytes
    /// that came before the run broke off are still given; 0 comes with an end only.
    pub fn read(&self, to: &mut impl Destination) -> Read<usize> {
        let mut state = self.state.lock();
        let count = state.pour(to);
        match (count, state.end()) {
            (0, None) => state.wait(),
            (0, end) => Read::Done(0, end),
            (count, _) => Read::Done(count, None),
        }
    }

    /// Waits until there are bytes or an end. Not with the GIL held.
    pub fn wait(&self) {
        let mut state = self.state.lock();
        while state.bytes.is_empty() && state.end().is_none() && state.asked {
            self.changed.wait(&mut state);
        }
    }

    /// Fills `to`, and keeps it if more must come for that; [`Pipe::finish_read`] waits for it. An end
    /// comes with a destination that is not full only.
    pub fn read_into(&self, mut to: D) -> Read<D> {
        let mut state = self.state.lock();
        state.pour(&mut to);
        if to.is_full() {
            return Read::Done(to, None);
        }
        if state.end().is_some() {
            return Read::Done(to, state.end());
        }
        state.lent = Some(to);
        state.wait()
    }

    /// Waits until the destination that was lent is full, or until the end; then it is the
    /// reader's again. Not with the GIL held.
    ///
    /// # Panics
    /// If none was lent.
    pub fn finish_read(&self) -> (D, Option<End>) {
        let mut state = self.state.lock();
        while state.is_filling() {
            self.changed.wait(&mut state);
        }
        let lent = state.lent.take().expect("a destination was lent");
        let end = state.end().filter(|_| !lent.is_full());
        (lent, end)
    }
}

impl Destination for &mut [u8] {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.len());
        let (now, later) = std::mem::take(self).split_at_mut(count);
        now.copy_from_slice(&bytes[..count]);
        *self = later;
        count
    }

    fn is_full(&self) -> bool {
        self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// So many bytes, and room for more.
    #[derive(Debug, PartialEq, Eq)]
    struct Some4(Vec<u8>);

    impl Destination for Some4 {
        fn put(&mut self, bytes: &[u8]) -> usize {
            let count = bytes.len().min(4 - self.0.len());
            self.0.extend(&bytes[..count]);
            count
        }

        fn is_full(&self) -> bool {
            self.0.len() == 4
        }
    }

    fn pipe() -> Pipe<Some4> {
        Pipe::new(3)
    }

    fn pushed(taken: usize, wants_more: bool) -> Option<Pushed> {
        Some(Pushed { taken, wants_more })
    }

    fn take(pipe: &Pipe<Some4>, size: usize) -> (Read<usize>, Vec<u8>) {
        let mut memory = vec![0; size];
        let took = pipe.read(&mut memory.as_mut_slice());
        memory.truncate(if let Read::Done(count, _) = took { count } else { 0 });
        (took, memory)
    }

    #[test]
    fn what_nobody_waits_for_is_kept_up_to_the_capacity() {
        let pipe = pipe();
        assert_eq!(pipe.push(b"ab", false), pushed(2, false));
        assert_eq!(
            pipe.push(b"cd", true),
            pushed(1, false),
            "and \"last\" counts if all was taken"
        );
        assert_eq!(take(&pipe, 2), (Read::Done(2, None), b"ab".to_vec()));
        assert_eq!(pipe.push(b"d", true), pushed(1, false));
        assert_eq!(take(&pipe, 9), (Read::Done(2, None), b"cd".to_vec()));
        assert_eq!(take(&pipe, 9), (Read::Done(0, Some(End::Whole)), vec![]));
        assert_eq!(pipe.push(b"e", false), None);
    }

    #[test]
    fn the_writer_is_asked_once_until_it_writes() {
        let pipe = pipe();
        assert_eq!(take(&pipe, 1).0, Read::Ask);
        assert_eq!(take(&pipe, 1).0, Read::Wait);
        assert_eq!(pipe.push(b"", false), pushed(0, false), "nothing is no answer");
        assert_eq!(take(&pipe, 1).0, Read::Wait);
        assert_eq!(pipe.push(b"a", false), pushed(1, false));
        pipe.wait();
        assert_eq!(take(&pipe, 1).0, Read::Done(1, None));
        assert_eq!(take(&pipe, 1).0, Read::Ask);
    }

    #[test]
    fn a_destination_is_filled_with_what_was_there_and_what_comes() {
        let pipe = pipe();
        assert_eq!(pipe.push(b"a", false), pushed(1, false));
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"b", false), pushed(1, true), "it is not full, so more is wanted");
        assert_eq!(pipe.push(b"", false), pushed(0, false));
        assert_eq!(
            pipe.push(b"cdefghi", false),
            pushed(5, false),
            "what it has no room for is kept"
        );
        assert_eq!(pipe.finish_read(), (Some4(b"abcd".to_vec()), None));
        assert_eq!(take(&pipe, 9), (Read::Done(3, None), b"efg".to_vec()));
        assert_eq!(
            pipe.read_into(Some4(b"1234".to_vec())),
            Read::Done(Some4(b"1234".to_vec()), None)
        );
    }

    #[test]
    fn a_destination_comes_back_with_the_end() {
        let pipe = pipe();
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"ab", true), pushed(2, false));
        assert_eq!(pipe.finish_read(), (Some4(b"ab".to_vec()), Some(End::Whole)));
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Done(Some4(vec![]), Some(End::Whole)));
    }

    #[test]
    fn what_breaks_off_gives_what_came_before() {
        let pipe = pipe();
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"a", false), pushed(1, true));
        assert!(pipe.break_off());
        assert!(!pipe.break_off());
        assert_eq!(pipe.finish_read(), (Some4(b"a".to_vec()), Some(End::Broken)));
    }

    #[test]
    fn a_reader_waits_no_more_once_it_is_closed() {
        let pipe = Arc::new(pipe());
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"a", false), pushed(1, true));
        let other = pipe.clone();
        let reader = std::thread::spawn(move || other.finish_read());
        pipe.close();
        assert_eq!(reader.join().unwrap(), (Some4(b"a".to_vec()), Some(End::Closed)));
        assert_eq!(pipe.push(b"b", false), pushed(1, false), "the writer need not know");
        assert_eq!(take(&pipe, 9), (Read::Done(1, None), b"b".to_vec()));
        assert_eq!(take(&pipe, 9), (Read::Done(0, Some(End::Closed)), vec![]));
        pipe.wait();
    }

    #[test]
    fn an_end_that_comes_with_the_last_byte_is_found_by_the_next_reader() {
        let pipe = pipe();
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"abcd", true), pushed(4, false));
        assert_eq!(pipe.finish_read(), (Some4(b"abcd".to_vec()), None));
        assert_eq!(take(&pipe, 1).0, Read::Done(0, Some(End::Whole)));
    }
}
