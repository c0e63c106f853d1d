// wsgi.h: runs WSGI applications (PEP 3333) inside a web server.
//
// libwsgi embeds the CPython interpreter in a program that already speaks HTTP. That program, the
// host, parses requests and sends responses; the library calls the application in between. It opens
// no socket and knows no configuration file. A process has one interpreter, and as many
// applications in it as the host loads.
//
// This file is generated from the library's sources. The opening chapters say what holds for all of
// it; the rest is one chapter for each noun, in the order in which a host meets them.
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
//      4  wsgi_app_wait(app, 0, ...)                   to be told early that an import fails
//      5  for each request, on any thread:
//      6      wsgi_run(app, &request, mine, ...)       calls start(mine), write(mine), finish(mine)
//      7      in read:    put body into the library's memory, block if need be
//      8      in write:   send, block if need be, then wsgi_buffer_release(buffer)
//      9      in finish:  end the response, as the outcome says
//     10  wsgi_runtime_stop(runtime, 2000, ...)        then end the process
//
// OWNERSHIP
//
// Each pointer is one of three things, and the text beside it says which:
//
// * **borrowed**: yours. The library reads it during the call and not after. This also goes for
//   what it points to.
// * **lent until** something: the library's, for you to read until then. Copy what you need longer.
// * **owned**: the holder's. Whoever holds it releases it, once, with the function that is named.
//
// Releasing NULL does nothing. A pointer that was released, or whose loan is over, must not be used
// again: a release build cannot tell, and anything may happen. A debug build of the library (`cargo
// build`) tells: it writes to descriptor 2 which function was called with what, and aborts. It does
// so for a handle that was released, cancelled or finished before, for a pointer that is no handle of
// that type, and for a call on another thread than the one that "One thread only" means.
//
// CALLBACKS
//
// What may be called in a callback of the host, besides releasing what it owns:
//
//      in which                            what
//      any of wsgi_poll                    wsgi_submit, wsgi_body_push, wsgi_cancel, wsgi_abandon,
//                                          wsgi_discard, wsgi_exchange_phase, wsgi_exchange_time,
//                                          wsgi_pause_output, wsgi_app_load; not wsgi_poll
//                                          (WSGI_INVALID), wsgi_app_wait, wsgi_runtime_stop
//      any of wsgi_run, but log            everything of a blocking host: wsgi_run, wsgi_run_cancel,
//                                          wsgi_app_load, wsgi_app_wait, wsgi_runtime_stop
//      log of a blocking host, notify      nothing but wsgi_buffer_release and functions about errors;
//                                          they come on any thread
//
// A callback may cancel its own exchange or run, and return 0 or non-zero afterwards. `finish` may too.
//
// THREADS
//
// Every function says which threads may call it. "One thread only" means that an event-driven host
// uses the same thread for all such calls, from its first wsgi_submit on. The GIL is the lock of
// the Python interpreter: no function needs it, and no callback has it, so do not call Python from
// one. A call that "never blocks" takes short locks only, which no thread holds while it runs
// Python.
//
// A thread that calls wsgi_run needs the stack that Python needs, 1 MiB or more: with 128 KiB a deep
// recursion ends the process. The threads of the library have 8 MiB.
//
// fork() in a process that has started a runtime is for exec only: in the child every call answers
// WSGI_FORKED. Start the runtime after the last fork, once in each process.
//
// ERRORS
//
// A call that can fail returns a wsgi_status, and WSGI_OK is 0. If it also takes a `wsgi_error **`,
// it stores an error there that says in a sentence what is wrong and what to do. On success the
// pointer is not touched; it may be NULL if you only want the status. No exception leaves the
// library, a bug of its own comes back as WSGI_PANIC, and misuse that can be told is WSGI_INVALID.
//
// What goes wrong in the application is not an error of a call: it is a wsgi_outcome, with the
// traceback in the log. Lines in the log that begin with WSGI and four digits are explained in
// docs/errors.md.
//
// VERSIONS
//
// A structure that the host fills begins with `struct_size`. Begin with its initialiser, such as
// WSGI_HOST_INIT, or fill it with zeros and set `struct_size` to its sizeof. A call refuses a structure
// of another size with WSGI_INVALID. Zero is the default of every member that is not called required,
// but of wsgi_request.content_length, where it means that the client has stated 0; the initialiser
// sets that to -1. WSGI_ABI_VERSION is compared when the runtime starts:
// a host that was compiled with another one gets WSGI_WRONG_VERSION.
// wsgi_abi_version and wsgi_version tell what the host is linked with.
//
// ENVIRON
//
// What the application gets is a new dict for each request, with these keys:
//
// * from wsgi_request, where the member beside each says so: REQUEST_METHOD, SCRIPT_NAME,
//   PATH_INFO, QUERY_STRING, SERVER_NAME, SERVER_PORT, SERVER_PROTOCOL, REQUEST_URI, RAW_URI,
//   REQUEST_SCHEME, CONTENT_LENGTH, and unless empty HTTPS, SERVER_ADDR, REMOTE_ADDR, REMOTE_PORT,
//   DOCUMENT_ROOT, REMOTE_USER, AUTH_TYPE, REQUEST_ID;
// * CONTENT_TYPE, from the first header field Content-Type;
// * HTTP_NAME for every other header field, in upper case and with `_` for `-`;
// * GATEWAY_INTERFACE and SERVER_SOFTWARE;
// * wsgi.version, wsgi.url_scheme, wsgi.input, wsgi.errors, wsgi.multithread, wsgi.multiprocess,
//   wsgi.run_once, wsgi.file_wrapper, and wsgi.input_terminated, which is True: reading wsgi.input
//   to its end is safe without a CONTENT_LENGTH;
// * libwsgi.client_disconnected, a function that says whether the client is gone;
// * wsgi.early_hints, if the host has the callback early_hints and wsgi_request.early_hints is set;
// * last, and in place of any of the above but the objects that the library lends (wsgi.input,
//   wsgi.errors, wsgi.early_hints, libwsgi.client_disconnected), wsgi_request.params.
//
// Header fields are filtered, so that no client can pass one off as another:
//
// * a name with anything but letters, digits and `-` is dropped, unless WSGI_ODD_HEADER_NAMES is set:
//   X_Real_IP would look like X-Real-IP;
// * Proxy is dropped (programs take HTTP_PROXY for a setting);
// * Content-Type and Content-Length never become HTTP_CONTENT_TYPE or HTTP_CONTENT_LENGTH, and the
//   number comes from wsgi_request.content_length only;
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


