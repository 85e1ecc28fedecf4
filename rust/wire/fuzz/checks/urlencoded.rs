//! However a body is cut, the answer is the same; without limits it is that of a query.

use wire::form::{FormError, Limits, urlencoded::Parser};

type Outcome = Result<Vec<(String, String)>, FormError>;

fn parse<'b>(limits: Limits, chunks: impl Iterator<Item = &'b [u8]>) -> Outcome {
    let mut parser = Parser::new(limits);
    for chunk in chunks {
        parser.feed(chunk)?;
    }
    parser.finish()
}

/// `data` is two limits, the size of the pieces, and a body.
pub fn check(data: &[u8]) {
    let [max_fields, max_part_size, size, body @ ..] = data else { return };
    let (max_fields, max_part_size) = ((*max_fields).into(), (*max_part_size).into());
    let limits = Limits { max_fields, max_part_size, ..Limits::default() };
    let whole = parse(limits, std::iter::once(body));
    assert_eq!(parse(limits, body.chunks(usize::from(*size).max(1))), whole);
    if let Ok(fields) = whole {
        let pairs = wire::query::pairs(body).map(|(name, value)| (name.into_owned(), value.into_owned()));
        assert!(pairs.eq(fields));
    }
}
