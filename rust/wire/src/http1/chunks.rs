//! A body in chunks (RFC 9112, section 7.1), piece by piece.
//!
//! Sizes, extensions and trailers are checked and dropped. A chunk's size is digits alone, its lines end in CR and LF, extensions
//! are as the grammar has them without blanks, and trailers that would say how the message is framed or routed, or whether
//! the connection goes on, are refused: all of
//! that as strictly as httptools does it.

use smallvec::SmallVec;

use super::head::is_token_byte;
use super::refusal::Refusal;
use crate::bytes::is_blank;

/// The largest number of bytes of a body's extensions.
const MAX_EXTENSIONS: usize = 16 * 1024;
/// Digits of a chunk's size. More of them would be no size that there is.
const MAX_DIGITS: u8 = 15;
/// Trailers that are refused, since they would be too late: some servers heed them all the same.
const FORBIDDEN: [&[u8]; 6] =
    [b"content-length", b"transfer-encoding", b"host", b"connection", b"proxy-connection", b"upgrade"];

/// Reads the chunks of one body.
#[derive(Clone, Debug)]
pub(super) struct ChunkReader {
    state: State,
    /// Bytes that the trailers may still take.
    trailer_room: usize,
    extension_room: usize,
}

/// Where the reader is.
#[derive(Clone, Debug)]
enum State {
    Size {
        digits: u8,
        size: u64,
    },
    /// Behind a semicolon; then in a name, behind an equals sign, and in a value.
    ExtensionStart {
        size: u64,
    },
    ExtensionName {
        size: u64,
    },
    ExtensionEquals {
        size: u64,
    },
    ExtensionToken {
        size: u64,
    },
    ExtensionQuoted {
        size: u64,
        is_escaped: bool,
    },
    ExtensionEnd {
        size: u64,
    },
    SizeLineFeed {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataReturn,
    DataLineFeed,
    TrailerStart,
    TrailerName(SmallVec<[u8; 24]>),
    TrailerValue,
    TrailerLineFeed,
    EndLineFeed,
    End,
}

/// What comes next in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk<'b> {
    More,
    Piece(&'b [u8]),
    End,
}

impl ChunkReader {
    /// A reader that allows trailers of `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { state: State::Size { digits: 0, size: 0 }, trailer_room: limit, extension_room: MAX_EXTENSIONS }
    }

    /// Reads on; answers how many bytes were taken, and what they were.
    pub(super) fn read<'b>(&mut self, input: &'b [u8]) -> Result<(usize, Chunk<'b>), Refusal> {
        let mut at = 0_usize;
        loop {
            match &mut self.state {
                State::End => return Ok((at, Chunk::End)),
                State::Data { left } => {
                    let rest = input.get(at..).unwrap_or_default();
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    if length == 0 && *left > 0 {
                        return Ok((at, Chunk::More));
                    }
                    *left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
                    if *left == 0 {
                        self.state = State::DataReturn;
                    }
                    let piece = rest.get(..length).unwrap_or_default();
                    return Ok((at.saturating_add(length), Chunk::Piece(piece)));
                }
                _ => {}
            }
            let Some(&byte) = input.get(at) else { return Ok((at, Chunk::More)) };
            self.step(byte)?;
            at = at.saturating_add(1);
        }
    }

    /// Takes one byte that is none of the data.
    fn step(&mut self, byte: u8) -> Result<(), Refusal> {
        let state = std::mem::replace(&mut self.state, State::End);
        self.state = match state {
            State::Size { digits, size } => size_step(digits, size, byte)?,
            State::SizeLineFeed { size: 0 } => expect(byte, b'\n', State::TrailerStart)?,
            State::SizeLineFeed { size } => expect(byte, b'\n', State::Data { left: size })?,
            State::DataReturn => expect(byte, b'\r', State::DataLineFeed)?,
            State::DataLineFeed => expect(byte, b'\n', State::Size { digits: 0, size: 0 })?,
            State::EndLineFeed => expect(byte, b'\n', State::End)?,
            State::Data { .. } | State::End => return Err(Refusal::Malformed),
            trailer @ (State::TrailerStart | State::TrailerName(_) | State::TrailerValue | State::TrailerLineFeed) => {
                self.trailer_room = self.trailer_room.checked_sub(1).ok_or(Refusal::HeadTooLarge)?;
                trailer_step(trailer, byte)?
            }
            extension => {
                self.extension_room = self.extension_room.checked_sub(1).ok_or(Refusal::HeadTooLarge)?;
                extension_step(&extension, byte)?
            }
        };
        Ok(())
    }
}