// ---- What a host says about one request: plain data, borrowed for one call.

// The request has no body: `wsgi.input` is empty.
#define WSGI_BODY_NONE 0

// The whole body is in memory: `body_parts`, one after the other.
#define WSGI_BODY_MEMORY 1

// The whole body is in a file: `body_length` bytes of `body_fd`, from `body_offset` on.
#define WSGI_BODY_FILE 2

// The host pushes the body with `wsgi_body_push` while the application runs. Only `wsgi_submit`.
#define WSGI_BODY_PUSH 3

// The library pulls the body with the host's `read` callback, from the application's first read
// on. Only `wsgi_run`.
#define WSGI_BODY_READ 4

// What 0 means for `wsgi_request.buffer_size`, in bytes: 1 MiB.
#define WSGI_DEFAULT_BUFFER_SIZE 1048576

// A run of bytes. Not NUL-terminated, in no particular encoding.
//
// `data` may be NULL when `size` is 0. Where a `wsgi_str` is handed to the library the bytes are
// **borrowed** for that one call; where the library hands one to a callback they are **lent until
// the callback returns**.
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
// string may be empty; four of them mean something then, since PEP 3333 wants them not empty. The
// library copies all it needs (and duplicates `body_fd`) before
// `wsgi_submit` returns; `wsgi_run` reads it during the call. The structure and everything it
// points to are **borrowed**, and may be used for another request right after.
//
// A request that contradicts itself is `WSGI_INVALID`, with a sentence that names the member: a
// string that is NULL and has a size, a `content_length` that is not the size of the body, an
// `auth_type` without a `remote_user`, and what the members say of themselves.
//
// The library does not parse HTTP: the host has refused malformed requests, decoded and normalised
// the path, and de-chunked the body. Each string is bytes and reaches the application as PEP 3333
// has it, decoded as ISO-8859-1.
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
    // CONTENT_LENGTH in bytes, or -1 where the client stated none and it is not known yet. This is
    // the one member whose zero means something else than "not said": the client stated 0, and no
    // body is read. `WSGI_REQUEST_INIT` sets it to -1.
    //
    // The body must be just as long. Where its size is known when the request is handed over, another
    // length is `WSGI_INVALID`; a body that ends before raises OSError in the application, and is
    // never taken for whole. Of a longer one no more is read.
    int64_t content_length;
    // The header fields in the order received, repeated ones repeated. The library joins and
    // filters them (see "environ" above).
    const wsgi_header *headers;
    size_t headers_count;
    // More keys of `environ`, put in last: they win over all others. No name may be empty, or that of
    // an object which the library lends: `wsgi.input`, `wsgi.errors`, `wsgi.early_hints`,
    // `libwsgi.client_disconnected`.
    const wsgi_header *params;
    size_t params_count;
    // One of the `WSGI_BODY_` constants.
    uint32_t body_kind;
    // `WSGI_BODY_FILE`: an open regular file, **borrowed** (the library duplicates it); else ignored.
    int body_fd;
    // `WSGI_BODY_FILE`: where the body begins and how many bytes it has. The file has them already.
    uint64_t body_offset;
    uint64_t body_length;
    // `WSGI_BODY_MEMORY`: the body, in as many parts as the host happens to have it. All of it is
    // copied in the call: for more than a megabyte a file, or pushing it, costs less.
    const wsgi_str *body_parts;
    size_t body_parts_count;
    // How much of a response the library may have handed over and not got back (by
    // `wsgi_buffer_release`) before the application must wait, in bytes; 0 means
    // `WSGI_DEFAULT_BUFFER_SIZE`. Each buffer counts its bytes and `WSGI_BUFFER_COST`. The
    // application waits before it hands over the next block, until no more than half is out. A
    // block is never divided, and a list of blocks is handed over whole: what is out may exceed
    // this by either. Only `wsgi_submit`.
    size_t buffer_size;
    // 1 if this client can be sent a response 103 (Early Hints): with HTTP/1.0 it cannot. Then
    // `environ` has `wsgi.early_hints`, if the host has the callback `early_hints`; else 0.
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

