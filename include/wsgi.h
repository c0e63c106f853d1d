// wsgi.h: runs WSGI applications (PEP 3333) inside a web server.
//
// libwsgi embeds the CPython interpreter in a program that already speaks HTTP. That program, the
// host, parses requests and sends responses; the library calls the application in between. It opens
// no socket and reads no configuration file. A process has one interpreter, and any number of
// applications in it.
//
// This file is generated from the library's sources. The opening chapters apply to all of it. Each
// chapter after them is about one subject, in the order in which a host meets them.
//
// LIFE CYCLE
//
// An event-driven host has a loop that must never wait. The library's Python threads run the
// application, and a descriptor of the library wakes the loop:
//
//      1  host.start = ...  host.write = ...           the callbacks; all of them on the loop
//      2  wsgi_runtime_start(&config, &runtime, ...)   after the last fork; config.threads = 8,
//                                                      config.flags = WSGI_EVENTFD
//      3  wsgi_app_load(runtime, &where, &app, ...)    returns at once, the import goes on
//      4  watch wsgi_runtime_fd(runtime) for reading
//      5  for each request, when its head is there:
//      6      wsgi_submit(app, &request, mine, &exchange, ...)
//      7  whenever that descriptor is readable:
//      8      wsgi_poll(runtime, 64, NULL)             calls start(mine), write(mine), finish(mine)
//      9  when bytes are sent:    wsgi_buffer_release(buffer)
//     10  when a client leaves:   wsgi_cancel(exchange)
//     11  wsgi_runtime_stop(runtime, 2000, ...)        then end the process
//
// A loop that cannot watch a descriptor sets host.notify instead of the flag.
//
// A blocking host has a thread for each request, and lends it to the application:
//
//      1  host.start = ...  host.write = ...           the callbacks; on the thread that runs
//      2  wsgi_runtime_start(&config, &runtime, ...)   after the last fork; config.threads = 0
//      3  wsgi_app_load(runtime, &where, &app, ...)
//      4  wsgi_app_wait(app, 0, ...)                   to learn early that an import fails
//      5  for each request, on any thread:
//      6      wsgi_run(app, &request, mine, ...)       calls start(mine), write(mine), finish(mine)
//      7      in read:    put body into the library's memory; it may block
//      8      in write:   send, then wsgi_buffer_release(buffer); it may block
//      9      in finish:  end the response as the outcome says
//     10  wsgi_runtime_stop(runtime, 2000, ...)        then end the process
//
// OWNERSHIP
//
// Each pointer is one of three things, and the text next to it names which:
//
// * **borrowed**: yours. The library reads it during the call and not after. The same is true for
//   what it points to.
// * **lent until** an event: the library's. You may read it until then. Copy what you need longer.
// * **owned**: its holder's, who must release it once, with the function that the text names.
//
// Releasing NULL does nothing. A pointer that was released, or whose loan is over, must not be used
// again: a release build cannot notice that, and anything may happen. A debug build of the library
// (`cargo build`) notices it, writes to descriptor 2 which function was called with what, and
// aborts. It does so for a handle that was released, cancelled or finished before, for a pointer
// that is not a handle of that type, and for a call on another thread than the one that "One thread
// only" means.
//
// ENDING A REQUEST
//
// A request ends by itself with `finish`. A host that ends it earlier, or goes on without the
// client, has these ways:
//
//      when                                   call                  the application    callbacks
//      the client left, or it takes too long  wsgi_cancel           must stop          none
//      the same, and you want a thread that   wsgi_cancel_watched   must stop; its     none
//        does not come back to be replaced                          thread is watched
//      the host answers by itself             wsgi_cancel_watched   must stop; the     none
//                                             (CANCEL_ANSWERED)     log blames no one
//      the client left, but the application   wsgi_detach_client    goes on, and its   want_body,
//        may finish its work                                        output is dropped  log, finish
//      a callback notices that the client     return non-zero       must stop          none
//        left
//      the body will not come, but the        wsgi_body_push        gets OSError from  as always
//        client may still be answered         (PUSH_BROKEN)         wsgi.input
//      a wsgi_run takes too long, or its      wsgi_run_cancel       must stop          none
//        client left
//
// "Must stop": a queued request never reaches Python; a running application gets OSError at its
// next read or write. "None": not even `finish`.
//
// CALLBACKS
//
// What a callback of the host may call, besides the functions that release what it owns:
//
//      in which                            what
//      any of wsgi_poll                    wsgi_submit, wsgi_body_push, wsgi_cancel,
//                                          wsgi_cancel_watched, wsgi_detach_client,
//                                          wsgi_exchange_phase, wsgi_exchange_time,
//                                          wsgi_pause_output, wsgi_app_load; not wsgi_poll
//                                          (WSGI_INVALID), wsgi_app_wait, wsgi_runtime_stop
//      any of wsgi_run, but log            everything of a blocking host: wsgi_run,
//                                          wsgi_run_cancel, wsgi_app_load, wsgi_app_wait,
//                                          wsgi_runtime_stop
//      log of a blocking host, notify      only wsgi_buffer_release and functions about errors;
//                                          these callbacks come on any thread
//
// A callback may cancel its own exchange or run, and return 0 or non-zero afterwards. `finish` may
// too.
//
// THREADS
//
// Every function says which threads may call it. "One thread only" means that an event-driven host
// uses the same thread for all such calls, from its first wsgi_submit on. The GIL is the lock of
// the Python interpreter: no function needs it, and no callback has it, so do not call Python from
// a callback. A call that "never blocks" takes short locks only, which no thread holds while it
// runs Python.
//
// A thread that calls wsgi_run needs the stack that Python needs, 1 MiB or more: with 128 KiB a
// deep recursion ends the process. The threads of the library have 8 MiB.
//
// fork() in a process that has started a runtime is for exec only: in the child every call that can
// fail returns WSGI_FORKED. Start the runtime after the last fork, once in each process.
//
// ERRORS
//
// A call that can fail returns a wsgi_status, and WSGI_OK is 0. If it also takes a `wsgi_error **`,
// it stores an error there: a sentence that says what is wrong and what to do. On success it does
// not touch the pointer, which may be NULL if you only want the status. No exception leaves the
// library. A bug of the library's own is WSGI_PANIC, and misuse that it notices is WSGI_INVALID.
//
// A failure of the application is not an error of a call: it is a wsgi_outcome, with the traceback
// in the log. docs/errors.md explains the lines in the log that begin with WSGI and four digits.
//
// VERSIONS
//
// A structure that the host fills begins with `struct_size`. Begin with its initialiser, such as
// WSGI_HOST_INIT, or fill it with zeros and set `struct_size` to its sizeof. A call refuses a
// structure of another size with WSGI_INVALID. Zero is the default of every member that is not
// called required, except wsgi_request.content_length: there it means that the client stated 0, and
// the initialiser sets -1. wsgi_runtime_start compares WSGI_ABI_VERSION: a host that was compiled
// with another one gets WSGI_WRONG_VERSION. wsgi_abi_version and wsgi_version are about the library
// that the host is linked with.
//
// ENVIRON
//
// Each request has a new dict with these keys:
//
// * from wsgi_request, where the text at a member names its key: REQUEST_METHOD, SCRIPT_NAME,
//   PATH_INFO, QUERY_STRING, SERVER_NAME, SERVER_PORT, SERVER_PROTOCOL, REQUEST_URI, RAW_URI,
//   REQUEST_SCHEME, CONTENT_LENGTH, and unless empty HTTPS, SERVER_ADDR, REMOTE_ADDR, REMOTE_PORT,
//   DOCUMENT_ROOT, REMOTE_USER, AUTH_TYPE, REQUEST_ID;
// * CONTENT_TYPE, from the first header field Content-Type;
// * HTTP_NAME for every other header field, in upper case and with `_` for `-`;
// * GATEWAY_INTERFACE and SERVER_SOFTWARE;
// * wsgi.version, wsgi.url_scheme, wsgi.input, wsgi.errors, wsgi.multithread, wsgi.multiprocess,
//   wsgi.run_once, wsgi.file_wrapper, and wsgi.input_terminated, which is True: reading wsgi.input
//   to its end is safe without a CONTENT_LENGTH;
// * libwsgi.client_disconnected, a function that returns whether the client is gone;
// * wsgi.early_hints, if the host has the callback early_hints and wsgi_request.early_hints is set;
// * last, wsgi_request.params. They replace any of the keys above, except those of the library's
//   objects: wsgi.input, wsgi.errors, wsgi.early_hints, libwsgi.client_disconnected.
//
// Header fields are filtered, so that no client can pass one off as another:
//
// * a name with characters other than letters, digits and `-` is dropped, unless
//   WSGI_ODD_HEADER_NAMES is set: X_Real_IP would look like X-Real-IP;
// * Proxy is dropped (programs take HTTP_PROXY for a setting);
// * Content-Type and Content-Length never become HTTP_CONTENT_TYPE or HTTP_CONTENT_LENGTH, and the
//   value of CONTENT_LENGTH comes only from wsgi_request.content_length;
// * Transfer-Encoding is dropped: the host has decoded it;
// * a field that is repeated becomes one string, joined with ", ", and Cookie with "; ".
//
// Nothing of the process's environment variables is copied.

