//! The `Cookie` header as Starlette's `cookie_parser` reads it, which is how browsers and servers do rather than RFC
//! 6265.
//!
//! * `;` separates, wherever it stands: also inside double quotes.
//! * A piece without `=` is a value without a name; so is one that begins with `=`. Neither ever takes part of the
//!   value for the name (`=__Host-a=b` is the nameless `__Host-a=b`). A piece with neither name nor value is skipped.
//! * Names and values lose the blanks around them, in Python's sense of the word.
//! * A value in double quotes loses them, and its escapes (`\"`, `\073`) are undone, by the rule of Python's
//!   `http.cookies` with the fix for CVE-2024-7592: one pass. A backslash before a newline is no escape. Octal escapes
//!   go up to `\377`.
//! * A name may occur several times and all are reported, in order. In Starlette the last one wins.

use std::borrow::Cow;
use std::iter::FusedIterator;

use memchr::memchr;

use crate::bytes::cut;
use crate::latin1;

/// The cookies of one header, decoded, in order. Made by [`pairs`].
#[derive(Clone, Debug)]
pub struct Pairs<'h>(RawPairs<'h>);

/// The cookies of one header as they were sent, in order. Made by [`raw_pairs`].
#[derive(Clone, Debug)]
pub struct RawPairs<'h> {
    rest: Option<&'h [u8]>,
}

/// The names and values in `header`, the value of a `Cookie` header.
#[must_use]
pub fn pairs(header: &[u8]) -> Pairs<'_> {
    Pairs(raw_pairs(header))
}

/// The same without decoding: names are latin-1, and [`decode`] gives the text of a value.
#[must_use]
pub fn raw_pairs(header: &[u8]) -> RawPairs<'_> {
    RawPairs { rest: Some(header) }
}

/// The text of a raw value, unquoted. Borrowed if it is plain ASCII.
#[must_use]
pub fn decode(raw: &[u8]) -> Cow<'_, str> {
    let [b'"', quoted @ .., b'"'] = raw else { return latin1::decode(raw) };
    if memchr(b'\\', quoted).is_none() {
        return latin1::decode(quoted);
    }
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((&byte, after)) = rest.split_first() {
        let (plain, after) = match (byte, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => (octal(*a, *b, *c), after),
            (b'\\', [escaped, after @ ..]) if *escaped != b'\n' => (*escaped, after),
            _ => (byte, after),
        };
        text.push(char::from(plain));
        rest = after;
    }
    Cow::Owned(text)
}

/// The byte that three octal digits mean, the first being at most 3.
fn octal(a: u8, b: u8, c: u8) -> u8 {
    ((a & 3) << 6) | ((b & 7) << 3) | (c & 7)
}

impl<'h> Iterator for Pairs<'h> {
    type Item = (Cow<'h, str>, Cow<'h, str>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (latin1::decode(name), decode(value)))
    }
}

impl<'h> Iterator for RawPairs<'h> {
    type Item = (&'h [u8], &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.rest {
            let (piece, after) = cut(rest, b';').map_or((rest, None), |(piece, after)| (piece, Some(after)));
            self.rest = after;
            let (name, value) = cut(piece, b'=').unwrap_or((&[], piece));
            let (name, value) = (latin1::strip(name), latin1::strip(value));
            if !(name.is_empty() && value.is_empty()) {
                return Some((name, value));
            }
        }
        None
    }
}

impl FusedIterator for Pairs<'_> {}
impl FusedIterator for RawPairs<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(header: &[u8]) -> Vec<(String, String)> {
        pairs(header).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    #[test]
    fn a_header_is_a_list_of_cookies() {
        let rows: &[(&[u8], &[(&str, &str)])] = &[
            (b"", &[]),
            (b"; ;=; = ;", &[]),
            (b"a=1", &[("a", "1")]),
            (b"a=1; b=2;c=3", &[("a", "1"), ("b", "2"), ("c", "3")]),
            (b"a=1; a=2", &[("a", "1"), ("a", "2")]),
            (b"a=b=c==", &[("a", "b=c==")]),
            (b"a=", &[("a", "")]),
            (b"lonely", &[("", "lonely")]),
            (b"=x", &[("", "x")]),
            (b"=__Host-a=x", &[("", "__Host-a=x")]),
            (b" a b = c d ", &[("a b", "c d")]),
            (b"a=1, b=2", &[("a", "1, b=2")]),
            (b"a=%41+", &[("a", "%41+")]),
            (b"a=\"x;y\"", &[("a", "\"x"), ("", "y\"")]),
            (b"\xa0a\x85=\x1f\xe9\x1c", &[("a", "\u{e9}")]),
            (b"\"a\"=1", &[("\"a\"", "1")]),
        ];
        for (header, expected) in rows {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(shown(header), expected, "{header:?}");
        }
    }

    #[test]
    fn quotes_and_escapes_are_undone() {
        let rows: &[(&[u8], &str)] = &[
            (br#""""#, ""),
            (br#"""#, "\""),
            (br#""x"#, "\"x"),
            (br#"x""#, "x\""),
            (br#""a b""#, "a b"),
            (br#"a\"b"#, "a\\\"b"),
            (br#""a\"b""#, "a\"b"),
            (br#""\\\"""#, "\\\""),
            (br#""\073\054""#, ";,"),
            (br#""\377""#, "\u{ff}"),
            (br#""\400""#, "400"),
            (br#""\08""#, "08"),
            (br#""\12""#, "12"),
            (br#""\\012""#, "\\012"),
            (br#""\""#, "\\"),
            (b"\"a\\\nb\"", "a\\\nb"),
            (b"\"\\\xe9\"", "\u{e9}"),
            (br#""""""#, "\"\""),
        ];
        for (raw, expected) in rows {
            assert_eq!(decode(raw), *expected, "{raw:?}");
        }
    }

    #[test]
    fn plain_cookies_are_borrowed() {
        assert!(pairs(b"a=1; b=\"2\"; c").all(|pair| matches!(pair, (Cow::Borrowed(_), Cow::Borrowed(_)))));
    }

    proptest! {
        #[test]
        fn what_python_would_quote_comes_back(value in prop::collection::vec(any::<u8>(), 0..40)) {
            let quoted = value.iter().map(|&byte| match byte {
                b'"' | b'\\' => vec![b'\\', byte],
                b' '..=b'~' => vec![byte],
                _ => format!("\\{byte:03o}").into_bytes(),
            });
            let raw: Vec<u8> = [vec![b'"'], quoted.collect::<Vec<_>>().concat(), vec![b'"']].concat();
            prop_assert_eq!(decode(&raw), latin1::decode(&value));
        }

        #[test]
        fn raw_and_decoded_cookies_agree(header in "([a-c=; \"\\\\07]|\n){0,40}") {
            let raw: Vec<_> = raw_pairs(header.as_bytes()).map(|(a, b)| (latin1::decode(a), decode(b))).collect();
            prop_assert_eq!(raw, pairs(header.as_bytes()).collect::<Vec<_>>());
        }
    }
}
