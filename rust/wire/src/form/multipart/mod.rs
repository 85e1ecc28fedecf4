//! `multipart/form-data` bodies, as Starlette's `MultiPartParser` reads them.
//!
//! A body is read while it arrives and its parts go to a [`Sink`]: a field whole, a file piece by piece as it comes.
//! Nothing larger than a field's limit is ever held.
//!
//! What is accepted, and what isn't, follows python-multipart 0.0.34, which Starlette uses:
//!
//! * A body begins with `--boundary`. It may begin with a line break instead, and then everything up to the next `-` is
//!   skipped.
//! * A delimiter is a line break, `--boundary`, and either another line break (or blanks and a line break) or `--`.
//!   Followed by anything else it is data, except that blanks which no line break follows are an error. The first
//!   delimiter may not have blanks.
//! * Line breaks are CR LF. Header lines are limited to 8 of 4,224 bytes each; a value may hold anything but CR.
//! * What follows the closing delimiter is ignored. A body that ends too early is no error: the part that was not
//!   finished is missing. `Content-Transfer-Encoding` is ignored.
//! * A boundary is at most 256 bytes long; an empty one is accepted.
//!
//! Where python-multipart's answer depends on how the body was cut into pieces (a preamble without a `-` in its piece),
//! this parser answers as for a body in one piece.
//!
//! Errors that python-multipart has many names for are all [`FormError::InvalidMultipart`], because Starlette shows
//! only that.

mod part;

use std::mem::{replace, take};

use memchr::{memchr, memmem, memrchr};

pub use part::PartHead;
use part::PartHeadReader;

use super::{FormError, Limits};
use crate::media_type::Options;

/// The longest boundary in bytes.
const MAX_BOUNDARY: usize = 256;

/// Takes what a form consists of, in order. A file that was begun and not ended when the body is over doesn't belong to
/// the form.
pub trait Sink {
    /// A field that is no file. Name and value are in the charset of the form.
    fn field(&mut self, name: Vec<u8>, value: Vec<u8>);
    /// A file begins.
    fn begin_file(&mut self, head: PartHead);
    /// The next bytes of the file that was begun last.
    fn file_data(&mut self, data: &[u8]);
    /// That file is complete.
    fn end_file(&mut self);
}

/// What comes next in the body.
#[derive(Clone, Debug)]
enum State {
    /// The first byte.
    Start,
    /// Something before the first delimiter.
    Preamble,
    /// The first delimiter, this many bytes of which have been seen; a line break before it counts as seen.
    Opening(usize),
    /// What follows the first delimiter.
    AfterOpening,
    /// The line feed after the first delimiter.
    OpeningLineFeed,
    /// The second hyphen after the first delimiter: a form without parts.
    OpeningHyphen,
    /// The header lines of a part.
    Head(PartHeadReader),
    /// The content of a part.
    Data,
    /// Perhaps a delimiter, this many bytes of which have been seen.
    Delimiter(usize),
    /// What follows a delimiter.
    AfterDelimiter,
    /// The line feed after a delimiter and a carriage return.
    DelimiterLineFeed,
    /// The second hyphen after a delimiter.
    DelimiterHyphen,
    /// Blanks after a delimiter.
    Padding,
    /// The line feed after such blanks.
    PaddingLineFeed,
    /// Nothing that matters.
    Epilogue,
    /// Nothing any more: the form has been refused.
    Failed(FormError),
}

/// The part that is being read.
#[derive(Debug)]
enum Content {
    Nothing,
    Field { name: Vec<u8>, value: Vec<u8> },
    File,
}

/// A multipart form being read.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// A line break, two hyphens and the boundary.
    delimiter: Vec<u8>,
    finder: memmem::Finder<'static>,
    state: State,
    content: Content,
    files: u64,
    fields: u64,
}

impl Parser {
    /// A parser for bodies of this content type.
    ///
    /// # Errors
    ///
    /// [`FormError::MissingBoundary`] and those of [`Parser::new`].
    pub fn for_content_type(content_type: &[u8], limits: Limits) -> Result<Self, FormError> {
        let options = Options::parse(content_type);
        Self::new(options.get(b"boundary").ok_or(FormError::MissingBoundary)?, limits)
    }

