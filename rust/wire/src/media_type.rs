//! `Content-Type` and `Content-Disposition` values, by the two readers that FastAPI's answers depend on.
//!
//! **Is it JSON?** is decided the way Python's `email.message.Message` finds a content type: everything before the
//! first `;`, stripped, in lower case, and only if it has exactly one `/`. So `application/json,text/plain` and
//! `application/json x` are not JSON, and blanks beside the slash spoil it. The answer matters: a body that is not
//! declared as JSON and parsed nevertheless can be forged across sites without a preflight (CVE-2021-32677).
//!
//! **Which form is it, and its options** follow `python_multipart.parse_options_header`, in time linear in the header:
//!
//! * A `;` inside double quotes doesn't separate. Quotes are counted, those behind a backslash excepted, so that an
//!   unbalanced quote makes everything after it one option.
//! * Option names are case-insensitive, the last of equal ones wins. Those of RFC 5987 (`filename*=`) are ignored.
//! * A quoted value loses its quotes, then `\\` becomes `\`, then `\"` becomes `"`, in that order and each in a pass of
//!   its own.
//! * Of a `filename` that looks like a Windows path (`C:\…`, `\\…`) only the last component is kept.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

use crate::bytes::{cut, is_blank, trim_blanks, trim_end, trim_start};
use crate::latin1::strip;

/// Whether a body of this content type is JSON: `application/json` or `application/…+json`.
#[must_use]
pub fn is_json(content_type: &[u8]) -> bool {
    let essence = strip(cut(content_type, b';').map_or(content_type, |(before, _)| before));
    let Some((main, sub)) = cut(essence, b'/') else { return false };
    if !main.eq_ignore_ascii_case(b"application") || memchr(b'/', sub).is_some() {
        return false;
    }
    let suffix = sub.len().checked_sub(5).and_then(|at| sub.get(at..)).unwrap_or_default();
    sub.eq_ignore_ascii_case(b"json") || suffix.eq_ignore_ascii_case(b"+json")
}

/// A header value with options: `form-data; name="a"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    essence: Vec<u8>,
    options: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Options {
    /// Parses a header value. Nothing is rejected.
    #[must_use]
    pub fn parse(header: &[u8]) -> Self {
        if memchr(b';', header).is_none() {
            return Self { essence: trim_blanks(&lower(header)).to_vec(), options: Vec::new() };
        }
        let mut pieces = Pieces { rest: Some(header) };
        let essence = lower(&pieces.next().unwrap_or_default());
        Self { essence, options: pieces.filter_map(|piece| option(&piece)).collect() }
    }

    /// What comes before the options, in lower case and without blanks around it.
    #[must_use]
    pub fn essence(&self) -> &[u8] {
        &self.essence
    }

    /// The value of the last option called `name`, which is given in lower case.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.options.iter().rev().find(|(each, _)| each == name).map(|(_, value)| value.as_slice())
    }
}

/// The pieces of a header value between those `;` that are not quoted, each with its `=` tidied up.
struct Pieces<'h> {
    rest: Option<&'h [u8]>,
}

impl Iterator for Pieces<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let rest = self.rest?;
        let (piece, after) = match unquoted_semicolon(rest).and_then(|at| rest.split_at_checked(at)) {
            Some((piece, [_, after @ ..])) => (piece, Some(after)),
            _ => (rest, None),
        };
        self.rest = after;
        Some(match cut(piece, b'=') {
            Some((name, value)) => {
                let mut tidy = lower(trim_end(name, is_blank));
                tidy.push(b'=');
                tidy.extend_from_slice(trim_start(value, is_blank));
                trim_blanks(&tidy).to_vec()
            }
            None => trim_blanks(piece).to_vec(),
        })
    }
}

/// Where the first `;` stands that an even number of quotes precedes.
fn unquoted_semicolon(text: &[u8]) -> Option<usize> {
    let mut even = true;
    let mut from = 0;
    for at in memchr_iter(b';', text) {
        let stretch = text.get(from..at).unwrap_or_default();
        let quotes = memchr_iter(b'"', stretch).count();
        let escaped = memmem::find_iter(stretch, br#"\""#).count();
        even ^= quotes.abs_diff(escaped) % 2 == 1;
        if even {
            return Some(at);
        }
        from = at;
    }
    None
}

/// The name and the value of one piece, or `None` if it is an option of RFC 5987.
fn option(piece: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, value) = cut(piece, b'=').unwrap_or((piece, &[]));
    if memchr(b'*', name).is_some() {
        return None;
    }
    let value = match value {
        [b'"', quoted @ .., b'"'] => unescape(&unescape(quoted, br"\\", b'\\'), br#"\""#, b'"').into_owned(),
        plain => plain.to_vec(),
    };
    let value = if name == b"filename" { without_windows_path(value) } else { value };
    Some((name.to_vec(), value))
}

/// `text` with each `escape` (two bytes, found from the left) replaced by `plain`.
fn unescape<'t>(text: &'t [u8], escape: &[u8; 2], plain: u8) -> Cow<'t, [u8]> {
    if memmem::find(text, escape).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match rest.strip_prefix(escape) {
            Some(after) => (plain, after),
            None => (byte, after),
        };
        out.push(byte);
        rest = after;
    }
    Cow::Owned(out)
}

