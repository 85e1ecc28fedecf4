//! However a body is cut, the parts and the error are the same.

use wire::form::multipart::{Parser, PartHead, Sink};
use wire::form::{FormError, Limits};

#[derive(Debug, Default, PartialEq)]
struct Found {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    files: Vec<(PartHead, Vec<u8>)>,
    ended: usize,
}

impl Sink for Found {
    fn field(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.fields.push((name, value));
    }
    fn begin_file(&mut self, head: PartHead) {
        assert!(head.filename.is_some());
        self.files.push((head, Vec::new()));
    }
    fn file_data(&mut self, data: &[u8]) {
        self.files.last_mut().expect("a file").1.extend_from_slice(data);
    }
    fn end_file(&mut self) {
        self.ended += 1;
    }
}

fn parse<'b>(limits: Limits, chunks: impl Iterator<Item = &'b [u8]>) -> Result<Found, FormError> {
    let mut parser = Parser::new(b"B", limits)?;
    let mut found = Found::default();
    for chunk in chunks {
        parser.feed(chunk, &mut found)?;
    }
    // What an unfinished file has got so far depends on the cuts by the length of a delimiter.
    let ended = found.ended;
    found.files.truncate(ended);
    Ok(found)
}

/// `data` is a limit, the size of the pieces, and a body whose boundary is `B`.
pub fn check(data: &[u8]) {
    let [max_part_size, size, body @ ..] = data else { return };
    let limits = Limits { max_files: 3, max_fields: 3, max_part_size: (*max_part_size).into() };
    let whole = parse(limits, std::iter::once(body));
    assert_eq!(parse(limits, body.chunks(usize::from(*size).max(1))), whole);
    if let Ok(found) = whole {
        let values = found.fields.iter().map(|(_, value)| value.len());
        assert!(found.fields.len() <= 3 && found.files.len() <= 3);
        assert!(values.clone().all(|length| length <= usize::from(*max_part_size)));
        assert!(values.chain(found.files.iter().map(|(_, content)| content.len())).sum::<usize>() <= body.len());
    }
}
