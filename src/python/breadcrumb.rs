//! What each thread works on, for the last line of a process that crashes.
//!
//! A handler of a signal may neither allocate nor lock. So each thread writes down beforehand what
//! it works on, in a slot that the handler finds by the number of the thread.

use super::alt_stack::AltStack;
use super::c_exit;
use nix::unistd;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

/// The rest of a longer text is cut off.
pub(super) const MAX_TEXT: usize = 512;

/// The first of the slots. They are never freed: a handler may be reading them.
static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());

/// What one thread works on. Only that thread writes it, and only a handler on it reads it.
pub(super) struct Slot {
    /// The kernel's number of the thread, 0 if the slot is free.
    thread: AtomicI32,
    length: AtomicUsize,
    text: [AtomicU8; MAX_TEXT],
    /// Set before the slot is in the list, and not changed after that.
    next: AtomicPtr<Slot>,
}

impl Slot {
    /// A free slot, or a new one.
    fn take() -> &'static Slot {
        let me = thread_number();
        let free = slots().find(|slot| {
            slot.thread.compare_exchange(0, me, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        });
        free.unwrap_or_else(|| Slot::add(me))
    }

    fn add(thread: i32) -> &'static Slot {
        let slot: &'static Slot = Box::leak(Box::new(Slot {
            thread: AtomicI32::new(thread),
            length: AtomicUsize::new(0),
            text: [const { AtomicU8::new(0) }; MAX_TEXT],
            next: AtomicPtr::new(ptr::null_mut()),
        }));
        let mut first = SLOTS.load(Ordering::Acquire);
        loop {
            slot.next.store(first, Ordering::Relaxed);
            let new = ptr::from_ref(slot).cast_mut();
            match SLOTS.compare_exchange(first, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return slot,
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
    pub(super) fn text(&self) -> impl Iterator<Item = u8> + '_ {
        let length = self.length.load(Ordering::Acquire);
        self.text[..length].iter().map(|byte| match byte.load(Ordering::Relaxed) {
            byte @ b' '..=b'~' => byte,
            _ => b'?',
        })
    }
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    let first = SLOTS.load(Ordering::Acquire);
    // SAFETY: SLOTS and `next` are NULL or come from a `&'static Slot`, whose members are atomic.
    let at = |slot: *mut Slot| unsafe { slot.as_ref() };
    std::iter::successors(at(first), move |slot| at(slot.next.load(Ordering::Relaxed)))
}

/// What the calling thread works on, if it has set that. Neither allocates nor locks.
pub(super) fn here() -> Option<&'static Slot> {
    let me = thread_number();
    slots().find(|slot| {
        slot.thread.load(Ordering::Relaxed) == me && slot.length.load(Ordering::Relaxed) > 0
    })
}

fn thread_number() -> i32 {
    unistd::gettid().as_raw()
}

/// What a thread of this library has while it lives: its slot, and a stack for handlers.
struct Equipment {
    slot: &'static Slot,
    _stack: AltStack,
}

thread_local! {
    static EQUIPMENT: Equipment =
        Equipment { slot: Slot::take(), _stack: AltStack::new() };
}

impl Drop for Equipment {
    fn drop(&mut self) {
        // The report of an `exit()` of C names what the thread works on, which is gone after this.
        c_exit::check();
        self.slot.length.store(0, Ordering::Release);
        self.slot.thread.store(0, Ordering::Release);
    }
}

/// While this value lives, the calling thread works on what `set` wrote down.
#[must_use]
pub struct Breadcrumb(());

/// Writes down what the calling thread works on: `parts`, one after the other, at most 512 bytes in
/// total. Neither blocks nor needs the GIL. Allocates the first time on a thread.
pub fn set(parts: &[&[u8]]) -> Breadcrumb {
    // A thread that is ending has no thread locals left.
    let _ = EQUIPMENT.try_with(|own| own.slot.write(parts));
    Breadcrumb(())
}

impl Breadcrumb {
    /// What was written down, to be set again when the work goes on.
    pub fn text(&self) -> Vec<u8> {
        EQUIPMENT.try_with(|own| own.slot.text().collect()).unwrap_or_default()
    }
}

impl Drop for Breadcrumb {
    fn drop(&mut self) {
        let _ = EQUIPMENT.try_with(|own| own.slot.length.store(0, Ordering::Release));
    }
}

/// What the calling thread works on, if it has set that.
pub fn current() -> Option<String> {
    here().map(|slot| slot.text().map(char::from).collect())
}

/// ` at work on "..."`, or nothing if the calling thread has not set what it works on.
pub(super) fn at_work() -> String {
    current().map_or_else(String::new, |work| format!(" at work on \"{work}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_works_on_one_thing_at_a_time() {
        assert_eq!(current(), None);
        let first = set(&[b"GET", b" ", b"/a\x1b\xff"]);
        assert_eq!(current().as_deref(), Some("GET /a??"));
        assert_eq!(first.text(), b"GET /a??");
        std::thread::spawn(|| assert_eq!(current(), None)).join().unwrap();
        drop(first);
        assert_eq!(current(), None);
        let _long = set(&[&[b'x'; 2 * MAX_TEXT]]);
        assert_eq!(current().unwrap().len(), MAX_TEXT);
    }

    #[test]
    fn slots_are_used_again() {
        for _ in 0..3 {
            std::thread::spawn(|| drop(set(&[b"a"]))).join().unwrap();
        }
        assert!(slots().count() <= 2 * std::thread::available_parallelism().unwrap().get() + 8);
    }
}
