//! URLs that mean what they say: put together from their parts, and taken apart again, no character of them changes.
//!
//! Starlette makes `Request.url` from the parts of a request by a pattern for hosts and `urllib.parse`, which strip, quote
//! and refuse. Of parts that are plain in the sense of this module they leave everything as it is.

/// Whether a `Host` is a name, with a port or without: letters, digits, dots and hyphens.
#[must_use]
pub fn is_plain_host(host: &[u8]) -> bool {
    let mut parts = host.splitn(2, |byte| *byte == b':');
    let is_name = |name: &[u8]| {
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    };
    parts.next().is_some_and(is_name) && parts.next().is_none_or(is_port)
}

/// Whether this is a port's number, in digits.
fn is_port(port: &[u8]) -> bool {
    let is_short = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    is_short && core::str::from_utf8(port).is_ok_and(|digits| digits.parse::<u16>().is_ok())
}

/// Whether a decoded path can stand behind a host: `?`, `#` and `\` would be quoted, control characters stripped.
#[must_use]
pub fn is_plain_path(path: &[u8]) -> bool {
    path.starts_with(b"/")
        && !path.starts_with(b"//")
        && path.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\'))
}

/// Whether a query can stand behind a path.
#[must_use]
pub fn is_plain_query(query: &[u8]) -> bool {
    query.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#')
}

#[cfg(test)]
mod tests {
    use super::{is_plain_host, is_plain_path, is_plain_query};

    #[test]
    fn hosts_are_names_with_a_port_or_without() {
        for host in ["a", "example.org", "EXAMPLE.org:8000", "127.0.0.1:0", "a-b.c:65535", "a:00080"] {
            assert!(is_plain_host(host.as_bytes()), "{host}");
        }
        for host in ["", ":80", "a:", "a:b", "a:65536", "a:000080", "[::1]", "a:1:2", "a b", "a/b", "a@b", "ä", "a_b"]
        {
            assert!(!is_plain_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn paths_and_queries_have_nothing_to_quote_or_strip() {
        for path in ["/", "/a/b", "/a:b@c;d=e&f,%7E[", "/a//b"] {
            assert!(is_plain_path(path.as_bytes()), "{path}");
        }
        for path in ["", "a", "//a", "/a?b", "/a#b", "/a\\b", "/a b", "/\t", "/é", "/\x7f"] {
            assert!(!is_plain_path(path.as_bytes()), "{path}");
        }
        assert!(is_plain_query(b"") && is_plain_query(b"a=1&b=%20?+/\\"));
        assert!(!is_plain_query(b"a#b") && !is_plain_query(b"a b") && !is_plain_query(b"\xff"));
    }
}
