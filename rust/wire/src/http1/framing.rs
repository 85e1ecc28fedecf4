//! How the body of a response is framed (RFC 9112, section 6), told from its headers, and writing it in pieces.
//!
//! What is refused and in which words is what uvicorn refuses.

use thiserror::Error;

use super::response::is_bodiless;
use crate::bytes::trim_blanks;

/// Why a piece of a body can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// There is more of it than was announced.
    #[error("Response content longer than Content-Length")]
    TooLong,
    /// It ends before what was announced has come.
    #[error("Response content shorter than Content-Length")]
    TooShort,
}

/// The framing of a response's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Nothing was said of it yet.
    #[default]
    Unknown,
    /// So many bytes are to come.
    Length(u64),
    /// In chunks, until an empty one.
    Chunked,
    /// As it is, until the connection closes.
    UntilClose,
    /// It is left out, as for HEAD.
    LeftOut,
}

impl Framing {
    /// Takes notice of a header: the first that says how the body is framed decides, but for a later chunked encoding. `name` is in
    /// lower case. None if a length is no number.
    #[must_use]
    pub fn with_header(self, name: &[u8], value: &[u8]) -> Option<Self> {
        match (name, self) {
            (b"content-length", Self::Unknown) => {
                let digits = trim_blanks(value);
                let length = if digits.iter().all(u8::is_ascii_digit) { std::str::from_utf8(digits).ok()? } else { "" };
                length.parse().ok().map(Self::Length)
            }
            (b"transfer-encoding", _) if value.eq_ignore_ascii_case(b"chunked") => Some(Self::Chunked),
            _ => Some(self),
        }
    }

    /// The framing when all headers are known, and whether that is to be said in another one. Where the status leaves no room for a
    /// body, nothing of one is written, whatever the headers say: it would be the beginning of the next response.
    #[must_use]
    pub fn settled(self, status: u16, is_head: bool) -> (Self, bool) {
        match self {
            _ if is_head => (Self::LeftOut, false),
            Self::Unknown | Self::Length(0) if is_bodiless(status.into()) => (Self::Length(0), false),
            _ if is_bodiless(status.into()) => (Self::LeftOut, false),
            Self::Unknown => (Self::Chunked, true),
            known => (known, false),
        }
    }

    /// Appends a piece of the body to `out`; the last one if there is no `more`.
    ///
    /// # Errors
    ///
    /// [`FramingError`], and nothing that is wrong has been appended.
    pub fn write(&mut self, out: &mut Vec<u8>, piece: &[u8], more: bool) -> Result<(), FramingError> {
        match self {
            Self::LeftOut | Self::Unknown => {}
            Self::UntilClose => out.extend_from_slice(piece),
            Self::Chunked => {
                if !piece.is_empty() {
                    hexadecimal(out, piece.len());
                    out.extend_from_slice(b"\r\n");
                    out.extend_from_slice(piece);
                    out.extend_from_slice(b"\r\n");
                }
                if !more {
                    out.extend_from_slice(b"0\r\n\r\n");
                }
            }
            Self::Length(left) => {
                let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                *left = left.checked_sub(length).ok_or(FramingError::TooLong)?;
                out.extend_from_slice(piece);
                if !more && *left > 0 {
                    return Err(FramingError::TooShort);
                }
            }
        }
        Ok(())
    }

    /// Takes notice of a piece of so many bytes that is written as it is, with what is appended to `before` and `behind` around it;
    /// tells whether it is written at all.
    ///
    /// # Errors
    ///
    /// [`FramingError`]
    pub fn wrap(
        &mut self,
        before: &mut Vec<u8>,
        behind: &mut Vec<u8>,
        length: usize,
        more: bool,
    ) -> Result<bool, FramingError> {
        match self {
            Self::LeftOut | Self::Unknown => return Ok(false),
            Self::UntilClose => {}
            Self::Chunked if length == 0 => self.write(behind, b"", more)?,
            Self::Chunked => {
                hexadecimal(before, length);
                before.extend_from_slice(b"\r\n");
                behind.extend_from_slice(if more { b"\r\n" } else { b"\r\n0\r\n\r\n" });
            }
            Self::Length(left) => {
                let length = u64::try_from(length).unwrap_or(u64::MAX);
                *left = left.checked_sub(length).ok_or(FramingError::TooLong)?;
                if !more && *left > 0 {
                    return Err(FramingError::TooShort);
                }
            }
        }
        Ok(true)
    }
}

