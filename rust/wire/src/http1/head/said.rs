//! What the fields of a head say about the connection and the body (RFC 9112, sections 3.2, 6 and 9).

use super::{BodyLength, Upgrade, Version};
use crate::bytes::{class, is_in, trim_blanks};
use crate::http1::Refusal;

/// What the header fields say about the connection and the body.
#[derive(Default)]
pub(super) struct Said<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    is_chunked: bool,
    pub(super) closes: bool,
    pub(super) upgrades: bool,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) expects_continue: bool,
}

impl<'b> Said<'b> {
    /// Takes notice of one field.
    pub(super) fn see(&mut self, own: &[u8], value: &'b [u8]) -> Result<(), Refusal> {
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
    pub(super) fn check_host(&self, version: Version, authority: Option<&[u8]>) -> Result<(), Refusal> {
        let is_right = match self.host {
            None => version == Version::Old,
            Some(host) => is_host(host) && authority.is_none_or(|authority| authority.eq_ignore_ascii_case(host)),
        };
        if is_right && authority.is_none_or(is_host) { Ok(()) } else { Err(Refusal::Malformed) }
    }

    pub(super) fn body(&self, version: Version) -> Result<BodyLength, Refusal> {
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
pub(in crate::http1) fn is_token_byte(byte: u8) -> bool {
    const TOKEN: [bool; 256] = class(b"!#$%&'*+-.^_`|~");
    is_in(&TOKEN, byte)
}

pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

/// The number that `digits` mean: one to eighteen of them and nothing else.
fn decimal(digits: &[u8]) -> Option<u64> {
    if !(1..=18).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