// What a call came to.
typedef enum wsgi_status {
    // Done.
    WSGI_OK = 0,
    // As many requests as `max_queue` wait for a thread: answer 503.
    WSGI_BUSY = 1,
    // The runtime has been stopped: answer 503.
    WSGI_STOPPING = 2,
    // The application could not be imported, or not in time: answer 503.
    WSGI_UNAVAILABLE = 3,
    // The call broke a rule of this header, or a setting is wrong. The error says which.
    WSGI_INVALID = 4,
    // The host was compiled with a wsgi.h of another `WSGI_ABI_VERSION`.
    WSGI_WRONG_VERSION = 5,
    // The process is a fork of the one that started the runtime. Only that one can use it.
    WSGI_FORKED = 6,
    // Python could not be started. The error says why.
    WSGI_PYTHON = 7,
    // The client is gone, as a callback has said, or the host has given the request up: it is over,
    // and nothing more is to be said to its client.
    WSGI_GONE = 8,
    // A bug of the library. The process and other requests go on.
    WSGI_PANIC = 9,
} wsgi_status;

// Why a call failed: a status and a sentence.
//
// **Owned**: whoever gets one calls `wsgi_error_release`. It outlives whatever it speaks of. It
// never changes, so any number of threads may read it.
typedef struct wsgi_error wsgi_error;

// The name of a status, such as `WSGI_BUSY`, or `WSGI_?` for a number that is none. A NUL-terminated
// string, **lent for ever**. Any thread, at any time.
const char *wsgi_status_name(int status);

// The status that came with `error`, or `WSGI_INVALID` for NULL. Any thread.
wsgi_status wsgi_error_status(const wsgi_error *error);

// What went wrong, as a sentence in UTF-8 for the log; empty for NULL. **Lent until**
// `wsgi_error_release`. Any thread.
wsgi_str wsgi_error_message(const wsgi_error *error);

// For an answer 503: in how many seconds the client may come again, for the header field
// `Retry-After`. At least 1 for `WSGI_BUSY`, `WSGI_STOPPING`, `WSGI_UNAVAILABLE` and `WSGI_PYTHON`; 0
// for every other status, and for NULL. Any thread.
uint32_t wsgi_error_retry_after(const wsgi_error *error);

// Releases an **owned** error. NULL is allowed and does nothing. Any thread.
void wsgi_error_release(wsgi_error *error);


// ---- What a host offers: the table of callbacks, and what is handed through them.

// What a buffer counts in `wsgi_request.buffer_size` besides its bytes: about the memory that one
// needs, however small it is.
#define WSGI_BUFFER_COST 320

// In `write` and `send_file`: `finish` with `WSGI_COMPLETE` follows at once.
//
// With it a host can mark the last piece in the same step, for example the HTTP/2 frame that ends
// the stream. A host may ignore it.
#define WSGI_WRITE_LAST 1

// `read`: the rest of the body cannot be had. This read of the application and all later ones raise
// OSError. It may still answer; if it does not catch the error, nobody is left to be answered, and
// it is as with `WSGI_READ_GONE`.
#define WSGI_READ_BROKEN -1

// `read`: the client is gone, as if another callback had returned non-zero. The application's reads
// and writes raise OSError, no callback for this request follows, and `wsgi_run` returns
// `WSGI_GONE`.
#define WSGI_READ_GONE -2

// How a request ended.
typedef enum wsgi_outcome {
    // The response is complete.
    WSGI_COMPLETE = 0,
    // The application failed before `start`: answer 500. Its traceback has been logged.
    WSGI_FAILED = 1,
    // The application could not be imported, or the library is stopping: answer 503, with
    // `Retry-After`.
    WSGI_REFUSED = 2,
    // The application failed after `start`, or gave fewer bytes than its Content-Length: what was
    // sent is not the whole response. End the connection (HTTP/1) or reset the stream (HTTP/2,
    // HTTP/3); do not send a last chunk. What was handed over before may be sent. With HTTP/1.0 and
    // no length a connection that is closed is what a whole response looks like: reset it
    // (SO_LINGER with 0).
    WSGI_TRUNCATED = 3,
} wsgi_outcome;

// How much a log line matters.
typedef enum wsgi_level {
    // What is nobody's fault, such as a client that left.
    WSGI_LOG_INFO = 0,
    WSGI_LOG_WARN = 1,
    // Also all that the application prints to sys.stdout and sys.stderr, and writes to wsgi.errors:
    // the library cannot know how much it matters.
    WSGI_LOG_ERROR = 2,
} wsgi_level;

// The status line and the headers of a response, **lent until the callback returns**.
//
// Everything in it has been checked: `status` is from 200 to 999, names are tokens of RFC 9110,
// values have no control characters but tabs, hop-by-hop fields are gone.
typedef struct wsgi_head {
    // The three digits of the status line.
    uint32_t status;
    // What followed them, such as `Not Found`; may be empty.
    wsgi_str reason;
    // The header fields in the application's order, without `Content-Length`. The library adds none:
    // `Date`, `Server` and what the connection needs (`Connection`, `Transfer-Encoding`) are the
    // host's, and of these only the first two can be there, if the application has set them.
    const wsgi_header *headers;
    size_t headers_count;
    // How many bytes of body follow, or -1 if that is not known. For `HEAD` (and 304) what the
    // application stated, though no body follows.
    int64_t content_length;
    // 1 if no body follows, whatever `content_length` says; else 0.
    int no_body;
} wsgi_head;

