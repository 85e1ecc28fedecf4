//! Tables of bodies and what they hold, and two properties: cuts make no difference, and what was written comes back.

use proptest::prelude::*;

use super::*;

/// What a form holds, as text: `name=value`, `name@filename=content`. A file that was not ended has a `…`.
#[derive(Default)]
struct Found {
    items: Vec<String>,
    open: Option<(String, Vec<u8>)>,
    pieces: usize,
}

impl Sink for Found {
    fn field(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.items.push(format!("{}={}", name.escape_ascii(), value.escape_ascii()));
    }

    fn begin_file(&mut self, head: PartHead) {
        assert!(self.open.is_none() || !self.items.is_empty());
        let filename = head.filename.expect("a file has a name");
        self.open = Some((format!("{}@{}", head.name.escape_ascii(), filename.escape_ascii()), Vec::new()));
    }

    fn file_data(&mut self, data: &[u8]) {
        assert!(!data.is_empty());
        self.pieces += 1;
        self.open.as_mut().expect("a file was begun").1.extend_from_slice(data);
    }

    fn end_file(&mut self) {
        let (name, content) = self.open.take().expect("a file was begun");
        self.items.push(format!("{name}={}", content.escape_ascii()));
    }
}

fn parse<'b>(
    boundary: &[u8],
    limits: Limits,
    chunks: impl IntoIterator<Item = &'b [u8]>,
) -> Result<Vec<String>, FormError> {
    let mut parser = Parser::new(boundary, limits)?;
    let mut found = Found::default();
    for chunk in chunks {
        parser.feed(chunk, &mut found)?;
    }
    Ok(found.items)
}

/// The form in `body`, whose boundary is `B`, however it is cut.
fn form(body: &[u8]) -> Result<Vec<String>, FormError> {
    let whole = parse(b"B", Limits::default(), [body]);
    for size in 1..8 {
        assert_eq!(
            parse(b"B", Limits::default(), body.chunks(size)),
            whole,
            "in pieces of {size}: {}",
            body.escape_ascii()
        );
    }
    whole
}

/// A part with this disposition and content, and the delimiter before it.
fn part(options: &str, content: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; {options}\r\n\r\n{content}\r\n")
}

fn check(rows: &[(&str, Result<&[&str], FormError>)]) {
    for (body, expected) in rows {
        let expected = expected.clone().map(|items| items.iter().map(|&item| item.to_owned()).collect::<Vec<_>>());
        assert_eq!(form(body.as_bytes()), expected, "{body:?}");
    }
}

#[test]
fn a_form_has_fields_and_files() {
    let body =
        part("name=a", "1") + &part("name=\"f\"; filename=\"x.txt\"", "2\r\n3") + &part("name=a", "") + "--B--\r\n";
    check(&[(&body, Ok(&["a=1", "f@x.txt=2\\r\\n3", "a="]))]);
}

#[test]
fn an_empty_file_name_is_a_file_too() {
    let body = part("name=f; filename=\"\"", "") + "--B--";
    check(&[(&body, Ok(&["f@="]))]);
}

#[test]
fn delimiters_are_lines() {
    let a = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    let rows: &[(&str, Result<&[&str], FormError>)] = &[
        ("1\r\n--B--", Ok(&["a=1"])),
        ("1\r\n--B--epilogue\r\n--B\r\n", Ok(&["a=1"])),
        ("1\r\n--B-\r\n--B--", Ok(&["a=1\\r\\n--B-"])),
        ("1\r\n--B-x\r\n--B--", Ok(&["a=1\\r\\n--B-x"])),
        ("1\r\n--Bx\r\n--B--", Ok(&["a=1\\r\\n--Bx"])),
        ("1\r\n--B\rx\r\n--B--", Ok(&["a=1\\r\\n--B\\rx"])),
        ("1\r\n--B\r\r\n--B--", Ok(&["a=1\\r\\n--B\\r"])),
        ("1\r\n--\r\n--B--", Ok(&["a=1\\r\\n--"])),
        ("1\r\n-\r\r\n\r\n--B--", Ok(&["a=1\\r\\n-\\r\\r\\n"])),
        ("1--B--\r\n--B--", Ok(&["a=1--B--"])),
        ("1\n--B--\r\n--B--", Ok(&["a=1\\n--B--"])),
        ("\r\n--B--", Ok(&["a="])),
        ("--B--\r\n--B--", Ok(&["a=--B--"])),
        ("1\r\n--B \t\r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n--B--", Ok(&["a=1", "b=2"])),
        ("1\r\n--B \tx", Err(FormError::InvalidMultipart)),
        ("1\r\n--B \r\r\n", Err(FormError::InvalidMultipart)),
        ("1\r\n--B --", Err(FormError::InvalidMultipart)),
    ];
    for (rest, expected) in rows {
        check(&[(&format!("{a}{rest}"), expected.clone())]);
    }
}