#ifndef WSGI_H
#define WSGI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif


// ---- One request as the host describes it: plain data, borrowed for one call.

// The request has no body: `wsgi.input` is empty.
#define WSGI_BODY_NONE 0

// The whole body is in memory: `body_parts`, one after the other.
#define WSGI_BODY_MEMORY 1

// The whole body is in a file: `body_length` bytes of `body_fd`, from `body_offset` on.
#define WSGI_BODY_FILE 2

// The host pushes the body with `wsgi_body_push` while the application runs. Only for
// `wsgi_submit`.
#define WSGI_BODY_PUSH 3

// The library gets the body from the host's `read` callback, from the application's first read on.
// Only for `wsgi_run`.
#define WSGI_BODY_READ 4

// What 0 means for `wsgi_request.buffer_size`, in bytes: 1 MiB.
#define WSGI_DEFAULT_BUFFER_SIZE 1048576

// A run of bytes. Not NUL-terminated, in no particular encoding.
//
// `data` may be NULL when `size` is 0. When a host passes a `wsgi_str` to the library, the bytes
// are **borrowed** for that one call. When the library passes one to a callback, they are **lent
// until the callback returns**.
typedef struct wsgi_str {
    const uint8_t *data;
    size_t size;
} wsgi_str;

// A name and its value: a header field, or a key of `environ` with its string.
typedef struct wsgi_header {
    wsgi_str name;
    wsgi_str value;
} wsgi_header;

// One HTTP request, as the host has parsed it.
//
// Begin with `WSGI_REQUEST_INIT`, then set the members you know. `method` is required. Every other
// string may be empty. Four of them have defaults, since PEP 3333 does not allow them to be empty.
// `wsgi_submit` copies all it needs (and duplicates `body_fd`) before it returns; `wsgi_run` reads
// it during the call. The structure and everything it points to are **borrowed**, and may be used
// for another request right after.
//
// A request that contradicts itself is `WSGI_INVALID`, with a sentence that names the member: a
// string that is NULL and has a size, a `content_length` that is not the size of the body, an
// `auth_type` without a `remote_user`, or anything else that a member's description forbids.
//
// The library does not parse HTTP: the host must refuse malformed requests, decode and normalise
// the path, and de-chunk the body. Each string is bytes, which the application gets decoded as
// ISO-8859-1, as PEP 3333 demands.
typedef struct wsgi_request {
    // `sizeof(wsgi_request)`.
    size_t struct_size;
    // REQUEST_METHOD. Required. For `HEAD` the library sends the head of the response and no body.
    wsgi_str method;
    // SCRIPT_NAME: the part of the decoded path that led to the application; empty, or a `/` and
    // more, without a slash at its end.
    wsgi_str script_name;
    // PATH_INFO: the rest of the decoded path.
    wsgi_str path_info;
    // QUERY_STRING: what follows the `?`, as it was sent.
    wsgi_str query_string;
    // REQUEST_URI and RAW_URI: the request target as it was sent, query included.
    wsgi_str request_uri;
    // SERVER_PROTOCOL, such as `HTTP/1.1`. Empty means `HTTP/1.0`.
    wsgi_str protocol;
    // wsgi.url_scheme and REQUEST_SCHEME: `http` or `https`; for `https`, HTTPS is `on`.
    // Empty means `http`.
    wsgi_str scheme;
    // SERVER_NAME. Empty means `localhost`.
    wsgi_str server_name;
    // SERVER_PORT, in decimal. Empty means 80, or 443 for `https`.
    wsgi_str server_port;
    // SERVER_ADDR; absent from `environ` when empty, as are the strings that follow.
    wsgi_str server_addr;
    // REMOTE_ADDR.
    wsgi_str remote_addr;
    // REMOTE_PORT, in decimal.
    wsgi_str remote_port;
    // DOCUMENT_ROOT.
    wsgi_str document_root;
    // REMOTE_USER: only a name that the host itself has verified.
    wsgi_str remote_user;
    // AUTH_TYPE: only together with a `remote_user`.
    wsgi_str auth_type;
    // REQUEST_ID: the host's own name for this request, for its log.
    wsgi_str request_id;
    // CONTENT_LENGTH in bytes, or -1 if the client stated none and it is not known yet. This is
    // the one member whose zero does not mean "not set": the client stated 0, and no body is read.
    // `WSGI_REQUEST_INIT` sets it to -1.
    //
    // The body must have exactly this length. If its size is known when the request is handed
    // over, another length is `WSGI_INVALID`. A body that ends earlier raises OSError in the
    // application, which never takes it for whole. The library reads no more than this of a longer
    // body.
    int64_t content_length;
    // The header fields in the order received, repeated ones repeated. The library joins and
    // filters them: see the chapter ENVIRON.
    const wsgi_header *headers;
    size_t headers_count;
    // More keys of `environ`. They are set last and replace all others. No name may be empty, or
    // be the key of an object of the library: `wsgi.input`, `wsgi.errors`, `wsgi.early_hints`,
    // `libwsgi.client_disconnected`.
    const wsgi_header *params;
    size_t params_count;
    // One of the `WSGI_BODY_` constants.
    uint32_t body_kind;
    // `WSGI_BODY_FILE`: an open regular file, **borrowed** (the library duplicates it). Ignored
    // for other kinds.
    int body_fd;
    // `WSGI_BODY_FILE`: where the body begins and how many bytes it has. The file must have them
    // already.
    uint64_t body_offset;
    uint64_t body_length;
    // `WSGI_BODY_MEMORY`: the body, in any number of parts. The call copies all of it: for more
    // than a megabyte, a file or a pushed body costs less.
    const wsgi_str *body_parts;
    size_t body_parts_count;
    // The number of bytes of the response that the host may hold, from `write` to
    // `wsgi_buffer_release`, before the application must wait; 0 means `WSGI_DEFAULT_BUFFER_SIZE`.
    // Each buffer counts its bytes and `WSGI_BUFFER_COST`. The application waits before it hands
    // over its next block, until the host holds no more than half of this. A block is never
    // divided, and a list of blocks is handed over whole, so the host may hold one of either more.
    // Only for `wsgi_submit`.
    size_t buffer_size;
    // 1 if the host can send this client a response 103 (Early Hints), which it cannot with
    // HTTP/1.0; else 0. With 1, and if the host has the callback `early_hints`, `environ` has
    // `wsgi.early_hints`.
    int early_hints;
} wsgi_request;

