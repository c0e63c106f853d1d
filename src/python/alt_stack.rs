//! An alternate stack for the signal handlers of a thread. A handler needs it when the thread's own
//! stack has overflowed.

use std::ptr;

/// The kernel takes memory for it only when a handler uses it.
const SIZE: usize = 128 * 1024;

/// The alternate stack of the thread that made this value. Dropping it removes the stack.
pub(super) struct AltStack {
    /// None if the thread already had one, or if there was no memory. A thread without an alternate
    /// stack loses only the last line about a stack overflow.
    memory: Option<*mut libc::c_void>,
}

impl AltStack {
    pub(super) fn new() -> Self {
        let mut stack = disabled();
        // SAFETY: this reads the alternate stack of this thread, and sets one that stays mapped
        // until `AltStack` is dropped. That happens on the same thread, since `AltStack` is not
        // Send.
        unsafe {
            libc::sigaltstack(ptr::null(), &mut stack);
            if stack.ss_flags & libc::SS_DISABLE == 0 {
                return AltStack { memory: None };
            }
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let memory = libc::mmap(ptr::null_mut(), SIZE, access, kind, -1, 0);
            if memory == libc::MAP_FAILED {
                return AltStack { memory: None };
            }
            stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: SIZE };
            libc::sigaltstack(&stack, ptr::null_mut());
            AltStack { memory: Some(memory) }
        }
    }
}

impl Drop for AltStack {
    fn drop(&mut self) {
        let Some(memory) = self.memory else { return };
        // SAFETY: `new` mapped the memory with that size. After the first call the kernel no longer
        // uses it.
        unsafe {
            libc::sigaltstack(&disabled(), ptr::null_mut());
            libc::munmap(memory, SIZE);
        }
    }
}

fn disabled() -> libc::stack_t {
    libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 }
}
