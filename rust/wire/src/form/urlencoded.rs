//! `application/x-www-form-urlencoded` bodies, as Starlette's `FormParser` reads them.
//!
//! The grammar is that of a query ([`crate::query`]). There are two limits: a field's size, the raw bytes of its name
//! and value without the `=`, is checked while it arrives; the number of fields when one ends.

use std::mem::take;

use memchr::memchr;

use super::{FormError, Limits};
use crate::bytes::cut;
use crate::query;

/// An urlencoded form being read.
///
/// After an error the parser must not be used any more; it answers that it found nothing.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// The beginning of a field whose end hasn't arrived.
    partial: Vec<u8>,
    /// Whether `partial` holds an `=`.
    named: bool,
    fields: Vec<(String, String)>,
}

impl Parser {
    /// A parser that has seen nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, partial: Vec::new(), named: false, fields: Vec::new() }
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    ///
    /// [`FormError::FieldTooLarge`] and [`FormError::TooManyFields`], as soon as they are certain.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), FormError> {
        let mut rest = chunk;
        while let Some((piece, after)) = cut(rest, b'&') {
            rest = after;
            if self.partial.is_empty() {
                self.complete(piece, memchr(b'=', piece).is_some())?;
            } else {
                self.buffer(piece)?;
                let whole = take(&mut self.partial);
                self.complete(&whole, self.named)?;
            }
        }
        self.buffer(rest)
    }

    /// Ends the body and answers the fields, in order.
    ///
    /// # Errors
    ///
    /// [`FormError::TooManyFields`].
    pub fn finish(mut self) -> Result<Vec<(String, String)>, FormError> {
        let whole = take(&mut self.partial);
        self.complete(&whole, self.named)?;
        Ok(self.fields)
    }

    /// Adds to the unfinished field.
    fn buffer(&mut self, part: &[u8]) -> Result<(), FormError> {
        self.named = (self.named && !self.partial.is_empty()) || memchr(b'=', part).is_some();
        self.check_size(self.partial.len().saturating_add(part.len()), self.named)?;
        self.partial.extend_from_slice(part);
        Ok(())
    }

    /// Adds a field; an empty one doesn't count.
    fn complete(&mut self, piece: &[u8], named: bool) -> Result<(), FormError> {
        self.check_size(piece.len(), named)?;
        for (name, value) in query::pairs(piece) {
            if u64::try_from(self.fields.len()).unwrap_or(u64::MAX) >= self.limits.max_fields {
                self.fields.clear();
                return Err(FormError::TooManyFields(self.limits.max_fields));
            }
            self.fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(())
    }

    /// Checks a field of `length` bytes, of which one is an `=` if it is `named`.
    fn check_size(&mut self, length: usize, named: bool) -> Result<(), FormError> {
        let size = u64::try_from(length.saturating_sub(usize::from(named))).unwrap_or(u64::MAX);
        if size > self.limits.max_part_size {
            self.fields.clear();
            self.partial.clear();
            return Err(FormError::FieldTooLarge(self.limits.max_part_size));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Outcome = Result<Vec<(String, String)>, FormError>;

    fn limits(max_fields: u64, max_part_size: u64) -> Limits {
        Limits { max_fields, max_part_size, ..Limits::default() }
    }

    fn parse<'b>(chunks: impl IntoIterator<Item = &'b [u8]>, limits: Limits) -> Outcome {
        let mut parser = Parser::new(limits);
        for chunk in chunks {
            parser.feed(chunk)?;
        }
        parser.finish()
    }

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_body_is_a_list_of_fields() {
        let rows: &[(&[u8], &[(&str, &str)])] = &[
            (b"", &[]),
            (b"&&&", &[]),
            (b"a=1&b=2", &[("a", "1"), ("b", "2")]),
            (b"a=1&", &[("a", "1")]),
            (b"a&b=", &[("a", ""), ("b", "")]),
            (b"=&=1", &[("", ""), ("", "1")]),
            (b"a=b=c", &[("a", "b=c")]),
            (b"x=;a=admin", &[("x", ";a=admin")]),
            (b"a+b=%C3%A9%zz", &[("a b", "\u{e9}%zz")]),
            (b"a=\xc3\xa9", &[("a", "\u{c3}\u{a9}")]),
            (b"a=1\r\n", &[("a", "1\r\n")]),
        ];
        for (body, expected) in rows {
            assert_eq!(parse([*body], Limits::default()), Ok(fields(expected)), "{body:?}");
        }
    }

    #[test]
    fn limits_bite_one_above() {
        assert_eq!(parse([b"a&b=1&&c".as_slice()], limits(3, 9)).map(|found| found.len()), Ok(3));
        assert_eq!(parse([b"a&b=1&&c&d".as_slice()], limits(3, 9)), Err(FormError::TooManyFields(3)));
        assert_eq!(parse([b"ab=c&abc".as_slice()], limits(3, 3)).map(|found| found.len()), Ok(2));
        assert_eq!(parse([b"ab=cd".as_slice()], limits(3, 3)), Err(FormError::FieldTooLarge(3)));
        assert_eq!(parse([b"abcd".as_slice()], limits(3, 3)), Err(FormError::FieldTooLarge(3)));
        assert_eq!(parse([b"a=".as_slice(), b"bc", b"d"], limits(3, 3)), Err(FormError::FieldTooLarge(3)));
        assert_eq!(parse([b"a=1&".as_slice()], limits(0, 3)), Err(FormError::TooManyFields(0)));
        assert_eq!(parse([b"&".as_slice()], limits(0, 0)), Ok(vec![]));
        assert_eq!(parse([b"=".as_slice()], limits(1, 0)), Ok(fields(&[("", "")])));
    }

    #[test]
    fn a_field_that_never_ends_is_refused_while_it_arrives() {
        let mut parser = Parser::new(limits(1, 1000));
        let fed = (0..).take_while(|_| parser.feed(b"0123456789").is_ok()).count();
        assert_eq!(fed, 100);
    }

    #[test]
    fn errors_are_sentences() {
        assert_eq!(FormError::TooManyFields(1000).to_string(), "Too many fields. Maximum number of fields is 1000.");
        assert_eq!(FormError::FieldTooLarge(1024 * 1024).to_string(), "Field exceeded maximum size of 1024KB.");
        assert_eq!(FormError::PartTooLarge(1500).to_string(), "Part exceeded maximum size of 1KB.");
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            body in "([ab=&+%]|%4[1-3]){0,60}".prop_map(String::into_bytes),
            cuts in prop::collection::vec(0..60_usize, 0..6),
            max_fields in 0..8_u64,
            max_part_size in 0..12_u64,
        ) {
            let limits = limits(max_fields, max_part_size);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let whole = parse([body.as_slice()], limits);
            let cut = parse(cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]), limits);
            prop_assert_eq!(&cut, &whole);
            prop_assert_eq!(&parse(body.chunks(1), limits), &whole);
            if let Ok(found) = whole {
                let expected: Vec<_> = query::pairs(&body).map(|(a, b)| (a.into_owned(), b.into_owned())).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
