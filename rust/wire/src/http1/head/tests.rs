//! Heads that are read, refused, cut and too large.

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
