//! How long the small grammars take, on what a browser or an API client sends and on inputs that were made to be slow.
//! For the latter look at the throughput: it should be of the order of that of the former.
#![allow(missing_docs, reason = "what criterion's macros write has no documentation")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::form::multipart::{Parser, PartHead, Sink};
use wire::form::{Limits, urlencoded};
use wire::http1::{HeadReader, Step};
use wire::{cookies, query};

/// Measures `work` on `input` after making sure that it answers `expected`.
fn measure(criterion: &mut Criterion, name: &str, input: &[u8], expected: usize, work: impl Fn(&[u8]) -> usize) {
    assert_eq!(work(input), expected, "{name}");
    let mut group = criterion.benchmark_group("grammar");
    group.throughput(Throughput::Bytes(input.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| work(black_box(input))));
    group.finish();
}

/// Counts what it gets.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn field(&mut self, _name: Vec<u8>, value: Vec<u8>) {
        self.0 += value.len();
    }
    fn begin_file(&mut self, _head: PartHead) {}
    fn file_data(&mut self, data: &[u8]) {
        self.0 += data.len();
    }
    fn end_file(&mut self) {}
}

fn queries(criterion: &mut Criterion) {
    let pairs = |query: &[u8]| query::pairs(query).map(|(name, value)| name.len() + value.len()).sum();
    measure(criterion, "query/two", b"limit=10&offset=200", 19 - 3, pairs);
    measure(criterion, "query/escaped", b"q=caf%C3%A9+au+lait&tag=a%26b&tag=c", 28 - 4, pairs);
    measure(criterion, "query/64 KiB of escapes", &b"%C3%A9".repeat(10_923), 21_846, pairs);
    measure(criterion, "query/64 KiB of separators", &b"&".repeat(65_536), 0, pairs);
}

fn cookie_headers(criterion: &mut Criterion) {
    let pairs = |header: &[u8]| cookies::pairs(header).map(|(name, value)| name.len() + value.len()).sum();
    measure(criterion, "cookies/two", b"session=0123456789abcdef; theme=dark", 32, pairs);
    let hostile = [b"a=\"".as_slice(), &b"\\\"".repeat(32_766), b"\""].concat();
    measure(criterion, "cookies/64 KiB of escapes", &hostile, 32_767, pairs);
}

fn forms(criterion: &mut Criterion) {
    let urlencoded = |body: &[u8]| {
        let mut parser = urlencoded::Parser::new(Limits::default());
        parser.feed(body).and_then(|()| parser.finish()).map_or(0, |fields| fields.len())
    };
    measure(criterion, "urlencoded/two", b"username=johndoe&password=secret", 2, urlencoded);
    measure(criterion, "urlencoded/1 MiB of pieces", &b"a;".repeat(524_288), 1, urlencoded);
    let multipart = |body: &[u8]| {
        let mut parser = Parser::new(b"B", Limits::default()).expect("a boundary");
        let mut count = Count::default();
        for chunk in body.chunks(65_536) {
            if parser.feed(chunk, &mut count).is_err() {
                return 0;
            }
        }
        count.0
    };
    let file = |content: &[u8]| {
        let head = b"--B\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n";
        [head.as_slice(), content, b"\r\n--B--\r\n"].concat()
    };
    measure(criterion, "multipart/1 MiB of zeros", &file(&[0; 1_048_576]), 1_048_576, multipart);
    measure(criterion, "multipart/1 MiB of CR LF", &file(&b"\r\n".repeat(524_288)), 1_048_576, multipart);
    measure(criterion, "multipart/1 MiB of near delimiters", &file(&b"\r\n--".repeat(262_144)), 1_048_576, multipart);
}

fn heads(criterion: &mut Criterion) {
    let read = |bytes: &[u8]| match HeadReader::new(65_536).read(bytes) {
        Step::Complete(head) => head.headers(bytes).count(),
        _ => 0,
    };
    let client =
        b"GET /items/42?q=x HTTP/1.1\r\nHost: localhost:8000\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\
        Connection: keep-alive\r\nUser-Agent: python-httpx/0.28.1\r\n\r\n";
    measure(criterion, "head/five fields", client, 5, read);
}

criterion_group!(benches, queries, cookie_headers, forms, heads);
criterion_main!(benches);
