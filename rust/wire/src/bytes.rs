//! Cutting and trimming byte strings, for all the small grammars.

use memchr::memchr;

/// What comes before and after the first `mark`, or `None` if there is none.
pub(crate) fn cut(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    match memchr(mark, text).and_then(|at| text.split_at_checked(at)) {
        Some((before, [_, after @ ..])) => Some((before, after)),
        _ => None,
    }
}

/// `text` without the leading bytes that are `unwanted`.
pub(crate) fn trim_start(mut text: &[u8], unwanted: impl Fn(u8) -> bool) -> &[u8] {
    while let [first, rest @ ..] = text
        && unwanted(*first)
    {
        text = rest;
    }
    text
}

/// `text` without the trailing bytes that are `unwanted`.
pub(crate) fn trim_end(mut text: &[u8], unwanted: impl Fn(u8) -> bool) -> &[u8] {
    while let [rest @ .., last] = text
        && unwanted(*last)
    {
        text = rest;
    }
    text
}

/// Which bytes are in a class that has these, and letters and digits.
pub(crate) const fn class(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let mut is_in = byte.is_ascii_alphanumeric();
        let mut rest = others;
        while let [other, more @ ..] = rest {
            is_in |= *other == byte;
            rest = more;
        }
        let places: &mut [bool] = &mut table;
        if let Some(place) = places.split_at_mut(byte as usize).1.first_mut() {
            *place = is_in;
        }
        byte = byte.saturating_add(1);
    }
    table
}

/// Whether `byte` is in a class.
pub(crate) fn is_in(class: &[bool; 256], byte: u8) -> bool {
    class.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Whether `byte` is white space within an HTTP header: a space or a tab.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `text` without the blanks of HTTP at both ends.
pub(crate) fn trim_blanks(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text, is_blank), is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_leaves_the_mark_out() {
        assert_eq!(cut(b"a=b=c", b'='), Some((b"a".as_slice(), b"b=c".as_slice())));
        assert_eq!(cut(b"=", b'='), Some((b"".as_slice(), b"".as_slice())));
        assert_eq!(cut(b"abc", b'='), None);
    }

    #[test]
    fn trimming_stops_at_the_first_other_byte() {
        assert_eq!(trim_blanks(b" \t\x0ba b \t"), b"\x0ba b");
        assert_eq!(trim_blanks(b" \t "), b"");
        assert_eq!(trim_start(b"  a ", is_blank), b"a ");
        assert_eq!(trim_end(b"  a ", is_blank), b"  a");
    }
}
