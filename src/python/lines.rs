//! Text as log lines: cutting a stream into lines, and lines into pieces that are safe to log.

use std::borrow::Cow;

/// A line that has not ended after this many bytes goes out in pieces.
const MAX_PARTIAL: usize = 64 * 1024;

/// Text goes in as it is written, whole lines come out, without their line breaks. `\n` and `\r\n`
/// end a line. Bytes that are not UTF-8 come out as `\xNN`.
///
/// Holds at most 64 KiB. What is left in it when it is dropped is lost: call `finish`.
#[derive(Default)]
pub struct LineBuffer {
    partial: Vec<u8>,
}

impl LineBuffer {
    /// An empty buffer; allocates nothing.
    pub const fn new() -> LineBuffer {
        LineBuffer { partial: Vec::new() }
    }

    /// Adds text. Returns lines if that completes one. The line that had begun is then part of
    /// these lines, and [`LineBuffer::put_back`] must bring back what they leave.
    pub fn push<'a>(&mut self, text: &'a [u8]) -> Option<Lines<'a>> {
        if !text.contains(&b'\n') && self.partial.len() + text.len() <= MAX_PARTIAL {
            self.partial.extend_from_slice(text);
            return None;
        }
        let begun = std::mem::take(&mut self.partial);
        Some(Lines { begun, given: 0, rest: text, whole: false })
    }

    /// Brings back the line that has begun at the end of `lines`. The caller has taken all whole
    /// lines.
    pub fn put_back(&mut self, lines: Lines<'_>) {
        // Another thread may have begun a line meanwhile, if this buffer is shared.
        if self.partial.is_empty() {
            self.partial = lines.begun;
        } else {
            self.partial.extend_from_slice(&lines.begun);
        }
    }

    /// The line that has begun, if one has, as if it were complete.
    pub fn finish(&mut self) -> Option<Lines<'static>> {
        if self.partial.is_empty() {
            return None;
        }
        let begun = std::mem::take(&mut self.partial);
        Some(Lines { begun, given: 0, rest: b"", whole: true })
    }
}

/// The lines of one text, each made when it is asked for: a text of many short lines needs no
/// memory for them.
pub struct Lines<'a> {
    begun: Vec<u8>,
    /// This many bytes of `begun` are the line that was returned last.
    given: usize,
    rest: &'a [u8],
    /// What is left at the end is a line, though it has no line break.
    whole: bool,
}

impl<'a> Lines<'a> {
    /// All of a text that is known whole.
    pub fn of(text: &'a str) -> Self {
        Lines { begun: Vec::new(), given: 0, rest: text.as_bytes(), whole: true }
    }

    /// Not an `Iterator`: the line is borrowed until the next is asked for.
    #[expect(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Cow<'_, str>> {
        self.begun.drain(..std::mem::take(&mut self.given));
        let room = MAX_PARTIAL.saturating_sub(self.begun.len());
        let near = &self.rest[..self.rest.len().min(room + 1)];
        if let Some(end) = near.iter().position(|byte| *byte == b'\n') {
            self.rest = &self.rest[end + 1..];
            if self.begun.is_empty() {
                return Some(decode(without_cr(&near[..end])));
            }
            self.begun.extend_from_slice(&near[..end]);
            self.given = self.begun.len();
            return Some(decode(without_cr(&self.begun)));
        }
        if self.rest.len() <= room {
            self.begun.extend_from_slice(std::mem::take(&mut self.rest));
            if !self.whole || self.begun.is_empty() {
                return None;
            }
            self.given = self.begun.len();
            return Some(decode(without_cr(&self.begun)));
        }
        self.begun.extend_from_slice(near);
        self.rest = &self.rest[near.len()..];
        self.given = cut(&self.begun, MAX_PARTIAL);
        Some(decode(&self.begun[..self.given]))
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Bytes as text; what is not UTF-8 becomes `\xNN`.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| push_escaped(&mut text, u32::from(*byte)));
    }
    Cow::Owned(text)
}

/// Replaces each control character of the line, except tabs, by `\xNN`. Characters that begin a
/// line or change the direction of the text after them become `\uNNNN`. An application then cannot
/// write a line that looks like two, or that controls the terminal of a user who reads the log.
pub fn escape(line: &str) -> Cow<'_, str> {
    let harmless = |c: char| match c {
        '\t' => true,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        _ => !c.is_control(),
    };
    if line.chars().all(harmless) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if harmless(c) {
            text.push(c);
        } else {
            push_escaped(&mut text, u32::from(c));
        }
    }
    Cow::Owned(text)
}

/// Every byte and every control character is at most U+009F: two digits are enough. Four are for
/// the other characters that `escape` takes out.
fn push_escaped(text: &mut String, code: u32) {
    text.push_str(if code > 0xff { "\\u" } else { "\\x" });
    let digits = [code >> 12, code >> 8 & 0xf, code >> 4 & 0xf, code & 0xf];
    for digit in &digits[if code > 0xff { 0 } else { 2 }..] {
        text.extend(char::from_digit(*digit, 16));
    }
}

