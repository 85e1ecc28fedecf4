//! Writing a response: status line, header fields and body, into one buffer.
//!
//! Names and values come from application code, and a line break in one of them would let a client that can influence
//! it write headers, or a whole response, of its own. They are checked here, by uvicorn's rules: a name is refused if
//! it holds a control character, a separator or a blank, a value if it holds a control character other than a tab. One
//! thing is stricter: a name must not be empty or hold anything but ASCII.
//!
//! Which fields a response has is for the caller to say; nothing is added.

use thiserror::Error;

use crate::bytes::{class, is_in};

/// Why a response can't be written. What has been appended to the buffer by then is incomplete.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResponseError {
    /// The status code has no three digits.
    #[error("A status code must be between 100 and 999, not {0}.")]
    Status(u32),
    /// The reason phrase holds a line break or another control character.
    #[error("Invalid HTTP reason phrase.")]
    Reason,
    /// A header's name is no token.
    #[error("Invalid HTTP header name.")]
    HeaderName,
    /// A header's value holds a line break or another control character.
    #[error("Invalid HTTP header value.")]
    HeaderValue,
}

/// Appends the status line. `phrase` is the reason phrase, for instance the one that [`reason`] gives.
///
/// # Errors
///
/// [`ResponseError::Status`] for a code outside 100 to 999, [`ResponseError::Reason`].
pub fn status_line(out: &mut Vec<u8>, status: u32, phrase: &[u8]) -> Result<(), ResponseError> {
    if !(100..=999).contains(&status) {
        return Err(ResponseError::Status(status));
    }
    if !is_header_value(phrase) {
        return Err(ResponseError::Reason);
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(phrase);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends a header field, its name in lower case.
///
/// # Errors
///
/// [`ResponseError::HeaderName`], [`ResponseError::HeaderValue`].
pub fn header(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), ResponseError> {
    if !is_header_name(name) {
        return Err(ResponseError::HeaderName);
    }
    if !is_header_value(value) {
        return Err(ResponseError::HeaderValue);
    }
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends `content-length: length`.
pub fn content_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"content-length: ");
    decimal(out, length);
    out.extend_from_slice(b"\r\n");
}

/// Appends the empty line that ends the head, and the body.
pub fn end(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// Whether a response with this status never has a body, whatever its headers say.
#[must_use]
pub fn is_bodiless(status: u32) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

/// Whether `name` may be written as the name of a header field.
#[must_use]
pub fn is_header_name(name: &[u8]) -> bool {
    const NAME: [bool; 256] = class(b"!#$%&'*+-./?^_`|~");
    !name.is_empty() && name.iter().all(|&byte| is_in(&NAME, byte))
}

/// Whether `value` may be written as the value of a header field.
#[must_use]
pub fn is_header_value(value: &[u8]) -> bool {
    value.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control())
}

/// Appends `number` in decimal digits.
pub(crate) fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut used = 0_usize;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        used = used.saturating_add(1);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len().saturating_sub(used)..).unwrap_or_default());
}

/// The registered reason phrase, or an empty text. These are the phrases of Python's `http.HTTPStatus` up to 3.12; 3.13
/// has newer ones for 413, 414, 416 and 422.
#[must_use]
pub fn reason(status: u32) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a Teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Entity",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_response_is_one_buffer() {
        let mut out = Vec::new();
        status_line(&mut out, 201, reason(201).as_bytes()).unwrap();
        header(&mut out, b"Content-Type", b"application/json").unwrap();
        header(&mut out, b"X-Empty", b"").unwrap();
        content_length(&mut out, 2);
        end(&mut out, b"{}");
        let expected =
            "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nx-empty: \r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_status_has_three_digits() {
        for status in [0, 99, 1000, u32::MAX] {
            assert_eq!(status_line(&mut Vec::new(), status, b""), Err(ResponseError::Status(status)));
        }
        assert_eq!(status_line(&mut Vec::new(), 200, b"OK\r\nx: y"), Err(ResponseError::Reason));
        let mut out = Vec::new();
        status_line(&mut out, 999, reason(999).as_bytes()).unwrap();
        assert_eq!(out, b"HTTP/1.1 999 \r\n");
    }

    #[test]
    fn names_and_values_cant_break_out_of_their_line() {
        let names: &[&[u8]] =
            &[b"", b"X Bad", b"X:Y", b"X\r\nY", b"X\0", b"X\t", b"\"X\"", b"X[]", b"X{", b"X=", b"\xc3\xa9", b"X\x7f"];
        for name in names {
            assert_eq!(header(&mut Vec::new(), name, b""), Err(ResponseError::HeaderName), "{name:?}");
        }
        for value in [b"a\r\nb".as_slice(), b"a\nb", b"a\rb", b"\0", b"\x1b[31m", b"\x7f"] {
            assert_eq!(header(&mut Vec::new(), b"x", value), Err(ResponseError::HeaderValue), "{value:?}");
        }
        for value in [b"a\tb".as_slice(), b" a ", b"\xe9", b"\"quoted\\\""] {
            assert_eq!(header(&mut Vec::new(), b"!#$%&'*+-./^_`|~?", value), Ok(()), "{value:?}");
        }
    }

    #[test]
    fn some_statuses_have_no_body() {
        let bodiless: Vec<u32> = (100..1000).filter(|&status| is_bodiless(status)).collect();
        assert_eq!(bodiless.len(), 102);
        assert_eq!(bodiless[100..], [204, 304]);
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_numbers(number in any::<u64>(), small in 0..1200_u64) {
            for number in [number, small, u64::MAX, 0] {
                let mut out = Vec::new();
                decimal(&mut out, number);
                prop_assert_eq!(out, number.to_string().into_bytes());
            }
        }

        #[test]
        fn a_written_head_has_the_lines_that_were_asked_for(
            fields in prop::collection::vec(any::<(Vec<u8>, Vec<u8>)>(), 0..5),
        ) {
            let mut out = Vec::new();
            let written = fields.iter().filter(|(name, value)| {
                let before = out.len();
                let done = header(&mut out, name, value).is_ok();
                assert!(done || out.len() == before);
                done
            }).count();
            prop_assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), written);
            prop_assert_eq!(out.iter().filter(|&&byte| byte == b'\r').count(), written);
        }
    }
}
