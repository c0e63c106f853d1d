// event_host: an HTTP server for one WSGI application, in a loop that waits for no client.
//
//     event_host app.py callable [port]
//
// It listens on 127.0.0.1 and prints its URL; without a port, or with 0, the kernel chooses one.
// SIGINT and SIGTERM end it. It answers as HTTP/1.0 does, one request for each connection, and has
// no time limits. This file is the program and its loop. client.c serves one client, and
// http.c knows HTTP.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // accept4; C++ has it anyway
#endif

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define THREADS 8
#define MAX_FD 1024
#define GRACE_MS 2000

static struct client *clients[MAX_FD]; // by their descriptor
static int stop_fd;

// ---- The library

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    static const char *const names[] = {"info", "warn", "error"};
    const char *address = request != NULL ? ((const struct client *) request)->address : "-";
    (void) data;
    fprintf(stderr, "[%s] %s %.*s\n", names[level], address, (int) line.size,
            (const char *) line.data);
}

// Ends the program if a call failed, with the library's sentence.
static void need(wsgi_status status, wsgi_error *const *error) {
    if (status != WSGI_OK) {
        wsgi_str message = wsgi_error_message(*error);
        fprintf(stderr, "event_host: %.*s\n", (int) message.size, (const char *) message.data);
        wsgi_error_release(*error);
        exit(1);
    }
}

static wsgi_runtime *start_python(const char *file, const char *callable) {
    wsgi_host host = WSGI_HOST_INIT;
    host.log = on_log;
    client_callbacks(&host);

    wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
    config.host = &host;
    config.threads = THREADS;
    config.flags = WSGI_EVENTFD;

    wsgi_app_config where = WSGI_APP_CONFIG_INIT;
    where.target = file;
    where.callable = callable;

    wsgi_runtime *runtime;
    wsgi_error *error = NULL;
    need(wsgi_runtime_start(&config, &runtime, &error), &error);
    need(wsgi_app_load(runtime, &where, &server.app, &error), &error);
    // This thread may wait for the import as long as it has not polled. Log lines wait for the poll.
    wsgi_status status = wsgi_app_wait(server.app, 0, &error);
    wsgi_poll(runtime, 0, NULL);
    need(status, &error);
    return runtime;
}

// Cancels all requests, gives their applications a little time to end, and ends the process.
static void stop_python(wsgi_runtime *runtime) {
    wsgi_runtime_stop(runtime, GRACE_MS, NULL);
    wsgi_poll(runtime, 0, NULL); // the last lines of the log
    for (int fd = 0; fd < MAX_FD; fd++) {
        if (clients[fd] != NULL) {
            client_destroy(clients[fd]);
        }
    }
    wsgi_app_release(server.app);
    if (server.unfinished > 0) {
        _exit(0); // an application may still be running, and exit() would remove what it uses
    }
    exit(0);
}

// ---- The loop

static void on_signal(int number) {
    uint64_t one = 1;
    ssize_t written = write(stop_fd, &one, sizeof one);
    (void) number;
    (void) written;
}

static void handle_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    stop_fd = eventfd(0, EFD_CLOEXEC);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void accept_one(int listener) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = accept4(listener, (struct sockaddr *) &address, &size, SOCK_CLOEXEC);
    if (fd < 0) {
        return; // the client has left already
    }
    struct client *client = fd < MAX_FD ? client_create(fd, &address) : NULL;
    if (client == NULL) {
        close(fd);
        return;
    }
    clients[fd] = client;
}

// Serves until a signal comes.
static void loop(wsgi_runtime *runtime, int listener) {
    static struct pollfd polled[3 + MAX_FD];
    polled[0].fd = stop_fd;
    polled[1].fd = wsgi_runtime_fd(runtime);
    polled[2].fd = listener;
    polled[0].events = polled[1].events = polled[2].events = POLLIN;
    while (polled[0].revents == 0) {
        nfds_t count = 3;
        for (int fd = 0; fd < MAX_FD; fd++) {
            if (clients[fd] != NULL) {
                polled[count].fd = fd;
                polled[count++].events = client_events(clients[fd]);
            }
        }
        if (poll(polled, count, -1) < 0) {
            continue; // a signal has come
        }
        for (nfds_t i = 3; i < count; i++) {
            int fd = polled[i].fd;
            if (!client_serve(clients[fd], polled[i].revents)) {
                client_destroy(clients[fd]);
                clients[fd] = NULL;
            }
        }
        if (polled[1].revents != 0) {
            wsgi_poll(runtime, 64, NULL); // the descriptor stays readable if there is more
        }
        if (polled[2].revents != 0) {
            accept_one(listener);
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) {
        fputs("usage: event_host app.py callable [port]\n", stderr);
        return 1;
    }
    wsgi_runtime *runtime = start_python(argv[1], argv[2]);
    handle_signals();
    int listener = http_listen(argc > 3 ? argv[3] : "0", server.port);
    if (listener < 0) {
        perror("event_host: cannot listen");
        return 1;
    }
    printf("http://127.0.0.1:%s/\n", server.port);
    fflush(stdout);
    loop(runtime, listener);
    close(listener);
    stop_python(runtime);
}
