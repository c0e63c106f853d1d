// count.c: preloaded into nginx under callgrind. It counts from the second connection to the third.
// So it does not count the start and the end of nginx and Python, nor the work of filling caches.

#define _GNU_SOURCE

#include <dlfcn.h>
#include <string.h>
#include <valgrind/callgrind.h>

// Its header is not used: there `address` is a union of pointers, which only GNU C accepts.
typedef int (*accept4_pt)(int fd, void *address, unsigned *length, int flags);

int accept4(int fd, void *address, unsigned *length, int flags);

int accept4(int fd, void *address, unsigned *length, int flags) {
    static accept4_pt of_libc;
    static unsigned connections;

    if (of_libc == NULL) {
        void *found = dlsym(RTLD_NEXT, "accept4");

        // ISO C has no conversion between pointers to objects and to functions.
        memcpy(&of_libc, &found, sizeof(found));
    }

    int connection = of_libc(fd, address, length, flags);

    if (connection != -1) {
        connections++;
        if (connections == 2) {
            CALLGRIND_START_INSTRUMENTATION;
        } else if (connections == 3) {
            CALLGRIND_STOP_INSTRUMENTATION;
        }
    }

    return connection;
}
