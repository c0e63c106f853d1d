// httpd_host: an HTTP server for one WSGI application, on libmicrohttpd.
//
//     httpd_host app.py callable [port]
//
// It listens on 127.0.0.1 and prints its URL; without a port, or with 0, the kernel chooses one.
// SIGINT and SIGTERM end it. This file is the HTTP side: the requests as libmicrohttpd parses them,
// and the beginning and end of the program. exchange.c has the rest of a request, workers.c the
// threads that the application runs on.

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <netdb.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange.h"
#include "workers.h"

#define WORKERS 8
#define GRACE_SECONDS 2

static sem_t stop;
static char port[6];

// ---- A request

// Called at the request line. What this returns comes back as `request` below.
static void *on_target(void *data, const char *target, struct MHD_Connection *connection) {
    (void) data;
    (void) connection;
    return exchange_create(target);
}

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size) {
    struct exchange *exchange = (struct exchange *) data;
    (void) kind;
    wsgi_header *header = &exchange->headers[exchange->request.headers_count++];
    header->name.data = (const uint8_t *) name;
    header->name.size = name_size;
    header->value.data = (const uint8_t *) value;
    header->value.size = value_size;
    return MHD_YES;
}

// The header fields, as libmicrohttpd keeps them until the request is over. 0 for no memory.
static int fill_headers(struct exchange *exchange, struct MHD_Connection *connection) {
    int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    exchange->headers = (wsgi_header *) calloc((size_t) count + 1, sizeof *exchange->headers);
    if (exchange->headers == NULL) {
        return 0;
    }
    exchange->request.headers = exchange->headers;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_header, exchange);
    return 1;
}

// Whether there is a body, how long it is, and the file it goes through. 0 if there is no file.
static int fill_body(struct exchange *exchange, struct MHD_Connection *connection) {
    wsgi_request *request = &exchange->request;
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    request->content_length = length != NULL ? strtoll(length, NULL, 10) : -1;
    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL) {
        request->content_length = -1;
    } else if (request->content_length <= 0) {
        return 1;
    }
    request->body_kind = WSGI_BODY_READ;
    exchange->body = tmpfile();
    return exchange->body != NULL;
}

static void fill_client(struct exchange *exchange, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info != NULL
        && getnameinfo(info->client_addr, sizeof(struct sockaddr_in), exchange->remote_addr,
                       sizeof exchange->remote_addr, exchange->remote_port,
                       sizeof exchange->remote_port, NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        exchange->request.remote_addr = wsgi_str_from(exchange->remote_addr);
        exchange->request.remote_port = wsgi_str_from(exchange->remote_port);
    }
}

// Tells the library what the request is. 0 if memory or a file cannot be had.
static int fill(struct exchange *exchange, struct MHD_Connection *connection, const char *path,
                const char *method, const char *version) {
    const wsgi_request empty = WSGI_REQUEST_INIT;
    wsgi_request *request = &exchange->request;
    const char *mark = strchr(exchange->target, '?');
    *request = empty;
    request->method = wsgi_str_from(method);
    request->path_info = wsgi_str_from(path);
    request->query_string = wsgi_str_from(mark != NULL ? mark + 1 : NULL);
    request->request_uri = wsgi_str_from(exchange->target);
    request->protocol = wsgi_str_from(version);
    request->server_name = wsgi_str_from("127.0.0.1");
    request->server_port = wsgi_str_from(port);
    request->server_addr = wsgi_str_from("127.0.0.1");
    fill_client(exchange, connection);
    return fill_headers(exchange, connection) && fill_body(exchange, connection);
}

static enum MHD_Result bad_request(struct MHD_Connection *connection) {
    static char text[] = "The path is not one.\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_BAD_REQUEST, response);
    MHD_destroy_response(response);
    return result;
}

