//! An event is one event: no value adds a field or ends it.

use wire::sse::{Event, lines};

/// `data` is, in UTF-8, the event's comment, name, id and data, with a vertical bar between them.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut values = text.splitn(4, '|');
    let [comment, event, id, data] = std::array::from_fn(|_| values.next().unwrap_or_default());
    let mut out = Vec::new();
    let written = Event { comment: Some(comment), event: Some(event), data: Some(data), id: Some(id), retry: None }
        .write(&mut out);
    let single = |text: &str| !text.contains(['\r', '\n']);
    assert_eq!(written.is_ok(), single(event) && single(id) && !id.contains('\0'));
    if written.is_err() {
        assert!(out.is_empty());
        return;
    }
    let text = String::from_utf8(out).expect("UTF-8");
    let body = text.strip_suffix("\n\n").expect("an end");
    assert!(!body.contains('\r') && !body.contains("\n\n"));
    let expected = lines(comment).count() + lines(data).count() + 2;
    assert_eq!(body.split('\n').count(), expected);
    // Read as a browser does, the data has its lines again.
    let read: Vec<_> = body.split('\n').filter_map(|line| line.strip_prefix("data: ")).collect();
    assert!(lines(data).eq(read));
}