/// Old browsers sent the whole path of an uploaded file.
fn without_windows_path(filename: Vec<u8>) -> Vec<u8> {
    match filename.as_slice() {
        [_, b':', b'\\', ..] | [b'\\', b'\\', ..] => {
            filename.rsplit(|&byte| byte == b'\\').next().unwrap_or_default().to_vec()
        }
        _ => filename,
    }
}

/// `text` in lower case, as latin-1.
fn lower(text: &[u8]) -> Vec<u8> {
    let lower = |&byte: &u8| match byte {
        b'A'..=b'Z' | 0xc0..=0xd6 | 0xd8..=0xde => byte | 0x20,
        _ => byte,
    };
    text.iter().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_recognised_strictly() {
        let rows: &[(&[u8], bool)] = &[
            (b"application/json", true),
            (b"APPLICATION/Json", true),
            (b" application/json\t", true),
            (b"\xa0application/json\x1f;", true),
            (b"application/json; charset=utf-16", true),
            (b"application/json;;;", true),
            (b"application/json;/", true),
            (b"application/vnd.api+json; charset=x", true),
            (b"application/+json", true),
            (b"application/+JSON", true),
            (b"", false),
            (b";application/json", false),
            (b"application/jsonx", false),
            (b"application/xjson", false),
            (b"application/json+xml", false),
            (b"application/json,text/plain", false),
            (b"application/json, application/json", false),
            (b"application/json charset=utf-8", false),
            (b"application /json", false),
            (b"application/ json", false),
            (b"application/ +json", true),
            (b"application//json", false),
            (b"application/json/", false),
            (b"application/a/b+json", false),
            (b"text/json", false),
            (b"text/plain; application/json", false),
            (b"json", false),
            (b"\"application/json\"", false),
            (b"\xff/json", false),
            (b"application/\xffjson", false),
            (b"application/json\0", false),
        ];
        for (header, expected) in rows {
            assert_eq!(is_json(header), *expected, "{header:?}");
        }
    }

    /// Essence and options as one line: `form-data|name=a`.
    fn shown(header: &[u8]) -> String {
        let parsed = Options::parse(header);
        let mut line = crate::latin1::decode(parsed.essence()).into_owned();
        for (name, value) in &parsed.options {
            line += &format!("|{}={}", crate::latin1::decode(name), crate::latin1::decode(value));
        }
        line
    }

    #[test]
    fn a_value_has_options() {
        let rows: &[(&[u8], &str)] = &[
            (b"", ""),
            (b" Text/HTML ", "text/html"),
            (b"Multipart/Form-Data; Boundary=AbC", "multipart/form-data|boundary=AbC"),
            (b"form-data;name=a;name=b", "form-data|name=a|name=b"),
            (b"form-data; name = a ; x", "form-data|name=a|x="),
            (b"form-data; NAME=\" a \"", "form-data|name= a "),
            (b"form-data; name=\"a;b\"; c=d", "form-data|name=a;b|c=d"),
            (b"form-data; name=\"a\\\";b\"; c", "form-data|name=a\";b|c="),
            (b"form-data; name=\"a;b; c=d", "form-data|name=\"a;b; c=d"),
            (b"form-data; name=\"a\"b; c", "form-data|name=\"a\"b|c="),
            (b"form-data; name=\"\\\\\"; c", "form-data|name=\"\\\\\"; c"),
            (b"form-data; name=\"\\\\a\\\\\\\"\"", "form-data|name=\\a\\\""),
            (b"form-data; name=\"", "form-data|name=\""),
            (b"form-data; name=\"\"", "form-data|name="),
            (b"form-data; filename=ok; filename*=UTF-8''evil", "form-data|filename=ok"),
            (b"form-data; filename=\"C:\\dir\\x.txt\"", "form-data|filename=x.txt"),
            (b"form-data; filename=\"\\\\host\\x.txt\"", "form-data|filename=\\host\\x.txt"),
            (b"form-data; filename=\\\\host\\x.txt", "form-data|filename=x.txt"),
            (b"form-data; filename=\"../../etc/passwd\"", "form-data|filename=../../etc/passwd"),
            (b"form-data; name=\"C:\\dir\\x\"", "form-data|name=C:\\dir\\x"),
            (b"a=B; c", "a=b|c="),
            (b";;a;", "|=|a=|="),
            (b"\xc9; \xc9=\xc9", "\u{e9}|\u{e9}=\u{c9}"),
        ];
        for (header, expected) in rows {
            assert_eq!(shown(header), *expected, "{:?}", crate::latin1::decode(header));
        }
    }

    #[test]
    fn the_last_of_equal_options_wins() {
        let parsed = Options::parse(b"multipart/form-data; boundary=a; Boundary=\"b\"; boundary*=c");
        assert_eq!(parsed.essence(), b"multipart/form-data");
        assert_eq!(parsed.get(b"boundary"), Some(b"b".as_slice()));
        assert_eq!(parsed.get(b"charset"), None);
    }

    proptest! {
        #[test]
        fn a_quoted_value_comes_back(value in "[a-z;= \"]{0,20}") {
            // A value that ends in a backslash can't be quoted so that this reader finds its end; others can.
            let header = format!("form-data; name=\"{}\"; x=y", value.replace('"', "\\\""));
            let parsed = Options::parse(header.as_bytes());
            prop_assert_eq!(parsed.get(b"name"), Some(value.as_bytes()));
            prop_assert_eq!(parsed.get(b"x"), Some(b"y".as_slice()));
        }
    }
}
