// seed.c: preloaded, so that each run has the same hashes. Python and Rust seed their hashes with
// random numbers of the kernel, and here these are the same each time. The library ignores
// PYTHONHASHSEED.

#include <stddef.h>
#include <string.h>
#include <sys/types.h>

ssize_t getrandom(void *buffer, size_t size, unsigned flags);

ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
    (void) flags;
    memset(buffer, 0x5a, size);
    return (ssize_t) size;
}