// A NUL-terminated string as a wsgi_str, which borrows it; NULL becomes an empty one.
static inline wsgi_str wsgi_str_from(const char *text) {
    wsgi_str s;
    s.data = (const uint8_t *) text;
    s.size = text == NULL ? 0 : strlen(text);
    return s;
}

// What a `wsgi_request` begins with: `wsgi_request x = WSGI_REQUEST_INIT;`
#define WSGI_REQUEST_INIT { \
    sizeof(wsgi_request), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, \
    {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, \
    {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, -1, NULL, 0, NULL, 0, 0, -1, 0, 0, NULL, \
    0, 0, 0 \
}


// ---- What calls return, and the sentence that goes with a failure.

// The result of a call.
typedef enum wsgi_status {
    // Done.
    WSGI_OK = 0,
    // `max_queue` requests already wait for a thread: answer 503.
    WSGI_BUSY = 1,
    // The runtime was stopped: answer 503.
    WSGI_STOPPING = 2,
    // The application could not be imported, or not in time: answer 503.
    WSGI_UNAVAILABLE = 3,
    // The call broke a rule of this header, or a setting is wrong. The error says which.
    WSGI_INVALID = 4,
    // The host was compiled with a wsgi.h of another `WSGI_ABI_VERSION`.
    WSGI_WRONG_VERSION = 5,
    // The process was forked from the one that started the runtime. Only that one can use the
    // runtime.
    WSGI_FORKED = 6,
    // Python could not be started. The error says why.
    WSGI_PYTHON = 7,
    // A callback returned that the client is gone, or the host cancelled the request. The request
    // is over; send nothing more to its client.
    WSGI_GONE = 8,
    // A bug of the library. The process and other requests go on.
    WSGI_PANIC = 9,
} wsgi_status;

// Why a call failed: a status and a sentence.
//
// **Owned**: its holder calls `wsgi_error_release`. It may outlive everything that it mentions. It
// never changes, so any number of threads may read it.
typedef struct wsgi_error wsgi_error;

// The name of a status, such as `WSGI_BUSY`, or `WSGI_?` for a number that is not a status. A
// NUL-terminated string, **lent until the process ends**. Any thread, at any time.
const char *wsgi_status_name(int status);

// The status that came with `error`, or `WSGI_INVALID` for NULL. Any thread.
wsgi_status wsgi_error_status(const wsgi_error *error);

// What went wrong, as a sentence in UTF-8 for the log; empty for NULL. **Lent until**
// `wsgi_error_release`. Any thread.
wsgi_str wsgi_error_message(const wsgi_error *error);

// For an answer 503: the number of seconds for the header field `Retry-After`, after which the
// client may try again. At least 1 for `WSGI_BUSY`, `WSGI_STOPPING`, `WSGI_UNAVAILABLE` and
// `WSGI_PYTHON`; 0 for every other status, and for NULL. Any thread.
uint32_t wsgi_error_retry_after(const wsgi_error *error);

// Releases an **owned** error. NULL is allowed and does nothing. Any thread.
void wsgi_error_release(wsgi_error *error);


// ---- What a host offers: the table of callbacks, and what the library passes to them.

// What a buffer counts in `wsgi_request.buffer_size` besides its bytes: about the memory that one
// needs, however small it is.
#define WSGI_BUFFER_COST 320

// In `write` and `send_file`: `finish` with `WSGI_COMPLETE` follows at once.
//
// With it a host can mark the last piece in the same step, for example the HTTP/2 frame that ends
// the stream. A host may ignore it.
#define WSGI_WRITE_LAST 1

// `read`: the rest of the body will not come. This read of the application and all later ones
// raise OSError. The application may still answer. If it does not catch the error, there is no
// client left to answer, and the result is that of `WSGI_READ_GONE`.
#define WSGI_READ_BROKEN -1

// `read`: the client is gone, as if another callback had returned non-zero. The application's
// reads and writes raise OSError, no callback for this request follows, and `wsgi_run` returns
// `WSGI_GONE`.
#define WSGI_READ_GONE -2

// How a request ended.
typedef enum wsgi_outcome {
    // The response is complete.
    WSGI_COMPLETE = 0,
    // The application failed before `start`: answer 500. Its traceback is in the log.
    WSGI_FAILED = 1,
    // The application could not be imported, or the library is stopping: answer 503, with
    // `Retry-After`.
    WSGI_REFUSED = 2,
    // The application failed after `start`, or gave fewer bytes than its Content-Length: what was
    // sent is not the whole response. End the connection (HTTP/1) or reset the stream (HTTP/2,
    // HTTP/3), and do not send a last chunk. You may send what was handed over before. With
    // HTTP/1.0 and no length a closed connection looks like the end of a whole response: reset it
    // (SO_LINGER with 0).
    WSGI_TRUNCATED = 3,
} wsgi_outcome;

// How much a log line matters.
typedef enum wsgi_level {
    // Not a fault, such as a client that left.
    WSGI_LOG_INFO = 0,
    WSGI_LOG_WARN = 1,
    // Also everything that the application prints to sys.stdout and sys.stderr, and writes to
    // wsgi.errors: the library cannot know how much that matters.
    WSGI_LOG_ERROR = 2,
} wsgi_level;

// The status line and the headers of a response, **lent until the callback returns**.
//
// The library has checked everything in it: `status` is from 200 to 999, names are tokens of RFC
// 9110, values have no control characters but tabs, and hop-by-hop fields are gone.
typedef struct wsgi_head {
    // The three digits of the status line.
    uint32_t status;
    // What followed them, such as `Not Found`; may be empty.
    wsgi_str reason;
    // The header fields in the application's order, without `Content-Length`. The library adds
    // none. The host adds `Date` and `Server`, unless the application has set them, and what the
    // connection needs (`Connection`, `Transfer-Encoding`), which the application cannot set.
    const wsgi_header *headers;
    size_t headers_count;
    // How many bytes of body follow, or -1 if that is not known. For `HEAD` (and 304) what the
    // application stated, although no body follows.
    int64_t content_length;
    // 1 if no body follows, whatever `content_length` says; else 0.
    int no_body;
} wsgi_head;

// A piece of a response body. **Owned**: its holder releases it exactly once with
// `wsgi_buffer_release`, on any thread, also after the request is over.
//
// The bytes do not move or change while it lives. Use it where the library put it; a copy of the
// structure is not a buffer.
typedef struct wsgi_buffer {
    const uint8_t *data;
    // At least 1.
    size_t size;
} wsgi_buffer;

// The callbacks of a host. Begin with `WSGI_HOST_INIT`, then set the members you offer.
//
// `wsgi_runtime_start` copies the table; the functions must stay until the process ends. One table
// serves both kinds of hosts. In an event-driven host (`notify` or `WSGI_EVENTFD` is set)
// `wsgi_poll` calls every callback except `notify`, on its caller's thread, and each must return
// without blocking. In a blocking host `wsgi_run` calls the request's callbacks, on its caller's
// thread, without the GIL, and they may block. If the application reads or writes on a thread of
// its own, the callbacks come on that thread. They come one at a time nevertheless, except `log`,
// and before `wsgi_run` returns.
//
// `request` is the pointer that the host gave to `wsgi_submit` or `wsgi_run`; the library never
// reads it. For each request the calls come in this order: any number of `early_hints`, `start`,
// any number of `write` and `send_file`, `finish`. If there is no response, `finish` comes without
// `start`. `want_body`, `read` and `log` come in between.
//
// `early_hints`, `start`, `write`, `send_file` and `want_body` return 0 to go on. Any other value
// means that the client is gone. It ends the exchange as `wsgi_cancel` does, and no callback for
// this request follows, not even `finish`.
typedef struct wsgi_host {
    // `sizeof(wsgi_host)`.
    size_t struct_size;
    // Passed to `log`, `notify` and `exhausted`; the library never reads it.
    void *data;
    // The response begins. Required.
    int (*start)(void *request, const wsgi_head *head);
    // The next `count` (at least 1) pieces of the body. The **host owns** the buffers from now on,
    // also if it returns non-zero. The array is lent until the callback returns. The host must
    // send the pieces without waiting for more: PEP 3333 does not allow it to delay a block.
    // Required.
    int (*write)(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags);
    // `length` (at least 1) bytes of the regular file `fd`, from `offset` on, are the next piece
    // of the body. The **host owns** `fd` from now on, also if it returns non-zero, and closes it.
    // Optional: without it the library reads the file and calls `write`.
    int (*send_file)(void *request, int fd, uint64_t offset, uint64_t length, uint32_t flags);
    // The request is over and the library does not use `request` again. The `wsgi_exchange` ends
    // when this returns. `retry_after` is in seconds for `WSGI_REFUSED`, else 0. Required.
    void (*finish)(void *request, wsgi_outcome outcome, uint32_t retry_after);
    // The application waits for body bytes: call `wsgi_body_push` when there are some, now or
    // later. It is called again if those were not enough, or when the application wants more. When
    // it is called first, and `start` did not come before, send a response 100 (Continue) if the
    // client waits for one. Required for `WSGI_BODY_PUSH`.
    int (*want_body)(void *request);
    // Put up to `size` (at least 1) bytes of body into `buffer`. Return their number, 0 at the end
    // of the body, `WSGI_READ_BROKEN` if the rest will not come, or `WSGI_READ_GONE` if the client
    // is gone. The library never asks for more than is left of `content_length`, and does not ask
    // again once all of that has come. It treats a 0 before that as `WSGI_READ_BROKEN`. When this
    // is called first, send a response 100 (Continue) if the client waits for one. Required for
    // `WSGI_BODY_READ`.
    ptrdiff_t (*read)(void *request, uint8_t *buffer, size_t size);
    // One line for the log, without a line break. `request` is NULL if the line belongs to no
    // request or its request is over. In a blocking host any thread that logs calls it, several at
    // once. Required.
    void (*log)(void *data, void *request, wsgi_level level, wsgi_str line);
    // The library has something for `wsgi_poll`. It calls `notify` on its own threads, once until
    // the next `wsgi_poll`, and again if none comes. The callback must only wake the thread that
    // polls, for example by writing to an eventfd.
    //
    // The loop must read that eventfd *first* and call `wsgi_poll` *then*. From the poll on the
    // library may call `notify` again. A loop that reads after the poll loses that wake-up: it
    // sleeps until the library notices that and calls `notify` once more. With `WSGI_EVENTFD` this
    // mistake is not possible.
    //
    // An application that still runs may cause a call after `wsgi_runtime_stop`, so what `notify`
    // writes to must stay open. Setting `notify` makes the host event-driven. Without it and
    // without `WSGI_EVENTFD` the host can only use `wsgi_run`.
    void (*notify)(void *data);
    // More than `wsgi_runtime_config.max_stuck` threads, `stuck` of them, are stuck at the same
    // time: see `wsgi_cancel_watched`. A stuck thread cannot be killed. A host with several
    // processes should finish its accepted requests, exit, and start a new process. Called once,
    // from `wsgi_poll`; the pool still has all of its working threads. Optional.
    void (*exhausted)(void *data, size_t stuck);
    // The application knows some header fields of its response already: send them now, as a
    // response 103 (Early Hints, RFC 8297), before the one that `start` begins. `headers` are
    // `headers_count` (at least 1) fields, checked as those of a head and without
    // `Content-Length`; they are **lent until the callback returns**. Called only for requests
    // with `wsgi_request.early_hints`. Optional: without it `environ` has no `wsgi.early_hints`.
    int (*early_hints)(void *request, const wsgi_header *headers, size_t headers_count);
} wsgi_host;

// What a `wsgi_host` begins with: `wsgi_host x = WSGI_HOST_INIT;`
#define WSGI_HOST_INIT { \
    sizeof(wsgi_host), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
}