// A piece of a response body, **owned** by whoever holds it: release it exactly once with
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
// It is copied by `wsgi_runtime_start`, the functions must stay for the life of the process. One
// table serves both halves. In an event-driven host (`notify` or `WSGI_EVENTFD` is set) every
// callback but `notify` is called by `wsgi_poll`, on its caller's thread, and returns without
// blocking. In a blocking host the request's callbacks are called by `wsgi_run`, on its caller's
// thread, without the GIL, and may block. If the application reads or writes on a thread of its own,
// they are called on that thread. They are called one at a time, except `log`, and before `wsgi_run`
// returns.
//
// `request` is the pointer that the host gave to `wsgi_submit` or `wsgi_run`; the library never
// reads it. For each request the calls come in this order: any number of `early_hints`, `start`, then
// any number of `write` and `send_file`, then `finish`; `finish` without `start` if there is no
// response. `want_body`, `read` and `log` come in between.
//
// `early_hints`, `start`, `write`, `send_file` and `want_body` return 0 to go on. Any other value
// means that the client is gone: the exchange is over as if by `wsgi_cancel`, and no callback for
// this request follows, `finish` included.
typedef struct wsgi_host {
    // `sizeof(wsgi_host)`.
    size_t struct_size;
    // Passed to `log`, `notify` and `exhausted`; never read by the library.
    void *data;
    // The response begins. Required.
    int (*start)(void *request, const wsgi_head *head);
    // The next `count` (at least 1) pieces of the body, **owned by the host** from now on, also if
    // it returns non-zero. The array is lent until the callback returns. What is written is to be
    // sent without waiting for more: PEP 3333 forbids to delay a block. Required.
    int (*write)(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags);
    // `length` (at least 1) bytes of the regular file `fd`, from `offset` on, are the next piece of
    // the body. The host **owns `fd`** from now on, also if it returns non-zero, and closes it.
    // Optional: without it the library reads the file and calls `write`.
    int (*send_file)(void *request, int fd, uint64_t offset, uint64_t length, uint32_t flags);
    // The request is over and the library will not use `request` again; the `wsgi_exchange` is
    // released when this returns. `retry_after` is in seconds for `WSGI_REFUSED`, else 0.
    // Required.
    void (*finish)(void *request, wsgi_outcome outcome, uint32_t retry_after);
    // The application waits for body bytes: call `wsgi_body_push` when there are some, now or
    // later. The first call is the time to send a response 100 (Continue), unless `start` came
    // before. Comes again if those were not enough, or when it wants more. Required for
    // `WSGI_BODY_PUSH`.
    int (*want_body)(void *request);
    // Put up to `size` (at least 1) bytes of body into `buffer`. Returns how many, 0 at the end of
    // the body, `WSGI_READ_BROKEN` if the rest cannot be had, `WSGI_READ_GONE` if the client is gone.
    // It is never asked for more than is left of `content_length`, and not at all once all of that
    // has come; a 0 before that is taken for `WSGI_READ_BROKEN`. The first call is the time to send a
    // response 100 (Continue). Required for `WSGI_BODY_READ`.
    ptrdiff_t (*read)(void *request, uint8_t *buffer, size_t size);
    // One line for the log, without a line break. `request` is NULL if the line belongs to no
    // request or its request is over. In a blocking host it is called on whatever thread has
    // something to say, several at once. Required.
    void (*log)(void *data, void *request, wsgi_level level, wsgi_str line);
    // There is something for `wsgi_poll`. Called on the library's threads, once until the next
    // `wsgi_poll`, and again if none comes; it must only wake the thread that polls, for example by
    // writing to an eventfd.
    //
    // The loop reads that eventfd *first* and calls `wsgi_poll` *then*. From the poll on `notify` may
    // be called again, and a loop that reads after it throws this away: it would sleep until the
    // library, which notices, calls `notify` once more. `WSGI_EVENTFD` leaves no room for this
    // mistake.
    //
    // An application that still runs may have it called after `wsgi_runtime_stop`, so what it writes
    // to stays open. Setting it makes the host event-driven; without it and without `WSGI_EVENTFD`
    // there is `wsgi_run` only.
    void (*notify)(void *data);
    // More than `wsgi_runtime_config.max_stuck` threads, `stuck` of them, are stuck at the same
    // time: see `wsgi_abandon`. They cannot be ended but with the process, so a host with several
    // processes lets this one end when it has answered what it has, and starts another. Called
    // once, by `wsgi_poll`, with as many threads at work as ever. Optional.
    void (*exhausted)(void *data, size_t stuck);
    // The application knows some header fields of its response already: send them now, as a response
    // 103 (Early Hints, RFC 8297), before the one that `start` begins. `headers` are `headers_count`
    // (at least 1) fields, checked as those of a head and without `Content-Length`; they are **lent
    // until the callback returns**. Called for requests with `wsgi_request.early_hints` only.
    // Optional: without it `environ` has no `wsgi.early_hints`.
    int (*early_hints)(void *request, const wsgi_header *headers, size_t headers_count);
} wsgi_host;

// What a `wsgi_host` begins with: `wsgi_host x = WSGI_HOST_INIT;`
#define WSGI_HOST_INIT { \
    sizeof(wsgi_host), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
}


// ---- Starting, polling and stopping the one runtime of a process.

// The version of this header. A host passes it in `wsgi_runtime_config.abi_version`.
#define WSGI_ABI_VERSION 1

// The most Python threads that a runtime can have: `wsgi_runtime_config.threads`.
#define WSGI_MAX_THREADS 1024

// What 0 means for `wsgi_runtime_config.max_queue`.
#define WSGI_DEFAULT_MAX_QUEUE 1024

// `wsgi_runtime_config.flags`: other processes run the same applications (`wsgi.multiprocess`).
#define WSGI_MULTIPROCESS 1