#[test]
fn a_body_begins_with_a_delimiter() {
    let rest = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--";
    check(&[
        ("", Ok(&[])),
        ("--B--", Ok(&[])),
        ("--B--\r\nanything", Ok(&[])),
        (&format!("\r\n{rest}"), Ok(&["a=1"])),
        (&format!("\n\n{rest}"), Ok(&["a=1"])),
        (&format!("\r\nanything at all{rest}"), Ok(&["a=1"])),
        (&format!("\r\na hyphen - {rest}"), Err(FormError::InvalidMultipart)),
        (&format!("anything{rest}"), Err(FormError::InvalidMultipart)),
        ("-B--", Err(FormError::InvalidMultipart)),
        ("--A--", Err(FormError::InvalidMultipart)),
        ("--B-x", Err(FormError::InvalidMultipart)),
        ("--B\n", Err(FormError::InvalidMultipart)),
        ("--B\rx", Err(FormError::InvalidMultipart)),
        ("--B \r\n", Err(FormError::InvalidMultipart)),
    ]);
}

#[test]
fn a_body_that_ends_too_early_lacks_its_last_part() {
    let body = part("name=a", "1") + &part("name=f; filename=x", "22") + &part("name=b", "3") + "--B--";
    for length in 0..body.len() {
        let found = form(&body.as_bytes()[..length]).unwrap();
        let ends = ["\r\n--B\r\n", "\r\n--B--"].iter().map(|end| body[..length].matches(end).count()).sum::<usize>();
        assert_eq!(found, ["a=1", "f@x=22", "b=3"][..ends], "{:?}", &body[..length]);
    }
}

#[test]
fn parts_have_header_lines() {
    let rows: &[(&str, Result<&[&str], FormError>)] = &[
        ("content-DISPOSITION:form-data;name=a\r\nX:\r\n\r\n", Ok(&["a=1"])),
        ("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n", Ok(&["b=1"])),
        ("Content-Disposition:      form-data; name=\"a;b\"\r\n\r\n", Ok(&["a;b=1"])),
        ("Content-Disposition: \t; name=a \r\n\r\n", Ok(&["a=1"])),
        ("Content-Disposition: ; name=a\nb\r\n\r\n", Ok(&["a\\nb=1"])),
        ("Content-Disposition: ; name=\u{e9}\r\n\r\n", Ok(&["\\xc3\\xa9=1"])),
        ("Content-Disposition: ; name=\r\n\r\n", Ok(&["=1"])),
        ("Content-Disposition: form-data\r\n\r\n", Err(FormError::MissingName)),
        ("Content-Disposition:\r\n\r\n", Err(FormError::MissingName)),
        ("X: name=a\r\n\r\n", Err(FormError::MissingName)),
        ("\r\n", Err(FormError::MissingName)),
        ("Content-Disposition; name=a\r\n\r\n", Err(FormError::InvalidMultipart)),
        ("Content Disposition: ; name=a\r\n\r\n", Err(FormError::InvalidMultipart)),
        (": ; name=a\r\n\r\n", Err(FormError::InvalidMultipart)),
        ("X: y\rz\r\n\r\n", Err(FormError::InvalidMultipart)),
        ("X: y\r\n\rz", Err(FormError::InvalidMultipart)),
        (" X: y\r\n\r\n", Err(FormError::InvalidMultipart)),
    ];
    for (head, expected) in rows {
        check(&[(&format!("--B\r\n{head}1\r\n--B--"), expected.clone())]);
    }
}

#[test]
fn header_lines_are_limited() {
    let with = |lines: &str| format!("--B\r\n{lines}Content-Disposition: ; name=a\r\n\r\n1\r\n--B--");
    let line = |size: usize| format!("X: {}\r\n", "y".repeat(size - 3));
    check(&[
        (&with(&"X: y\r\n".repeat(7)), Ok(&["a=1"])),
        (&with(&"X: y\r\n".repeat(8)), Err(FormError::InvalidMultipart)),
        (&with(&line(4224)), Ok(&["a=1"])),
        (&with(&line(4225)), Err(FormError::InvalidMultipart)),
        (&with(&format!("X:{}\r\n", " ".repeat(4222))), Ok(&["a=1"])),
        (&with(&format!("X:{}\r\n", " ".repeat(4223))), Err(FormError::InvalidMultipart)),
        (&with(&format!("{}:\r\n", "X".repeat(4223))), Ok(&["a=1"])),
        (&with(&format!("{}:\r\n", "X".repeat(4224))), Err(FormError::InvalidMultipart)),
    ]);
}

