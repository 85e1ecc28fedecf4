//! The head of a request: the request line and the header fields, with RFC 9112's rules on where the body ends.
//!
//! This reader serves a door that shares its connection with another parser (llhttp, behind uvicorn's httptools). It
//! therefore never refuses a request. It either understands a head completely, in the only way that it can be
//! understood, or answers [`Step::HandOver`], and the other parser gets all bytes from the start of that head and
//! decides. **What is accepted here is a subset of what httptools accepts, with the same message**; a disagreement
//! between the two would be a way to smuggle requests.
//!
//! So these are handed over although httparse takes them, or the specification does: lines that end in a bare LF, empty
//! lines before the request line, unknown methods and `CONNECT`, targets that are not a path (`*`, absolute ones) or
//! hold anything but visible ASCII, a `#`, HTTP/1.0, more than [`MAX_HEADERS`] fields, a missing or repeated `Host`, a
//! repeated or unusual `Content-Length` (only digits will do), any `Transfer-Encoding`, `Expect`, `Upgrade` or
//! `Proxy-Connection`, and any `Connection` but one lone `keep-alive` or `close`.
//!
//! httptools keeps the blanks at the end of a header's value, which httparse drops. A value that has some is handed
//! over as well.
//!
//! A head that arrives in many pieces is scanned once and parsed once, when it is complete.

use std::mem::MaybeUninit;

use memchr::memchr_iter;
use smallvec::SmallVec;

use crate::bytes::{cut, is_blank};

/// The largest number of header fields that is read here.
pub const MAX_HEADERS: usize = 64;

/// The methods that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `TRACE`
    Trace,
}

/// Where something is: from the first offset up to, not including, the second. Small, because there are many, and each
/// request that waits keeps them. A head that they can't point into is handed over.
type Place = (u16, u16);

/// Where the name and the value of a header field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    name: Place,
    value: Place,
}

/// The head of a request: what it says of the request, and where its parts are in the bytes that it was read from.
///
/// Those bytes are given to each method again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    path: Place,
    query: Place,
    fields: SmallVec<[Field; 16]>,
    /// The length of the body in bytes, as declared; `None` without a `Content-Length`, which means that there is none.
    pub content_length: Option<u64>,
    /// Whether the client wants to send another request on the connection.
    pub keep_alive: bool,
    /// The length of the head in bytes, the empty line included.
    pub length: usize,
}

/// What is known about the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The head isn't complete.
    Partial,
    /// The head is complete and understood. The reader is ready for another one.
    Complete(Head),
    /// The other parser must look at it, from the first byte of the head.
    HandOver,
    /// More bytes than allowed have come without the head ending.
    TooLarge,
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

impl Method {
    /// The method called `name`, if it is one that is read here.
    #[must_use]
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"PATCH" => Self::Patch,
            b"TRACE" => Self::Trace,
            _ => return None,
        })
    }

    /// The method's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Trace => "TRACE",
        }
    }
}

impl Head {
    /// The path as it was sent, percent-encoded; it begins with a slash.
    #[must_use]
    pub fn path<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        part(bytes, self.path)
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
            Some(first) if !first.is_ascii_uppercase() => return Step::HandOver,
            Some(_) => {}
        }
        match self.scan(buffer) {
            Scan::BareLineFeed => Step::HandOver,
            Scan::Partial if buffer.len() > self.limit => Step::TooLarge,
            Scan::Partial => Step::Partial,
            Scan::End(length) if length > self.limit => Step::TooLarge,
            Scan::End(length) => {
                *self = Self::new(self.limit);
                let head = buffer.get(..length).and_then(parse).filter(|head| head.length == length);
                head.map_or(Step::HandOver, Step::Complete)
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
    parse(buffer).filter(|head| head.length <= limit)
}

/// The head that `buffer` begins with, or `None` in doubt.
///
/// Since each line is held to be all of what was sent and to end in CR and LF, the head ends at the first empty line.
fn parse(buffer: &[u8]) -> Option<Head> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let status = httparse::ParserConfig::default().parse_request_with_uninit_headers(&mut request, buffer, &mut fields);
    let Ok(httparse::Status::Complete(length)) = status else { return None };
    if request.version != Some(1) {
        return None;
    }
    let mut line = Line { buffer, at: 0 };
    let name = request.method?.as_bytes();
    let method = Method::from_bytes(name)?;
    let target = request.path?.as_bytes();
    if target.first() != Some(&b'/') || !target.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'#') {
        return None;
    }
    // httparse skips some blanks; what it has taken must be all there is.
    line.take(name)?;
    line.skip(b" ")?;
    let (path, query) = match cut(target, b'?') {
        None => (line.take(target)?, Place::default()),
        Some((path, query)) => {
            let path = line.take(path)?;
            line.skip(b"?")?;
            (path, line.take(query)?)
        }
    };
    line.skip(b" HTTP/1.1\r\n")?;
    let mut framing = Framing::default();
    let mut fields = SmallVec::new();
    for field in request.headers.iter() {
        let name = line.take(field.name.as_bytes())?;
        line.skip(b":")?;
        line.skip_blanks();
        let value = line.take(field.value)?;
        line.skip(b"\r\n")?;
        framing.see(field.name.as_bytes(), field.value)?;
        fields.push(Field { name, value });
    }
    line.skip(b"\r\n")?;
    if line.at != length || !framing.host {
        return None;
    }
    let Framing { content_length, connection, .. } = framing;
    Some(Head { method, path, query, fields, content_length, keep_alive: connection.unwrap_or(true), length })
}