// `wsgi_runtime_config.flags`: requests come in bunches. `wsgi_submit` wakes no thread, the next
// `wsgi_poll` wakes one for all that was submitted; the host calls it soon after, also without
// `notify`. It saves most of the switches between threads where a loop reads many sockets in turn.
#define WSGI_BUNCHES 2

// `wsgi_runtime_config.flags`: SIGPIPE and SIGXFSZ stay as they are. Without it the library ignores
// those of the two that have their default when it starts, see `wsgi_runtime_start`.
#define WSGI_KEEP_SIGPIPE 4

// `wsgi_runtime_config.flags`: SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT stay as they are, and a
// crash is not reported (WSGI0303).
#define WSGI_NO_CRASH_REPORT 8

// `wsgi_runtime_config.flags`, for `wsgi_runtime_check`: it also fails for what need not be wrong but
// probably is. That is a folder of `python_path` that is missing or that this process cannot read,
// a package in `python_home` that it cannot read, a virtualenv that is left without its Python. A
// host warns of these, and starts.
#define WSGI_CHECK_CLOSELY 16

// `wsgi_runtime_config.flags`: header fields count whose names have other characters than letters,
// digits and `-`; the host has left out those that are not wanted. Without it none of them reaches
// the application, since `X_Real_IP` has the same key in `environ` as `X-Real-IP`. With it the
// latter wins if a request has both, and what would pass for CONTENT_LENGTH, CONTENT_TYPE or
// HTTP_PROXY is left out all the same.
#define WSGI_ODD_HEADER_NAMES 32

// `wsgi_runtime_config.flags`: instead of calling `notify`, which is NULL then, the library makes a
// descriptor that is readable while `wsgi_poll` should be called: see `wsgi_runtime_fd`. The host is
// event-driven.
#define WSGI_EVENTFD 64

// `wsgi_runtime_config.flags`: all handlers of the host are in place when the runtime starts, and it
// ignores what it will ignore. What the import of an application puts in their place by C code is
// taken off again when that is over (WSGI0301); a host that sets a handler later would lose it. The
// signals of `WSGI_NO_CRASH_REPORT` are left out of this.
#define WSGI_KEEP_HANDLERS 128

// The interpreter, its threads and their queue: one in a process.
//
// It lives until the process ends; `wsgi_runtime_stop` stops it but does not release it, so that a
// call that comes too late gets `WSGI_STOPPING`. All its functions may be called on any thread,
// except where they say otherwise.
typedef struct wsgi_runtime wsgi_runtime;

// How Python is to run. Fill it with zeros, set `struct_size` and `abi_version`, then what you
// want. Everything in it is **borrowed** for the call.
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
    // Folders put in front of sys.path; their .pth files are honoured. NUL-terminated strings.
    const char *const *python_path;
    size_t python_path_count;
    // How many Python threads answer what `wsgi_submit` hands over, at most
    // `WSGI_MAX_THREADS`. With 0 an event-driven host runs applications on its own thread:
    // `wsgi_poll` calls them, takes the GIL and returns when each has given its response or as much
    // of it as `buffer_size` allows. That is for applications that are fast and never wait. A
    // blocking host has 0.
    uint32_t threads;
    // How many submitted requests may wait for a thread or for an import; more are `WSGI_BUSY`. 0
    // means `WSGI_DEFAULT_MAX_QUEUE`.
    uint32_t max_queue;
    // The longest line, in bytes, that `log` can take; longer ones are split, never inside a
    // character of UTF-8. 0 means no limit; the least is 64.
    size_t log_line_size;
    // How many threads may be stuck at the same time, each of them replaced by a new one: see
    // `wsgi_abandon`, and `exhausted` of `wsgi_host`. 0: a stuck thread is not replaced.
    uint32_t max_stuck;
} wsgi_runtime_config;

// The `WSGI_ABI_VERSION` that the library was built with. Any thread, at any time.
uint32_t wsgi_abi_version(void);

// The library and the Python it was built with, such as `libwsgi/0.1.0 Python/3.11`. A
// NUL-terminated string, **lent for ever**. Any thread, at any time.
const char *wsgi_version(void);

// Checks a configuration without starting Python: that `python_home` is one, and of the right
// installation of Python, and that numbers are in range. For a host's "test the configuration".
//
// Returns `WSGI_OK`, or `WSGI_WRONG_VERSION` or `WSGI_INVALID` with a sentence in `*error`, which
// is then **owned** by the caller; `error` may be NULL. A NULL `config` is `WSGI_INVALID`. Any
// thread, before a start too.
wsgi_status wsgi_runtime_check(const wsgi_runtime_config *config, wsgi_error **error);

