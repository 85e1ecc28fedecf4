//! A short run of every fuzz target on stable Rust: the same assertions (`fuzz/checks`) about inputs made of the words
//! of the target's dictionary (`fuzz/dictionaries`) and of any bytes. `docs/internals/fuzzing.md` has the long runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test that fails may panic"
)]

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[path = "../fuzz/checks/mod.rs"]
mod checks;

/// Inputs for each target.
const CASES: u32 = 10_000;

/// The words of a dictionary in libFuzzer's format: one to a line, in quotes, with `\"`, `\\` and `\xAB`.
fn words(dictionary: &str) -> Vec<Vec<u8>> {
    dictionary.lines().map(|line| word(line.strip_prefix('"').unwrap().strip_suffix('"').unwrap())).collect()
}

fn word(quoted: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = quoted.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// Runs `check` on generated inputs, each after `prefix` bytes that set limits, sizes and choices.
fn run(dictionary: &str, prefix: usize, check: fn(&[u8])) {
    let piece = prop_oneof![
        6 => prop::sample::select(words(dictionary)),
        1 => prop::collection::vec(any::<u8>(), 1..4),
        1 => "[ -~]{1,6}".prop_map(String::into_bytes),
    ];
    let input = (prop::collection::vec(any::<u8>(), prefix), prop::collection::vec(piece, 0..20));
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&input, |(mut bytes, pieces)| {
        bytes.extend(pieces.concat());
        check(&bytes);
        Ok(())
    });
    outcome.unwrap();
}

macro_rules! grammars {
    ($($name:ident: $prefix:literal,)*) => {
        $(
            #[test]
            fn $name() {
                run(include_str!(concat!("../fuzz/dictionaries/", stringify!($name), ".dict")), $prefix, checks::$name::check);
            }
        )*
    };
}

grammars! {
    content_type: 0,
    conversation: 3,
    cookies: 0,
    head: 0,
    multipart: 2,
    path_template: 0,
    query: 0,
    router: 1,
    urlencoded: 3,
}

#[test]
fn conversation_in_many_ways() {
    run(include_str!("../fuzz/dictionaries/conversation.dict"), 0, checks::conversation::check_many_ways);
}

/// Numbers that look random: xorshift64*.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn choice<'c>(&mut self, of: &[&'c [u8]]) -> &'c [u8] {
        of[self.below(of.len())]
    }

    /// Appends a request as it should be.
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.choice(&[b"", b"", b"", b"\r\n"]));
        out.extend_from_slice(self.choice(&[
            b"GET / ",
            b"POST /a?b ",
            b"HEAD /%20 ",
            b"PUT http://x/ ",
            b"OPTIONS * ",
        ]));
        out.extend_from_slice(self.choice(&[b"HTTP/1.1\r\n", b"HTTP/1.1\r\n", b"HTTP/1.1\r\n", b"HTTP/1.0\r\n"]));
        out.extend_from_slice(b"Host: x\r\n");
        if self.below(3) == 0 {
            out.extend_from_slice(self.choice(&[
                b"Connection: close\r\n",
                b"Connection: keep-alive\r\n",
                b"Connection: upgrade\r\nUpgrade: h2c\r\n",
                b"Expect: 100-continue\r\n",
                b"X-Y:\t z \r\n",
            ]));
        }
        let length = self.below(20);
        let body: Vec<u8> = (0..length).map(|_| self.byte()).collect();
        match self.below(4) {
            0 | 1 => out.extend_from_slice(b"\r\n"),
            2 => {
                out.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
                out.extend_from_slice(&body);
            }
            _ => {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(1 + self.below(10)) {
                    out.extend_from_slice(format!("{:x}", piece.len()).as_bytes());
                    out.extend_from_slice(self.choice(&[b"\r\n", b"\r\n", b";a\r\n", b";a=b;c=\"d\\\"\"\r\n"]));
                    out.extend_from_slice(piece);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(self.choice(&[b"0\r\n\r\n", b"000;a\r\n\r\n", b"0\r\nX: y\r\n\r\n"]));
            }
        }
    }
}

/// As many inputs for `conversation` as `FERRAPI_EXECUTIONS` says: requests one behind the other, most of them damaged in a few
/// places. Making them by proptest takes longer than the check.
#[test]
#[ignore = "takes as long as it is told"]
fn conversation_at_length() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |value| value.parse().unwrap());
    let words = words(include_str!("../fuzz/dictionaries/conversation.dict"));
    let mut numbers = Numbers(number("FERRAPI_SEED", 1));
    let mut input = Vec::new();
    for execution in 0..number("FERRAPI_EXECUTIONS", 1_000_000) {
        input.clear();
        input.extend([numbers.byte(), numbers.byte(), numbers.byte()]);
        for _ in 0..=numbers.below(5) {
            numbers.request(&mut input);
        }
        for _ in 0..numbers.below(4) {
            let at = 3 + numbers.below(input.len() - 2);
            match numbers.below(8) {
                0 => input.truncate(at),
                1 => drop(input.drain(at..input.len().min(at + 1 + numbers.below(4)))),
                2 | 3 if at < input.len() => input[at] = numbers.byte(),
                4 if at < input.len() => input[at] ^= 1 << numbers.below(8),
                5 => input.insert(at, numbers.byte()),
                _ => drop(input.splice(at..at, words[numbers.below(words.len())].iter().copied())),
            }
        }
        let checked = std::panic::catch_unwind(|| checks::conversation::check(&input));
        assert!(checked.is_ok(), "number {execution}: {:?}", input.escape_ascii().to_string());
    }
}

#[test]
fn a_dictionary_is_read_as_libfuzzer_reads_it() {
    assert_eq!(words("\"a\"\n\"\\x0d\\\\\\\"\"\n"), [b"a".to_vec(), b"\r\\\"".to_vec()]);
}
