//! However a head is cut, it is read the same, and what is read is what was sent: written out again it is the same, but
//! for the blanks before values.

use wire::http1::{BodyLength, Head, HeadReader, Step, Version, read_whole};

/// `data` is what a connection begins with.
pub fn check(data: &[u8]) {
    let whole = HeadReader::new(4096).read(data);
    let mut reader = HeadReader::new(4096);
    let mut step = Step::Partial;
    for length in 0..=data.len().min(5000) {
        step = reader.read(&data[..length]);
        if step != Step::Partial {
            break;
        }
    }
    if data.len() <= 4096 {
        assert_eq!(step, whole);
    }
    match (&whole, read_whole(data, 4096)) {
        (Step::Complete(head), Some(at_once)) => assert_eq!(*head, at_once),
        (Step::Complete(_), None) => panic!("read in steps alone"),
        (_, at_once) => assert_eq!(at_once, None),
    }
    if let Step::Complete(head) = whole {
        is_what_was_sent(&head, data);
    }
}

fn is_what_was_sent(head: &Head, data: &[u8]) {
    let lines = data[..head.length].split(|&byte| byte == b'\n').count();
    assert_eq!(lines, head.headers(data).count() + 3);
    assert!(head.path(data).starts_with(b"/") || head.path(data) == b"*");
    assert_eq!(head.header(data, b"transfer-encoding").is_some(), head.body == BodyLength::Chunked);
    assert!(head.version == Version::Old || head.header(data, b"host").is_some());
    assert!(!(head.header(data, b"transfer-encoding").is_some() && head.header(data, b"content-length").is_some()));
    let target = data.split(|&byte| byte == b' ').nth(1).unwrap();
    if target[0] == b'/' {
        let mut written = head.path(data).to_vec();
        if target.contains(&b'?') {
            written.push(b'?');
            written.extend_from_slice(head.query(data));
        }
        assert_eq!(target, written);
    }
}