/// Appends `number` in lower-case hexadecimal digits.
fn hexadecimal(out: &mut Vec<u8>, number: usize) {
    let bits = usize::BITS.saturating_sub(number.leading_zeros()).max(1);
    for place in (0..bits.div_ceil(4)).rev() {
        let digit = (number >> place.saturating_mul(4)) & 0xf;
        let digit = u8::try_from(digit).unwrap_or_default();
        out.push(if digit < 10 { b'0' | digit } else { b'a'.saturating_add(digit.saturating_sub(10)) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing(headers: &[(&[u8], &[u8])]) -> Option<Framing> {
        headers.iter().try_fold(Framing::default(), |framing, (name, value)| framing.with_header(name, value))
    }

    #[test]
    fn headers_say_how_a_body_is_framed() {
        let length: (&[u8], &[u8]) = (b"content-length", b"5");
        let chunked: (&[u8], &[u8]) = (b"transfer-encoding", b"Chunked");
        assert_eq!(framing(&[]), Some(Framing::Unknown));
        assert_eq!(framing(&[length, (b"content-length", b"7")]), Some(Framing::Length(5)));
        assert_eq!(framing(&[length, chunked]), Some(Framing::Chunked));
        assert_eq!(framing(&[chunked, length]), Some(Framing::Chunked));
        assert_eq!(framing(&[(b"content-length", b"x")]), None);
        assert_eq!(framing(&[(b"content-length", b"-1")]), None);
        assert_eq!(framing(&[(b"content-length", b"+1")]), None);
        assert_eq!(framing(&[(b"content-length", b"")]), None);
        assert_eq!(framing(&[(b"content-length", b" 1\t")]), Some(Framing::Length(1)));
        assert_eq!(framing(&[(b"transfer-encoding", b"gzip")]), Some(Framing::Unknown));
    }

    #[test]
    fn what_nothing_is_said_of_is_chunked_or_empty() {
        assert_eq!(Framing::Unknown.settled(200, false), (Framing::Chunked, true));
        assert_eq!(Framing::Unknown.settled(204, false), (Framing::Length(0), false));
        assert_eq!(Framing::Unknown.settled(304, false), (Framing::Length(0), false));
        for status in [100, 103, 204, 304] {
            assert_eq!(Framing::Length(0).settled(status, false), (Framing::Length(0), false));
            assert_eq!(Framing::Length(5).settled(status, false), (Framing::LeftOut, false));
            assert_eq!(Framing::Chunked.settled(status, false), (Framing::LeftOut, false));
        }
        assert_eq!(Framing::Unknown.settled(200, true), (Framing::LeftOut, false));
        assert_eq!(Framing::Length(5).settled(200, true), (Framing::LeftOut, false));
        assert_eq!(Framing::Length(5).settled(200, false), (Framing::Length(5), false));
    }

    #[test]
    fn lengths_are_kept() {
        let mut out = Vec::new();
        let mut framing = Framing::Length(5);
        assert_eq!(framing.write(&mut out, b"abc", true), Ok(()));
        assert_eq!(framing.write(&mut out, b"def", true), Err(FramingError::TooLong));
        assert_eq!(Framing::Length(5).write(&mut out, b"abc", false), Err(FramingError::TooShort));
        assert_eq!(framing.write(&mut out, b"de", false), Ok(()));
    }

    #[test]
    fn a_large_piece_is_written_as_the_small_ones_are() {
        let piece = [b'x'; 300];
        for framing in [Framing::Chunked, Framing::Length(300), Framing::LeftOut, Framing::UntilClose] {
            for (more, framing) in [(true, framing), (false, framing)] {
                let (mut whole, mut before, mut behind) = (Vec::new(), Vec::new(), Vec::new());
                let (mut one, mut other) = (framing, framing);
                one.write(&mut whole, &piece, more).unwrap();
                if other.wrap(&mut before, &mut behind, piece.len(), more).unwrap() {
                    before.extend_from_slice(&piece);
                }
                before.extend_from_slice(&behind);
                assert_eq!((before, other), (whole, one));
            }
        }
        let short = Framing::Length(5).wrap(&mut Vec::new(), &mut Vec::new(), 3, false);
        assert_eq!(short, Err(FramingError::TooShort));
        assert_eq!(Framing::Length(5).wrap(&mut Vec::new(), &mut Vec::new(), 6, true), Err(FramingError::TooLong));
    }

    proptest! {
        #[test]
        fn chunks_can_be_read_again(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70), 1..6)) {
            let mut out = Vec::new();
            let mut framing = Framing::Chunked;
            for (index, piece) in pieces.iter().enumerate() {
                framing.write(&mut out, piece, index + 1 < pieces.len()).unwrap();
            }
            let mut rest = out.as_slice();
            let mut read = Vec::new();
            loop {
                let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
                let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
                let chunk = &rest[end + 2..end + 2 + length];
                read.extend_from_slice(chunk);
                prop_assert_eq!(&rest[end + 2 + length..end + 4 + length], b"\r\n");
                rest = &rest[end + 4 + length..];
                if length == 0 {
                    break;
                }
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(read, pieces.concat());
        }
    }
}
