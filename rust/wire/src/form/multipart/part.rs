//! The header lines at the start of a part.

use std::mem::take;

use memchr::memchr;

use crate::bytes::trim_start;
use crate::form::FormError;
use crate::media_type::Options;

/// The largest number of header lines of one part.
const MAX_HEADERS: usize = 8;

/// The largest size of a header line in bytes, its line break not counted.
const MAX_LINE: usize = 4096 + 128;

/// The bytes that a header's name may consist of, besides letters and digits.
const TOKEN_MARKS: &[u8] = b"!#$%&'*+-.^_`|~";

/// What the header lines of a part say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The form field's name, in the charset of the form.
    pub name: Vec<u8>,
    /// The file's name, in the charset of the form; its presence is what makes a part a file.
    pub filename: Option<Vec<u8>>,
    /// All header lines: names in lower case, values without leading spaces.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Where in the lines the reader is.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    LineStart,
    Name,
    BeforeValue,
    Value,
    AfterValue,
    LastLine,
}

/// Reads the header lines of one part, and the empty line after them.
#[derive(Clone, Debug, Default)]
pub(super) struct PartHeadReader {
    state: State,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    name: Vec<u8>,
    value: Vec<u8>,
    /// How many bytes of the current line have been read.
    line: usize,
}

impl PartHeadReader {
    /// Reads as much of `rest` as belongs to the header lines, and answers what they say once they have ended.
    pub(super) fn read<'b>(&mut self, mut rest: &'b [u8]) -> Result<(Option<PartHead>, &'b [u8]), FormError> {
        while let Some((&byte, after)) = rest.split_first() {
            rest = match (self.state, byte) {
                (State::LineStart, b'\r') => self.go(State::LastLine, after),
                (State::LineStart, _) if self.headers.len() >= MAX_HEADERS => return Err(FormError::InvalidMultipart),
                (State::LineStart, _) => {
                    self.line = 0;
                    self.go(State::Name, rest)
                }
                (State::Name, _) => self.read_name(rest)?,
                (State::BeforeValue, b' ') => {
                    let after = trim_start(rest, |byte| byte == b' ');
                    self.grow(rest.len().saturating_sub(after.len()))?;
                    after
                }
                (State::BeforeValue, _) => self.go(State::Value, rest),
                (State::Value, _) => self.read_value(rest)?,
                (State::AfterValue, b'\n') => self.go(State::LineStart, after),
                (State::LastLine, b'\n') => return Ok((Some(self.finish()?), after)),
                (State::AfterValue | State::LastLine, _) => return Err(FormError::InvalidMultipart),
            };
        }
        Ok((None, rest))
    }

    fn go<'b>(&mut self, state: State, rest: &'b [u8]) -> &'b [u8] {
        self.state = state;
        rest
    }

    /// Counts bytes of the current line.
    fn grow(&mut self, bytes: usize) -> Result<(), FormError> {
        self.line = self.line.saturating_add(bytes);
        if self.line > MAX_LINE { Err(FormError::InvalidMultipart) } else { Ok(()) }
    }

    /// Reads up to the colon.
    fn read_name<'b>(&mut self, rest: &'b [u8]) -> Result<&'b [u8], FormError> {
        let (part, after) = until(rest, b':');
        self.grow(part.len())?;
        if !part.iter().all(|byte| byte.is_ascii_alphanumeric() || TOKEN_MARKS.contains(byte)) {
            return Err(FormError::InvalidMultipart);
        }
        self.name.extend(part.iter().map(u8::to_ascii_lowercase));
        let [_, after @ ..] = after else { return Ok(after) };
        self.grow(1)?;
        if self.name.is_empty() {
            return Err(FormError::InvalidMultipart);
        }
        Ok(self.go(State::BeforeValue, after))
    }

    /// Reads up to the carriage return.
    fn read_value<'b>(&mut self, rest: &'b [u8]) -> Result<&'b [u8], FormError> {
        let (part, after) = until(rest, b'\r');
        self.grow(part.len())?;
        self.value.extend_from_slice(part);
        let [_, after @ ..] = after else { return Ok(after) };
        self.headers.push((take(&mut self.name), take(&mut self.value)));
        Ok(self.go(State::AfterValue, after))
    }

    /// What the lines say. The last `Content-Disposition` counts.
    fn finish(&mut self) -> Result<PartHead, FormError> {
        let headers = take(self).headers;
        let disposition = headers.iter().rev().find(|(name, _)| name == b"content-disposition");
        let options = disposition.map(|(_, value)| Options::parse(value)).unwrap_or_default();
        let name = options.get(b"name").ok_or(FormError::MissingName)?.to_vec();
        let filename = options.get(b"filename").map(<[u8]>::to_vec);
        Ok(PartHead { name, filename, headers })
    }
}

/// `text` cut before the first `mark`, or at its end.
fn until(text: &[u8], mark: u8) -> (&[u8], &[u8]) {
    memchr(mark, text).and_then(|at| text.split_at_checked(at)).unwrap_or((text, &[]))
}