/// Goes through what was parsed, byte by byte.
struct Line<'b> {
    buffer: &'b [u8],
    at: usize,
}

impl Line<'_> {
    /// Where `part` is, which must be the very bytes that come next.
    #[inline]
    fn take(&mut self, part: &[u8]) -> Option<Place> {
        let start = self.at;
        let next = self.buffer.get(start..)?.get(..part.len())?;
        if !part.is_empty() && !std::ptr::eq(next, part) {
            return None;
        }
        self.at = start.saturating_add(part.len());
        Some((u16::try_from(start).ok()?, u16::try_from(self.at).ok()?))
    }

    /// Goes past `expected`, if that comes next.
    fn skip(&mut self, expected: &[u8]) -> Option<()> {
        self.buffer.get(self.at..)?.strip_prefix(expected)?;
        self.at = self.at.saturating_add(expected.len());
        Some(())
    }

    fn skip_blanks(&mut self) {
        while self.buffer.get(self.at).is_some_and(|&byte| is_blank(byte)) {
            self.at = self.at.saturating_add(1);
        }
    }
}

/// What the header fields say about the connection and the body.
#[derive(Default)]
struct Framing {
    host: bool,
    content_length: Option<u64>,
    connection: Option<bool>,
}

impl Framing {
    /// Takes notice of one field; `None` if it makes the request one for the other parser.
    fn see(&mut self, own: &[u8], value: &[u8]) -> Option<()> {
        let is = |name: &[u8]| own.eq_ignore_ascii_case(name);
        match own.len() {
            4 if is(b"host") => {
                let first = !std::mem::replace(&mut self.host, true);
                first.then_some(())
            }
            6 if is(b"expect") => None,
            7 if is(b"upgrade") => None,
            10 if is(b"connection") => {
                let keep_alive = value.eq_ignore_ascii_case(b"keep-alive");
                let known = keep_alive || value.eq_ignore_ascii_case(b"close");
                (known && self.connection.replace(keep_alive).is_none()).then_some(())
            }
            14 if is(b"content-length") => {
                let length = decimal(value)?;
                self.content_length.replace(length).is_none().then_some(())
            }
            16 if is(b"proxy-connection") => None,
            17 if is(b"transfer-encoding") => None,
            _ => Some(()),
        }
    }
}

