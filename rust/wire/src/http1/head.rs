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

use std::mem::MaybeUninit;

use httparse::{Error, Request, Status};
use memchr::memchr_iter;
use smallvec::SmallVec;

use super::method::Method;
use super::refusal::Refusal;
use crate::bytes::{class, cut, is_blank, is_in, trim_blanks};

/// The number of header fields that is read without looking twice.
const FEW_HEADERS: usize = 64;
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

/// The head that `buffer` begins with.
fn parse(buffer: &[u8]) -> Result<Head, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; FEW_HEADERS];
    match parse_into(buffer, &mut fields) {
        Err(Refusal::HeadTooLarge) => {
            let mut fields = vec![MaybeUninit::uninit(); MAX_HEADERS];
            parse_into(buffer, &mut fields)
        }
        done => done,
    }
}

/// The same, with room for so many header fields.
///
/// Since each line is held to be all of what was sent and to end in CR and LF, the head ends at the first empty line.
fn parse_into<'b>(buffer: &'b [u8], fields: &mut [MaybeUninit<httparse::Header<'b>>]) -> Result<Head, Refusal> {
    let mut request = Request::new(&mut []);
    let length = match httparse::ParserConfig::default().parse_request_with_uninit_headers(&mut request, buffer, fields)
    {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Err(Refusal::Malformed),
        Err(Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(_) => return Err(line_refusal(buffer)),
    };
    let version = if request.version == Some(1) { Version::New } else { Version::Old };
    let mut line = Line { buffer, at: 0 };
    let name = request.method.unwrap_or_default().as_bytes();
    let method = Method::from_bytes(name).ok_or(Refusal::NotImplemented)?;
    let target = Target::of(request.path.unwrap_or_default().as_bytes(), method)?;
    // httparse skips some blanks; what it has taken must be all there is.
    line.take(name)?;
    line.skip(b" ")?;
    line.take(target.before)?;
    let path = line.take(target.path)?;
    let query = match target.query {
        None => Place::default(),
        Some(query) => {
            line.skip(b"?")?;
            line.take(query)?
        }
    };
    line.skip(if version == Version::New { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" })?;
    let mut said = Said::default();
    let mut fields = SmallVec::new();
    for field in request.headers.iter() {
        let name = line.take(field.name.as_bytes())?;
        line.skip(b":")?;
        line.skip_blanks();
        let value = line.take(field.value)?;
        line.skip_blanks();
        line.skip(b"\r\n")?;
        said.see(field.name.as_bytes(), field.value)?;
        fields.push(Field { name, value });
    }
    line.skip(b"\r\n")?;
    if line.at != length {
        return Err(Refusal::Malformed);
    }
    said.check_host(version, target.authority)?;
    let is_new = version == Version::New;
    Ok(Head {
        method,
        version,
        path,
        query,
        fields,
        body: said.body(version)?,
        keep_alive: is_new && !said.closes,
        expects_continue: is_new && said.expects_continue,
        upgrade: said.upgrade.filter(|_| is_new && said.upgrades),
        length,
    })
}

/// Why a head is refused that httparse can't read, told from its first line.
fn line_refusal(buffer: &[u8]) -> Refusal {
    let line = cut(buffer, b'\r').map_or(buffer, |(line, _)| line);
    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Refusal::Malformed;
    };
    let is_line = is_token(method) && !target.is_empty();
    match version {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if is_line && major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            if matches!((major, minor), (b'1', b'0' | b'1')) { Refusal::Malformed } else { Refusal::Version }
        }
        _ => Refusal::Malformed,
    }
}

/// The target of a request (RFC 9112, section 3.2).
struct Target<'b> {
    /// The scheme and the authority of an absolute one.
    before: &'b [u8],
    /// That authority.
    authority: Option<&'b [u8]>,
    path: &'b [u8],
    query: Option<&'b [u8]>,
}

