//! A gzip stream (RFC 1952), as zlib writes it: the same bytes as Python's `zlib.compressobj(level, DEFLATED, 31)`.
//!
//! That is what Starlette compresses responses with. The memory that zlib wants for a stream is a quarter of a megabyte, so streams
//! are used again ([`Gzip::begin`]) and not made for each response.

use flate2::{Compress, Compression, FlushCompress, Status};
use thiserror::Error;

/// Bits of zlib's window.
const WINDOW: u8 = 15;
/// Bytes of output that there is room for, at least, when zlib is called.
const ROOM: usize = 512;

/// zlib refused to go on. No input leads to that.
#[derive(Debug, Error)]
#[error("zlib could not compress")]
pub struct GzipError;

/// A stream of compressed bytes.
#[derive(Debug)]
pub struct Gzip {
    stream: Compress,
}

impl Gzip {
    /// A stream at a level from 1 (fast) to 9 (small); None for other levels.
    #[must_use]
    pub fn new(level: u32) -> Option<Self> {
        (1..=9).contains(&level).then(|| Self { stream: Compress::new_gzip(Compression::new(level), WINDOW) })
    }

    /// Forgets what was compressed: a new stream begins.
    pub fn begin(&mut self) {
        self.stream.reset();
    }

    /// Compresses a piece, up to a boundary of bytes, so that whoever has all of the output can read all of the input.
    ///
    /// # Errors
    /// If zlib fails.
    pub fn piece(&mut self, input: &[u8]) -> Result<Vec<u8>, GzipError> {
        self.write(input, FlushCompress::Sync)
    }

    /// Compresses the last piece, and ends the stream.
    ///
    /// # Errors
    /// If zlib fails.
    pub fn last(&mut self, input: &[u8]) -> Result<Vec<u8>, GzipError> {
        self.write(input, FlushCompress::Finish)
    }

    fn write(&mut self, input: &[u8], flush: FlushCompress) -> Result<Vec<u8>, GzipError> {
        let mut out = Vec::with_capacity((input.len() / 2).max(ROOM));
        let mut rest = input;
        // Also for no input: zlib takes the same flush twice for one, unless it was called without in between.
        loop {
            let before = self.stream.total_in();
            self.step(rest, &mut out, FlushCompress::None)?;
            let taken = usize::try_from(self.stream.total_in().saturating_sub(before)).map_err(|_| GzipError)?;
            rest = rest.get(taken..).ok_or(GzipError)?;
            if rest.is_empty() {
                break;
            }
        }
        loop {
            let status = self.step(&[], &mut out, flush)?;
            // There was room left, so zlib has nothing more to say.
            if matches!(status, Status::StreamEnd) || (out.len() < out.capacity() && flush != FlushCompress::Finish) {
                return Ok(out);
            }
        }
    }

    fn step(&mut self, input: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> Result<Status, GzipError> {
        if out.capacity().saturating_sub(out.len()) < ROOM {
            out.reserve(out.capacity().max(ROOM));
        }
        self.stream.compress_vec(input, out, flush).map_err(|_| GzipError)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 1..6), level in 1_u32..10) {
            let mut gzip = Gzip::new(level).unwrap();
            let mut first = None;
            for _ in 0..2 {
                gzip.begin();
                let (last, others) = pieces.split_last().unwrap();
                let mut out = Vec::new();
                for piece in others {
                    out.extend(gzip.piece(piece).unwrap());
                }
                out.extend(gzip.last(last).unwrap());
                prop_assert_eq!(read(&out), pieces.concat());
                // A stream that is used again writes the same.
                prop_assert_eq!(first.get_or_insert_with(|| out.clone()), &out);
            }
        }
    }

    #[test]
    fn each_piece_can_be_read_when_it_is_there() {
        let mut gzip = Gzip::new(9).unwrap();
        let piece = gzip.piece(b"a first piece").unwrap();
        let mut decoder = flate2::Decompress::new_gzip(WINDOW);
        let mut out = Vec::with_capacity(100);
        decoder.decompress_vec(&piece, &mut out, flate2::FlushDecompress::Sync).unwrap();
        assert_eq!(out, b"a first piece");
    }

    #[test]
    fn other_levels_are_none() {
        assert!(Gzip::new(0).is_none() && Gzip::new(10).is_none());
    }
}
