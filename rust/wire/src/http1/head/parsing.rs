//! A head that is complete: the request line, and each field where it stands.

use std::mem::MaybeUninit;

use httparse::{Error, Request, Status};
use smallvec::SmallVec;

use super::said::{Said, is_token};
use super::{Field, Head, MAX_HEADERS, Place, Version};
use crate::bytes::{cut, is_blank};
use crate::http1::{Method, Refusal};

/// The number of header fields that is read without looking twice.
const FEW_HEADERS: usize = 64;

/// The head that `buffer` begins with.
pub(super) fn parse(buffer: &[u8]) -> Result<Head, Refusal> {
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
