//! Structures of wsgi.h in which some fields are not as wsgi.h requires.

use crate::data::Data;
use std::ffi::c_int;
use std::os::fd::AsRawFd;
use std::ptr::null;
use std::sync::LazyLock;
use wsgi::abi::*;

/// A runtime configuration whose pointers live for the process.
pub fn runtime_config(data: &mut Data<'_>) -> wsgi_runtime_config {
    static FOLDERS: [usize; 2] = [0, 0];
    // SAFETY: wsgi.h: a configuration is filled with zeros first.
    let mut config: wsgi_runtime_config = unsafe { std::mem::zeroed() };
    config.struct_size = size_of::<wsgi_runtime_config>();
    config.abi_version = if data.byte() > 250 { data.number() as u32 } else { WSGI_ABI_VERSION };
    config.flags = if data.byte() > 200 { data.number() as u32 } else { 0 };
    config.python_home =
        data.choose(&[null(), null(), c"".as_ptr(), c"/".as_ptr(), c"\xff".as_ptr()]);
    config.python_path = data.choose(&[null(), FOLDERS.as_ptr().cast()]);
    config.threads = data.number() as u32;
    config.max_queue = data.number() as u32;
    config.log_line_size = data.number() as usize;
    config.python_path_count =
        if config.python_path.is_null() { data.number() as usize } else { 2 };
    data.spoil(&mut config.struct_size);
    config
}

/// A request, all that it points to, and whether `wsgi_submit` must accept it.
pub struct Request {
    pub raw: wsgi_request,
    pub is_valid: bool,
    strings: Vec<Vec<u8>>,
    arrays: Vec<Vec<wsgi_header>>,
    parts: Vec<wsgi_str>,
}

impl Request {
    pub fn new(data: &mut Data<'_>) -> Self {
        // SAFETY: wsgi.h: a request is filled with zeros first.
        let raw = unsafe { std::mem::zeroed() };
        let (strings, arrays, parts) = (Vec::new(), Vec::new(), Vec::new());
        let mut new = Request { raw, is_valid: true, strings, arrays, parts };
        new.fill_strings(data);
        (new.raw.headers, new.raw.headers_count) = new.pairs(data);
        (new.raw.params, new.raw.params_count) = new.pairs(data);
        new.raw.buffer_size = data.number() as usize;
        new.fill_body(data);
        let stated = [-1, new.body_size(), data.number() as i64];
        new.raw.content_length = data.choose(&stated);
        new.is_valid = new.is_valid && new.is_sound();
        new.raw.struct_size = size_of::<wsgi_request>();
        data.spoil(&mut new.raw.struct_size);
        new.is_valid &= new.raw.struct_size == size_of::<wsgi_request>();
        new
    }

    /// The number of bytes of the body, if it is known when the request is submitted; else -1. Call
    /// it only for a request that is valid up to its body.
    fn body_size(&self) -> i64 {
        match self.raw.body_kind {
            _ if !self.is_valid => -1,
            WSGI_BODY_NONE => 0,
            WSGI_BODY_MEMORY => self.parts.iter().map(|part| part.size as i64).sum(),
            WSGI_BODY_FILE => self.raw.body_length as i64,
            _ => -1,
        }
    }

    /// What wsgi.h requires of a request besides valid pointers and kinds.
    fn is_sound(&self) -> bool {
        let script_name = bytes(&self.raw.script_name);
        let slashes = script_name.starts_with(b"/") && !script_name.ends_with(b"/");
        let names = self.params().iter().map(|param| bytes(&param.name));
        let length = (self.raw.content_length, self.body_size());
        (script_name.is_empty() || slashes)
            && (self.raw.auth_type.size == 0 || self.raw.remote_user.size > 0)
            && names.into_iter().all(|name| !name.is_empty() && !LENT.contains(&name))
            && (length.0 == -1 || (length.0 >= 0 && (length.1 == -1 || length.0 == length.1)))
            && (self.raw.body_kind != WSGI_BODY_FILE || self.is_in_file())
    }

    fn params(&self) -> &[wsgi_header] {
        // The second call of `pairs` made the params, if there are any.
        if self.raw.params.is_null() { &[] } else { &self.arrays[self.arrays.len() - 1] }
    }

