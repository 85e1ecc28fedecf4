//! Which paths a template matches, decided without a regular expression and without the router's tree: the set of
//! places in the path that the tokens so far can reach.

use wire::{Convertor, Template, Token};

/// The longest path that [`matches`] knows, so that a set of places fits into a number.
pub const MAX_PATH: usize = 127;

/// The meaning of a convertor's name, as an application would have registered it; `c` is its own.
pub fn convertor(name: &str) -> Option<Convertor> {
    Some(match name {
        "str" => Convertor::Str,
        "path" => Convertor::Path,
        "int" => Convertor::Int,
        "float" => Convertor::Float,
        "uuid" => Convertor::Uuid,
        "c" => Convertor::Custom,
        _ => return None,
    })
}

/// The name that [`convertor`] knows it by.
pub fn name(convertor: Convertor) -> &'static str {
    match convertor {
        Convertor::Str => "str",
        Convertor::Path => "path",
        Convertor::Int => "int",
        Convertor::Float => "float",
        Convertor::Uuid => "uuid",
        Convertor::Custom => "c",
    }
}

/// Whether `path`, but for a last newline, is what `template` describes; followed by a slash and anything on one line
/// if it is a `prefix`. A convertor of the application's own takes any text at all.
pub fn matches(template: &Template, prefix: bool, path: &str) -> bool {
    assert!(path.len() <= MAX_PATH);
    let mut places = template.tokens().iter().fold(1, |places, token| after(token, path, places));
    if prefix {
        places = after(&Token::Literal("/".to_owned()), path, places);
        places = after(&Token::Parameter { name: String::new(), convertor: Convertor::Path }, path, places);
    }
    let line = path.strip_suffix('\n').unwrap_or(path);
    has(places, path.len()) || has(places, line.len())
}

/// Whether the set contains a place.
fn has(places: u128, at: usize) -> bool {
    places >> at & 1 == 1
}

/// The places that are reached from `places` by one more token.
fn after(token: &Token, path: &str, places: u128) -> u128 {
    match token {
        Token::Literal(text) => found(path, places, |rest| rest.starts_with(text.as_str()).then_some(text.len())),
        Token::Parameter { convertor: Convertor::Str, .. } => run(path, places, |character| character != '/'),
        Token::Parameter { convertor: Convertor::Int, .. } => run(path, places, |character| character.is_ascii_digit()),
        Token::Parameter { convertor: Convertor::Path, .. } => {
            places | run(path, places, |character| character != '\n')
        }
        Token::Parameter { convertor: Convertor::Custom, .. } => places | run(path, places, |_| true),
        Token::Parameter { convertor: Convertor::Float, .. } => {
            let digits = |places| run(path, places, |character| character.is_ascii_digit());
            let whole = digits(places);
            whole | digits(found(path, whole, |rest| rest.starts_with('.').then_some(1)))
        }
        Token::Parameter { convertor: Convertor::Uuid, .. } => (32..=36).fold(0, |ends, length| {
            let is_value = |text: &str| Convertor::Uuid.accepts(text);
            ends | found(path, places, |rest| rest.get(..length).is_some_and(is_value).then_some(length))
        }),
    }
}

/// The places that `length` leads to from `places`, given the rest of the path at each.
fn found(path: &str, places: u128, length: impl Fn(&str) -> Option<usize>) -> u128 {
    let mut ends = 0;
    let mut left = places;
    while left != 0 {
        let at = left.trailing_zeros() as usize;
        left &= left - 1;
        if let Some(length) = path.get(at..).and_then(&length) {
            ends |= 1 << (at + length);
        }
    }
    ends
}

/// The ends of one or more characters of a kind.
fn run(path: &str, places: u128, is_one: impl Fn(char) -> bool) -> u128 {
    let mut ends = 0;
    let mut running = false;
    for (at, character) in path.char_indices() {
        running = (running || has(places, at)) && is_one(character);
        if running {
            ends |= 1 << (at + character.len_utf8());
        }
    }
    ends
}

/// Whether a tree of segments can hold the template: each parameter is a segment, and one that goes beyond is the last.
pub fn is_plain(template: &Template, prefix: bool) -> bool {
    let tokens = template.tokens();
    template.is_rooted()
        && tokens.iter().enumerate().all(|(position, token)| {
            let Token::Parameter { convertor, .. } = token else { return true };
            let next = tokens.get(position + 1);
            let begins = matches!(position.checked_sub(1).and_then(|at| tokens.get(at)),
                Some(Token::Literal(text)) if text.ends_with('/'));
            let ends = match next {
                Some(Token::Literal(text)) => text.starts_with('/'),
                Some(Token::Parameter { .. }) => false,
                None => true,
            };
            begins
                && ends
                && match convertor {
                    Convertor::Custom => false,
                    Convertor::Path => next.is_none() && !prefix,
                    _ => true,
                }
        })
}

/// Whether every convertor of the template is known by name, so that [`matches`] is the whole truth.
pub fn is_known(template: &Template) -> bool {
    let custom = |token: &Token| matches!(token, Token::Parameter { convertor: Convertor::Custom, .. });
    !template.tokens().iter().any(custom)
}