// Starts the runtime: Python begins to start on a thread of its own, and the call returns without
// waiting for it. Applications may be loaded and requests submitted at once; they wait.
//
// Call it once in a process, after the last fork and after privileges were dropped: application
// code runs with the rights of the caller. The library reads no environment variable.
//
// What it does to the signals of the process, and nothing else:
//
// * SIGPIPE and SIGXFSZ are ignored from this call on, if they had their default: Python's programs
//   expect an error from a broken pipe, not the end of the process. A child of `subprocess` has the
//   default again. `WSGI_KEEP_SIGPIPE` switches it off.
// * SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT are taken while Python comes up, if all five have
//   their default. A crash then writes what the thread was at (WSGI0303) and the stack of its Python
//   to descriptor 2, not to `log`, and has its usual effect. A thread that runs Python and has no
//   alternate signal stack gets one. `WSGI_NO_CRASH_REPORT` switches all of this off. A handler of
//   the host's may be set before or after this call, and stays.
// * SIGINT is not taken: it keeps its default, or the host's handler, also one that is set later.
// * The application can set no handler (WSGI0301), and the library blocks no signal. Its threads
//   have the signal mask of the caller, and so have the children of the application. A host that
//   waits for signals with sigwait or signalfd therefore blocks them before this call; one that has
//   handlers need not, and its children inherit no mask.
//
// `*runtime` is set on `WSGI_OK` and NULL otherwise; it is **lent for ever**. Fails with
// `WSGI_INVALID` (a rule broken, a wrong setting, a second start) or `WSGI_WRONG_VERSION`, with a
// sentence in `*error` (**owned**; `error` may be NULL). That Python itself cannot start shows
// later: in the log, and as `WSGI_PYTHON` or `WSGI_UNAVAILABLE`. Any thread.
wsgi_status wsgi_runtime_start(const wsgi_runtime_config *config,
                               wsgi_runtime **runtime,
                               wsgi_error **error);

// With `WSGI_EVENTFD`: the descriptor to watch in the loop, for reading; whenever it is readable,
// call `wsgi_poll`. That reads it; the host must neither read, write nor close it. It is readable as
// long as there is something to hand over, also what a `wsgi_poll` with `max_exchanges` has left, and
// after a `wsgi_submit` that wants a `wsgi_poll` soon. So no wake-up can be lost. Closed on exec.
//
// **Lent for ever**. -1 without the flag, and for NULL. Any thread, at any time.
int wsgi_runtime_fd(wsgi_runtime *runtime);

// Hands over what the library has for the host: calls the callbacks of requests and `log`.
//
// An event-driven host calls it on its loop thread: whenever `notify` was called, after it has read
// what `notify` has written; or whenever the descriptor of `wsgi_runtime_fd` is readable. Without
// threads, or with `WSGI_BUNCHES`, also soon after each `wsgi_submit`. It never blocks and never takes
// the GIL, but without threads it runs applications.
//
// At most `max_exchanges` exchanges are served, and the call stops after about 1024 events, 256 log
// lines or 5 milliseconds, so that your other events have their turn; 0: all that waits when you
// call, however long that takes. Without threads the same holds for the applications that it runs:
// after 5 milliseconds the others wait for the next call. `*left` (may be NULL) says how many still
// wait. If it is not 0, call again without waiting for `notify`. "CALLBACKS" above says which
// functions a callback may call.
//
// `WSGI_INVALID` for NULL or from inside a callback, `WSGI_FORKED` in a forked child. After
// `wsgi_runtime_stop` it still delivers log lines. One thread only, the one that submits.
wsgi_status wsgi_poll(wsgi_runtime *runtime,
                      size_t max_exchanges,
                      size_t *left);

// With `pause` not 0 every application waits before it hands over its next block, until this is
// called with 0: for a host whose responses together hold too much memory, while it moves them
// elsewhere. A request that is cancelled meanwhile ends once the pause does. Without threads no
// request begins meanwhile; one that has begun does not wait.
//
// Never blocks. NULL is allowed and does nothing. One thread only, the one that polls.
void wsgi_pause_output(wsgi_runtime *runtime, int pause);

// Stops the runtime: nothing more is taken in, every exchange and every `wsgi_run` is cancelled,
// Python's atexit handlers run, sys.stdout and sys.stderr are flushed.
//
// Waits for that at most `timeout_ms` milliseconds, then gives up: applications may still be
// running on their threads. They have all of the time to come back. The exit handlers run once all
// have, or when a quarter of the time is left. The interpreter is not torn down, which could not be
// done safely while applications run. End the process soon. `exit` is safe if each request has had
// its `finish`, or its `wsgi_run` has returned. The application of a request that was cancelled may
// still be running: end with `_exit` then, after you have flushed your own files.
//
// In an event-driven host no callback of a request follows, `finish` included. In a blocking host
// none begins once this has returned, and each `wsgi_run` returns `WSGI_GONE` or `WSGI_STOPPING` as
// soon as its application comes back. A callback that was in progress when the time was over goes
// on: end what it waits for. It may be called inside a callback of `wsgi_run`, and does not wait for
// that run then. `log` may be called until the process ends, with a NULL request.
//
// `WSGI_OK`, also when it gave up (the log says so). `WSGI_STOPPING` the second time,
// `WSGI_INVALID` for NULL, `WSGI_FORKED` in a forked child, each with a sentence in `*error`
// (**owned**; `error` may be NULL). In an event-driven host the polling thread calls it, outside of
// callbacks; in a blocking host any thread does.
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
// **Owned**: release it with `wsgi_app_release`. Requests that were submitted to it go on after
// that; the application stays imported, and loading the same `target` and `callable` again gives
// the same application. Any number of threads may use it.
typedef struct wsgi_app wsgi_app;

// Where an application is: in a file, or in an importable module. **Borrowed** for the call.
typedef struct wsgi_app_config {
    // `sizeof(wsgi_app_config)`.
    size_t struct_size;
    // With `callable`: the path of a Python file. Its folder is put at the end of sys.path, and
    // the module is named after the file. Without: `package.module:attr`. NUL-terminated.
    const char *target;
    // The name of the application in the file, or NULL if `target` says it. It may be dotted, and
    // end in `()` to call a factory without arguments. NUL-terminated.
    const char *callable;
} wsgi_app_config;

