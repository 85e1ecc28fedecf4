//! The head of a request: the request line and the header fields, with RFC 9112's rules on where the body ends.
//!
//! **What can be understood in two ways is refused**, since a proxy in front may have understood it in the other one. So these are
//! refused although some servers take them: lines that end in a bare LF, folded lines, blanks before a colon or doubled in the
//! request line, targets with a fragment or with anything but visible ASCII, an absolute target whose authority is not the one of
//! the `Host` field, a missing, repeated or malformed `Host`, a repeated `Content-Length` or one that is not of digits alone, any
//! `Transfer-Encoding` but one lone `chunked`, and that beside a `Content-Length` or in HTTP/1.0. Everything that is accepted here
//! is accepted by httptools (uvicorn's other parser), as the same message; its blanks at the end of a value are dropped, as
//! section 5.1 has it.
//!
//! A head that arrives in many pieces is scanned once and parsed once, when it is complete.

mod parsing;
mod said;
#[cfg(test)]
mod tests;

use memchr::memchr_iter;
use smallvec::SmallVec;

use self::parsing::parse;
pub(super) use self::said::is_token_byte;
use super::method::Method;
use super::refusal::Refusal;

/// The largest number of header fields in a head.
pub const MAX_HEADERS: usize = 1024;

/// Where something is: from the first offset up to, not including, the second. Small, because there are many, and each
/// request that waits keeps them. A head that they can't point into is too large.
type Place = (u16, u16);

/// Where the name and the value of a header field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    name: Place,
    value: Place,
}

/// The version of HTTP that a request is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Old,
    /// HTTP/1.1
    #[default]
    New,
}

/// How long the body of a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    #[default]
    None,
    /// So many bytes, as declared.
    Known(u64),
    /// It comes in chunks.
    Chunked,
}

/// The head of a request: what it says of the request, and where its parts are in the bytes that it was read from.
///
/// Those bytes are given to each method again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The version of HTTP.
    pub version: Version,
    /// The target as it was sent; and the path and the query in it.
    path: Place,
    query: Place,
    fields: SmallVec<[Field; 16]>,
    /// How long the body is.
    pub body: BodyLength,
    /// Whether the client wants to send another request on the connection.
    pub keep_alive: bool,
    /// Whether the client waits to be told to send the body.
    pub expects_continue: bool,
    /// Whether the client asks for another protocol.
    pub upgrade: Option<Upgrade>,
    /// The length of the head in bytes, the empty line included.
    pub length: usize,
}

/// The protocol that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// WebSocket
    WebSocket,
    /// Any other, which a server may ignore (RFC 9110, section 7.8).
    Other,
}

/// What is known about the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The head isn't complete.
    Partial,
    /// The head is complete and understood. The reader is ready for another one.
    Complete(Head),
    /// There is no such request.
    Refused(Refusal),
}

/// Reads one head after the other.
#[derive(Clone, Debug)]
pub struct HeadReader {
    /// The largest head in bytes.
    limit: usize,
    /// How many bytes of the head have been scanned.
    scanned: usize,
    /// Where the line begins that the scan has reached.
    line: usize,
}

/// What the scan for the empty line finds.
enum Scan {
    Partial,
    End(usize),
    BareLineFeed,
}

impl Head {
    /// The path as it was sent, percent-encoded; it begins with a slash, or is `*`.
    #[must_use]
    pub fn path<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        match part(bytes, self.path) {
            [] => b"/", // of `http://host`
            path => path,
        }
    }

    /// What follows the first question mark, or nothing.
    #[must_use]
    pub fn query<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        part(bytes, self.query)
    }

    /// The header fields in order, as they were sent: the names, which are tokens, in their own letter case; the values
    /// without the blanks around them, Latin-1 text without control characters other than tabs.
    pub fn headers<'b>(&self, bytes: &'b [u8]) -> impl DoubleEndedIterator<Item = (&'b [u8], &'b [u8])> {
        self.fields.iter().map(|field| (part(bytes, field.name), part(bytes, field.value)))
    }

    /// The value of the first header called `name`, which is given in lower case.
    #[must_use]
    pub fn header<'b>(&self, bytes: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
        self.headers(bytes).find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether nothing has to be done or watched but for the body's length: HTTP/1.1, no `Expect`, no `Upgrade`, no chunks.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.version == Version::New
            && !self.expects_continue
            && self.upgrade.is_none()
            && self.body != BodyLength::Chunked
    }

    /// The length of the body, if it is known.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        match self.body {
            BodyLength::None => Some(0),
            BodyLength::Known(length) => Some(length),
            BodyLength::Chunked => None,
        }
    }
}

/// What is at a place in a head's bytes.
fn part(bytes: &[u8], (start, end): Place) -> &[u8] {
    bytes.get(usize::from(start)..usize::from(end)).unwrap_or_default()
}

impl HeadReader {
    /// A reader for heads of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, scanned: 0, line: 0 }
    }

    /// Looks at `buffer`, which begins with a head and must hold everything that an earlier, partial, call was given.
    ///
    /// After [`Step::Complete`] the next call is about the next head: the caller removes `length` bytes, and the body,
    /// first.
    pub fn read(&mut self, buffer: &[u8]) -> Step {
        match buffer.first() {
            None => return Step::Partial,
            Some(first) if !is_token_byte(*first) => return Step::Refused(Refusal::Malformed),
            Some(_) => {}
        }
        match self.scan(buffer) {
            Scan::BareLineFeed => Step::Refused(Refusal::Malformed),
            Scan::Partial if buffer.len() > self.limit => Step::Refused(Refusal::HeadTooLarge),
            Scan::Partial => Step::Partial,
            Scan::End(length) if length > self.limit => Step::Refused(Refusal::HeadTooLarge),
            Scan::End(length) => {
                *self = Self::new(self.limit);
                match parse(buffer.get(..length).unwrap_or_default()) {
                    Ok(head) if head.length == length => Step::Complete(head),
                    Ok(_) => Step::Refused(Refusal::Malformed),
                    Err(refusal) => Step::Refused(refusal),
                }
            }
        }
    }

    /// Continues the search for the empty line.
    fn scan(&mut self, buffer: &[u8]) -> Scan {
        let from = self.scanned;
        for at in memchr_iter(b'\n', buffer.get(from..).unwrap_or_default()) {
            let at = from.saturating_add(at);
            match buffer.get(self.line..at) {
                Some([b'\r']) => return Scan::End(at.saturating_add(1)),
                Some([.., b'\r']) => self.line = at.saturating_add(1),
                _ => return Scan::BareLineFeed,
            }
        }
        self.scanned = buffer.len();
        Scan::Partial
    }
}

/// The head that `buffer` begins with, if that is all there, at most `limit` bytes long, and understood.
///
/// What [`HeadReader::read`] completes, without what it takes to go on later.
#[must_use]
pub fn read_whole(buffer: &[u8], limit: usize) -> Option<Head> {
    buffer.first().filter(|first| first.is_ascii_uppercase())?;
    parse(buffer).ok().filter(|head| head.length <= limit)
}
