//! Server-sent events: the text of one event.
//!
//! An event is a few lines, `field: value`, and an empty one. A value of several lines becomes several fields, and a
//! line ends at CR LF, CR or LF, as browsers read it and as FastAPI cuts it; other characters that some call line
//! breaks (U+0085, U+2028) are ordinary. The order is FastAPI's: comment, event, data, id, retry.
//!
//! A name or an id that holds a line break is refused, since what follows the break would be another field of the
//! event, or another event, in the hands of whoever supplied it. An id with a NUL is refused because browsers ignore
//! it.

use memchr::memchr2;
use thiserror::Error;

use crate::http1::response::decimal;

/// One event. A field that is `None` is left out; one that is empty is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'t> {
    /// Lines that clients ignore.
    pub comment: Option<&'t str>,
    /// The event's type.
    pub event: Option<&'t str>,
    /// The payload, as many lines as it has.
    pub data: Option<&'t str>,
    /// What the client names as the last event that it has seen when it reconnects.
    pub id: Option<&'t str>,
    /// How many milliseconds the client shall wait before it reconnects.
    pub retry: Option<u64>,
}

/// Why an event can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EventError {
    /// The event's type or its id holds a line break.
    #[error("SSE '{0}' must be a single line")]
    LineBreak(&'static str),
    /// The id holds a NUL.
    #[error("SSE 'id' must not contain null characters")]
    NullInId,
}

impl Event<'_> {
    /// Appends the event's text to `out`.
    ///
    /// # Errors
    ///
    /// [`EventError`]; nothing has been appended then.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), EventError> {
        for (field, value) in [("event", self.event), ("id", self.id)] {
            if value.is_some_and(|text| memchr2(b'\r', b'\n', text.as_bytes()).is_some()) {
                return Err(EventError::LineBreak(field));
            }
        }
        if self.id.is_some_and(|id| id.contains('\0')) {
            return Err(EventError::NullInId);
        }
        write_lines(out, b": ", self.comment);
        write_lines(out, b"event: ", self.event);
        write_lines(out, b"data: ", self.data);
        write_lines(out, b"id: ", self.id);
        if let Some(retry) = self.retry {
            out.extend_from_slice(b"retry: ");
            decimal(out, retry);
            out.push(b'\n');
        }
        out.push(b'\n');
        Ok(())
    }
}

/// The lines of `text`. There is one more than there are line breaks.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let at = memchr2(b'\r', b'\n', whole.as_bytes());
        let Some((line, after)) = at.and_then(|at| whole.split_at_checked(at)) else {
            rest = None;
            return Some(whole);
        };
        rest = after.strip_prefix("\r\n").or_else(|| after.get(1..));
        Some(line)
    })
}

/// Appends one field for each line of `value`.
fn write_lines(out: &mut Vec<u8>, field: &[u8], value: Option<&str>) {
    for line in value.into_iter().flat_map(lines) {
        out.extend_from_slice(field);
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(event: Event<'_>) -> Result<String, EventError> {
        let mut out = Vec::new();
        event.write(&mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn fields_have_an_order() {
        let event = Event { comment: Some("c"), event: Some("e"), data: Some("d"), id: Some("i"), retry: Some(1500) };
        assert_eq!(written(event).unwrap(), ": c\nevent: e\ndata: d\nid: i\nretry: 1500\n\n");
        assert_eq!(written(Event::default()).unwrap(), "\n");
    }

    #[test]
    fn each_line_of_the_data_is_a_field() {
        let rows: &[(&str, &str)] = &[
            ("", "data: \n\n"),
            (" x", "data:  x\n\n"),
            ("a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n"),
            ("a\n", "data: a\ndata: \n\n"),
            ("\n\r", "data: \ndata: \ndata: \n\n"),
            ("a\r\n\r\nid: 1", "data: a\ndata: \ndata: id: 1\n\n"),
            ("a\u{2028}b\u{85}c\0", "data: a\u{2028}b\u{85}c\0\n\n"),
        ];
        for (data, expected) in rows {
            assert_eq!(written(Event { data: Some(data), ..Event::default() }).as_deref(), Ok(*expected), "{data:?}");
        }
    }

    #[test]
    fn a_name_cant_become_another_field() {
        for text in ["a\nb", "a\rb", "\r\n", "a\n"] {
            let event = Event { event: Some(text), ..Event::default() };
            assert_eq!(written(event), Err(EventError::LineBreak("event")));
            let event = Event { id: Some(text), ..Event::default() };
            assert_eq!(written(event), Err(EventError::LineBreak("id")));
        }
        assert_eq!(written(Event { id: Some("a\0"), ..Event::default() }), Err(EventError::NullInId));
        assert_eq!(written(Event { event: Some("a\0"), ..Event::default() }).as_deref(), Ok("event: a\0\n\n"));
    }

    proptest! {
        #[test]
        fn every_line_is_a_field_and_the_text_comes_back(data in "[a\r\n\u{85}:]{0,12}", comment in "[a\r\n]{0,6}") {
            let text = written(Event { data: Some(&data), comment: Some(&comment), ..Event::default() }).unwrap();
            let body = text.strip_suffix("\n\n").unwrap();
            let (mut datas, mut comments) = (Vec::new(), Vec::new());
            for line in body.split('\n') {
                match line.strip_prefix("data: ") {
                    Some(value) => datas.push(value),
                    None => comments.push(line.strip_prefix(": ").unwrap()),
                }
            }
            let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(datas.join("\n"), plain(&data));
            prop_assert_eq!(comments.join("\n"), plain(&comment));
        }
    }
}
