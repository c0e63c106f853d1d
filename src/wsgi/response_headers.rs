//! Checks the arguments of `start_response`, and makes the head of the response from them.

use super::violation::Violation;
use crate::host::response::head::Head;
use crate::python::repr::{self, type_name};
use crate::python::strings::latin1;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use std::borrow::Cow;
use std::fmt;

/// These describe the connection (RFC 9110 and 9113), which belongs to the server. "Applications
/// and middleware are forbidden from using HTTP/1.1 'hop-by-hop' features or headers" (PEP 3333,
/// The start_response() Callable).
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

/// The bytes of a token (RFC 9110, 5.6.2). It is a table for speed: each byte of each name is
/// looked up in it.
const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        token[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut n = 0;
    while n < others.len() {
        token[others[n] as usize] = true;
        n += 1;
    }
    token
};

/// A head, and the fields that were left out of it: each a name, and a value for the log.
pub struct Checked {
    pub head: Head,
    pub left_out: Vec<(String, String)>,
}

/// The name in messages of the string that is checked.
enum Part<'a> {
    Status,
    Name,
    Value(&'a [u8]),
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Status => f.write_str("the status"),
            Part::Name => f.write_str("the name of a response header"),
            Part::Value(name) => {
                write!(f, "the value of the response header {}", String::from_utf8_lossy(name))
            }
        }
    }
}

pub fn check(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> Result<Checked, Violation> {
    let line = text(status, "WSGI0220", Part::Status)?;
    let (code, reason) = parse_status(status, &line)?;
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

/// Checks the headers of early hints, and makes a head of them that has fields only.
pub(super) fn check_hints(headers: &Bound<'_, PyAny>) -> Result<Checked, Violation> {
    let mut checked = check_fields(Head::default(), headers)?;
    // RFC 9110, 8.6 forbids it "in any response with a status code of 1xx (Informational)".
    checked.head.content_length = None;
    Ok(checked)
}

fn check_fields(head: Head, headers: &Bound<'_, PyAny>) -> Result<Checked, Violation> {
    let headers = headers.cast::<PyList>().map_err(|_| {
        let wrong = repr::value(headers);
        let rule = "the response headers must be a list of (name, value) tuples";
        Violation::of_type("WSGI0210", format!("{rule} (PEP 3333), not {wrong}"))
    })?;
    let mut checked = Checked { head, left_out: Vec::new() };
    checked.head.expect(headers.len());
    for pair in headers {
        add(&mut checked, &pair)?;
    }
    Ok(checked)
}

fn add(checked: &mut Checked, pair: &Bound<'_, PyAny>) -> Result<(), Violation> {
    let (name_object, value_object) = split(pair)?;
    let name = text(&name_object, "WSGI0222", Part::Name)?;
    let value = text(&value_object, "WSGI0222", Part::Value(&name))?;
    check_name(&name_object, &name)?;
    refuse_controls(&value_object, &value, Part::Value(&name), is_forbidden_in_value)?;
    if name.eq_ignore_ascii_case(b"content-length") {
        return set_length(&mut checked.head, &value_object, &value);
    }
    if is_hop_by_hop(&name) {
        let name = String::from_utf8_lossy(&name).into_owned();
        checked.left_out.push((name, repr::value(&value_object)));
        return Ok(());
    }
    checked.head.add(&name, trim(&value));
    Ok(())
}

fn is_hop_by_hop(name: &[u8]) -> bool {
    let begins = name.first().map(u8::to_ascii_lowercase);
    // Most names have a first letter that none of these has.
    matches!(begins, Some(b'c' | b'k' | b'p' | b't' | b'u'))
        && HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop.as_bytes()))
}

fn split<'py>(
    pair: &Bound<'py, PyAny>,
) -> Result<(Bound<'py, PyAny>, Bound<'py, PyAny>), Violation> {
    let tuple = pair.cast::<PyTuple>().ok().filter(|tuple| tuple.len() == 2);
    let parts = tuple.and_then(|tuple| Some((tuple.get_item(0).ok()?, tuple.get_item(1).ok()?)));
    parts.ok_or_else(|| {
        let wrong = repr::value(pair);
        let rule = "a response header must be a tuple of two strings, (name, value)";
        Violation::of_type("WSGI0221", format!("{rule} (PEP 3333), not {wrong}"))
    })
}