    /// A parser for bodies with this boundary.
    ///
    /// # Errors
    ///
    /// [`FormError::InvalidMultipart`] for a boundary that is too long or holds a line break (which no header can).
    pub fn new(boundary: &[u8], limits: Limits) -> Result<Self, FormError> {
        if boundary.len() > MAX_BOUNDARY || memchr::memchr2(b'\r', b'\n', boundary).is_some() {
            return Err(FormError::InvalidMultipart);
        }
        let delimiter = [b"\r\n--", boundary].concat();
        let finder = memmem::Finder::new(&delimiter).into_owned();
        Ok(Self { limits, delimiter, finder, state: State::Start, content: Content::Nothing, files: 0, fields: 0 })
    }

    /// Takes the next piece of the body and tells `sink` what it completes.
    ///
    /// # Errors
    ///
    /// A [`FormError`] as soon as it is certain, and the same one ever after.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut impl Sink) -> Result<(), FormError> {
        let mut rest = chunk;
        while !rest.is_empty() {
            match self.step(rest, sink) {
                Ok(after) => rest = after,
                Err(error) => {
                    self.state = State::Failed(error.clone());
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Reads the beginning of `rest` and answers what remains. Each step takes at least a byte or changes the state.
    fn step<'b>(&mut self, rest: &'b [u8], sink: &mut impl Sink) -> Result<&'b [u8], FormError> {
        let Some((&byte, after)) = rest.split_first() else { return Ok(rest) };
        match (&mut self.state, byte) {
            (State::Start, b'\r' | b'\n') => self.go(State::Preamble, after),
            (State::Start, _) => self.go(State::Opening(2), rest),
            (State::Preamble, _) => match memchr(b'-', rest).and_then(|at| rest.get(at..)) {
                Some(rest) => self.go(State::Opening(2), rest),
                None => Ok(&[]),
            },
            (State::Opening(seen), _) => match self.delimiter.get(*seen) {
                Some(&expected) if expected == byte => {
                    *seen = seen.saturating_add(1);
                    Ok(after)
                }
                Some(_) => Err(FormError::InvalidMultipart),
                None => self.go(State::AfterOpening, rest),
            },
            (State::AfterOpening, b'\r') => self.go(State::OpeningLineFeed, after),
            (State::AfterOpening, b'-') => self.go(State::OpeningHyphen, after),
            (State::OpeningHyphen, b'-') => self.go(State::Epilogue, after),
            (State::OpeningLineFeed, b'\n') => self.go(State::Head(PartHeadReader::default()), after),
            (State::Head(reader), _) => {
                let (head, after) = reader.read(rest)?;
                if let Some(head) = head {
                    self.begin_part(head, sink)?;
                }
                Ok(after)
            }
            (State::Data, _) => self.data(rest, sink),
            (State::Delimiter(_), _) => self.delimiter(rest, sink),
            (State::AfterDelimiter, b'\r') => self.go(State::DelimiterLineFeed, after),
            (State::AfterDelimiter, b'-') => self.go(State::DelimiterHyphen, after),
            (State::AfterDelimiter | State::Padding, b' ' | b'\t') => self.go(State::Padding, after),
            (State::AfterDelimiter, _) => self.no_delimiter(b"", rest, sink),
            (State::Padding, b'\r') => self.go(State::PaddingLineFeed, after),
            (State::DelimiterLineFeed | State::PaddingLineFeed, b'\n') => {
                self.end_part(sink);
                self.go(State::Head(PartHeadReader::default()), after)
            }
            (State::DelimiterLineFeed, _) => self.no_delimiter(b"\r", rest, sink),
            (State::DelimiterHyphen, b'-') => {
                self.end_part(sink);
                self.go(State::Epilogue, after)
            }
            (State::DelimiterHyphen, _) => self.no_delimiter(b"-", rest, sink),
            (State::Epilogue, _) => Ok(&[]),
            (State::Failed(error), _) => Err(error.clone()),
            (State::AfterOpening | State::OpeningLineFeed | State::OpeningHyphen, _)
            | (State::Padding | State::PaddingLineFeed, _) => Err(FormError::InvalidMultipart),
        }
    }

    fn go<'b>(&mut self, state: State, rest: &'b [u8]) -> Result<&'b [u8], FormError> {
        self.state = state;
        Ok(rest)
    }

    /// Reads content up to the next delimiter, or to where one may begin that isn't there completely.
    fn data<'b>(&mut self, rest: &'b [u8], sink: &mut impl Sink) -> Result<&'b [u8], FormError> {
        let (data, state, after) = if let Some(at) = self.finder.find(rest) {
            let (data, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            (data, State::AfterDelimiter, from.get(self.delimiter.len()..).unwrap_or_default())
        } else {
            // A carriage return stands only at a delimiter's beginning, so the last one is the only candidate, and too
            // far from the end it is none.
            let early = rest.len().saturating_sub(self.delimiter.len());
            let last = memrchr(b'\r', rest.get(early..).unwrap_or_default());
            let candidate = last.and_then(|at| rest.split_at_checked(early.saturating_add(at)));
            match candidate.filter(|(_, tail)| self.delimiter.starts_with(tail)) {
                Some((data, tail)) => (data, State::Delimiter(tail.len()), &[][..]),
                None => (rest, State::Data, &[][..]),
            }
        };
        self.content.extend(data, &self.limits, sink)?;
        self.go(state, after)
    }

    /// Compares `rest` with the missing end of a delimiter that began in an earlier piece.
    fn delimiter<'b>(&mut self, rest: &'b [u8], sink: &mut impl Sink) -> Result<&'b [u8], FormError> {
        let State::Delimiter(seen) = self.state else { return Ok(rest) };
        let missing = self.delimiter.get(seen..).unwrap_or_default();
        let same = missing.iter().zip(rest).take_while(|(expected, found)| expected == found).count();
        let (known, after) = (seen.saturating_add(same), rest.get(same..).unwrap_or_default());
        if known == self.delimiter.len() {
            return self.go(State::AfterDelimiter, after);
        }
        if after.is_empty() {
            return self.go(State::Delimiter(known), after);
        }
        let data = self.delimiter.get(..known).unwrap_or_default();
        self.content.extend(data, &self.limits, sink)?;
        self.go(State::Data, after)
    }

    /// What looked like a delimiter, and the byte `also` after it, are data.
    fn no_delimiter<'b>(&mut self, also: &[u8], rest: &'b [u8], sink: &mut impl Sink) -> Result<&'b [u8], FormError> {
        self.content.extend(&self.delimiter, &self.limits, sink)?;
        self.content.extend(also, &self.limits, sink)?;
        self.go(State::Data, rest)
    }

    fn begin_part(&mut self, head: PartHead, sink: &mut impl Sink) -> Result<(), FormError> {
        self.state = State::Data;
        if head.filename.is_some() {
            self.files = self.files.saturating_add(1);
            if self.files > self.limits.max_files {
                return Err(FormError::TooManyFiles(self.limits.max_files));
            }
            self.content = Content::File;
            sink.begin_file(head);
        } else {
            self.fields = self.fields.saturating_add(1);
            if self.fields > self.limits.max_fields {
                return Err(FormError::TooManyFields(self.limits.max_fields));
            }
            self.content = Content::Field { name: head.name, value: Vec::new() };
        }
        Ok(())
    }

    fn end_part(&mut self, sink: &mut impl Sink) {
        match replace(&mut self.content, Content::Nothing) {
            Content::Nothing => {}
            Content::Field { name, value } => sink.field(name, value),
            Content::File => sink.end_file(),
        }
    }
}

impl Content {
    /// Adds `data` to the part.
    fn extend(&mut self, data: &[u8], limits: &Limits, sink: &mut impl Sink) -> Result<(), FormError> {
        match self {
            Self::Field { value, .. } => {
                let size = value.len().saturating_add(data.len());
                if u64::try_from(size).unwrap_or(u64::MAX) > limits.max_part_size {
                    drop(take(value));
                    return Err(FormError::PartTooLarge(limits.max_part_size));
                }
                value.extend_from_slice(data);
            }
            Self::File if !data.is_empty() => sink.file_data(data),
            Self::File | Self::Nothing => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