fn expect(byte: u8, expected: u8, next: State) -> Result<State, Refusal> {
    if byte == expected { Ok(next) } else { Err(Refusal::Malformed) }
}

fn size_step(digits: u8, size: u64, byte: u8) -> Result<State, Refusal> {
    let digit = match byte {
        b'0'..=b'9' => byte.saturating_sub(b'0'),
        b'a'..=b'f' => byte.saturating_sub(b'a').saturating_add(10),
        b'A'..=b'F' => byte.saturating_sub(b'A').saturating_add(10),
        b'\r' if digits > 0 => return Ok(State::SizeLineFeed { size }),
        b';' if digits > 0 => return Ok(State::ExtensionStart { size }),
        _ => return Err(Refusal::Malformed),
    };
    if digits == MAX_DIGITS {
        return Err(Refusal::Malformed);
    }
    Ok(State::Size { digits: digits.saturating_add(1), size: size.wrapping_shl(4) | u64::from(digit) })
}

fn extension_step(state: &State, byte: u8) -> Result<State, Refusal> {
    let is_token = is_token_byte(byte);
    Ok(match (*state).clone() {
        State::ExtensionStart { size } if is_token => State::ExtensionName { size },
        State::ExtensionName { size } if is_token => State::ExtensionName { size },
        State::ExtensionName { size } if byte == b'=' => State::ExtensionEquals { size },
        State::ExtensionEquals { size } if byte == b'"' => State::ExtensionQuoted { size, is_escaped: false },
        State::ExtensionEquals { size } | State::ExtensionToken { size } if is_token => State::ExtensionToken { size },
        State::ExtensionQuoted { size, is_escaped: false } if byte == b'"' => State::ExtensionEnd { size },
        State::ExtensionQuoted { size, is_escaped } if is_text(byte) => {
            State::ExtensionQuoted { size, is_escaped: !is_escaped && byte == b'\\' }
        }
        State::ExtensionName { size } | State::ExtensionToken { size } | State::ExtensionEnd { size } => match byte {
            b'\r' => State::SizeLineFeed { size },
            b';' => State::ExtensionStart { size },
            _ => return Err(Refusal::Malformed),
        },
        _ => return Err(Refusal::Malformed),
    })
}

fn trailer_step(state: State, byte: u8) -> Result<State, Refusal> {
    Ok(match state {
        State::TrailerStart if byte == b'\r' => State::EndLineFeed,
        State::TrailerStart if is_token_byte(byte) => {
            State::TrailerName(SmallVec::from_slice(&[byte.to_ascii_lowercase()]))
        }
        State::TrailerName(mut name) if is_token_byte(byte) => {
            if name.len() < name.inline_size() {
                name.push(byte.to_ascii_lowercase()); // a longer name is none that is looked for
            }
            State::TrailerName(name)
        }
        State::TrailerName(name) if byte == b':' && !FORBIDDEN.contains(&name.as_slice()) => State::TrailerValue,
        State::TrailerValue if byte == b'\r' => State::TrailerLineFeed,
        State::TrailerValue if is_text(byte) => State::TrailerValue,
        State::TrailerLineFeed if byte == b'\n' => State::TrailerStart,
        _ => return Err(Refusal::Malformed),
    })
}

