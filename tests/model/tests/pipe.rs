//! Every interleaving of `Pipe`, within loom's bounds. A reader that never wakes up is a deadlock,
//! which loom reports.
//!
//! These checks can fail, as trials have shown. Loom reports a deadlock if `push` does not wake the
//! reader for the end, if it wakes the reader before it has copied and set the end, or only for a
//! destination that is full, if `break_off` does not wake the reader, and if `read_into` does not
//! take the bytes that had come before.

use loom::sync::Arc;
use loom::thread;
use model::checked::pipe::{Destination, End, Pipe, Read};

/// A destination for this number of bytes.
struct Room(Vec<u8>, usize);

impl Destination for Room {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.1 - self.0.len());
        self.0.extend(&bytes[..count]);
        count
    }

    fn is_full(&self) -> bool {
        self.0.len() == self.1
    }
}

type Shared = Arc<Pipe<Room>>;

/// Reads as a reader does that wants `size` bytes.
fn read(pipe: &Shared, size: usize) -> (Vec<u8>, Option<End>) {
    let (room, end) = match pipe.read_into(Room(Vec::new(), size)) {
        Read::Done(room, end) => (room, end),
        Read::Ask | Read::Wait => pipe.finish_read(),
    };
    (room.0, end)
}

/// Reads as a reader does that takes the bytes as they come.
fn read_some(pipe: &Shared) -> Vec<u8> {
    let mut memory = [0; 4];
    loop {
        match pipe.read(&mut memory.as_mut_slice()) {
            Read::Done(count, _) => return memory[..count].to_vec(),
            Read::Ask | Read::Wait => pipe.wait(),
        }
    }
}

/// Pushes all of `bytes`, as a writer does that offers again the bytes that were not taken.
fn push_all(pipe: &Shared, mut bytes: &[u8], last: bool) {
    loop {
        let taken = pipe.push(bytes, last).expect("it has not ended").taken;
        bytes = &bytes[taken..];
        if bytes.is_empty() {
            return;
        }
        thread::yield_now();
    }
}

/// A reader gets the bytes that it wants. Pieces may come before it, while it waits, and after it.
#[test]
fn a_reader_with_a_destination_is_woken_when_it_is_full() {
    loom::model(|| {
        let pipe: Shared = Arc::new(Pipe::new(8));
        let writing = pipe.clone();
        let writer = thread::spawn(move || {
            push_all(&writing, b"ab", false);
            push_all(&writing, b"cd", true);
        });
        assert_eq!(read(&pipe, 3), (b"abc".to_vec(), None));
        assert_eq!(read(&pipe, 3), (b"d".to_vec(), Some(End::Whole)));
        writer.join().expect("no thread panics");
    });
}

/// A reader that needs fewer bytes than have come does not wait for more, since more may never
/// come.
#[test]
fn a_reader_does_not_wait_for_more_than_it_needs() {
    loom::model(|| {
        let pipe: Shared = Arc::new(Pipe::new(8));
        let writing = pipe.clone();
        let writer = thread::spawn(move || push_all(&writing, b"ab", false));
        assert_eq!(read(&pipe, 1), (b"a".to_vec(), None));
        assert_eq!(read_some(&pipe), b"b");
        writer.join().expect("no thread panics");
    });
}

/// The two ways to read, one after the other, lose no byte and return none twice.
#[test]
fn a_second_reader_gets_the_bytes_that_the_first_one_leaves() {
    loom::model(|| {
        let pipe: Shared = Arc::new(Pipe::new(8));
        let writing = pipe.clone();
        let writer = thread::spawn(move || {
            push_all(&writing, b"a", false);
            push_all(&writing, b"bcd", true);
        });
        let mut all = read_some(&pipe);
        all.extend(read(&pipe, 2).0);
        all.extend(read(&pipe, 9).0);
        assert_eq!(all, b"abcd");
        writer.join().expect("no thread panics");
    });
}

/// A reader is woken when the rest will not come, and gets that as the end.
#[test]
fn a_reader_is_woken_when_the_run_breaks_off() {
    loom::model(|| {
        let pipe: Shared = Arc::new(Pipe::new(8));
        let writing = pipe.clone();
        let writer = thread::spawn(move || {
            push_all(&writing, b"a", false);
            assert!(writing.break_off());
        });
        assert_eq!(read(&pipe, 2), (b"a".to_vec(), Some(End::Broken)));
        assert!(read_some(&pipe).is_empty());
        writer.join().expect("no thread panics");
    });
}

/// A writer that found no room must try again. A reader with a destination waits for it.
#[test]
fn a_writer_without_room_goes_on_when_there_is_some() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let pipe: Shared = Arc::new(Pipe::new(1));
        let writing = pipe.clone();
        let writer = thread::spawn(move || push_all(&writing, b"abc", true));
        assert_eq!(read(&pipe, 2), (b"ab".to_vec(), None));
        assert_eq!(read(&pipe, 2), (b"c".to_vec(), Some(End::Whole)));
        writer.join().expect("no thread panics");
    });
}