// Called when the head is there, then for each piece of the body, then at its end.
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request) {
    struct exchange *exchange = (struct exchange *) *request;
    (void) data;
    if (exchange == NULL) {
        return MHD_NO;
    }
    if (!exchange->submitted) {
        // libmicrohttpd has decoded the path. A NUL would hide what follows it, and PEP 3333's
        // PATH_INFO begins with a slash.
        if (path[0] != '/' || strstr(exchange->target, "%00") != NULL) {
            return bad_request(connection);
        }
        if (!fill(exchange, connection, path, method, version)) {
            return MHD_NO;
        }
        exchange->submitted = 1;
        workers_submit(exchange);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        size_t size = *upload_size;
        *upload_size = 0; // all of it is taken
        return exchange_feed(exchange, upload, size) ? MHD_YES : MHD_NO;
    }
    return exchange_answer(exchange, connection);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how) {
    (void) data;
    (void) connection;
    (void) how;
    if (*request != NULL) {
        exchange_destroy((struct exchange *) *request);
        *request = NULL;
    }
}

// ---- The program

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    static const char *const names[] = {"info", "warn", "error"};
    (void) data;
    (void) request;
    fprintf(stderr, "[%s] %.*s\n", names[level], (int) line.size, (const char *) line.data);
}

static void on_signal(int number) {
    (void) number;
    sem_post(&stop);
}

// Handlers, and no blocked signals: the application's child processes would inherit those.
static void handle_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    sem_init(&stop, 0, 0);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

// Ends the program if a call failed, with the library's sentence.
static void need(wsgi_status status, wsgi_error *const *error) {
    if (status != WSGI_OK) {
        wsgi_str message = wsgi_error_message(*error);
        fprintf(stderr, "httpd_host: %.*s\n", (int) message.size, (const char *) message.data);
        wsgi_error_release(*error);
        exit(1);
    }
}

static wsgi_runtime *start_python(const char *file, const char *callable, wsgi_app **app) {
    wsgi_host host = WSGI_HOST_INIT;
    host.log = on_log;
    exchange_callbacks(&host);

    wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
    config.host = &host;

    wsgi_app_config where = WSGI_APP_CONFIG_INIT;
    where.target = file;
    where.callable = callable;

    wsgi_runtime *runtime;
    wsgi_error *error = NULL;
    need(wsgi_runtime_start(&config, &runtime, &error), &error);
    need(wsgi_app_load(runtime, &where, app, &error), &error);
    need(wsgi_app_wait(*app, 0, &error), &error);
    return runtime;
}

// A socket on 127.0.0.1. It is ours, and not libmicrohttpd's, so that `port` is known before the
// first request.
static int listen_on(const char *wanted_port) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t) strtoul(wanted_port, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0
        || bind(fd, (struct sockaddr *) &address, size) != 0 || listen(fd, 128) != 0
        || getsockname(fd, (struct sockaddr *) &address, &size) != 0) {
        perror("httpd_host: cannot listen");
        exit(1);
    }
    snprintf(port, sizeof port, "%u", (unsigned) ntohs(address.sin_port));
    return fd;
}

static struct MHD_Daemon *start_http(const char *wanted_port) {
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG, 0, NULL,
        NULL, on_request, NULL, MHD_OPTION_LISTEN_SOCKET, listen_on(wanted_port),
        MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        NULL, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
    if (daemon == NULL) {
        fputs("httpd_host: libmicrohttpd does not start\n", stderr);
        exit(1);
    }
    return daemon;
}

// Takes no new connections, gives requests that run a little time, then cancels them.
static void shut_down(struct MHD_Daemon *daemon, wsgi_runtime *runtime) {
    close(MHD_quiesce_daemon(daemon));
    int idle = workers_idle(GRACE_SECONDS);
    wsgi_runtime_stop(runtime, GRACE_SECONDS * 1000, NULL);
    if (!idle && !workers_idle(GRACE_SECONDS)) {
        fputs("httpd_host: a request does not end; leaving without it\n", stderr);
        _exit(1);
    }
    MHD_stop_daemon(daemon);
    workers_stop();
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) {
        fputs("usage: httpd_host app.py callable [port]\n", stderr);
        return 1;
    }
    handle_signals();
    wsgi_app *app;
    wsgi_runtime *runtime = start_python(argv[1], argv[2], &app);
    if (!workers_start(app, WORKERS)) {
        fputs("httpd_host: no threads\n", stderr);
        return 1;
    }
    struct MHD_Daemon *daemon = start_http(argc > 3 ? argv[3] : "0");
    printf("http://127.0.0.1:%s/\n", port);
    fflush(stdout);

    while (sem_wait(&stop) != 0) {
        // interrupted by the handler itself; it has posted
    }
    shut_down(daemon, runtime);
    wsgi_app_release(app);
    return 0;
}