/// Whether `byte` may be in a header's value or a quoted text.
fn is_text(byte: u8) -> bool {
    is_blank(byte) || byte.is_ascii_graphic() || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body and the number of bytes that it took; None if it isn't complete.
    fn read(input: &[u8], cuts: &[usize]) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
        let mut reader = ChunkReader::new(100);
        let (mut body, mut at) = (Vec::new(), 0);
        for &end in cuts.iter().chain([&input.len()]) {
            loop {
                let (used, chunk) = reader.read(&input[at..end])?;
                at += used;
                match chunk {
                    Chunk::More => break,
                    Chunk::Piece(piece) => body.extend_from_slice(piece),
                    Chunk::End => return Ok(Some((body, at))),
                }
            }
            assert_eq!(at, end);
        }
        Ok(None)
    }

    #[test]
    fn chunks_make_a_body() {
        let rows: &[(&str, &str)] = &[
            ("0\r\n\r\n", ""),
            ("5\r\nhello\r\n0\r\n\r\n", "hello"),
            ("0005\r\nhello\r\n000\r\n\r\n", "hello"),
            ("1\r\nh\r\nA\r\nello world\r\n0\r\n\r\n", "hello world"),
            ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("5;x\r\nhello\r\n0;z=1\r\n\r\n", "hello"),
            ("5;x=\"a;\\\"b\";y=z\r\nhello\r\n0\r\n\r\n", "hello"),
            ("5\r\nhello\r\n0\r\nX-Sum: 5\r\nEmpty:\r\nContent-Length-Not: 1\r\n\r\n", "hello"),
        ];
        for (input, expected) in rows {
            let whole = Ok(Some((expected.as_bytes().to_vec(), input.len())));
            assert_eq!(read(input.as_bytes(), &[]), whole, "{input:?}");
            for at in 0..input.len() {
                assert_eq!(read(input.as_bytes(), &[at]), whole, "{input:?} at {at}");
                assert_eq!(read(&input.as_bytes()[..at], &[]), Ok(None), "{input:?} up to {at}");
            }
        }
    }

    #[test]
    fn what_is_not_quite_a_chunk_is_refused() {
        let rows: &[&[u8]] = &[
            b"\r\n",
            b" 5\r\n",
            b"5 \r\n",
            b"5\t\r\n",
            b"5\n",
            b"5\r\r",
            b"+5\r\n",
            b"-5\r\n",
            b"0x5\r\n",
            b"g\r\n",
            b"5;\r\n",
            b"5;=\r\n",
            b"5;a b\r\n",
            b"5;a=\"b\r\n",
            b"5;a=\"b\"c\r\n",
            b"5; a\r\n",
            b"5\r\nhelloX",
            b"5\r\nhello\n",
            b"5\r\nhello\rX",
            b"1000000000000000\r\n",
            b"FFFFFFFFFFFFFFFF\r\n",
            b"0\r\nbad trailer: x\r\n",
            b"0\r\n folded\r\n",
            b"0\r\nX\r\n",
            b"0\r\nX: \0\r\n",
            b"0\r\nX: y\n",
            b"0\r\nX: y\rz",
            b"0\r\nContent-Length: 9\r\n",
            b"0\r\nTRANSFER-ENCODING: chunked\r\n",
            b"0\r\nHost: x\r\n",
            b"0\r\nConnection: close\r\n",
            b"0\r\nProxy-Connection: close\r\n",
            b"0\r\nupgrade: h2c\r\n",
            b"0\r\n: x\r\n",
        ];
        for input in rows {
            assert_eq!(read(input, &[]), Err(Refusal::Malformed), "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn trailers_and_extensions_have_a_largest_size() {
        let trailers = |count: usize| format!("0\r\n{}\r\n", "X: y\r\n".repeat(count));
        assert!(read(trailers(16).as_bytes(), &[]).unwrap().is_some());
        assert_eq!(read(trailers(17).as_bytes(), &[]), Err(Refusal::HeadTooLarge));
        let extensions = "1;aaaaaaaaaaaaaaa\r\nx\r\n".repeat(2000);
        assert_eq!(read(extensions.as_bytes(), &[]), Err(Refusal::HeadTooLarge));
    }

    proptest! {
        #[test]
        fn cuts_make_no_difference(
            input in "([0-9a-f]{0,2}(;[a=\"]{0,3})?\r\n[a-z]{0,5}\r\n){0,4}(0\r\n)?(X:y\r\n)?(\r\n)?",
            cuts in prop::collection::vec(0..60_usize, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(input.len())).collect();
            cuts.sort_unstable();
            prop_assert_eq!(read(input.as_bytes(), &cuts), read(input.as_bytes(), &[]));
        }
    }
}
