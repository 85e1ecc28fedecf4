//! Latin-1 text: what HTTP header values are to ASGI, to Starlette and so to this crate.

use std::borrow::Cow;

use crate::bytes::{trim_end, trim_start};

/// `raw` as text, one character per byte. Borrowed if it is ASCII.
#[must_use]
pub fn decode(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(raw.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// `raw` as UTF-8 if it is that, as latin-1 otherwise: how Starlette reads the fields of a multipart form whose charset
/// is UTF-8.
#[must_use]
pub fn decode_utf8_or(raw: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(raw).map_or_else(|_| decode(raw), Cow::Borrowed)
}

/// `raw` without what Python's `str.strip()` removes at both ends. Beyond the usual blanks that is U+001C to U+001F,
/// U+0085 and the no-break space.
pub(crate) fn strip(raw: &[u8]) -> &[u8] {
    let is_white = |byte| matches!(byte, b'\t'..=b'\r' | 0x1c..=0x20 | 0x85 | 0xa0);
    trim_end(trim_start(raw, is_white), is_white)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_a_character() {
        assert_eq!(decode(b"a\xe9\x80"), "a\u{e9}\u{80}");
        assert!(matches!(decode(b"plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn what_is_no_utf8_is_latin1() {
        assert_eq!(decode_utf8_or(b"\xc3\xa9"), "\u{e9}");
        assert_eq!(decode_utf8_or(b"\xc3\xa9\xff"), "\u{c3}\u{a9}\u{ff}");
    }

    #[test]
    fn stripping_takes_what_python_calls_white() {
        let white: Vec<u8> = (0..=255).filter(|&byte| strip(&[byte]).is_empty()).collect();
        assert_eq!(white, b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0");
        assert_eq!(strip(b" \xa0a b\x85\n"), b"a b");
        assert_eq!(strip(b" "), b"");
    }
}
