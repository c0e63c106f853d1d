// event_imports.c: hosts that wait for an import.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

// wsgi_app_wait returns after its time limit, and the import goes on.
static void wait_for_a_slow_import(void) {
    char own[] = "/tmp/wsgi-import-XXXXXX";
    char pipe[64];
    char text[4096];
    wsgi_error *error = NULL;

    ENSURE(mkdtemp(own) != NULL);
    snprintf(pipe, sizeof pipe, "%s/pipe", own);
    ENSURE(mkfifo(pipe, 0600) == 0);
    ENSURE(setenv("WSGI_TEST_PIPE", pipe, 1) == 0);
    host_start("slow.py", "application", 1, 0, 0);

    double begin = now();
    ENSURE(wsgi_app_wait(host.app, 300, &error) == WSGI_UNAVAILABLE);
    ENSURE(now() - begin >= 0.3 && now() - begin < 20);
    ENSURE(wsgi_error_status(error) == WSGI_UNAVAILABLE);
    wsgi_str sentence = wsgi_error_message(error);
    snprintf(text, sizeof text, "%.*s", (int) sentence.size, (const char *) sentence.data);
    ENSURE(strstr(text, "slow.py") != NULL && strstr(text, " 1 s") != NULL);
    wsgi_error_release(error);

    // The import waits at the pipe. When the pipe is closed the import goes on.
    int end = open(pipe, O_WRONLY);
    ENSURE(end >= 0);
    close(end);
    ENSURE(wsgi_app_wait(host.app, 60 * 1000, NULL) == WSGI_OK);
    ENSURE(wsgi_app_wait(host.app, 1, NULL) == WSGI_OK);
    submit_path(&one, "/");
    UNTIL(one.finished);
    ENSURE(one.status == 200);
    ENSURE_BODY(one, "imported");
    host_stop();
    unlink(pipe);
    rmdir(own);
}

const struct scenario scenarios_of_imports[] = {
    BY_ITSELF(wait_for_a_slow_import),
    END_OF_SCENARIOS,
};