#[test]
fn boundaries_are_limited() {
    assert!(Parser::new(&[b'x'; 256], Limits::default()).is_ok());
    for boundary in [&[b'x'; 257][..], b"a\rb", b"\n"] {
        assert_eq!(parse(boundary, Limits::default(), []), Err(FormError::InvalidMultipart));
    }
    let body = b"--\r\nContent-Disposition: ; name=a\r\n\r\n1\r\n----";
    assert_eq!(parse(b"", Limits::default(), [body.as_slice()]), Ok(vec!["a=1".to_owned()]));
}

#[test]
fn the_content_type_names_the_boundary() {
    let parser = Parser::for_content_type(b"multipart/form-data; boundary=\"a b\"", Limits::default()).unwrap();
    assert_eq!(parser.delimiter, b"\r\n--a b");
    let error = Parser::for_content_type(b"multipart/form-data", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "Missing boundary in multipart.");
}

#[test]
fn limits_bite_one_above() {
    let limits = Limits { max_files: 1, max_fields: 2, max_part_size: 3 };
    let (field, file) = (part("name=a", "123"), part("name=f; filename=x", "12345"));
    let parse = |parts: &[&str]| {
        let body = parts.concat();
        let whole = parse(b"B", limits, [body.as_bytes()]);
        assert_eq!(self::parse(b"B", limits, body.as_bytes().chunks(1)), whole);
        whole.map(|items| items.len())
    };
    assert_eq!(parse(&[&field, &file, &field, "--B--"]), Ok(3));
    assert_eq!(parse(&[&field, &field, &field, "--B--"]), Err(FormError::TooManyFields(2)));
    assert_eq!(parse(&[&file, &file, "--B--"]), Err(FormError::TooManyFiles(1)));
    assert_eq!(parse(&[&part("name=a", "1234"), "--B--"]), Err(FormError::PartTooLarge(3)));
    assert_eq!(parse(&[&part("name=a", "1\r\n-"), "--B--"]), Err(FormError::PartTooLarge(3)));
    assert_eq!(parse(&[&part("name=a", "123\r\n--B"), "--B--"]), Ok(1));
}

#[test]
fn a_field_that_never_ends_is_refused_while_it_arrives() {
    let mut parser = Parser::new(b"B", Limits { max_part_size: 1000, ..Limits::default() }).unwrap();
    let mut found = Found::default();
    parser.feed(part("name=a", "").trim_end().as_bytes(), &mut found).unwrap();
    parser.feed(b"\r\n\r\n", &mut found).unwrap();
    let fed = (0..).take_while(|_| parser.feed(b"0123456789", &mut found).is_ok()).count();
    assert_eq!(fed, 100);
    assert_eq!(parser.feed(b"x", &mut found), Err(FormError::PartTooLarge(1000)));
}

#[test]
fn a_file_is_passed_on_in_the_pieces_that_it_comes_in() {
    let mut parser = Parser::new(b"B", Limits::default()).unwrap();
    let mut found = Found::default();
    parser.feed(b"--B\r\nContent-Disposition: ; name=f; filename=x\r\n\r\n", &mut found).unwrap();
    for _ in 0..100 {
        parser.feed(&[b'x'; 1000], &mut found).unwrap();
    }
    assert_eq!(found.pieces, 100);
}

/// Text in which delimiters and what resembles them are frequent.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n--B"),
        Just("\r\n--"),
        Just("--B"),
        Just("--"),
        Just("-"),
        Just("\r"),
        Just("\n"),
        Just("\r\n"),
        Just(" "),
        Just("a"),
        Just(":"),
        Just("\r\n--B\r\nContent-Disposition: ; name=a\r\n\r\n"),
        Just("\r\n--B\r\nContent-Disposition: ; name=f; filename=x\r\n\r\n"),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn cuts_make_no_difference(
        body in noise(),
        opened in any::<bool>(),
        cuts in prop::collection::vec(0..200_usize, 0..6),
    ) {
        let opening = if opened { "--B\r\nContent-Disposition: ; name=o\r\n\r\n" } else { "" };
        let body = format!("{opening}{body}").into_bytes();
        let limits = Limits { max_files: 3, max_fields: 3, max_part_size: 20 };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(body.len())).chain([0, body.len()]).collect();
        cuts.sort_unstable();
        let whole = parse(b"B", limits, [body.as_slice()]);
        prop_assert_eq!(&parse(b"B", limits, cuts.windows(2).map(|pair| &body[pair[0]..pair[1]])), &whole);
        prop_assert_eq!(&parse(b"B", limits, body.chunks(1)), &whole);
    }

    #[test]
    fn what_was_written_comes_back(contents in prop::collection::vec("([\r\n-]|B[a-z]){0,12}", 0..5)) {
        let parts: String = contents.iter().map(|content| part("name=a", content)).collect();
        let expected: Vec<String> = contents.iter().map(|content| format!("a={}", content.escape_default())).collect();
        prop_assert_eq!(form(format!("{parts}--B--\r\n").as_bytes()), Ok(expected));
    }
}