impl<'b> Target<'b> {
    fn of(target: &'b [u8], method: Method) -> Result<Self, Refusal> {
        if !target.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(Refusal::Malformed);
        }
        if method == Method::Connect {
            return Err(Refusal::NotImplemented); // this is no proxy
        }
        let (before, authority, rest) = match target.first() {
            Some(b'/') => (&[][..], None, target),
            Some(b'*') if target.len() == 1 && method == Method::Options => (&[][..], None, target),
            _ => {
                let scheme = [&b"http://"[..], b"https://"]
                    .into_iter()
                    .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
                let length = scheme.ok_or(Refusal::Malformed)?.len();
                let after = target.get(length..).unwrap_or_default();
                let size = after.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(after.len());
                let authority = after.get(..size).filter(|authority| !authority.is_empty());
                let (before, rest) = target.split_at_checked(length.saturating_add(size)).unwrap_or_default();
                (before, Some(authority.ok_or(Refusal::Malformed)?), rest)
            }
        };
        let (path, query) = match cut(rest, b'?') {
            None => (rest, None),
            Some((path, query)) => (path, Some(query)),
        };
        Ok(Self { before, authority, path, query })
    }
}

/// Goes through what was parsed, byte by byte.
struct Line<'b> {
    buffer: &'b [u8],
    at: usize,
}

impl Line<'_> {
    /// Where `part` is, which must be the very bytes that come next.
    #[inline]
    fn take(&mut self, part: &[u8]) -> Result<Place, Refusal> {
        let start = self.at;
        let next = self.buffer.get(start..).and_then(|rest| rest.get(..part.len())).ok_or(Refusal::Malformed)?;
        if !part.is_empty() && !std::ptr::eq(next, part) {
            return Err(Refusal::Malformed);
        }
        self.at = start.saturating_add(part.len());
        match (u16::try_from(start), u16::try_from(self.at)) {
            (Ok(start), Ok(end)) => Ok((start, end)),
            _ => Err(Refusal::HeadTooLarge),
        }
    }

    /// Goes past `expected`, if that comes next.
    fn skip(&mut self, expected: &[u8]) -> Result<(), Refusal> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        rest.strip_prefix(expected).ok_or(Refusal::Malformed)?;
        self.at = self.at.saturating_add(expected.len());
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while self.buffer.get(self.at).is_some_and(|&byte| is_blank(byte)) {
            self.at = self.at.saturating_add(1);
        }
    }
}

/// What the header fields say about the connection and the body.
#[derive(Default)]
struct Said<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    is_chunked: bool,
    closes: bool,
    upgrades: bool,
    upgrade: Option<Upgrade>,
    expects_continue: bool,
}

impl<'b> Said<'b> {
    /// Takes notice of one field.
    fn see(&mut self, own: &[u8], value: &'b [u8]) -> Result<(), Refusal> {
        let is = |name: &[u8]| own.eq_ignore_ascii_case(name);
        match own.len() {
            4 if is(b"host") => {
                return if self.host.replace(value).is_none() { Ok(()) } else { Err(Refusal::Malformed) };
            }
            6 if is(b"expect") => self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue"),
            7 if is(b"upgrade") => {
                let is_web_socket = value.eq_ignore_ascii_case(b"websocket");
                self.upgrade = Some(if is_web_socket { Upgrade::WebSocket } else { Upgrade::Other });
            }
            10 if is(b"connection") => self.see_connection(value),
            14 if is(b"content-length") => {
                let length = decimal(value).ok_or(Refusal::Malformed)?;
                return if self.content_length.replace(length).is_none() { Ok(()) } else { Err(Refusal::Malformed) };
            }
            16 if is(b"proxy-connection") => self.see_connection(value), // as httptools
            17 if is(b"transfer-encoding") => return self.see_coding(value),
            _ => {}
        }
        Ok(())
    }

