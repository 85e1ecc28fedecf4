//! However a head is cut, it is read the same, and what is read is what was sent: written out again it is the same, but
//! for the blanks before values.

use wire::http1::{HeadReader, Step, read_whole};

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
        let mut written = format!("{} ", head.method.as_str()).into_bytes();
        written.extend_from_slice(head.path(data));
        let rest = &data[written.len()..head.length];
        assert!(rest.starts_with(if head.query(data).is_empty() { b"" } else { b"?" }));
        assert!(data.starts_with(&written));
        assert!(head.header(data, b"transfer-encoding").is_none() && head.header(data, b"host").is_some());
        let lines = data[..head.length].split(|&byte| byte == b'\n').count();
        assert_eq!(lines, head.headers(data).count() + 3);
    }
}
