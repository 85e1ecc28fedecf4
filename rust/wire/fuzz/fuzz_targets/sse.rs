//! An event is one event: no value adds a field or ends it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::sse::{Event, lines};

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (comment, event, data, id) = input;
    let mut out = Vec::new();
    let event = Event { comment: Some(comment), event: Some(event), data: Some(data), id: Some(id), retry: None };
    if event.write(&mut out).is_ok() {
        let text = String::from_utf8(out).expect("UTF-8");
        let body = text.strip_suffix("\n\n").expect("an end");
        assert!(!body.contains('\r') && !body.contains("\n\n"));
        let expected = lines(comment).count() + lines(data).count() + 2;
        assert_eq!(body.split('\n').count(), expected);
    }
});
