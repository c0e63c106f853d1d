//! The last words of a process: a crash in a C extension, or in Python, says in the log which work
//! the thread was at and where its Python was.
//!
//! A crash is handled inside of the signal: what is called there neither allocates nor locks. So
//! each thread writes down beforehand what it is at, in a place that the handler finds by the
//! number of the thread. Python's own faulthandler writes the stack, and the signal then has its
//! usual effect: an exit by signal, a core.
//!
//! The handler stands on both sides of faulthandler's: on top, to speak before it; and below, since
//! Python takes that one away before it ends itself by an error that it calls fatal.

use super::c_exit;
use super::dispositions::{self, action};
use super::thread::is_forked;
use once_cell::sync::OnceCell;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

/// More of what a thread is at is cut off.
const MAX_WORK: usize = 512;

/// The handler and faulthandler run on it: where the stack has overflowed they need another one.
/// It takes memory only if it is used.
const STACK_SIZE: usize = 128 * 1024;

const SIGNALS: [(libc::c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGABRT, "SIGABRT"),
];

/// The line is said once.
static SPOKEN: AtomicBool = AtomicBool::new(false);

/// It is no crash but `exit()` of C, see `c_exit`.
static BY_EXIT: AtomicBool = AtomicBool::new(false);

/// What the process ends with then: some codes mean something to a server.
const EXIT_CODE: libc::c_int = 1;

/// What the handler passes the signals on to, in the order of `SIGNALS`: faulthandler.
static CACHE: OnceCell<[libc::sigaction; SIGNALS.len()]> = OnceCell::new();

/// The first of the places, which are never freed: the handler may be reading them.
static PLACES: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());

/// What one thread is at. Written by that thread only, and read by a handler on the same thread.
struct Place {
    /// The kernel's number of the thread, 0 if the place is free.
    thread: AtomicI32,
    length: AtomicUsize,
    text: [AtomicU8; MAX_WORK],
    next: *const Place,
}

impl Place {
    /// A free place, or a new one.
    fn take() -> &'static Place {
        let me = thread_number();
        let free = places().find(|place| {
            place.thread.compare_exchange(0, me, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        });
        free.unwrap_or_else(|| Place::add(me))
    }

    fn add(thread: i32) -> &'static Place {
        let place = Box::into_raw(Box::new(Place {
            thread: AtomicI32::new(thread),
            length: AtomicUsize::new(0),
            text: [const { AtomicU8::new(0) }; MAX_WORK],
            next: ptr::null(),
        }));
        let mut first = PLACES.load(Ordering::Acquire);
        loop {
            // SAFETY: nobody else has the new place yet, and it is never freed.
            unsafe { (*place).next = first };
            match PLACES.compare_exchange(first, place, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: as above; from now on it is only read.
                Ok(_) => return unsafe { &*place },
                Err(other) => first = other,
            }
        }
    }

    fn write(&self, parts: &[&[u8]]) {
        self.length.store(0, Ordering::Release);
        let mut length = 0;
        for part in parts {
            let room = &self.text[length..];
            for (to, byte) in room.iter().zip(*part) {
                to.store(*byte, Ordering::Relaxed);
            }
            length += part.len().min(room.len());
        }
        self.length.store(length, Ordering::Release);
    }

    /// Any byte that could drive a terminal or end the line becomes a question mark.
    fn text(&self) -> impl Iterator<Item = u8> + '_ {
        let length = self.length.load(Ordering::Acquire);
        self.text[..length].iter().map(|byte| match byte.load(Ordering::Relaxed) {
            byte @ b' '..=b'~' => byte,
            _ => b'?',
        })
    }
}

fn places() -> impl Iterator<Item = &'static Place> {
    let first = PLACES.load(Ordering::Acquire);
    // SAFETY: places are never freed, and what PLACES and `next` point to is complete.
    let at = |place: *const Place| unsafe { place.as_ref() };
    std::iter::successors(at(first), move |place| at(place.next))
}

/// What the calling thread is at, if it has said so. Neither allocates nor locks.
fn my_place() -> Option<&'static Place> {
    let me = thread_number();
    places().find(|place| {
        place.thread.load(Ordering::Relaxed) == me && place.length.load(Ordering::Relaxed) > 0
    })
}