// ---- Starting, polling and stopping the one runtime of a process.

// The version of this header. A host passes it in `wsgi_runtime_config.abi_version`.
#define WSGI_ABI_VERSION 2

// The most Python threads that a runtime can have: `wsgi_runtime_config.threads`.
#define WSGI_MAX_THREADS 1024

// What 0 means for `wsgi_runtime_config.max_queue`.
#define WSGI_DEFAULT_MAX_QUEUE 1024

// `wsgi_runtime_config.flags`: other processes run the same applications (`wsgi.multiprocess`).
#define WSGI_MULTIPROCESS 1

// `wsgi_runtime_config.flags`: requests come in batches. `wsgi_submit` wakes no thread; the next
// `wsgi_poll` wakes one for all that was submitted. The host must call `wsgi_poll` soon after it
// submits, also without `notify`. This saves most of the switches between threads where a loop
// reads many sockets in turn.
#define WSGI_BATCH 2

// `wsgi_runtime_config.flags`: the library leaves SIGPIPE and SIGXFSZ alone. Without this flag it
// ignores each of them that has its default when the runtime starts; see `wsgi_runtime_start`.
#define WSGI_KEEP_SIGPIPE 4

// `wsgi_runtime_config.flags`: the library leaves SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT
// alone, and reports no crash (WSGI0303).
#define WSGI_NO_CRASH_REPORT 8