// Checks, without Python, that `config` names something loadable: the file is there and readable
// by this process, the words are well formed.
//
// `WSGI_OK`, or `WSGI_INVALID` with a sentence in `*error` (**owned**; `error` may be NULL), also
// for a NULL `config`. Any thread, before a start too.
wsgi_status wsgi_app_check(const wsgi_app_config *config, wsgi_error **error);

// Begins to import an application and returns without waiting. Requests may be submitted at once;
// they wait for the import.
//
// An import that fails is logged with its whole traceback; requests get `WSGI_UNAVAILABLE`, and
// the first that comes after a pause (1 s, doubling to 30 s) tries again.
//
// `*app` is set (**owned**) on `WSGI_OK` and NULL otherwise. Fails with `WSGI_INVALID`,
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
// may be NULL). Any thread but the one that polls; that one may call it before its first `wsgi_poll`,
// so an event-driven host can wait before its loop runs. Log lines stay in the library until it
// polls, those of the import too.
wsgi_status wsgi_app_wait(wsgi_app *app,
                          uint32_t timeout_ms,
                          wsgi_error **error);

// Releases an **owned** application. NULL is allowed and does nothing. Any thread.
void wsgi_app_release(wsgi_app *app);

// What a `wsgi_app_config` begins with: `wsgi_app_config x = WSGI_APP_CONFIG_INIT;`
#define WSGI_APP_CONFIG_INIT { \
    sizeof(wsgi_app_config), NULL, NULL \
}


// ---- Answering requests: submit and its companions for event-driven hosts, run for blocking ones.

// The last bytes of the body.
#define WSGI_PUSH_LAST 1

// The body cannot be had whole: the application's reads raise OSError. `size` must be 0. If the
// application does not catch that, `finish` comes with `WSGI_FAILED` or `WSGI_TRUNCATED`, and the log
// has WSGI0208. If the client is gone, call `wsgi_cancel` instead.
#define WSGI_PUSH_BROKEN 2

// `wsgi_abandon`: raise `libwsgi.RequestTimeout` in the application when it is late.
#define WSGI_ABANDON_INTERRUPT 1

// `wsgi_abandon`: the client has not left, the host ends the response by itself, for example
// because something else answers. The log does not say then that the client has left.
#define WSGI_ABANDON_ANSWERED 2

// What an exchange is waiting for: a host's timers are about the one or the other.
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
// **Lent**: from `wsgi_submit` until `finish` returns, or a callback of the request has returned
// non-zero, or `wsgi_cancel` or `wsgi_abandon` is called; whichever comes first ends it, and the
// pointer must not be used again. Of an exchange that is there when `wsgi_runtime_stop` is called
// the pointer stays valid: it may be cancelled, which does nothing. One thread only, the one that
// polls.
typedef struct wsgi_exchange wsgi_exchange;

// Hands a request to a Python thread and returns at once. Never blocks, never takes the GIL.
//
// `request` is **borrowed** for the call. `host_request` is what the callbacks get; not NULL. On
// `WSGI_OK`, `*exchange` is set, and the callbacks for it come from later calls of `wsgi_poll`;
// otherwise it is NULL and none comes: the host answers 503 for `WSGI_BUSY`, `WSGI_STOPPING` and
// `WSGI_UNAVAILABLE`, 500 for `WSGI_INVALID` (NULL, a `struct_size` of another version, a body
// kind that cannot be, a host that is not event-driven, a pushed body without threads) and
// `WSGI_FORKED`. A sentence is in `*error` (**owned**; `error` may be NULL). One thread only, the
// one that polls.
wsgi_status wsgi_submit(wsgi_app *app,
                        const wsgi_request *request,
                        void *host_request,
                        wsgi_exchange **exchange,
                        wsgi_error **error);

// Gives the application up to `size` bytes more of a `WSGI_BODY_PUSH` body. Never blocks.
//
// `data` is **borrowed** for the call; `flags` is 0, `WSGI_PUSH_LAST` or `WSGI_PUSH_BROKEN`. The
// bytes that fit (those that the application waits for, and at most 256 KiB beside) are copied and
// counted in `*taken` (may be NULL; 0 unless `WSGI_OK`). Keep the rest until `want_body` is called.
// You need not wait for `want_body` before the first push. Set `WSGI_PUSH_LAST` only on a call that
// offers the last byte: it counts if all of `size` was taken. `size` 0 with `WSGI_PUSH_LAST` ends
// the body.
//
// `WSGI_OK`, or `WSGI_INVALID` for NULL, for an exchange that has no pushed body, after the end, and
// for a body that is not as long as `content_length`: more bytes than are left of it, or
// `WSGI_PUSH_LAST` before all have been offered. With the last one the body is broken as by
// `WSGI_PUSH_BROKEN`. One thread only, the one that polls.
wsgi_status wsgi_body_push(wsgi_exchange *exchange,
                           const uint8_t *data,
                           size_t size,
                           uint32_t flags,
                           size_t *taken);

// Ends an exchange whose client is gone, or that took too long: no callback for it follows.
//
// Queued work is dropped before Python sees it; a running application gets an OSError at its next
// read or write, its iterable is closed. Buffers that the host still has stay valid. O(1), never
// waits; may be called inside the exchange's own callbacks. NULL is allowed and does nothing. One
// thread only, the one that polls.
void wsgi_cancel(wsgi_exchange *exchange);

