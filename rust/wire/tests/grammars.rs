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
    conversation: 0,
    cookies: 0,
    head: 0,
    multipart: 2,
    path_template: 0,
    query: 0,
    router: 1,
    urlencoded: 3,
}

#[test]
fn a_dictionary_is_read_as_libfuzzer_reads_it() {
    assert_eq!(words("\"a\"\n\"\\x0d\\\\\\\"\"\n"), [b"a".to_vec(), b"\r\\\"".to_vec()]);
}