// `wsgi_runtime_config.flags`: `wsgi_runtime_check` also fails for what may be right but probably
// is wrong: a folder of `python_path` that is missing or that this process cannot read, a package
// in `python_home` that it cannot read, a virtualenv whose Python was removed. A host should warn
// about these, and start.
#define WSGI_CHECK_CLOSELY 16

// `wsgi_runtime_config.flags`: header fields whose names have characters other than letters,
// digits and `-` reach the application too. The host must leave out those that it does not want.
// Without this flag none of them reaches it, since `X_Real_IP` has the same key in `environ` as
// `X-Real-IP`. With the flag `X-Real-IP` wins if a request has both, and a name that would become
// CONTENT_LENGTH, CONTENT_TYPE or HTTP_PROXY is left out nevertheless.
#define WSGI_ODD_HEADER_NAMES 32

// `wsgi_runtime_config.flags`: instead of calling `notify`, which must be NULL then, the library
// makes a descriptor that is readable while the host should call `wsgi_poll`: see
// `wsgi_runtime_fd`. The host is event-driven.
#define WSGI_EVENTFD 64

// `wsgi_runtime_config.flags`: the host promises that when the runtime starts, all of its signal
// handlers are set, and it already ignores every signal that it will ignore. If the import of an
// application then replaces a handler by C code, the library restores it after the import
// (WSGI0315). Do not use this flag if the host sets a handler later: the library would remove that
// one. The signals of `WSGI_NO_CRASH_REPORT` are excepted.
#define WSGI_KEEP_HANDLERS 128

// The interpreter, its threads and their queue. A process has one.
//
// It lives until the process ends. `wsgi_runtime_stop` stops it but does not release it, so that a
// call that comes too late gets `WSGI_STOPPING`. Any thread may call the functions of a runtime,
// except where they say otherwise.
typedef struct wsgi_runtime wsgi_runtime;

// How Python must run. Begin with `WSGI_RUNTIME_CONFIG_INIT`, then set the members you want.
// Everything in it is **borrowed** for the call.
typedef struct wsgi_runtime_config {
    // `sizeof(wsgi_runtime_config)`.
    size_t struct_size;
    // `WSGI_ABI_VERSION`.
    uint32_t abi_version;
    // Any of the flags above, or 0.
    uint32_t flags;
    // The callbacks. Required for `wsgi_runtime_start`, ignored by `wsgi_runtime_check`.
    const wsgi_host *host;
    // A virtualenv of the Python that the library was built with, or its prefix, or NULL for that
    // Python without a virtualenv. NUL-terminated.
    const char *python_home;
    // Folders that are put in front of sys.path; their .pth files are honoured. NUL-terminated
    // strings.
    const char *const *python_path;
    size_t python_path_count;
    // The number of Python threads that answer what `wsgi_submit` hands over, at most
    // `WSGI_MAX_THREADS`. With 0 an event-driven host runs applications on its own thread:
    // `wsgi_poll` calls them, takes the GIL, and returns when each has given its response or as
    // much of it as `buffer_size` allows. That is for applications that are fast and never wait. A
    // blocking host must set 0.
    uint32_t threads;
    // How many submitted requests may wait for a thread or for an import; more get `WSGI_BUSY`. 0
    // means `WSGI_DEFAULT_MAX_QUEUE`.
    uint32_t max_queue;
    // The longest line, in bytes, that `log` can take; longer ones are split, never inside a
    // character of UTF-8. 0 means no limit; the least is 64.
    size_t log_line_size;
    // How many threads may be stuck at the same time, each of them replaced by a new one: see
    // `wsgi_cancel_watched`, and `exhausted` of `wsgi_host`. 0: a stuck thread is not replaced.
    uint32_t max_stuck;
} wsgi_runtime_config;

// The `WSGI_ABI_VERSION` that the library was built with. Any thread, at any time.
uint32_t wsgi_abi_version(void);

// The library and the Python it was built with, such as `libwsgi/0.1.0 Python/3.11`. A
// NUL-terminated string, **lent until the process ends**. Any thread, at any time.
const char *wsgi_version(void);

// Checks a configuration without starting Python: that `python_home` is a home of the right
// installation of Python, and that numbers are in range. For a host's "test the configuration".
//
// `WSGI_OK`, or `WSGI_WRONG_VERSION` or `WSGI_INVALID` with a sentence in `*error` (**owned**;
// `error` may be NULL). A NULL `config` is `WSGI_INVALID`. Any thread, before a start too.
wsgi_status wsgi_runtime_check(const wsgi_runtime_config *config, wsgi_error **error);

