//! Every interleaving of `Pipe`, within loom's bounds; a reader that sleeps for ever is a deadlock,
//! which loom reports.
//!
//! That these checks can fail was tried: loom reports a deadlock if `push` wakes nobody for the end,
//! if it wakes before it has copied and set the end, or only for a destination that is full, if
//! `break_off` wakes nobody, and if `lend` leaves behind what had come before.

use loom::sync::Arc;
use loom::thread;
use model::checked::pipe::{Destination, End, Pipe, Read};

/// Room for so many bytes.
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

/// What a reader does that wants `size` bytes.
fn read(pipe: &Shared, size: usize) -> (Vec<u8>, Option<End>) {
    let (room, end) = match pipe.read_into(Room(Vec::new(), size)) {
        Read::Done(room, end) => (room, end),
        Read::Ask | Read::Wait => pipe.finish_read(),
    };
    (room.0, end)
}

/// What a reader does that takes what comes.
fn read_some(pipe: &Shared) -> Vec<u8> {
    let mut memory = [0; 4];
    loop {
        match pipe.read(&mut memory.as_mut_slice()) {
            Read::Done(count, _) => return memory[..count].to_vec(),
            Read::Ask | Read::Wait => pipe.wait(),
        }
    }
}

/// Pushes all of `bytes`, as a writer does that tries again what was not taken.
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

/// A reader gets what it wants, from pieces that come before it, while it waits, and after it.
#[test]
fn a_reader_that_lends_is_woken_when_it_has_enough() {
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

/// A reader that needs less than has come does not wait for more, which may never come.
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

/// The two ways of reading, one after the other, miss nothing and give nothing twice.
#[test]
fn what_one_reader_leaves_another_finds() {
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

/// A reader is woken when the rest will not come, and knows that.
#[test]
fn a_reader_is_woken_by_what_breaks_off() {
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

/// A writer that has to come again, as there is no room, is not forgotten by a reader that lends.
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