fn thread_number() -> i32 {
    // SAFETY: takes nothing and cannot fail; a number of a thread is an int.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

/// The place and the stack for handlers of a thread, given back when it ends.
struct Seat {
    place: &'static Place,
    /// The memory of the stack, or None if the thread had one before.
    stack: Option<*mut libc::c_void>,
}

thread_local! {
    static SEAT: Seat = Seat { place: Place::take(), stack: give_stack() };
}

impl Drop for Seat {
    fn drop(&mut self) {
        // It says what the thread is at, which is gone after this.
        c_exit::check();
        self.place.length.store(0, Ordering::Release);
        self.place.thread.store(0, Ordering::Release);
        if let Some(stack) = self.stack {
            let mut off = no_stack();
            off.ss_flags = libc::SS_DISABLE;
            // SAFETY: the memory was mapped by `give_stack` with that size; after the first call
            // the kernel does not use it any more.
            unsafe {
                libc::sigaltstack(&off, ptr::null_mut());
                libc::munmap(stack, STACK_SIZE);
            }
        }
    }
}

fn no_stack() -> libc::stack_t {
    libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 }
}

/// A stack for the handlers of the calling thread, if it has none. Without memory for it only the
/// last words about an overflow of the stack are lost.
fn give_stack() -> Option<*mut libc::c_void> {
    let mut stack = no_stack();
    // SAFETY: asks for the stack of this thread, and sets one that is mapped until `Seat` is
    // dropped on the same thread.
    unsafe {
        libc::sigaltstack(ptr::null(), &mut stack);
        if stack.ss_flags & libc::SS_DISABLE == 0 {
            return None;
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let memory = libc::mmap(ptr::null_mut(), STACK_SIZE, access, kind, -1, 0);
        if memory == libc::MAP_FAILED {
            return None;
        }
        stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: STACK_SIZE };
        libc::sigaltstack(&stack, ptr::null_mut());
        Some(memory)
    }
}

/// While it lives, the calling thread is at a piece of work.
#[must_use]
pub struct Work(());

/// Writes down what the calling thread is at: `parts`, one after the other, up to 512 bytes of
/// them. Neither blocks nor needs the GIL; allocates the first time on a thread.
pub fn work(parts: &[&[u8]]) -> Work {
    // A thread that is ending has no thread locals left, and no last words.
    let _ = SEAT.try_with(|seat| seat.place.write(parts));
    Work(())
}

impl Work {
    /// What was written down, to be written down again when the work goes on.
    pub fn text(&self) -> Vec<u8> {
        SEAT.try_with(|seat| seat.place.text().collect()).unwrap_or_default()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = SEAT.try_with(|seat| seat.place.length.store(0, Ordering::Release));
    }
}

/// What the calling thread is at, if it has said so.
pub fn work_here() -> Option<String> {
    my_place().map(|place| place.text().map(char::from).collect())
}

/// ` at work on "..."`, or nothing if the calling thread has not said what it is at.
pub(super) fn at_work() -> String {
    work_here().map_or_else(String::new, |work| format!(" at work on \"{work}\""))
}

/// Takes the signals of crashes, for this process. A host that has a handler of its own for one of
/// them has its own way to tell, and keeps them all; one that is set while this goes on stays too.
/// Fails with what Python raises.
pub(super) fn watch(py: Python<'_>) -> PyResult<()> {
    let faulthandler = py.import("faulthandler")?;
    // What Python's start has run may have enabled it.
    faulthandler.call_method0("disable")?;
    if SIGNALS.iter().any(|(signal, _)| action(*signal).sa_sigaction != libc::SIG_DFL) {
        return Ok(());
    }
    let below = after_stack as *const () as libc::sighandler_t;
    for (signal, _) in SIGNALS {
        dispositions::swap_with(signal, libc::SIG_DFL, below, FLAGS);
    }
    let options = PyDict::new(py);
    options.set_item("file", libc::STDERR_FILENO)?;
    options.set_item("all_threads", false)?;
    faulthandler.call_method("enable", (), Some(&options))?;
    let previous = SIGNALS.map(|(signal, _)| action(signal));
    if CACHE.set(previous).is_ok() {
        let ours = on_crash as *const () as libc::sighandler_t;
        for ((signal, _), previous) in SIGNALS.iter().zip(previous) {
            dispositions::swap_with(*signal, previous.sa_sigaction, ours, FLAGS);
        }
    }
    Ok(())
}

/// SA_NODEFER: a crash inside of the handler must not be held back, and faulthandler raises the
/// signal once more to end the process.
const FLAGS: libc::c_int = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

