//! Percent-decoding, as Python's `urllib.parse.unquote` does it with its defaults (UTF-8, `errors="replace"`).
//!
//! The input is bytes off the wire, read as latin-1 like every ASGI server and Starlette do: a raw byte from 0x80 up is
//! a *character* of its own and never part of a UTF-8 sequence. Odd consequences:
//!
//! * `%C3%A9` is `é`, but `%C3` followed by a raw 0xA9 is U+FFFD and `©`.
//! * `%` that two hexadecimal digits don't follow stays as it is; `%%41` is `%A`.
//! * Bytes that are no UTF-8 become one U+FFFD per maximal subpart of a sequence, as Unicode recommends.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// `raw` without its escapes: what uvicorn puts into `scope["path"]` for the path of a request line.
///
/// Borrowed if there is nothing to decode.
#[must_use]
pub fn percent_decode(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) if text.is_ascii() && memchr(b'%', raw).is_none() => Cow::Borrowed(text),
        _ => Cow::Owned(decode(raw, false)),
    }
}

/// The same with `+` for a space, which is what queries and urlencoded forms use.
pub(crate) fn form_decode(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) if text.is_ascii() && memchr2(b'%', b'+', raw).is_none() => Cow::Borrowed(text),
        _ => Cow::Owned(decode(raw, true)),
    }
}

fn decode(raw: &[u8], plus: bool) -> String {
    if raw.is_ascii() {
        return unescape(raw, plus);
    }
    let mut text = String::with_capacity(raw.len());
    for chunk in raw.chunk_by(|before, after| before.is_ascii() == after.is_ascii()) {
        if chunk.is_ascii() {
            text.push_str(&unescape(chunk, plus));
        } else {
            text.extend(chunk.iter().map(|&byte| char::from(byte)));
        }
    }
    text
}

/// The text that `ascii` is without its escapes.
fn unescape(ascii: &[u8], plus: bool) -> String {
    let mut out = Vec::with_capacity(ascii.len());
    let mut rest = ascii;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high << 4) | low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            (b'+', _) if plus => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The value of one hexadecimal digit.
fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_become_text() {
        let rows: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"/plain", "/plain"),
            (b"/a%20b", "/a b"),
            (b"/a+b", "/a+b"),
            (b"/%2F%2f", "///"),
            (b"%C3%A9", "\u{e9}"),
            (b"%c3%a9", "\u{e9}"),
            (b"%C3\xa9", "\u{fffd}\u{a9}"),
            (b"\xc3\xa9", "\u{c3}\u{a9}"),
            (b"%", "%"),
            (b"%4", "%4"),
            (b"%4g", "%4g"),
            (b"%%41", "%A"),
            (b"%2541", "%41"),
            (b"%+41", "%+41"),
            (b"%4\xff", "%4\u{ff}"),
            (b"%00", "\0"),
            (b"%FF%FE", "\u{fffd}\u{fffd}"),
            (b"%F0%9F%98", "\u{fffd}"),
            (b"%F0%9F%98%80", "\u{1f600}"),
            (b"%ED%A0%80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"%E2%82x", "\u{fffd}x"),
            (b"%C0%AF", "\u{fffd}\u{fffd}"),
        ];
        for (raw, expected) in rows {
            assert_eq!(percent_decode(raw), *expected, "{raw:?}");
        }
    }

    #[test]
    fn a_plus_is_a_space_in_forms_alone() {
        assert_eq!(form_decode(b"a+b%2Bc++"), "a b+c  ");
        assert_eq!(percent_decode(b"a+b%2Bc++"), "a+b+c++");
    }

    #[test]
    fn what_needs_no_decoding_is_borrowed() {
        assert!(matches!(percent_decode(b"/users/1"), Cow::Borrowed(_)));
        assert!(matches!(form_decode(b"name"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn encoding_every_byte_is_undone(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(percent_decode(encoded.as_bytes()), text.as_str());
            prop_assert_eq!(form_decode(encoded.as_bytes()), text);
        }

        #[test]
        fn a_plus_is_the_only_difference_between_the_two(raw in prop::collection::vec(any::<u8>(), 0..60)) {
            let spaced: Vec<u8> = raw.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
            prop_assert_eq!(form_decode(&raw), percent_decode(&spaced));
        }
    }
}
