// count.c: preloaded into nginx under callgrind, which counts from the second connection to the third.
// Neither the start of nginx and Python is counted nor their end, nor what the first requests fill.

#define _GNU_SOURCE

#include <dlfcn.h>
#include <string.h>
#include <valgrind/callgrind.h>

// Not by its header, whose `address` is a union of pointers that only GNU C takes.
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
