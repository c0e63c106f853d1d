// seed.c: preloaded, so that every run has the same hashes: the kernel's random numbers, from which
// Python and Rust seed theirs, are the same each time. The library takes no PYTHONHASHSEED.

#include <stddef.h>
#include <string.h>
#include <sys/types.h>

ssize_t getrandom(void *buffer, size_t size, unsigned flags);

ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
    (void) flags;
    memset(buffer, 0x5a, size);
    return (ssize_t) size;
}