/// Calls `each` for the line in pieces of at most `max` bytes, never cut inside a character. 0
/// means no limit; a piece has at least one character, however small `max` is. An empty line is one
/// empty piece.
pub fn split(line: &str, max: usize, mut each: impl FnMut(&str)) {
    let mut rest = line;
    while max != 0 && rest.len() > max {
        let mut end = cut(rest.as_bytes(), max);
        if end == 0 {
            end = rest.chars().next().map_or(rest.len(), char::len_utf8);
        }
        let (piece, after) = rest.split_at(end);
        each(piece);
        if after.is_empty() {
            return;
        }
        rest = after;
    }
    each(rest);
}

/// The last place at or before `max` where no UTF-8 character is cut; `max` itself where the bytes
/// are not UTF-8. `max` is less than the length.
fn cut(bytes: &[u8], max: usize) -> usize {
    let is_boundary = |at: usize| bytes[at] & 0b1100_0000 != 0b1000_0000;
    (max.saturating_sub(3)..=max).rev().find(|at| is_boundary(*at)).unwrap_or(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(parts: &[&[u8]]) -> Vec<String> {
        let mut buffer = LineBuffer::new();
        let mut said = Vec::new();
        for part in parts {
            if let Some(mut lines) = buffer.push(part) {
                while let Some(line) = lines.next() {
                    said.push(line.into_owned());
                }
                buffer.put_back(lines);
            }
        }
        if let Some(line) = buffer.finish().as_mut().and_then(Lines::next) {
            said.push(format!("partial {line}"));
        }
        said
    }

    #[test]
    fn a_whole_text_needs_no_line_break_at_its_end() {
        let mut lines = Lines::of("one\n\ntwo");
        assert_eq!(lines.next().as_deref(), Some("one"));
        assert_eq!(lines.next().as_deref(), Some(""));
        assert_eq!(lines.next().as_deref(), Some("two"));
        assert_eq!(lines.next(), None);
        assert_eq!(Lines::of("").next(), None);
    }

    #[test]
    fn what_another_thread_has_begun_meanwhile_is_kept() {
        let mut buffer = LineBuffer::new();
        let mut lines = buffer.push(b"one\ntwo").expect("a line is complete");
        assert!(buffer.push(b"other ").is_none());
        assert_eq!(lines.next().as_deref(), Some("one"));
        assert_eq!(lines.next(), None);
        buffer.put_back(lines);
        let mut lines = buffer.finish().expect("a line has begun");
        assert_eq!(lines.next().as_deref(), Some("other two"));
    }

    #[test]
    fn a_line_comes_out_when_it_is_whole() {
        assert_eq!(
            pushed(&[b"on", b"e\ntwo\r\n\nth", b"ree"]),
            ["one", "two", "", "partial three"]
        );
    }

    #[test]
    fn a_line_break_may_come_in_two_parts() {
        assert_eq!(pushed(&[b"one\r", b"\ntwo\rtwo\n"]), ["one", "two\rtwo"]);
    }

    #[test]
    fn nothing_is_left_after_a_whole_line() {
        assert_eq!(pushed(&[b"one\n"]), ["one"]);
        assert!(pushed(&[]).is_empty());
    }

    #[test]
    fn characters_may_come_in_parts_and_other_bytes_are_escaped() {
        assert_eq!(pushed(&[b"\xe2\x82", b"\xac\n\xff\xe2\x82\n"]), ["€", "\\xff\\xe2\\x82"]);
    }

    #[test]
    fn an_endless_line_goes_out_in_pieces_of_whole_characters() {
        let text = "€".repeat(50_000);
        for parts in [&[text.as_bytes()][..], &text.as_bytes().chunks(7).collect::<Vec<_>>()] {
            let lines = pushed(parts);
            assert_eq!(lines.len(), 3);
            assert!(lines[..2].iter().all(|line| line.len() > MAX_PARTIAL - 4));
            assert_eq!(lines.concat().replace("partial ", ""), text);
        }
        assert_eq!(pushed(&[&[b'x'; MAX_PARTIAL], b"\n"]).len(), 1);
        assert_eq!(pushed(&[&[b'x'; MAX_PARTIAL], b"\xff\xff", b"\n"]).len(), 2);
    }

    #[test]
    fn control_characters_are_escaped_but_tabs() {
        assert_eq!(escape("a\tb"), "a\tb");
        assert_eq!(escape("a\n\u{1b}[2J\u{7f}\u{9b}é"), "a\\x0a\\x1b[2J\\x7f\\x9bé");
        assert_eq!(escape("€\u{2028}\u{202e}"), "€\\u2028\\u202e");
    }

    fn pieces(line: &str, max: usize) -> Vec<String> {
        let mut pieces = Vec::new();
        split(line, max, |piece| pieces.push(piece.to_owned()));
        pieces
    }

    #[test]
    fn long_lines_are_split_between_characters() {
        assert_eq!(pieces("abcdef", 0), ["abcdef"]);
        assert_eq!(pieces("abcdef", 6), ["abcdef"]);
        assert_eq!(pieces("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(pieces("a€€b", 4), ["a€", "€b"]);
        assert_eq!(pieces("a€€b", 3), ["a", "€", "€", "b"]);
        assert_eq!(pieces("€€", 1), ["€", "€"]);
        assert_eq!(pieces("", 4), [""]);
    }
}
