//! Bytes on their way from a thread that must not block to a thread that may.

use super::sync::{Condvar, Mutex};
use std::collections::VecDeque;

/// Memory of the reader, which the writer fills from its beginning.
pub trait Destination {
    /// Copies as many bytes as there is room for, and returns their number.
    fn put(&mut self, bytes: &[u8]) -> usize;
    fn is_full(&self) -> bool;
}

/// A bounded run of bytes. It has one writer, which never waits, and one reader, which may wait.
///
/// A reader that wants many bytes reads into a destination. The writer copies bytes straight into
/// it, and the reader sleeps until it is full or nothing more comes. So the reader wakes once, and
/// not for each piece. It must not ask for more than it needs, since it waits for all of it.
pub struct Pipe<D> {
    contents: Mutex<Contents<D>>,
    changed: Condvar,
    /// At most this number of bytes wait for a reader without a destination.
    capacity: usize,
}

struct Contents<D> {
    /// Empty while there is a destination with room.
    bytes: VecDeque<u8>,
    end: Option<End>,
    /// The writer was asked for bytes, and has not written any since.
    asked: bool,
    /// The destination of a reader that sleeps.
    destination: Option<D>,
    /// The reader must not wait any more.
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Whole,
    /// The rest will not come.
    Broken,
    /// The reader must stop: [`Pipe::close`].
    Closed,
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// The bytes that the reader wants, or all that will come.
    Done(T, Option<End>),
    /// The reader must wait, and the writer was not asked yet. The caller must ask the writer
    /// first.
    Ask,
    /// The reader must wait. The writer was asked.
    Wait,
}

/// The result of a write.
#[derive(Debug, PartialEq, Eq)]
pub struct Pushed {
    pub taken: usize,
    /// The bytes were too few for a reader that waits. A writer that writes only when it is asked
    /// must be asked again.
    pub wants_more: bool,
}

impl<D: Destination> Contents<D> {
    /// Why the reader does not need to wait.
    fn end(&self) -> Option<End> {
        if self.closed { Some(End::Closed) } else { self.end }
    }

    /// Whether the reader must still wait for its destination.
    fn is_filling(&self) -> bool {
        self.end().is_none() && self.destination.as_ref().is_some_and(|it| !it.is_full())
    }

