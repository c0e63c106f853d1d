//! One request as the host describes it: plain data, borrowed for one call.

use std::ffi::c_int;

/// A run of bytes. Not NUL-terminated, in no particular encoding.
///
/// `data` may be NULL when `size` is 0. When a host passes a `wsgi_str` to the library, the bytes
/// are **borrowed** for that one call. When the library passes one to a callback, they are **lent
/// until the callback returns**.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wsgi_str {
    pub data: *const u8,
    pub size: usize,
}

/// A name and its value: a header field, or a key of `environ` with its string.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wsgi_header {
    pub name: wsgi_str,
    pub value: wsgi_str,
}

/// The request has no body: `wsgi.input` is empty.
pub const WSGI_BODY_NONE: u32 = 0;
/// The whole body is in memory: `body_parts`, one after the other.
pub const WSGI_BODY_MEMORY: u32 = 1;
/// The whole body is in a file: `body_length` bytes of `body_fd`, from `body_offset` on.
pub const WSGI_BODY_FILE: u32 = 2;
/// The host pushes the body with `wsgi_body_push` while the application runs. Only for
/// `wsgi_submit`.
pub const WSGI_BODY_PUSH: u32 = 3;
/// The library gets the body from the host's `read` callback, from the application's first read on.
/// Only for `wsgi_run`.
pub const WSGI_BODY_READ: u32 = 4;

/// What 0 means for `wsgi_request.buffer_size`, in bytes: 1 MiB.
pub const WSGI_DEFAULT_BUFFER_SIZE: u32 = 1048576;
const _: () = assert!(WSGI_DEFAULT_BUFFER_SIZE as usize == crate::host::request::BUFFER_SIZE);

/// One HTTP request, as the host has parsed it.
///
/// Begin with `WSGI_REQUEST_INIT`, then set the members you know. `method` is required. Every other
/// string may be empty. Four of them have defaults, since PEP 3333 does not allow them to be empty.
/// `wsgi_submit` copies all it needs (and duplicates `body_fd`) before it returns; `wsgi_run` reads
/// it during the call. The structure and everything it points to are **borrowed**, and may be used
/// for another request right after.
///
/// A request that contradicts itself is `WSGI_INVALID`, with a sentence that names the member: a
/// string that is NULL and has a size, a `content_length` that is not the size of the body, an
/// `auth_type` without a `remote_user`, or anything else that a member's description forbids.
///
/// The library does not parse HTTP: the host must refuse malformed requests, decode and normalise
/// the path, and de-chunk the body. Each string is bytes, which the application gets decoded as
/// ISO-8859-1, as PEP 3333 demands.
#[repr(C)]
pub struct wsgi_request {
    /// `sizeof(wsgi_request)`.
    pub struct_size: usize,
    /// REQUEST_METHOD. Required. For `HEAD` the library sends the head of the response and no body.
    pub method: wsgi_str,
    /// SCRIPT_NAME: the part of the decoded path that led to the application; empty, or a `/` and
    /// more, without a slash at its end.
    pub script_name: wsgi_str,
    /// PATH_INFO: the rest of the decoded path.
    pub path_info: wsgi_str,
    /// QUERY_STRING: what follows the `?`, as it was sent.
    pub query_string: wsgi_str,
    /// REQUEST_URI and RAW_URI: the request target as it was sent, query included.
    pub request_uri: wsgi_str,
    /// SERVER_PROTOCOL, such as `HTTP/1.1`. Empty means `HTTP/1.0`.
    pub protocol: wsgi_str,
    /// wsgi.url_scheme and REQUEST_SCHEME: `http` or `https`; for `https`, HTTPS is `on`.
    /// Empty means `http`.
    pub scheme: wsgi_str,
    /// SERVER_NAME. Empty means `localhost`.
    pub server_name: wsgi_str,
    /// SERVER_PORT, in decimal. Empty means 80, or 443 for `https`.
    pub server_port: wsgi_str,
    /// SERVER_ADDR; absent from `environ` when empty, as are the strings that follow.
    pub server_addr: wsgi_str,
    /// REMOTE_ADDR.
    pub remote_addr: wsgi_str,
    /// REMOTE_PORT, in decimal.
    pub remote_port: wsgi_str,
    /// DOCUMENT_ROOT.
    pub document_root: wsgi_str,
    /// REMOTE_USER: only a name that the host itself has verified.
    pub remote_user: wsgi_str,
    /// AUTH_TYPE: only together with a `remote_user`.
    pub auth_type: wsgi_str,
    /// REQUEST_ID: the host's own name for this request, for its log.
    pub request_id: wsgi_str,
    /// CONTENT_LENGTH in bytes, or -1 if the client stated none and it is not known yet. This is
    /// the one member whose zero does not mean "not set": the client stated 0, and no body is read.
    /// `WSGI_REQUEST_INIT` sets it to -1.
    ///
    /// The body must have exactly this length. If its size is known when the request is handed
    /// over, another length is `WSGI_INVALID`. A body that ends earlier raises OSError in the
    /// application, which never takes it for whole. The library reads no more than this of a longer
    /// body.
    pub content_length: i64,
    /// The header fields in the order received, repeated ones repeated. The library joins and
    /// filters them: see the chapter ENVIRON.
    pub headers: *const wsgi_header,
    pub headers_count: usize,
    /// More keys of `environ`. They are set last and replace all others. No name may be empty, or
    /// be the key of an object of the library: `wsgi.input`, `wsgi.errors`, `wsgi.early_hints`,
    /// `libwsgi.client_disconnected`.
    pub params: *const wsgi_header,
    pub params_count: usize,
    /// One of the `WSGI_BODY_` constants.
    pub body_kind: u32,
    /// `WSGI_BODY_FILE`: an open regular file, **borrowed** (the library duplicates it). Ignored
    /// for other kinds.
    pub body_fd: c_int,
    /// `WSGI_BODY_FILE`: where the body begins and how many bytes it has. The file must have them
    /// already.
    pub body_offset: u64,
    pub body_length: u64,
    /// `WSGI_BODY_MEMORY`: the body, in any number of parts. The call copies all of it: for more
    /// than a megabyte, a file or a pushed body costs less.
    pub body_parts: *const wsgi_str,
    pub body_parts_count: usize,
    /// The number of bytes of the response that the host may hold, from `write` to
    /// `wsgi_buffer_release`, before the application must wait; 0 means `WSGI_DEFAULT_BUFFER_SIZE`.
    /// Each buffer counts its bytes and `WSGI_BUFFER_COST`. The application waits before it hands
    /// over its next block, until the host holds no more than half of this. A block is never
    /// divided, and a list of blocks is handed over whole, so the host may hold one of either more.
    /// Only for `wsgi_submit`.
    pub buffer_size: usize,
    /// 1 if the host can send this client a response 103 (Early Hints), which it cannot with
    /// HTTP/1.0; else 0. With 1, and if the host has the callback `early_hints`, `environ` has
    /// `wsgi.early_hints`.
    pub early_hints: c_int,
}
