//! A response in pieces: its head, field by field, and its body, framed as RFC 9112 has it for the request.

use thiserror::Error;

use super::framing::{Framing, FramingError};
use super::head::{Head, Version};
use super::method::Method;
use super::response::{self, ResponseError};
use crate::bytes::trim_blanks;

/// Why a head can't be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// A field would break out of its line.
    #[error(transparent)]
    Field(#[from] ResponseError),
    /// The length of the body is no number.
    #[error("A content-length is no number of bytes")]
    Length,
}

/// The answer to one request, as far as it has been written.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    framing: Framing,
    is_old: bool,
    is_head: bool,
    /// Whether the connection may stay open behind it.
    pub keep_alive: bool,
    /// Whether a field says that it closes.
    says_close: bool,
}

impl Answer {
    /// The answer to the request with this head.
    #[must_use]
    pub fn to(head: &Head) -> Self {
        Self {
            framing: Framing::Unknown,
            is_old: head.version == Version::Old,
            is_head: head.method == Method::Head,
            keep_alive: head.keep_alive,
            says_close: false,
        }
    }

    /// Whether the body is left out.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// Whether the end of the connection is the end of the body.
    #[must_use]
    pub fn ends_with_connection(&self) -> bool {
        self.framing == Framing::UntilClose
    }

    /// Appends a field of the head, and takes notice of what it says.
    ///
    /// # Errors
    ///
    /// [`AnswerError`]
    pub fn field(&mut self, out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), AnswerError> {
        let start = out.len();
        response::header(out, name, value)?;
        let name = out.get(start..start.saturating_add(name.len())).unwrap_or_default();
        if self.is_old && name == b"transfer-encoding" {
            out.truncate(start); // HTTP/1.0 knows none
            return Ok(());
        }
        self.framing = self.framing.with_header(name, value).ok_or(AnswerError::Length)?;
        if name == b"connection" {
            let mut options = value.split(|&byte| byte == b',').map(trim_blanks);
            self.says_close |= options.any(|option| option.eq_ignore_ascii_case(b"close"));
        }
        Ok(())
    }

    /// Appends what the head still needs, for a response with this status, and its end.
    pub fn end_head(&mut self, out: &mut Vec<u8>, status: u16) {
        let (framing, is_new) = self.framing.settled(status, self.is_head);
        self.framing = framing;
        if self.is_old && is_new {
            self.framing = Framing::UntilClose;
            self.keep_alive = false;
        }
        if self.says_close {
            self.keep_alive = false;
        } else if !self.keep_alive {
            out.extend_from_slice(b"connection: close\r\n");
        }
        if self.framing == Framing::Chunked && is_new {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends a piece of the body; the last one if there is no `more`.
    ///
    /// # Errors
    ///
    /// [`FramingError`], and nothing that is wrong has been appended.
    pub fn write(&mut self, out: &mut Vec<u8>, piece: &[u8], more: bool) -> Result<(), FramingError> {
        self.framing.write(out, piece, more)
    }

    /// What of a large piece is written around it, if it may be written as it is: before it and behind it.
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
        self.framing.wrap(before, behind, length, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::{HeadReader, Step};

    fn answer(request: &str, status: u16, fields: &[(&str, &str)], pieces: &[&str]) -> (String, bool) {
        let request = format!("{request}\r\nHost: x\r\n\r\n");
        let Step::Complete(head) = HeadReader::new(1000).read(request.as_bytes()) else { panic!("not read") };
        let mut answer = Answer::to(&head);
        let mut out = Vec::new();
        for (name, value) in fields {
            answer.field(&mut out, name.as_bytes(), value.as_bytes()).unwrap();
        }
        answer.end_head(&mut out, status);
        for (index, piece) in pieces.iter().enumerate() {
            answer.write(&mut out, piece.as_bytes(), index + 1 < pieces.len()).unwrap();
        }
        (String::from_utf8(out).unwrap(), answer.keep_alive)
    }

    #[test]
    fn a_body_is_framed_as_the_request_allows() {
        let new = "GET / HTTP/1.1";
        let old = "GET / HTTP/1.0";
        let length = ("Content-Length", "2");
        let chunked = ("Transfer-Encoding", "chunked");
        let close = ("Connection", "x, Close");
        let rows: &[(&str, u16, &[(&str, &str)], &[&str], &str, bool)] = &[
            (new, 200, &[length], &["a", "b"], "content-length: 2\r\n\r\nab", true),
            (new, 200, &[], &["ab", ""], "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", true),
            (new, 200, &[chunked], &["ab"], "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", true),
            (new, 200, &[close, length], &["ab"], "connection: x, Close\r\ncontent-length: 2\r\n\r\nab", false),
            (new, 204, &[], &[""], "\r\n", true),
            (new, 304, &[], &[""], "\r\n", true),
            (new, 103, &[], &[""], "\r\n", true),
            (new, 204, &[length], &["ab"], "content-length: 2\r\n\r\n", true),
            (new, 304, &[chunked], &["ab"], "transfer-encoding: chunked\r\n\r\n", true),
            ("HEAD / HTTP/1.1", 200, &[length], &["ab"], "content-length: 2\r\n\r\n", true),
            ("HEAD / HTTP/1.1", 200, &[], &["ab"], "\r\n", true),
            (old, 200, &[length], &["ab"], "content-length: 2\r\nconnection: close\r\n\r\nab", false),
            (old, 200, &[], &["a", "b"], "connection: close\r\n\r\nab", false),
            (old, 200, &[chunked], &["ab"], "connection: close\r\n\r\nab", false),
        ];
        for (request, status, fields, pieces, expected, keep_alive) in rows {
            assert_eq!(answer(request, *status, fields, pieces), ((*expected).to_owned(), *keep_alive), "{fields:?}");
        }
    }

    #[test]
    fn a_field_that_would_break_out_is_refused() {
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let Step::Complete(head) = HeadReader::new(1000).read(request) else { panic!("not read") };
        let mut answer = Answer::to(&head);
        let mut out = Vec::new();
        assert_eq!(answer.field(&mut out, b"a b", b""), Err(AnswerError::Field(ResponseError::HeaderName)));
        assert_eq!(answer.field(&mut out, b"a", b"\r\n"), Err(AnswerError::Field(ResponseError::HeaderValue)));
        assert_eq!(answer.field(&mut out, b"Content-Length", b"two"), Err(AnswerError::Length));
    }
}