    fn see_connection(&mut self, value: &[u8]) {
        if value.eq_ignore_ascii_case(b"keep-alive") {
            return;
        }
        for option in value.split(|&byte| byte == b',').map(trim_blanks) {
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.upgrades |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// A transfer coding other than one lone `chunked` is refused: as one that isn't known if chunks are the outermost, else as a
    /// body without an end.
    fn see_coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if value.eq_ignore_ascii_case(b"chunked") && !self.is_chunked {
            self.is_chunked = true;
            return Ok(());
        }
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        let mut codings = value.split(|&byte| byte == b',').map(trim_blanks).rev();
        let ends = codings.next().is_some_and(is_chunked);
        let is_known = ends && !self.is_chunked && codings.all(|coding| is_token(coding) && !is_chunked(coding));
        Err(if is_known { Refusal::NotImplemented } else { Refusal::Malformed })
    }

    /// One `Host`, which a request of HTTP/1.0 need not have; the same as in the target, if that names one.
    fn check_host(&self, version: Version, authority: Option<&[u8]>) -> Result<(), Refusal> {
        let is_right = match self.host {
            None => version == Version::Old,
            Some(host) => is_host(host) && authority.is_none_or(|authority| authority.eq_ignore_ascii_case(host)),
        };
        if is_right && authority.is_none_or(is_host) { Ok(()) } else { Err(Refusal::Malformed) }
    }

    fn body(&self, version: Version) -> Result<BodyLength, Refusal> {
        match (self.is_chunked, self.content_length) {
            (true, None) if version == Version::New => Ok(BodyLength::Chunked),
            (true, _) => Err(Refusal::Malformed),
            (false, Some(length)) => Ok(BodyLength::Known(length)),
            (false, None) => Ok(BodyLength::None),
        }
    }
}

/// Whether this is a host and perhaps a port, or nothing (RFC 9110, section 7.2). What a name may hold is not looked at closely.
fn is_host(value: &[u8]) -> bool {
    // Most hosts are of these.
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-');
    value.iter().all(|&byte| is_usual(byte) || (byte.is_ascii_graphic() && !b"@/?#\\\"<>^`{|},".contains(&byte)))
}

/// Whether `byte` may be in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    const TOKEN: [bool; 256] = class(b"!#$%&'*+-.^_`|~");
    is_in(&TOKEN, byte)
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
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
        assert_eq!(head.content_length(), Some(12));
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
            ("", Some((Some(0), true))),
            ("Connection: keep-alive\r\n", Some((Some(0), true))),
            ("connection: Close\r\n", Some((Some(0), false))),
            ("Connection: close, te\r\n", Some((Some(0), false))),
            ("Connection: te,close\r\nConnection: keep-alive\r\n", Some((Some(0), false))),
            ("Connection:\r\n", Some((Some(0), true))),
            ("Connection: upgrade\r\nUpgrade: websocket\r\n", Some((Some(0), true))),
            ("Upgrade: h2c\r\n", Some((Some(0), true))),
            ("Content-Length: 0\r\n", Some((Some(0), true))),
            ("Content-Length: 007\r\n", Some((Some(7), true))),
            ("Content-Length: 999999999999999999\r\n", Some((Some(999_999_999_999_999_999), true))),
            ("Content-Length: 1000000000000000000\r\n", None),
            ("Content-Length: 99999999999999999999999\r\n", None),
            ("Content-Length:\r\n", None),
            ("Content-Length: -1\r\n", None),
            ("Content-Length: +4\r\n", None),
            ("Content-Length: 4,4\r\n", None),
            ("Content-Length: 4 \r\n", Some((Some(4), true))),
            ("Content-Length: 0x4\r\n", None),
            ("Content-Length: 4\r\nContent-Length: 4\r\n", None),
            ("Content-Length : 4\r\n", None),
            ("Content-Length\t: 4\r\n", None),
            ("Content_Length: 4\r\n", Some((Some(0), true))),
            ("Transfer-Encoding: Chunked\r\n", Some((None, true))),
            ("Transfer-Encoding: chunked, chunked\r\n", None),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", None),
            ("transfer-encoding: identity\r\n", None),
            ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", None),
            ("Expect: 100-continue\r\n", Some((Some(0), true))),
            ("Proxy-Connection: close\r\n", Some((Some(0), false))),
            ("HOST: y\r\n", None),
        ];
        for (lines, expected) in rows {
            let bytes = with_lines(lines);
            let found = match read(&bytes) {
                Step::Complete(head) => Some((head.content_length(), head.keep_alive)),
                other => {
                    assert!(matches!(other, Step::Refused(_)), "{lines:?}");
                    None
                }
            };
            assert_eq!(found, *expected, "{lines:?}");
        }
    }

    #[test]
    fn what_can_be_understood_in_two_ways_is_refused() {
        use Refusal::{Malformed, NotImplemented, Version};
        let rows: &[(&[u8], Refusal)] = &[
            (b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"\x16\x03\x01", Malformed),
            (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", NotImplemented),
            (b"PRI * HTTP/2.0\r\n\r\n", Version),
            (b"GET / HTTP/1.1\nHost: x\n\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\n", Malformed),
            (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", Version),
            (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", Version),
            (b"GET / HTTP/2\r\nHost: x\r\n\r\n", Malformed),
            (b"GET / http/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET / RTSP/1.0\r\nHost: x\r\n\r\n", Malformed),
            (b"GET /\r\nHost: x\r\n\r\n", Malformed),
            (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", Malformed),
            (b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET http://u@x/ HTTP/1.1\r\nHost: u@x\r\n\r\n", Malformed),
            (b"GET http:/// HTTP/1.1\r\nHost:\r\n\r\n", Malformed),
            (b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET @evil HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET ?q HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", Malformed),
            (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", NotImplemented),
            (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", NotImplemented),
            (b"GET / HTTP/1.1\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\xff: c\r\n\r\n", Malformed),
            (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Malformed),
            (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", NotImplemented),
            (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", Malformed),
        ];
        for (bytes, refusal) in rows {
            assert_eq!(read(bytes), Step::Refused(*refusal), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_target_has_one_of_three_forms() {
        let rows: &[(&str, &str, &str)] = &[
            ("GET /a?b?c HTTP/1.1\r\nHost: x", "/a", "b?c"),
            ("GET http://x/a?b HTTP/1.1\r\nHost: x", "/a", "b"),
            ("GET HTTPS://X:80?b HTTP/1.1\r\nHost: x:80", "/", "b"),
            ("GET http://[::1] HTTP/1.1\r\nHost: [::1]", "/", ""),
            ("OPTIONS * HTTP/1.1\r\nHost: x", "*", ""),
            ("GET http://x/ HTTP/1.0", "/", ""),
        ];
        for (head, path, query) in rows {
            let bytes = format!("{head}\r\n\r\n").into_bytes();
            let Step::Complete(head) = read(&bytes) else { panic!("{head} not read") };
            assert_eq!((head.path(&bytes), head.query(&bytes)), (path.as_bytes(), query.as_bytes()));
        }
    }

    #[test]
    fn http_1_0_needs_no_host_and_closes() {
        let bytes = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n";
        let Step::Complete(head) = read(bytes) else { panic!("not read") };
        assert_eq!((head.version, head.keep_alive, head.expects_continue), (Version::Old, false, false));
    }

    #[test]
    fn a_thousand_fields_are_read_and_one_more_is_not() {
        let lines = |count| (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>();
        for count in [62, 63, 64, 65, MAX_HEADERS - 1] {
            assert!(matches!(read(&with_lines(&lines(count))), Step::Complete(_)));
        }
        assert_eq!(read(&with_lines(&lines(MAX_HEADERS))), Step::Refused(Refusal::HeadTooLarge));
    }

    #[test]
    fn a_head_has_a_largest_size() {
        let bytes = with_lines("X: y\r\n");
        assert!(matches!(HeadReader::new(bytes.len()).read(&bytes), Step::Complete(_)));
        assert_eq!(HeadReader::new(bytes.len() - 1).read(&bytes), Step::Refused(Refusal::HeadTooLarge));
        assert_eq!(HeadReader::new(9).read(b"GET /aaaa"), Step::Partial);
        assert_eq!(HeadReader::new(9).read(b"GET /aaaaa"), Step::Refused(Refusal::HeadTooLarge));
        assert_eq!(HeadReader::new(9).read(b""), Step::Partial);
    }

    #[test]
    fn a_head_that_is_too_long_to_point_into_is_refused() {
        let with_value = |length: usize| with_lines(&format!("A: {}\r\nB: c\r\n", "x".repeat(length)));
        let longest = with_value(65_535 - "GET / HTTP/1.1\r\nHost: x\r\nA: \r\nB: c".len());
        let Step::Complete(head) = HeadReader::new(usize::MAX).read(&longest) else { panic!("not read") };
        assert_eq!(head.header(&longest, b"b"), Some(b"c".as_slice()));
        let longer = with_value(65_536 - "GET / HTTP/1.1\r\nHost: x\r\nA: \r\nB: c".len());
        assert_eq!(HeadReader::new(usize::MAX).read(&longer), Step::Refused(Refusal::HeadTooLarge));
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
            let at_once = read_whole(&bytes, 65_536).map(Step::Complete);
            prop_assert_eq!(at_once.as_ref(), Some(&seen).filter(|seen| matches!(seen, Step::Complete(_))));
            prop_assert_eq!(seen, whole);
        }
    }
}