    fn is_in_file(&self) -> bool {
        let end = self.raw.body_offset.checked_add(self.raw.body_length);
        end.is_some_and(|end| end <= FILE.metadata().unwrap().len())
    }

    fn fill_strings(&mut self, data: &mut Data<'_>) {
        let methods = [&b"GET"[..], b"HEAD", b"POST"];
        self.raw.method = lend(data.choose(&methods));
        let which = data.byte();
        for bit in 0..8 {
            if which >> bit & 1 == 1 {
                let text = self.text(data);
                let raw = &mut self.raw;
                *[
                    &mut raw.script_name,
                    &mut raw.path_info,
                    &mut raw.query_string,
                    &mut raw.request_uri,
                    &mut raw.scheme,
                    &mut raw.server_name,
                    &mut raw.remote_user,
                    &mut raw.auth_type,
                ][bit] = text;
            }
        }
    }

    /// Some bytes, or a size without bytes.
    fn text(&mut self, data: &mut Data<'_>) -> wsgi_str {
        if data.byte() > 250 {
            let size = data.number() as usize;
            self.is_valid &= size == 0;
            return wsgi_str { data: null(), size };
        }
        self.strings.push(data.bytes(20));
        lend(&self.strings[self.strings.len() - 1])
    }

    fn pairs(&mut self, data: &mut Data<'_>) -> (*const wsgi_header, usize) {
        if data.byte() > 250 {
            let count = data.number() as usize;
            self.is_valid &= count == 0;
            return (null(), count);
        }
        let count = data.byte() % 4;
        let pairs = (0..count)
            .map(|_| wsgi_header { name: self.text(data), value: self.text(data) })
            .collect::<Vec<_>>();
        self.arrays.push(pairs);
        let pairs = &self.arrays[self.arrays.len() - 1];
        (pairs.as_ptr(), pairs.len())
    }

    fn fill_body(&mut self, data: &mut Data<'_>) {
        let kind = u32::from(data.byte() % 8);
        self.raw.body_kind = if kind == 7 { data.number() as u32 } else { kind };
        match self.raw.body_kind {
            WSGI_BODY_NONE | WSGI_BODY_PUSH => {}
            WSGI_BODY_MEMORY => self.fill_parts(data),
            WSGI_BODY_FILE => self.fill_file(data),
            _ => self.is_valid = false,
        }
    }

    fn fill_parts(&mut self, data: &mut Data<'_>) {
        if data.byte() > 250 {
            self.raw.body_parts_count = data.number() as usize;
            self.is_valid &= self.raw.body_parts_count == 0;
            return;
        }
        let count = data.byte() % 3;
        self.parts = (0..count).map(|_| self.text(data)).collect();
        self.raw.body_parts = self.parts.as_ptr();
        self.raw.body_parts_count = self.parts.len();
    }

    fn fill_file(&mut self, data: &mut Data<'_>) {
        const CLOSED: c_int = 100_000;
        self.raw.body_fd = data.choose(&[FILE.as_raw_fd(), FILE.as_raw_fd(), -1, CLOSED]);
        self.is_valid &= self.raw.body_fd == FILE.as_raw_fd();
        let (offset, length) = (data.number(), data.number());
        self.raw.body_offset = data.choose(&[0, 10, offset]);
        self.raw.body_length = data.choose(&[0, 20, length]);
    }
}

/// Keys that a param must not have.
const LENT: [&[u8]; 4] =
    [b"wsgi.input", b"wsgi.errors", b"wsgi.early_hints", b"libwsgi.client_disconnected"];

static FILE: LazyLock<std::fs::File> = LazyLock::new(|| {
    std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap()
});

/// The bytes of a valid string.
fn bytes(of: &wsgi_str) -> &[u8] {
    // SAFETY: `text` and `lend` made it: of bytes that live as long as the request.
    if of.size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(of.data, of.size) } }
}

fn lend(bytes: &[u8]) -> wsgi_str {
    wsgi_str { data: bytes.as_ptr(), size: bytes.len() }
}
