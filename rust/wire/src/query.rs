//! Query strings as Starlette's `QueryParams` reads them: `urllib.parse.parse_qsl(query, keep_blank_values=True)` on
//! latin-1 text.
//!
//! * `&` separates; `;` doesn't. Empty pieces are skipped, a piece without `=` has an empty value, only the first `=`
//!   counts.
//! * `+` is a space, in names too.
//! * Nothing is rejected. Repeated names are all reported, in order; which one wins is the caller's business.
//!
//! A caller that looks for a few names compares raw ones ([`raw_pairs`], [`is_named`]) and decodes only the values it
//! wants.

use std::borrow::Cow;
use std::iter::FusedIterator;

use memchr::{memchr_iter, memchr2};

use crate::bytes::cut;
use crate::path::form_decode;

/// The decoded pairs of a query, in order. Made by [`pairs`].
#[derive(Clone, Debug)]
pub struct Pairs<'q>(RawPairs<'q>);

/// The pairs of a query as they were sent, in order. Made by [`raw_pairs`].
#[derive(Clone, Debug)]
pub struct RawPairs<'q> {
    rest: &'q [u8],
}

/// The pairs of `query` (what follows the question mark), decoded.
#[must_use]
pub fn pairs(query: &[u8]) -> Pairs<'_> {
    Pairs(raw_pairs(query))
}

/// The pairs of `query` as they were sent; [`decode`] gives their text.
#[must_use]
pub fn raw_pairs(query: &[u8]) -> RawPairs<'_> {
    RawPairs { rest: query }
}

/// The text of a raw name or value. Borrowed if there is nothing to decode.
#[must_use]
pub fn decode(raw: &[u8]) -> Cow<'_, str> {
    form_decode(raw)
}

/// Whether the raw name `raw` means `name`. Cheaper than decoding: only a name with escapes and of a plausible length
/// is decoded.
#[must_use]
pub fn is_named(raw: &[u8], name: &str) -> bool {
    if name.is_ascii() && memchr2(b'%', b'+', raw).is_none() {
        return raw == name.as_bytes();
    }
    // Three bytes (an escape) make at least one byte of text.
    raw.len() <= name.len().saturating_mul(3) && decode(raw) == name
}

/// An upper bound for the number of pairs, exact if no piece is empty. It costs one scan for `&`.
#[must_use]
pub fn count(query: &[u8]) -> usize {
    if query.is_empty() { 0 } else { memchr_iter(b'&', query).count().saturating_add(1) }
}

impl<'q> Iterator for Pairs<'q> {
    type Item = (Cow<'q, str>, Cow<'q, str>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (decode(name), decode(value)))
    }
}

impl<'q> Iterator for RawPairs<'q> {
    type Item = (&'q [u8], &'q [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (piece, rest) = cut(self.rest, b'&').unwrap_or((self.rest, &[]));
            self.rest = rest;
            if !piece.is_empty() {
                return Some(cut(piece, b'=').unwrap_or((piece, &[])));
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

    fn shown(query: &[u8]) -> Vec<(String, String)> {
        pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    #[test]
    fn a_query_is_a_list_of_pairs() {
        let rows: &[(&[u8], &[(&str, &str)])] = &[
            (b"", &[]),
            (b"&&", &[]),
            (b"a=1", &[("a", "1")]),
            (b"a=1&b=2&a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
            (b"&a=1&&b=2&", &[("a", "1"), ("b", "2")]),
            (b"a", &[("a", "")]),
            (b"a=", &[("a", "")]),
            (b"=a", &[("", "a")]),
            (b"=", &[("", "")]),
            (b"==&=", &[("", "="), ("", "")]),
            (b"a=b=c", &[("a", "b=c")]),
            (b"a=1;b=2", &[("a", "1;b=2")]),
            (b"a%3Db=%26", &[("a=b", "&")]),
            (b"a+b=c+d%2B", &[("a b", "c d+")]),
            (b"?a=#b", &[("?a", "#b")]),
            (b"q=%zz%4", &[("q", "%zz%4")]),
            (b"q=%FF", &[("q", "\u{fffd}")]),
            (b"q=%C3%A9", &[("q", "\u{e9}")]),
            (b"q=\xc3\xa9", &[("q", "\u{c3}\u{a9}")]),
            (b"q=%C3\xa9", &[("q", "\u{fffd}\u{a9}")]),
            (b"a= 1\n", &[("a", " 1\n")]),
        ];
        for (query, expected) in rows {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(shown(query), expected, "{query:?}");
        }
    }

    #[test]
    fn a_name_can_be_asked_for_without_decoding_it() {
        let rows: &[(&[u8], &str, bool)] = &[
            (b"limit", "limit", true),
            (b"limi", "limit", false),
            (b"%6cimit", "limit", true),
            (b"%6C%69%6d%69%74", "limit", true),
            (b"%6C%69%6d%69%74%00", "limit", false),
            (b"a+b", "a b", true),
            (b"a+b", "a+b", false),
            (b"a%2Bb", "a+b", true),
            (b"\xe9", "\u{e9}", true),
            (b"%C3%A9", "\u{e9}", true),
            (b"%F0%9F%98", "\u{fffd}", true),
            (b"", "", true),
            (b"%", "", false),
        ];
        for (raw, name, expected) in rows {
            assert_eq!(is_named(raw, name), *expected, "{raw:?} {name:?}");
        }
    }

    #[test]
    fn the_count_is_an_upper_bound() {
        for (query, expected) in [("", 0), ("a", 1), ("a=1&b", 2), ("&", 2), ("a&&b", 3)] {
            assert_eq!(count(query.as_bytes()), expected, "{query:?}");
        }
    }

    #[test]
    fn plain_pairs_are_borrowed() {
        assert!(pairs(b"a=1&b=").all(|pair| matches!(pair, (Cow::Borrowed(_), Cow::Borrowed(_)))));
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(expected in prop::collection::vec(any::<(String, String)>(), 0..6)) {
            let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let pieces: Vec<String> =
                expected.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            prop_assert_eq!(shown(pieces.join("&").as_bytes()), expected);
        }

        #[test]
        fn raw_and_decoded_pairs_agree(query in "([a-c%+=&;\u{ff}]|%[0-9a-fA-F]{2}){0,40}") {
            let query = query.into_bytes();
            prop_assert!(raw_pairs(&query).count() <= count(&query));
            for ((raw_name, raw_value), (name, value)) in raw_pairs(&query).zip(pairs(&query)) {
                prop_assert!(is_named(raw_name, &name));
                let longer = format!("{name}x");
                prop_assert!(!is_named(raw_name, &longer));
                prop_assert_eq!(decode(raw_value), value);
            }
        }
    }
}