// Starts the runtime. The call returns at once; Python starts on a thread of its own. Applications
// may be loaded and requests submitted at once; they wait.
//
// Call it once in a process, after the last fork and after the process has dropped its privileges:
// application code runs with the rights of the caller. The library reads no environment variable.
//
// What it does to the signals of the process, and nothing else:
//
// * SIGPIPE and SIGXFSZ are ignored from this call on, if they had their default: programs in
//   Python expect an error from a broken pipe, not the end of the process. A child of `subprocess`
//   has the default again. `WSGI_KEEP_SIGPIPE` switches this off.
// * SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT get handlers while Python starts, if all five have
//   their default. A crash then writes what the thread was doing (WSGI0303) and its Python stack
//   to descriptor 2, not to `log`, and has its usual effect. A thread that runs Python and has no
//   alternate signal stack gets one. `WSGI_NO_CRASH_REPORT` switches all of this off. A handler of
//   the host's may be set before or after this call, and stays.
// * SIGINT keeps its default, or the host's handler, also one that is set later.
// * The application can set no handler (WSGI0301), and the library blocks no signal. Its threads
//   have the signal mask of the caller, and so have the children of the application. A host that
//   waits for signals with sigwait or signalfd must therefore block them before this call; one
//   that has handlers need not, and its children inherit no mask.
//
// `*runtime` is set on `WSGI_OK` and NULL otherwise; it is **lent until the process ends**. Fails
// with `WSGI_INVALID` (a broken rule, a wrong setting, a second start) or `WSGI_WRONG_VERSION`,
// with a sentence in `*error` (**owned**; `error` may be NULL). If Python itself cannot start,
// that shows later: in the log, and as `WSGI_PYTHON` or `WSGI_UNAVAILABLE`. Any thread.
wsgi_status wsgi_runtime_start(const wsgi_runtime_config *config,
                               wsgi_runtime **runtime,
                               wsgi_error **error);

// With `WSGI_EVENTFD`: the descriptor that the loop must watch for reading. Whenever it is
// readable, call `wsgi_poll`, which reads it; the host must neither read, write nor close it. It
// is readable as long as the library has something for the host, also what a `wsgi_poll` with
// `max_deliveries` has left, and after a `wsgi_submit` that needs a `wsgi_poll` soon. So no
// wake-up can be lost. It is closed on exec.
//
// **Lent until the process ends**. -1 without the flag, and for NULL. Any thread, at any time.
int wsgi_runtime_fd(wsgi_runtime *runtime);

// Delivers what the library has for the host: calls the callbacks of requests, `log` and
// `exhausted`.
//
// An event-driven host calls it on its loop thread: whenever `notify` was called, after the loop
// has read what `notify` wrote; or whenever the descriptor of `wsgi_runtime_fd` is readable.
// Without threads, or with `WSGI_BATCH`, the host also calls it soon after each `wsgi_submit`. It
// never blocks and never takes the GIL, except that without threads it runs applications.
//
// A *delivery* is everything that one exchange has for the host, or one log line that belongs to
// no exchange, or a mere wake-up. The call makes at most `max_deliveries` of them, and stops after
// about 1024 callbacks, 256 log lines or 5 milliseconds, so that your other events have their
// turn. 0 means all that waits when you call, however long that takes. Without threads the same
// limit of time holds for the applications that it runs: after 5 milliseconds the others wait for
// the next call.
//
// `*left` (may be NULL) is set to the number of deliveries, and without threads also of requests,
// that still wait. If it is not 0, call again without waiting for `notify`. The chapter CALLBACKS
// lists the functions that a callback may call.
//
// `WSGI_INVALID` for NULL or from inside a callback, `WSGI_FORKED` in a forked child. After
// `wsgi_runtime_stop` it still delivers log lines. One thread only, the one that submits.
wsgi_status wsgi_poll(wsgi_runtime *runtime, size_t max_deliveries, size_t *left);

// With `pause` not 0 every application waits before it hands over its next block, until the host
// calls this with 0. A host whose responses together hold too much memory can pause while it moves
// them elsewhere. A request that is cancelled meanwhile ends once the pause does. Without threads
// no request begins meanwhile; one that has begun does not wait.
//
// Never blocks. NULL is allowed and does nothing. One thread only, the one that polls.
void wsgi_pause_output(wsgi_runtime *runtime, int pause);

// Stops the runtime: it accepts no more requests, cancels every exchange and every `wsgi_run`,
// runs Python's atexit handlers, and flushes sys.stdout and sys.stderr.
//
// It waits for that at most `timeout_ms` milliseconds; then applications may still be running on
// their threads. They have all of that time to come back. The exit handlers run once all have come
// back, or when a quarter of the time is left. The interpreter is not torn down, since that is not
// safe while applications run. End the process soon. `exit` is safe if each request has had its
// `finish`, or its `wsgi_run` has returned. The application of a request that was cancelled may
// still be running: then end the process with `_exit`, after you have flushed your own files.
//
// In an event-driven host no callback of a request follows, `finish` included, but the clients are
// still connected. The host owes each of them an end: send 503 where `start` was not called, and
// cut the response off, as for `WSGI_TRUNCATED`, where it was. In a blocking host no callback
// begins once this has returned, and each `wsgi_run` returns `WSGI_GONE` or `WSGI_STOPPING` as
// soon as its application comes back. A callback that was in progress when the time was over goes
// on: end what it waits for. This may be called inside a callback of `wsgi_run`, and does not wait
// for that run then. `log` may be called until the process ends, with a NULL request.
//
// `WSGI_OK`, also when the time was over (the log reports that). `WSGI_STOPPING` the second time,
// `WSGI_INVALID` for NULL, `WSGI_FORKED` in a forked child, each with a sentence in `*error`
// (**owned**; `error` may be NULL). In an event-driven host the polling thread must call it,
// outside callbacks; in a blocking host any thread may.
wsgi_status wsgi_runtime_stop(wsgi_runtime *runtime,
                              uint32_t timeout_ms,
                              wsgi_error **error);

// What a `wsgi_runtime_config` begins with: `wsgi_runtime_config x = WSGI_RUNTIME_CONFIG_INIT;`
#define WSGI_RUNTIME_CONFIG_INIT { \
    sizeof(wsgi_runtime_config), WSGI_ABI_VERSION, 0, NULL, NULL, NULL, 0, 0, 0, 0, 0 \
}


// ---- Naming an application and loading it.

// One application of a runtime.
//
// **Owned**: release it with `wsgi_app_release`. The requests that were submitted to it go on
// after that. The application stays imported, and loading the same `target` and `callable` again
// gives the same application. Any number of threads may use it.
typedef struct wsgi_app wsgi_app;

