/*
 * Looks for leaks where a worker ends: it ends by _exit, and LeakSanitizer
 * looks in exit handlers only.  Preloaded into nginx by scripts/sanitize.
 */

#define _GNU_SOURCE

#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>


/* nginx's own: it has received SIGTERM. */
extern volatile sig_atomic_t  ngx_terminate __attribute__((weak));

static pid_t  master;


__attribute__((constructor)) static void
remember_master(int argc, char **argv)
{
    int  i;

    master = getpid();

    for (i = 1; i < argc; i++) {

        /* The end of `nginx -t` frees nothing. */

        if (strcmp(argv[i], "-t") == 0) {
            __lsan_disable();
        }
    }
}


/*
 * Python keeps its objects in memory that it maps itself.  LeakSanitizer does
 * not look there, so what only a Python object points to would be a leak.
 */

static void
look_into_mappings(void)
{
    char           line[512], mode[5], name[2];
    FILE          *maps;
    unsigned long  start, end;

    maps = fopen("/proc/self/maps", "r");
    if (maps == NULL) {
        return;
    }

    while (fgets(line, sizeof(line), maps) != NULL) {

        /* No file, and not the heap of AddressSanitizer, which is below. */

        if (sscanf(line, "%lx-%lx %4s %*s %*s 0 %1s", &start, &end, mode, name)
            == 3
            && strcmp(mode, "rw-p") == 0 && start >> 40 >= 0x70)
        {
            __lsan_register_root_region((void *) start, end - start);
        }
    }

    fclose(maps);
}


void
_exit(int status)
{
    /*
     * A child that an application has forked has none of its threads, so
     * what these hold would look like leaks.  And the master kills a worker
     * that must terminate a second later, which is too soon.
     */

    if (getppid() == master
        && !(&ngx_terminate != NULL && ngx_terminate))
    {
        look_into_mappings();
        (void) __lsan_do_recoverable_leak_check();
    }

    for ( ;; ) {
        syscall(SYS_exit_group, status);
    }
}
