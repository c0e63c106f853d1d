// signals: a blocking host that ignores the subject of signals, and what replaces its handlers.
//
//     signals STEP... app.py
//
// The program takes the steps in order. `start` starts Python, and the application runs after the
// last step. test_signals.py reads the output.

#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wsgi.h"

static wsgi_runtime *runtime;
static wsgi_app *app;
static const char *file;
static uint32_t flags;

static int on_start(void *request, const wsgi_head *head) {
    (void) request;
    (void) head;
    return 0;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t how) {
    (void) request;
    (void) how;
    for (size_t i = 0; i < count; i++) {
        fwrite(buffers[i]->data, 1, buffers[i]->size, stdout);
        wsgi_buffer_release(buffers[i]);
    }
    return fflush(stdout);
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    (void) request;
    (void) retry_after;
    printf("\nfinish %d\n", (int) outcome);
}

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    (void) data;
    (void) request;
    (void) level;
    fprintf(stderr, "%.*s\n", (int) line.size, (const char *) line.data);
}

static void my_handler(int number) {
    (void) number;
}

static void need(wsgi_status status) {
    if (status != WSGI_OK) {
        fprintf(stderr, "status %d\n", (int) status);
        exit(1);
    }
}

static void start(void) {
    wsgi_host host = WSGI_HOST_INIT;
    host.start = on_start;
    host.write = on_write;
    host.finish = on_finish;
    host.log = on_log;
    wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
    config.host = &host;
    config.flags = flags;
    need(wsgi_runtime_start(&config, &runtime, NULL));
}

static void load(const char *callable) {
    wsgi_app_config where = WSGI_APP_CONFIG_INIT;
    where.target = file;
    where.callable = callable;
    need(wsgi_app_load(runtime, &where, &app, NULL));
    need(wsgi_app_wait(app, 0, NULL));
}

static void run(void) {
    wsgi_request request = WSGI_REQUEST_INIT;
    request.method = wsgi_str_from("GET");
    need(wsgi_run(app, &request, &request, NULL));
}

// Every signal that does not have its default.
static void show(void) {
    printf("not default:");
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
            const char *how = action.sa_handler == SIG_IGN      ? "ignored"
                              : action.sa_handler == my_handler ? "mine"
                                                                : "taken";
            printf(" %d=%s", number, how);
        }
    }
    putchar('\n');
}

static void wait_microseconds(long count) {
    struct timespec time = {count / 1000000, count % 1000000 * 1000};
    nanosleep(&time, NULL);
}

// A step is a word, with a number or a name behind a colon if it needs one.
static int step(const char *word) {
    const char *colon = strchr(word, ':');
    const char *argument = colon != NULL ? colon + 1 : "";
    if (strncmp(word, "handle:", 7) == 0) {
        signal(atoi(argument), my_handler);
    } else if (strncmp(word, "ignore:", 7) == 0) {
        signal(atoi(argument), SIG_IGN);
    } else if (strncmp(word, "raise:", 6) == 0) {
        raise(atoi(argument));
    } else if (strncmp(word, "wait:", 5) == 0) {
        wait_microseconds(atol(argument));
    } else if (strncmp(word, "load:", 5) == 0) {
        load(argument);
    } else if (strcmp(word, "start") == 0) {
        start();
    } else if (strcmp(word, "show") == 0) {
        show();
    } else if (strcmp(word, "run") == 0) {
        run();
    } else if (strcmp(word, "keep-sigpipe") == 0) {
        flags |= WSGI_KEEP_SIGPIPE;
    } else if (strcmp(word, "no-crash-report") == 0) {
        flags |= WSGI_NO_CRASH_REPORT;
    } else {
        return 0;
    }
    fflush(stdout);
    return 1;
}

int main(int argc, char **argv) {
    file = argv[argc - 1];
    for (int i = 1; i < argc - 1; i++) {
        if (!step(argv[i])) {
            fprintf(stderr, "signals: \"%s\" is no step\n", argv[i]);
            return 2;
        }
    }
    wsgi_app_release(app);
    need(wsgi_runtime_stop(runtime, 2000, NULL));
    return 0;
}