// Where an application is: in a file, or in an importable module. **Borrowed** for the call.
typedef struct wsgi_app_config {
    // `sizeof(wsgi_app_config)`.
    size_t struct_size;
    // With `callable`: the path of a Python file. Its folder is put at the end of sys.path, and
    // the module is named after the file. Without: `package.module:attr`. NUL-terminated.
    const char *target;
    // The name of the application in the file, or NULL if `target` has it. It may be dotted, and
    // end in `()` to call a factory without arguments. NUL-terminated.
    const char *callable;
} wsgi_app_config;

// Checks, without Python, that `config` names something that can be loaded: the file exists and
// this process can read it, and the names are well formed.
//
// `WSGI_OK`, or `WSGI_INVALID` with a sentence in `*error` (**owned**; `error` may be NULL), also
// for a NULL `config`. Any thread, before a start too.
wsgi_status wsgi_app_check(const wsgi_app_config *config, wsgi_error **error);

// Begins to import an application and returns without waiting. Requests may be submitted at once;
// they wait for the import.
//
// If the import fails, the log gets its whole traceback, and requests get `WSGI_UNAVAILABLE`. The
// first request after a pause tries again. The pause is 1 s, and doubles up to 30 s.
//
// `*app` is set (**owned**) on `WSGI_OK`, and NULL otherwise. Fails with `WSGI_INVALID`,
// `WSGI_STOPPING` or `WSGI_FORKED`, with a sentence in `*error` (**owned**; `error` may be NULL).
// Any thread.
wsgi_status wsgi_app_load(wsgi_runtime *runtime,
                          const wsgi_app_config *config,
                          wsgi_app **app,
                          wsgi_error **error);

// Waits until the application is imported. For hosts that may block, and for their start-up.
//
// `WSGI_OK` once it is. `WSGI_UNAVAILABLE` if the import failed or took longer than `timeout_ms`
// milliseconds (0: no limit), `WSGI_PYTHON` if the interpreter did not start, `WSGI_STOPPING`,
// `WSGI_FORKED`, or `WSGI_INVALID` for NULL, each with a sentence in `*error` (**owned**; `error`
// may be NULL).
//
// Any thread except the one that polls. That one may call it only before its first `wsgi_poll`, so
// that an event-driven host can wait before its loop runs. Log lines, those of the import too,
// stay in the library until it polls.
wsgi_status wsgi_app_wait(wsgi_app *app, uint32_t timeout_ms, wsgi_error **error);

// Releases an **owned** application. NULL is allowed and does nothing. Any thread.
void wsgi_app_release(wsgi_app *app);

// What a `wsgi_app_config` begins with: `wsgi_app_config x = WSGI_APP_CONFIG_INIT;`
#define WSGI_APP_CONFIG_INIT { \
    sizeof(wsgi_app_config), NULL, NULL \
}


// ---- Answering requests: submit and its companions for event-driven hosts, run for blocking ones.

// `wsgi_body_push`: these are the last bytes of the body.
#define WSGI_PUSH_LAST 1

// `wsgi_body_push`: the rest of the body will not come, and `size` must be 0. The application's
// reads raise OSError. If the application does not catch that, `finish` comes with `WSGI_FAILED`
// or `WSGI_TRUNCATED`, and the log has WSGI0208. If the client is gone, call `wsgi_cancel`
// instead.
#define WSGI_PUSH_BROKEN 2

// `wsgi_cancel_watched`: raise `libwsgi.RequestTimeout` in the application when it is late.
#define WSGI_CANCEL_INTERRUPT 1

// `wsgi_cancel_watched`: the client is still there, and the host ends the response by itself, for
// example because something else answers. The log does not blame the client then.
#define WSGI_CANCEL_ANSWERED 2

// What an exchange waits for. A host's timer may be about any of them.
typedef enum wsgi_phase {
    // For a thread, or for the import of its application.
    WSGI_PHASE_QUEUED = 0,
    // For the application.
    WSGI_PHASE_RUNNING = 1,
    // For the host: to release buffers, or to push body.
    WSGI_PHASE_HOST = 2,
    // For `wsgi_poll`: the application is done.
    WSGI_PHASE_DONE = 3,
} wsgi_phase;

// One request that is being answered, in an event-driven host.
//
// **Lent** from `wsgi_submit` until the first of these: `finish` returns, a callback of the
// request returns non-zero, or the host calls `wsgi_cancel` or `wsgi_cancel_watched`. The pointer
// must not be used after that. An exchange that `wsgi_runtime_stop` cancels is an exception: its
// pointer stays valid, and cancelling it does nothing. One thread only, the one that polls.
typedef struct wsgi_exchange wsgi_exchange;

// Hands a request to a Python thread and returns at once. Never blocks, never takes the GIL.
//
// `request` is **borrowed** for the call. `host_request` is passed to the callbacks, and must not
// be NULL. On `WSGI_OK`, `*exchange` is set, and later calls of `wsgi_poll` call the callbacks.
// Otherwise `*exchange` is NULL and no callback follows: the host must answer 503 for `WSGI_BUSY`,
// `WSGI_STOPPING` and `WSGI_UNAVAILABLE`, and 500 for `WSGI_FORKED` and `WSGI_INVALID` (NULL, a
// `struct_size` of another version, a request that contradicts itself, a kind of body that is not
// allowed here, a host that is not event-driven, a pushed body without threads). A sentence is in
// `*error` (**owned**; `error` may be NULL). One thread only, the one that polls.
wsgi_status wsgi_submit(wsgi_app *app,
                        const wsgi_request *request,
                        void *host_request,
                        wsgi_exchange **exchange,
                        wsgi_error **error);

// Gives the application up to `size` more bytes of a `WSGI_BODY_PUSH` body. Never blocks.
//
// `data` is **borrowed** for the call; `flags` is 0, `WSGI_PUSH_LAST` or `WSGI_PUSH_BROKEN`. The
// call copies the bytes that fit, and sets `*taken` to their number (`taken` may be NULL; 0 unless
// `WSGI_OK`). What fits is what the application waits for, and at most 256 KiB besides. Keep the
// rest until `want_body` is called, then push it again. You need not wait for `want_body` before
// the first push.
//
// Set `WSGI_PUSH_LAST` only on a call that offers the last byte. It has an effect if the call
// takes all of `size`. `size` 0 with `WSGI_PUSH_LAST` ends the body.
//
// `WSGI_OK`, or `WSGI_INVALID` for NULL, for an exchange that has no pushed body, after the end,
// and for a body that is not as long as `content_length`: more bytes than are left of it, or
// `WSGI_PUSH_LAST` before all have been offered. A body of another length is then broken, as by
// `WSGI_PUSH_BROKEN`. One thread only, the one that polls.
wsgi_status wsgi_body_push(wsgi_exchange *exchange,
                           const uint8_t *data,
                           size_t size,
                           uint32_t flags,
                           size_t *taken);

