//! A stack for the handlers of signals of a thread. Where the thread's own stack has overflowed, they
//! need another one.

use std::ptr;

/// Takes memory only if it is used.
const SIZE: usize = 128 * 1024;

/// The stack for handlers of the thread that made it. It is taken away when this is dropped.
pub(super) struct AltStack {
    /// None if the thread had one before, or if there was no memory. Then only the last line about an
    /// overflow of the stack is lost.
    memory: Option<*mut libc::c_void>,
}

impl AltStack {
    pub(super) fn new() -> Self {
        let mut stack = disabled();
        // SAFETY: asks for the stack of this thread, and sets one that stays mapped until `AltStack`
        // is dropped: on the same thread, as it is not Send.
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
        // SAFETY: `new` mapped the memory with that size. After the first call the kernel does not
        // use it any more.
        unsafe {
            libc::sigaltstack(&disabled(), ptr::null_mut());
            libc::munmap(memory, SIZE);
        }
    }
}

fn disabled() -> libc::stack_t {
    libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 }
}