/// A string must be of type `str`, and "must contain only code points representable in ISO-8859-1
/// encoding" (PEP 3333, Unicode Issues). `number` is the number of the line about a wrong type.
fn text<'a>(
    object: &'a Bound<'_, PyAny>,
    number: &'static str,
    what: Part<'_>,
) -> Result<Cow<'a, [u8]>, Violation> {
    let string = object.cast::<PyString>().map_err(|_| {
        let (class, wrong) = (type_name(object), repr::value(object));
        let wrong = if wrong == class { class } else { format!("{class}: {wrong}") };
        Violation::of_type(number, format!("{what} must be a str (PEP 3333), not {wrong}"))
    })?;
    latin1(string).ok_or_else(|| {
        let message = format!(
            "{what} has a character that ISO-8859-1 has not, which PEP 3333 forbids: {}; encode it \
             first, for example as RFC 8187 or percent-encoding says",
            repr::value(object)
        );
        Violation::of_value("WSGI0213", message)
    })
}

/// "a status string of the form '999 Message here'" (PEP 3333, The start_response() Callable). A
/// missing message is allowed, since it does no harm.
fn parse_status<'a>(
    object: &Bound<'_, PyAny>,
    status: &'a [u8],
) -> Result<(u16, &'a [u8]), Violation> {
    let bad = |why: &str| {
        let wrong = repr::value(object);
        let message = format!("the status {wrong} {why}; PEP 3333 wants one like '200 OK'");
        Err(Violation::of_value("WSGI0209", message))
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
    refuse_controls(object, reason, Part::Status, is_control)?;
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if code < 200 {
        return bad("is not one that can end a request");
    }
    Ok((code, reason))
}

fn check_name(object: &Bound<'_, PyAny>, name: &[u8]) -> Result<(), Violation> {
    if !name.is_empty() && name.iter().all(|&byte| TOKEN[usize::from(byte)]) {
        return Ok(());
    }
    refuse_controls(object, name, Part::Name, is_control)?;
    let wrong = repr::value(object);
    let rule = "letters, digits and !#$%&'*+-.^_`|~ are allowed";
    let message = format!("{wrong} is not the name of a header (PEP 3333, RFC 9110): {rule}");
    Err(Violation::of_value("WSGI0211", message))
}

/// "Each header_value must not include any control characters, including carriage returns or
/// linefeeds, either embedded or at the end" (PEP 3333); nor may the status.
fn refuse_controls(
    object: &Bound<'_, PyAny>,
    bytes: &[u8],
    what: Part<'_>,
    is_bad: impl Fn(u8) -> bool,
) -> Result<(), Violation> {
    let Some(byte) = bytes.iter().find(|&&byte| is_bad(byte)) else { return Ok(()) };
    let message = format!(
        "{what} contains the control character 0x{byte:02x}, which PEP 3333 forbids: {}",
        repr::value(object)
    );
    Err(Violation::of_value("WSGI0212", message))
}

/// HTTP allows a tab in a value, as white space.
fn is_forbidden_in_value(byte: u8) -> bool {
    is_control(byte) && byte != b'\t'
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

fn set_length(head: &mut Head, object: &Bound<'_, PyAny>, value: &[u8]) -> Result<(), Violation> {
    let digits = std::str::from_utf8(trim(value)).ok();
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length: Option<u64> = digits.and_then(|text| text.parse().ok());
    match (length, head.content_length) {
        (Some(new), None) => head.content_length = Some(new),
        (Some(new), Some(old)) if new == old => {}
        (Some(new), Some(old)) => {
            let message = format!(
                "there are two Content-Lengths, {old} and {new}; PEP 3333 wants \
                                   headers that are correct HTTP"
            );
            return Err(Violation::of_value("WSGI0223", message));
        }
        (None, _) => {
            let wrong = repr::value(object);
            let message = format!(
                "the Content-Length {wrong} is not a number of bytes, as HTTP \
                                   and PEP 3333 want it"
            );
            return Err(Violation::of_value("WSGI0214", message));
        }
    }
    Ok(())
}

fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}