extern "C" fn on_crash(signal: libc::c_int, info: *mut libc::siginfo_t, at: *mut libc::c_void) {
    // A child that the application forked is not the server: faulthandler alone speaks there.
    if !is_forked() && !SPOKEN.swap(true, Ordering::Relaxed) {
        say(b"WSGI0303 ", name(signal), b"follows");
    }
    let index = SIGNALS.iter().position(|(known, _)| *known == signal);
    let previous = index.and_then(|index| Some(CACHE.get()?[index]));
    match previous.map(|previous| previous.sa_sigaction) {
        None | Some(libc::SIG_DFL | libc::SIG_IGN) => {}
        Some(handler) => {
            // SAFETY: a handler that is not one of the two constants is a function. faulthandler
            // takes the number only, and C lets a function be called with more than it takes in
            // this platform's convention, as the kernel itself does.
            let handler = unsafe { std::mem::transmute::<libc::sighandler_t, Handler>(handler) };
            handler(signal, info, at);
        }
    }
    take_effect(signal);
}

/// The handler below faulthandler's, which has written the stack and taken itself away.
extern "C" fn after_stack(signal: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    if !is_forked() && !SPOKEN.swap(true, Ordering::Relaxed) {
        say(b"WSGI0303 ", name(signal), b"is above, if it is known");
    }
    take_effect(signal);
}

/// As it would have been without these handlers.
fn take_effect(signal: libc::c_int) {
    if BY_EXIT.load(Ordering::Relaxed) && !is_forked() {
        // SAFETY: ends the process, of which nobody is to make use any more.
        unsafe { libc::_exit(EXIT_CODE) };
    }
    dispositions::set(signal, libc::SIG_DFL, FLAGS);
    // SAFETY: ends the process.
    unsafe { libc::raise(signal) };
}

/// An application has called `exit()` of C: the last words, then the end.
pub(super) fn end_by_exit() -> ! {
    SPOKEN.store(true, Ordering::Relaxed);
    BY_EXIT.store(true, Ordering::Relaxed);
    say(b"WSGI0312 ", "exit() of C code", b"follows");
    if CACHE.get().is_some() {
        // faulthandler writes the stack only of what dies by a signal.
        // SAFETY: allowed anywhere; it comes back where the host has another handler for it.
        unsafe { libc::raise(libc::SIGABRT) };
    }
    // SAFETY: as in `take_effect`.
    unsafe { libc::_exit(EXIT_CODE) }
}

fn name(signal: libc::c_int) -> &'static str {
    SIGNALS.iter().find(|(known, _)| *known == signal).map_or("a signal", |it| it.1)
}

/// Writes the line, in one piece, to where the host's log is. Neither allocates nor locks.
fn say(number: &[u8], cause: &str, stack: &[u8]) {
    let mut line = Line { bytes: [0; MAX_WORK + 128], length: 0 };
    line.push(number.iter().copied());
    line.push(cause.bytes());
    line.push(*b" ends process ");
    line.push_number(std::process::id());
    match my_place() {
        Some(place) => {
            line.push(*b" at work on \"");
            line.push(place.text());
            line.push(*b"\"");
        }
        None => line.push(*b" in a thread that answers no request"),
    }
    line.push(*b"; the stack of its Python ");
    line.push(stack.iter().copied());
    line.push(*b"\n");
    // SAFETY: the bytes are readable for the call. If it fails there is nobody left to tell.
    let _ = unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.length) };
}

/// A line that is put together without memory of its own.
struct Line {
    bytes: [u8; MAX_WORK + 128],
    length: usize,
}

impl Line {
    fn push(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for (to, byte) in self.bytes[self.length..].iter_mut().zip(bytes) {
            *to = byte;
            self.length += 1;
        }
    }

    fn push_number(&mut self, number: u32) {
        let mut scale = 1;
        while number / scale >= 10 {
            scale *= 10;
        }
        while scale > 0 {
            self.push([b'0' + (number / scale % 10) as u8]);
            scale /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_one_piece_of_work_at_a_time() {
        assert_eq!(at_work(), "");
        let first = work(&[b"GET", b" ", b"/a\x1b\xff"]);
        assert_eq!(at_work(), " at work on \"GET /a??\"");
        assert_eq!(first.text(), b"GET /a??");
        std::thread::spawn(|| assert_eq!(at_work(), "")).join().unwrap();
        drop(first);
        assert_eq!(at_work(), "");
        let _long = work(&[&[b'x'; 2 * MAX_WORK]]);
        assert_eq!(at_work().len(), MAX_WORK + " at work on \"\"".len());
    }

    #[test]
    fn places_are_used_again() {
        for _ in 0..3 {
            std::thread::spawn(|| drop(work(&[b"a"]))).join().unwrap();
        }
        assert!(places().count() <= 2 * std::thread::available_parallelism().unwrap().get() + 8);
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 7, 10, 4_294_967_295] {
            let mut line = Line { bytes: [0; MAX_WORK + 128], length: 0 };
            line.push_number(number);
            assert_eq!(&line.bytes[..line.length], number.to_string().as_bytes());
        }
    }
}