    /// Moves the bytes that wait here to `to`, as far as there is room for them.
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
        let contents = Contents {
            bytes: VecDeque::new(),
            end: None,
            asked: false,
            destination: None,
            closed: false,
        };
        Pipe { contents: Mutex::new(contents), changed: Condvar::new(), capacity }
    }

    /// Copies as many bytes as there is room for. `last` ends the run if all of them were taken.
    /// None after the end.
    pub fn push(&self, bytes: &[u8], last: bool) -> Option<Pushed> {
        let mut contents = self.contents.lock();
        if contents.end.is_some() {
            return None;
        }
        let mut taken = contents.destination.as_mut().map_or(0, |it| it.put(bytes));
        let more = (bytes.len() - taken).min(self.capacity - contents.bytes.len());
        contents.bytes.extend(&bytes[taken..taken + more]);
        taken += more;
        if last && taken == bytes.len() {
            contents.end = Some(End::Whole);
        }
        let filling = contents.is_filling();
        if taken > 0 {
            contents.asked = filling;
        }
        drop(contents);
        if !filling {
            self.changed.notify_one();
        }
        Some(Pushed { taken, wants_more: filling && taken > 0 })
    }

    pub fn is_ended(&self) -> bool {
        self.contents.lock().end.is_some()
    }

    /// The rest will not come. False after the end.
    pub fn break_off(&self) -> bool {
        let mut contents = self.contents.lock();
        let open = contents.end.is_none();
        contents.end.get_or_insert(End::Broken);
        drop(contents);
        self.changed.notify_one();
        open
    }

    /// Ends the waits of the reader, now and later. The writer does not change that.
    pub fn close(&self) {
        self.contents.lock().closed = true;
        self.changed.notify_one();
    }

    /// Takes the bytes that are there, and returns their number. If there are none, the caller must
    /// call [`Pipe::wait`]. The reader still gets bytes that came before the run broke off. The
    /// number is 0 only together with an end.
    pub fn read(&self, to: &mut impl Destination) -> Read<usize> {
        let mut contents = self.contents.lock();
        let count = contents.pour(to);
        match (count, contents.end()) {
            (0, None) => contents.wait(),
            (0, end) => Read::Done(0, end),
            (count, _) => Read::Done(count, None),
        }
    }

    /// Waits until there are bytes or an end. Not with the GIL held.
    pub fn wait(&self) {
        let mut contents = self.contents.lock();
        while contents.bytes.is_empty() && contents.end().is_none() && contents.asked {
            self.changed.wait(&mut contents);
        }
    }

    /// Fills `to`. If that needs more bytes, it keeps `to`, and the caller must call
    /// [`Pipe::finish_read`]. An end comes only with a destination that is not full.
    pub fn read_into(&self, mut to: D) -> Read<D> {
        let mut contents = self.contents.lock();
        contents.pour(&mut to);
        if to.is_full() {
            return Read::Done(to, None);
        }
        if contents.end().is_some() {
            return Read::Done(to, contents.end());
        }
        contents.destination = Some(to);
        contents.wait()
    }

    /// Waits until the destination of [`Pipe::read_into`] is full, or until the end, and returns
    /// it. Not with the GIL held.
    ///
    /// # Panics
    /// If there is none.
    pub fn finish_read(&self) -> (D, Option<End>) {
        let mut contents = self.contents.lock();
        while contents.is_filling() {
            self.changed.wait(&mut contents);
        }
        let destination = contents.destination.take().expect("there is a destination");
        let end = contents.end().filter(|_| !destination.is_full());
        (destination, end)
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

    /// A destination for four bytes.
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
    fn bytes_without_a_reader_are_kept_up_to_the_capacity() {
        let pipe = pipe();
        assert_eq!(pipe.push(b"ab", false), pushed(2, false));
        assert_eq!(
            pipe.push(b"cd", true),
            pushed(1, false),
            "\"last\" counts only if all bytes were taken"
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
        assert_eq!(pipe.push(b"", false), pushed(0, false), "an empty push is not an answer");
        assert_eq!(take(&pipe, 1).0, Read::Wait);
        assert_eq!(pipe.push(b"a", false), pushed(1, false));
        pipe.wait();
        assert_eq!(take(&pipe, 1).0, Read::Done(1, None));
        assert_eq!(take(&pipe, 1).0, Read::Ask);
    }

    #[test]
    fn a_destination_gets_the_bytes_that_wait_and_those_that_come() {
        let pipe = pipe();
        assert_eq!(pipe.push(b"a", false), pushed(1, false));
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"b", false), pushed(1, true), "it is not full, so more is wanted");
        assert_eq!(pipe.push(b"", false), pushed(0, false));
        assert_eq!(
            pipe.push(b"cdefghi", false),
            pushed(5, false),
            "the pipe keeps the bytes that do not fit"
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
    fn a_broken_run_still_gives_the_bytes_before_the_break() {
        let pipe = pipe();
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"a", false), pushed(1, true));
        assert!(pipe.break_off());
        assert!(!pipe.break_off());
        assert_eq!(pipe.finish_read(), (Some4(b"a".to_vec()), Some(End::Broken)));
    }

    #[test]
    fn a_reader_does_not_wait_once_it_is_closed() {
        let pipe = Arc::new(pipe());
        assert_eq!(pipe.read_into(Some4(vec![])), Read::Ask);
        assert_eq!(pipe.push(b"a", false), pushed(1, true));
        let other = pipe.clone();
        let reader = std::thread::spawn(move || other.finish_read());
        pipe.close();
        assert_eq!(reader.join().unwrap(), (Some4(b"a".to_vec()), Some(End::Closed)));
        assert_eq!(pipe.push(b"b", false), pushed(1, false), "the writer may go on");
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
