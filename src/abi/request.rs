//! What a host says about one request: plain data, borrowed for one call.

use std::ffi::c_int;

/// A run of bytes. Not NUL-terminated, in no particular encoding.
///
/// `data` may be NULL when `size` is 0. Where a `wsgi_str` is handed to the library the bytes are
/// **borrowed** for that one call; where the library hands one to a callback they are **lent until
/// the callback returns**.
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
/// The host pushes the body with `wsgi_body_push` while the application runs. Only `wsgi_submit`.
pub const WSGI_BODY_PUSH: u32 = 3;
/// The library pulls the body with the host's `read` callback, from the application's first read
/// on. Only `wsgi_run`.
pub const WSGI_BODY_READ: u32 = 4;

/// What 0 means for `wsgi_request.buffer_size`, in bytes: 1 MiB.
pub const WSGI_DEFAULT_BUFFER_SIZE: u32 = 1048576;
const _: () = assert!(WSGI_DEFAULT_BUFFER_SIZE as usize == crate::host::request::BUFFER_SIZE);

/// One HTTP request, as the host has parsed it.
///
/// Begin with `WSGI_REQUEST_INIT`, then set the members you know. `method` is required. Every other
/// string may be empty; four of them mean something then, since PEP 3333 wants them not empty. The
/// library copies all it needs (and duplicates `body_fd`) before
/// `wsgi_submit` returns; `wsgi_run` reads it during the call. The structure and everything it
/// points to are **borrowed**, and may be used for another request right after.
///
/// A request that contradicts itself is `WSGI_INVALID`, with a sentence that names the member: a
/// string that is NULL and has a size, a `content_length` that is not the size of the body, an
/// `auth_type` without a `remote_user`, and what the members say of themselves.
///
/// The library does not parse HTTP: the host has refused malformed requests, decoded and normalised
/// the path, and de-chunked the body. Each string is bytes and reaches the application as PEP 3333
/// has it, decoded as ISO-8859-1.
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
    /// CONTENT_LENGTH in bytes, or -1 where the client stated none and it is not known yet. This is
    /// the one member whose zero means something else than "not said": the client stated 0, and no
    /// body is read. `WSGI_REQUEST_INIT` sets it to -1.
    ///
    /// The body must be just as long. Where its size is known when the request is handed over, another
    /// length is `WSGI_INVALID`; a body that ends before raises OSError in the application, and is
    /// never taken for whole. Of a longer one no more is read.
    pub content_length: i64,
    /// The header fields in the order received, repeated ones repeated. The library joins and
    /// filters them (see "environ" above).
    pub headers: *const wsgi_header,
    pub headers_count: usize,
    /// More keys of `environ`, put in last: they win over all others. No name may be empty, or that of
    /// an object which the library lends: `wsgi.input`, `wsgi.errors`, `wsgi.early_hints`,
    /// `libwsgi.client_disconnected`.
    pub params: *const wsgi_header,
    pub params_count: usize,
    /// One of the `WSGI_BODY_` constants.
    pub body_kind: u32,
    /// `WSGI_BODY_FILE`: an open regular file, **borrowed** (the library duplicates it); else ignored.
    pub body_fd: c_int,
    /// `WSGI_BODY_FILE`: where the body begins and how many bytes it has. The file has them already.
    pub body_offset: u64,
    pub body_length: u64,
    /// `WSGI_BODY_MEMORY`: the body, in as many parts as the host happens to have it. All of it is
    /// copied in the call: for more than a megabyte a file, or pushing it, costs less.
    pub body_parts: *const wsgi_str,
    pub body_parts_count: usize,
    /// How much of a response the library may have handed over and not got back (by
    /// `wsgi_buffer_release`) before the application must wait, in bytes; 0 means
    /// `WSGI_DEFAULT_BUFFER_SIZE`. Each buffer counts its bytes and `WSGI_BUFFER_COST`. The
    /// application waits before it hands over the next block, until no more than half is out. A
    /// block is never divided, and a list of blocks is handed over whole: what is out may exceed
    /// this by either. Only `wsgi_submit`.
    pub buffer_size: usize,
    /// 1 if this client can be sent a response 103 (Early Hints): with HTTP/1.0 it cannot. Then
    /// `environ` has `wsgi.early_hints`, if the host has the callback `early_hints`; else 0.
    pub early_hints: c_int,
}