/// The number that `digits` mean: one to eighteen of them and nothing else.
fn decimal(digits: &[u8]) -> Option<u64> {
    if !(1..=18).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Step {
        HeadReader::new(65_536).read(bytes)
    }

    /// The head of a request with these lines after `GET / HTTP/1.1` and a host.
    fn with_lines(lines: &str) -> Vec<u8> {
        format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n").into_bytes()
    }

    #[test]
    fn a_head_has_a_request_line_and_fields() {
        let bytes = b"POST /a%20b/?q=1?&r HTTP/1.1\r\n\
            Host: example.org\r\nX-Empty:\r\ncontent-length: \t12\r\nX: a \xe9\tb\r\n\r\nbody";
        let Step::Complete(head) = read(bytes) else { panic!("not read") };
        assert_eq!(head.method, Method::Post);
        assert_eq!(head.path(bytes), b"/a%20b/");
        assert_eq!(head.query(bytes), b"q=1?&r");
        assert_eq!(head.content_length, Some(12));
        assert!(head.keep_alive);
        assert_eq!(head.length, bytes.len() - 4);
        let shown: Vec<(&[u8], &[u8])> = head.headers(bytes).collect();
        let expected: [(&[u8], &[u8]); 4] =
            [(b"Host", b"example.org"), (b"X-Empty", b""), (b"content-length", b"12"), (b"X", b"a \xe9\tb")];
        assert_eq!(shown, expected);
        assert_eq!(head.header(bytes, b"x-empty"), Some(b"".as_slice()));
        assert_eq!(head.header(bytes, b"cookie"), None);
    }

    #[test]
    fn fields_decide_about_body_and_connection() {
        let rows: &[(&str, Option<(Option<u64>, bool)>)] = &[
            ("", Some((None, true))),
            ("Connection: keep-alive\r\n", Some((None, true))),
            ("connection: Close\r\n", Some((None, false))),
            ("Connection: close, te\r\n", None),
            ("Connection: close\r\nConnection: close\r\n", None),
            ("Connection:\r\n", None),
            ("Connection: upgrade\r\nUpgrade: websocket\r\n", None),
            ("Upgrade: h2c\r\n", None),
            ("Content-Length: 0\r\n", Some((Some(0), true))),
            ("Content-Length: 007\r\n", Some((Some(7), true))),
            ("Content-Length: 999999999999999999\r\n", Some((Some(999_999_999_999_999_999), true))),
            ("Content-Length: 1000000000000000000\r\n", None),
            ("Content-Length: 99999999999999999999999\r\n", None),
            ("Content-Length:\r\n", None),
            ("Content-Length: -1\r\n", None),
            ("Content-Length: +4\r\n", None),
            ("Content-Length: 4,4\r\n", None),
            ("Content-Length: 4 \r\n", None),
            ("Content-Length: 0x4\r\n", None),
            ("Content-Length: 4\r\nContent-Length: 4\r\n", None),
            ("Content-Length : 4\r\n", None),
            ("Content-Length\t: 4\r\n", None),
            ("Content_Length: 4\r\n", Some((None, true))),
            ("Transfer-Encoding: chunked\r\n", None),
            ("transfer-encoding: identity\r\n", None),
            ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", None),
            ("Expect: 100-continue\r\n", None),
            ("Proxy-Connection: close\r\n", None),
            ("HOST: y\r\n", None),
        ];
        for (lines, expected) in rows {
            let bytes = with_lines(lines);
            let found = match read(&bytes) {
                Step::Complete(head) => Some((head.content_length, head.keep_alive)),
                other => {
                    assert_eq!(other, Step::HandOver, "{lines:?}");
                    None
                }
            };
            assert_eq!(found, *expected, "{lines:?}");
        }
    }

    #[test]
    fn doubt_is_handed_over() {
        let rows: &[&[u8]] = &[
            b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01",
            b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\n",
            b"GET / HTTP/1.1\nHost: x\n\n",
            b"GET / HTTP/1.1\r\nHost: x\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\n",
            b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
            b"GET / HTTP/2\r\nHost: x\r\n\r\n",
            b"GET / http/1.1\r\nHost: x\r\n\r\n",
            b"GET /\r\nHost: x\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
            b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET @evil HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET ?q HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x \r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\t\r\n\r\n",
            b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\xff: c\r\n\r\n",
        ];
        for bytes in rows {
            assert_eq!(read(bytes), Step::HandOver, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn sixty_four_fields_are_read_and_one_more_is_not() {
        let lines = |count| (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>();
        assert!(matches!(read(&with_lines(&lines(63))), Step::Complete(_)));
        assert_eq!(read(&with_lines(&lines(64))), Step::HandOver);
    }

    #[test]
    fn a_head_has_a_largest_size() {
        let bytes = with_lines("X: y\r\n");
        assert!(matches!(HeadReader::new(bytes.len()).read(&bytes), Step::Complete(_)));
        assert_eq!(HeadReader::new(bytes.len() - 1).read(&bytes), Step::TooLarge);
        assert_eq!(HeadReader::new(9).read(b"GET /aaaa"), Step::Partial);
        assert_eq!(HeadReader::new(9).read(b"GET /aaaaa"), Step::TooLarge);
        assert_eq!(HeadReader::new(9).read(b""), Step::Partial);
    }

    #[test]
    fn a_head_that_is_too_long_to_point_into_is_handed_over() {
        let with_value = |length: usize| with_lines(&format!("A: {}\r\nB: c\r\n", "x".repeat(length)));
        let longest = with_value(65_535 - "GET / HTTP/1.1\r\nHost: x\r\nA: \r\nB: c".len());
        let Step::Complete(head) = HeadReader::new(usize::MAX).read(&longest) else { panic!("not read") };
        assert_eq!(head.header(&longest, b"b"), Some(b"c".as_slice()));
        let longer = with_value(65_536 - "GET / HTTP/1.1\r\nHost: x\r\nA: \r\nB: c".len());
        assert_eq!(HeadReader::new(usize::MAX).read(&longer), Step::HandOver);
    }

    #[test]
    fn a_reader_reads_the_next_head_too() {
        let first = with_lines("");
        let second = with_lines("Connection: close\r\n");
        let both = [first.as_slice(), &second].concat();
        let mut reader = HeadReader::new(1000);
        assert!(matches!(reader.read(&both), Step::Complete(head) if head.length == first.len()));
        assert!(matches!(reader.read(&both[first.len()..]), Step::Complete(head) if !head.keep_alive));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            lines in "([A-Za-z-]{1,6}:[ \t]{0,2}[a-z0-9 \u{e9}]{0,6}(\r|\n|\r\n)){0,4}",
            cuts in prop::collection::vec(1..80_usize, 0..8),
        ) {
            let bytes = with_lines(&lines);
            let whole = read(&bytes);
            let mut reader = HeadReader::new(65_536);
            let mut seen = Step::Partial;
            let mut lengths: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            lengths.sort_unstable();
            for length in lengths.into_iter().chain([bytes.len()]) {
                seen = reader.read(&bytes[..length]);
                if seen != Step::Partial {
                    break;
                }
            }
            let at_once = read_whole(&bytes, 65_536).map_or(Step::HandOver, Step::Complete);
            prop_assert_eq!(matches!(seen, Step::Complete(_)), matches!(at_once, Step::Complete(_)));
            if matches!(seen, Step::Complete(_)) {
                prop_assert_eq!(&at_once, &seen);
            }
            prop_assert_eq!(seen, whole);
        }
    }
}
