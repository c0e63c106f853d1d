// event_host.h: an event-driven host of a few lines, for tests: poll(2) and an eventfd.

#ifndef EVENT_HOST_H
#define EVENT_HOST_H

#include <stdio.h>
#include <string.h>

#include "wsgi.h"

#define MAX_HELD 256

// A request and all that the library has called back for it.
struct answer {
    wsgi_exchange *exchange; // NULL once it is over
    unsigned status;         // 0 before `start`
    int64_t content_length;
    int no_body;
    char *body; // all bytes of `write` and `send_file`, and a NUL
    size_t size;
    int finished;
    wsgi_outcome outcome;
    unsigned retry_after;
    int last;       // WSGI_WRITE_LAST was given
    int files;      // the number of calls of `send_file`
    int wants;      // the number of calls of `want_body`
    int hints;      // the number of fields that `early_hints` got
    int calls;      // the number of calls of any callback
    int calls_then; // `calls` at the time of a cancel

    // What the callbacks do.
    int hold;                               // keep buffers instead of releasing them
    int refuse_hints;                       // return 1
    int refuse_start;                       // return 1
    int refuse_write;                       // return 1
    void (*in_start)(struct answer *self);  // called by `start`
    wsgi_buffer *held[MAX_HELD];
    size_t held_count;

    // What `want_body` pushes, `step` bytes at a time.
    const char *upload;
    size_t upload_size;
    size_t step;
    int partly; // how often the library took less than it was offered
};

struct host {
    const char *folder; // the folder of the applications
    wsgi_runtime *runtime;
    wsgi_app *app;
    int wake;
    int own_descriptor; // use the descriptor of the library, without `notify`
    char log[64 * 1024];
};

extern struct host host;

// The requests of the scenarios. `main` frees them at the end.
extern struct answer one, two, three;

// Starts the runtime for an application of a file in host.folder, with the given number of threads
// and room for the given number of requests.
void host_start(const char *file, const char *callable, unsigned threads, unsigned max_queue,
                int takes_files);
wsgi_app *host_load(const char *file, const char *callable);
void host_stop(void);

// A request for `path` without a body.
wsgi_request request_for(const char *path);

// Submits to host.app, and fails if the result is not WSGI_OK.
void submit(struct answer *answer, const wsgi_request *request);
void submit_path(struct answer *answer, const char *path);

// Submits /large as `one` and keeps its buffers, until the application waits for credit.
void submit_and_hold(void);

// Submits a request with a pushed body.
void submit_push(struct answer *answer, const char *path, const char *upload, size_t size);

// Pushes the next step of `upload`, and the end after its last byte.
void push_some(struct answer *answer);

// Waits for notify, then polls; fails after a minute.
void turn(void);

// Waits for a phase that no callback announces.
void until_phase(struct answer *answer, wsgi_phase phase);

#define UNTIL(condition)     \
    while (!(condition)) {   \
        turn();              \
    }

void release_held(struct answer *answer);
void answer_free(struct answer *answer);

// Ends the program with a message if the condition does not hold.
void ensure(int condition, const char *text, const char *file, int line);
#define ENSURE(condition) ensure((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define ENSURE_BODY(answer, text)                                                           \
    ensure((answer).size == strlen(text) && memcmp((answer).body, text, (answer).size) == 0, \
           #answer ".body is " text, __FILE__, __LINE__)

// A scenario, and the host that `main` starts before it and stops after it.
struct scenario {
    const char *name;
    void (*run)(void);
    const char *file; // NULL: the scenario starts and stops the host itself
    const char *callable;
    unsigned threads;
    unsigned max_queue;
    int takes_files;
};
#define STAGES(run, threads) {#run, run, "stages.py", "application", threads, 0, 0}
#define BY_ITSELF(run) {#run, run, NULL, NULL, 0, 0, 0}
#define END_OF_SCENARIOS {NULL, NULL, NULL, NULL, 0, 0, 0}
extern const struct scenario scenarios_of_bodies[];
extern const struct scenario scenarios_of_cancel[];
extern const struct scenario scenarios_of_credit[];
extern const struct scenario scenarios_of_ends[];
extern const struct scenario scenarios_of_wakeups[];
extern const struct scenario scenarios_of_imports[];

#endif