// Ends an exchange whose client is gone, or that took too long. No callback for it follows.
//
// A request that is queued never reaches Python. A running application gets an OSError at its next
// read or write, and its iterable is closed. Buffers that the host still has stay valid. O(1),
// never waits; may be called inside the exchange's own callbacks. NULL is allowed and does
// nothing. One thread only, the one that polls.
void wsgi_cancel(wsgi_exchange *exchange);

// Does what `wsgi_cancel` does, and watches the thread: if the application has not come back
// `late_after_ms` milliseconds later (0: it is late now), that thread is stuck.
//
// The library logs the Python stack of a stuck thread. It replaces up to
// `wsgi_runtime_config.max_stuck` stuck threads by new ones, so that the pool keeps its size; a
// replaced thread that comes back ends. If more threads are stuck than that, it calls `exhausted`
// of `wsgi_host`. With `WSGI_CANCEL_INTERRUPT` it also raises an exception in the stuck thread.
// The thread gets that exception as soon as it runs Python code, and never in a later request. If
// the exchange is queued and `late_after_ms` is 0, the library logs what keeps the threads busy.
//
// `about` names the request in those log lines, which come later and belong to no request. It is
// **borrowed** for the call. `flags` is `WSGI_CANCEL_INTERRUPT`, `WSGI_CANCEL_ANSWERED`, both or
// 0. Never waits, never takes the GIL; may be called inside the exchange's own callbacks. A NULL
// exchange is allowed and does nothing. One thread only, the one that polls.
// 0. Never waits, never takes the GIL; may be called inside the exchange's own callbacks. A NULL
// exchange is allowed and does nothing. One thread only, the one that polls.
void wsgi_cancel_watched(wsgi_exchange *exchange,
                         wsgi_str about,
                         uint64_t late_after_ms,
                         uint32_t flags);

// Lets the application of an exchange finish although its client is gone.
//
// The library drops what the application gives from now on, and what the application gave before
// and was not delivered. The application does not wait for buffers that the host still has, and
// its reads and writes do not fail. It can ask `environ['libwsgi.client_disconnected']`. Only
// `want_body`, `log` and `finish` still come for this request. `wsgi_cancel` may be called later.
// O(1), never waits; may be called inside the exchange's own callbacks. NULL is allowed and does
// nothing. One thread only, the one that polls.
void wsgi_detach_client(wsgi_exchange *exchange);

// Returns what the exchange waits for. `*since_ms` (may be NULL) is set to a number of
// milliseconds: since the submit (`WSGI_PHASE_QUEUED`), since the application began or last gave
// or took something (`WSGI_PHASE_RUNNING`), since it began to wait (the others).
//
// A host can set one timer at submit and ask here when it fires, instead of one timer at each
// event. `WSGI_PHASE_DONE` for NULL. Never blocks. One thread only, the one that polls.
wsgi_phase wsgi_exchange_phase(const wsgi_exchange *exchange, uint64_t *since_ms);

// Returns the number of milliseconds since the exchange was submitted. `*queued_ms` (may be NULL)
// is set to the number of them in which it waited for a thread, or for the import of its
// application: all of them while it still waits. 0 for NULL.
//
// A host that logs both shows whether the pool is too small or the application slow. Never blocks.
// One thread only, the one that polls.
uint64_t wsgi_exchange_time(const wsgi_exchange *exchange, uint64_t *queued_ms);

// Answers one request on the calling thread, and calls all of its callbacks before it returns:
// without the GIL and one at a time, on this thread or on one that the application uses. Waits for
// the import of the application first.
//
// `request` is **borrowed** for the call. `host_request` is passed to the callbacks, and must not
// be NULL.
//
// `WSGI_OK`: `finish` was called, whatever the outcome. `WSGI_GONE`: a callback returned that the
// client is gone, or the application did not catch the OSError of a broken body, or
// `wsgi_run_cancel` or `wsgi_runtime_stop` cancelled the run. `finish` was not called, and the
// host must end the connection. Otherwise no callback was called, and the host must answer 503 for
// `WSGI_UNAVAILABLE`, `WSGI_PYTHON` and `WSGI_STOPPING`, and 500 for `WSGI_FORKED`, `WSGI_PANIC`
// and `WSGI_INVALID` (NULL, a `struct_size` of another version, a request that contradicts itself,
// a kind of body that is not allowed here, an event-driven host). A sentence is in `*error`
// (**owned**; `error` may be NULL).
//
// Any number of threads may call it at once, also inside a callback of another run. Each thread
// keeps its Python thread state (`threading.local`) from one call to the next, and the state is
// freed when the thread ends. A host may have a thread for each connection, but a pool of threads
// is faster. The thread needs the stack of any Python thread, 1 MiB or more: with less, a deep
// recursion ends the process.
wsgi_status wsgi_run(wsgi_app *app,
                     const wsgi_request *request,
                     void *host_request,
                     wsgi_error **error);

// Cancels the `wsgi_run` that was given `host_request`, because its client is gone or it takes too
// long. If there are several, it cancels all of them.
//
// No callback for the run begins any more. If one is in progress on its thread, it goes on, and
// the host must end it. The application gets an OSError at its next read or write, its iterable is
// closed, and `wsgi_run` returns `WSGI_GONE`. A run that still waits for an import returns at
// once. Never blocks, never takes the GIL.
//
// `WSGI_OK`, or `WSGI_GONE` if no such run is in progress (it has just ended), `WSGI_INVALID` for
// NULL, `WSGI_FORKED` in a forked child. Any thread, also inside the run's own callbacks.
wsgi_status wsgi_run_cancel(wsgi_runtime *runtime, void *host_request);

// Releases an **owned** buffer and gives its bytes back to the application's credit. NULL is
// allowed and does nothing. Never blocks, never takes the GIL. Any thread, also after the request
// is over and after `wsgi_runtime_stop`.
void wsgi_buffer_release(wsgi_buffer *buffer);

// Gives the credit of a buffer back while the host keeps the buffer: the application goes on as if
// the host had released it. NULL is allowed and does nothing. A second call does nothing.
//
// This is for a host that limits what it holds in another way, such as a temporary file for all
// that follows. Never blocks, never takes the GIL. Any thread that owns the buffer.
void wsgi_buffer_return_credit(wsgi_buffer *buffer);


#ifdef __cplusplus
}
#endif

#endif // WSGI_H
