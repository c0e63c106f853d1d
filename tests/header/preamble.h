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