// As `wsgi_cancel`, and looks after the thread: if the application has not come back
// `late_after_ms` milliseconds later (0: it is late now), that thread is stuck.
//
// The Python stack of a stuck thread is logged, and as many as `wsgi_runtime_config.max_stuck` are
// replaced by new ones, so that the pool keeps its size; a thread that has been replaced and comes
// back ends. If there are more than that, `exhausted` of `wsgi_host` is called. With
// `WSGI_ABANDON_INTERRUPT` an exception is raised in it too; it comes as soon as the thread runs
// Python code, and never in a later request. If the exchange was queued and `late_after_ms` is 0,
// it is logged what keeps the threads busy.
//
// `about` is what those log lines, which come later and belong to no request, call the request;
// **borrowed** for the call. `flags` is `WSGI_ABANDON_INTERRUPT`, `WSGI_ABANDON_ANSWERED`, both or
// 0. Never waits, never takes the GIL; may be called inside the exchange's own callbacks. A NULL
// exchange is allowed and does nothing. One thread only, the one that polls.
void wsgi_abandon(wsgi_exchange *exchange,
                  wsgi_str about,
                  uint64_t late_after_ms,
                  uint32_t flags);

// Lets the application of an exchange finish though its client is gone.
//
// What it gives from now on, and what it gave and was not delivered, is dropped; it does not wait
// for buffers that the host still has, and its reads and writes do not fail. It can tell by
// `environ['libwsgi.client_disconnected']`. Of the callbacks for this request only `want_body`,
// `log` and `finish` follow. `wsgi_cancel` may follow too. O(1), never waits; may be called inside
// the exchange's own callbacks. NULL is allowed and does nothing. One thread only, the one that
// polls.
void wsgi_discard(wsgi_exchange *exchange);

// What the exchange is waiting for, and in `*since_ms` (may be NULL) for how many milliseconds:
// since it was submitted (`WSGI_PHASE_QUEUED`), since the application began or last gave or took
// something (`WSGI_PHASE_RUNNING`), since it began to wait (the others).
//
// A host sets one timer at submit and asks here when it fires, instead of one at each event.
// `WSGI_PHASE_DONE` for NULL. Never blocks. One thread only, the one that polls.
wsgi_phase wsgi_exchange_phase(const wsgi_exchange *exchange, uint64_t *since_ms);

// How many milliseconds have passed since the exchange was submitted, and in `*queued_ms` (may be
// NULL) for how many of them it waited for a thread, or for the import of its application. All of
// them while it still waits. 0 for NULL.
//
// A host that puts them into its log can tell a pool that is too small from an application that is
// slow. Never blocks. One thread only, the one that polls.
uint64_t wsgi_exchange_time(const wsgi_exchange *exchange, uint64_t *queued_ms);

// Answers one request on the calling thread: all callbacks are called before it returns, without
// the GIL and one at a time, on this thread or on one that the application uses. Waits for the
// application's import if need be.
//
// `request` is **borrowed** for the call. `host_request` is what the callbacks get; not NULL.
//
// `WSGI_OK`: `finish` was called, whatever the outcome. `WSGI_GONE`: a callback said that the client
// is gone, the application did not catch the OSError of a body that broke off, or the run was
// cancelled, by `wsgi_run_cancel` or `wsgi_runtime_stop`; `finish` was not called, and the connection
// is to be ended. Otherwise no callback was called, and the host answers 503 for `WSGI_UNAVAILABLE`,
// `WSGI_PYTHON` and `WSGI_STOPPING`, 500 for `WSGI_INVALID` (NULL, a `struct_size` of another version,
// a request that contradicts itself, a body kind that cannot be, an event-driven host), `WSGI_FORKED`
// and `WSGI_PANIC`; a sentence is in `*error` (**owned**; `error` may be NULL).
//
// Any thread, as many at once as the host has, also inside a callback of another run. Each thread
// keeps its Python thread state (`threading.local`) from one call to the next, and it is freed when
// the thread ends: a thread for each connection is allowed, a pool of threads is faster. It needs
// the stack of any Python thread, 1 MiB or more: deep recursion ends the process with less.
wsgi_status wsgi_run(wsgi_app *app,
                     const wsgi_request *request,
                     void *host_request,
                     wsgi_error **error);

// Cancels the `wsgi_run` that was given `host_request`, because its client is gone or it takes too
// long; if there are several, all of them.
//
// No callback for it begins any more; one that is in progress on its thread goes on, and is the
// host's to end. The application gets an OSError at its next read or write, its iterable is closed,
// and `wsgi_run` returns `WSGI_GONE`. One that still waits for an import returns at once. Never
// blocks, never takes the GIL.
//
// `WSGI_OK`, or `WSGI_GONE` if no such run is in progress (it has just ended), `WSGI_INVALID` for
// NULL, `WSGI_FORKED` in a forked child. Any thread, also inside the run's own callbacks.
wsgi_status wsgi_run_cancel(wsgi_runtime *runtime, void *host_request);

// Releases an **owned** buffer and gives its bytes back to the application's credit. NULL is
// allowed and does nothing. Never blocks, never takes the GIL. Any thread, also after the request
// is over and after `wsgi_runtime_stop`.
void wsgi_buffer_release(wsgi_buffer *buffer);

// Gives the credit of a buffer back while the host keeps the buffer: the application goes on as if
// it had been released. NULL is allowed and does nothing. A second call does nothing.
//
// For a host that has found another bound for what it holds, such as a temporary file for all that
// follows. Never blocks, never takes the GIL. Any thread that owns the buffer.
void wsgi_buffer_return_credit(wsgi_buffer *buffer);


#ifdef __cplusplus
}
#endif

#endif // WSGI_H
