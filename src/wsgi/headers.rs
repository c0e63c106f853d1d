//! Checks what an application gives to `start_response`, and makes a head of it.

use crate::host::event::Head;
use crate::python::strings::latin1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use std::borrow::Cow;

/// RFC 9110 and 9113: they speak of the connection, which is the server's. "Applications and
/// middleware are prohibited from using HTTP/1.1 'hop-by-hop' features or headers" (PEP 3333, Other
/// HTTP Features).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A head, and the names of fields that were left out of it.
pub(super) struct Checked {
    pub(super) head: Head,
    pub(super) left_out: Vec<String>,
}

pub(super) fn check(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Checked> {
    let status = text(status, "the status")?;
    let (code, reason) = parse_status(&status)?;
    let mut checked = check_fields(Head::new(code, reason), headers)?;
    if matches!(code, 204 | 304) {
        checked.head.no_body = true;
    }
    if code == 204 {
        // RFC 9110, 8.6: "A server MUST NOT send a Content-Length header field in any response with
        // a status code of 1xx (Informational) or 204 (No Content)."
        checked.head.content_length = None;
    }
    Ok(checked)
}

/// What is said before there is a response: a head that has fields and nothing else.
pub(super) fn check_hints(headers: &Bound<'_, PyAny>) -> PyResult<Checked> {
    let mut checked = check_fields(Head::default(), headers)?;
    // RFC 9110, 8.6: not "in any response with a status code of 1xx (Informational)".
    checked.head.content_length = None;
    Ok(checked)
}

fn check_fields(head: Head, headers: &Bound<'_, PyAny>) -> PyResult<Checked> {
    let headers = headers.cast::<PyList>().map_err(|_| {
        PyTypeError::new_err(format!(
            "the response headers must be a list of (name, value) tuples, not {}",
            type_name(headers)
        ))
    })?;
    let mut checked = Checked { head, left_out: Vec::new() };
    for pair in headers {
        add(&mut checked, &pair)?;
    }
    Ok(checked)
}

fn add(checked: &mut Checked, pair: &Bound<'_, PyAny>) -> PyResult<()> {
    let wrong = || {
        PyTypeError::new_err(format!(
            "a response header must be a tuple of two strings (name, value), not {}",
            shown(pair)
        ))
    };
    let tuple = pair.cast::<PyTuple>().map_err(|_| wrong())?;
    if tuple.len() != 2 {
        return Err(wrong());
    }
    let (name, value) = (tuple.get_item(0)?, tuple.get_item(1)?);
    let (name, value) = (text(&name, "a header's name")?, text(&value, "a header's value")?);
    check_name(&name)?;
    check_value(&name, &value)?;
    if name.eq_ignore_ascii_case(b"content-length") {
        return set_length(&mut checked.head, &value);
    }
    if HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop.as_bytes())) {
        checked.left_out.push(String::from_utf8_lossy(&name).into_owned());
        return Ok(());
    }
    checked.head.add(&name, trim(&value));
    Ok(())
}

/// "all strings passed to start_response must be of type str ... containing only code points that
/// are representable in ISO-8859-1" (PEP 3333, Unicode Issues).
fn text<'a>(object: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    let string = object.cast::<PyString>().map_err(|_| {
        PyTypeError::new_err(format!("{what} must be a str, not {}", type_name(object)))
    })?;
    latin1(string).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{what} has a character that ISO-8859-1 has not: {}; encode it first, for example as \
             RFC 8187 or percent-encoding says",
            shown(object)
        ))
    })
}

/// "a status string of the form '999 Message here'" (PEP 3333, The start_response() Callable). A
/// missing message is let pass: nothing is lost by it.
fn parse_status(status: &[u8]) -> PyResult<(u16, &[u8])> {
    let bad = |why: &str| {
        Err(PyValueError::new_err(format!(
            "the status {:?} {why}; it must be like '200 OK'",
            String::from_utf8_lossy(status)
        )))
    };
    let (digits, rest) = status.split_at_checked(3).unwrap_or((status, b""));
    if digits.len() != 3 || !digits.iter().all(u8::is_ascii_digit) {
        return bad("does not begin with three digits");
    }
    let reason = match rest {
        [] => rest,
        [b' ', reason @ ..] => reason,
        _ => return bad("has no space after its three digits"),
    };
    if let Some(byte) = reason.iter().find(|&&byte| is_control(byte)) {
        return bad(&format!("contains the control character 0x{byte:02x}"));
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if code < 200 {
        return bad("is not one that can end a request");
    }
    Ok((code, reason))
}

fn check_name(name: &[u8]) -> PyResult<()> {
    // RFC 9110, 5.6.2: token.
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(PyValueError::new_err(format!(
            "{:?} is not the name of a header: letters, digits and !#$%&'*+-.^_`|~ are allowed",
            String::from_utf8_lossy(name)
        )));
    }
    Ok(())
}

/// "Each header_value must not include any control characters, including carriage returns or
/// linefeeds, either embedded or at the end" (PEP 3333). A tab is white space to HTTP.
fn check_value(name: &[u8], value: &[u8]) -> PyResult<()> {
    match value.iter().find(|&&byte| is_control(byte) && byte != b'\t') {
        None => Ok(()),
        Some(byte) => Err(PyValueError::new_err(format!(
            "the value of the header {} contains the control character 0x{byte:02x}: {:?}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        ))),
    }
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

fn set_length(head: &mut Head, value: &[u8]) -> PyResult<()> {
    let digits = std::str::from_utf8(trim(value)).ok();
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length: Option<u64> = digits.and_then(|text| text.parse().ok());
    match (length, head.content_length) {
        (Some(new), None) => head.content_length = Some(new),
        (Some(new), Some(old)) if new == old => {}
        _ => {
            return Err(PyValueError::new_err(format!(
                "the Content-Length {:?} is not one number of bytes",
                String::from_utf8_lossy(value)
            )));
        }
    }
    Ok(())
}

fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

pub(super) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string())
}

/// As `repr` has it, cut to a length that a log line can bear.
fn shown(object: &Bound<'_, PyAny>) -> String {
    let text =
        object.repr().map_or_else(|_| type_name(object), |repr| repr.to_string_lossy().into());
    if text.chars().count() <= 100 {
        text
    } else {
        text.chars().take(100).chain("...".chars()).collect()
    }
}
