//! The part of a template that a segment tree can't see into, matched against the rest of a path.

use std::fmt::Write as _;

use regex::Regex;

use super::found::{Span, span};
use crate::path::Token;

/// A matcher for everything after the plain segments of one template.
#[derive(Debug)]
pub(super) struct Tail {
    /// The registration index of the pattern.
    pub(super) index: u32,
    /// Whether a match of the regular expression is a match of the pattern.
    pub(super) exact: bool,
    /// What the rest of the path must begin with. This and the suffix spare most paths the regular expression.
    prefix: String,
    /// What it must end with, but for a last newline.
    suffix: String,
    /// The rest of the template, or `None` if it holds something unknown.
    regex: Option<Regex>,
}

impl Tail {
    /// Compiles `tokens`, the rest of a template, for the pattern `index`.
    ///
    /// A custom convertor, or an expression that is too large to compile, makes a tail that matches whatever begins
    /// with the tokens' first literal text and ends with their last.
    pub(super) fn new(index: u32, tokens: &[Token]) -> Self {
        let literal = |token: Option<&Token>| match token {
            Some(Token::Literal(text)) => text.clone(),
            _ => String::new(),
        };
        let (prefix, suffix) = (literal(tokens.first()), literal(tokens.last()));
        let regex = expression(tokens).and_then(|source| Regex::new(&source).ok());
        Self { index, exact: regex.is_some(), prefix, suffix, regex }
    }

    /// Whether `rest` matches. If it does, the spans of the parameters are appended to `captures`, `offset` being where
    /// `rest` begins in the path.
    pub(super) fn matches(&self, rest: &str, offset: usize, captures: &mut impl Extend<Span>) -> bool {
        let ends = rest.ends_with(&self.suffix) || rest.strip_suffix('\n').is_some_and(|it| it.ends_with(&self.suffix));
        if !(ends && rest.starts_with(&self.prefix)) {
            return false;
        }
        let Some(regex) = &self.regex else { return true };
        let Some(found) = regex.captures(rest) else { return false };
        let shifted = |at: usize| offset.saturating_add(at);
        captures.extend(found.iter().skip(1).flatten().map(|group| span(shifted(group.start()), shifted(group.end()))));
        true
    }

    /// Whether the parameters are captured by a match.
    pub(super) fn captures(&self) -> bool {
        self.regex.is_some()
    }
}

/// The regular expression for `tokens`, one capturing group for each parameter; `None` if a convertor is unknown.
///
/// Python's `$` becomes `\n?\z`, which succeeds in the same places and leaves the groups as they are.
fn expression(tokens: &[Token]) -> Option<String> {
    let mut source = String::from(r"\A");
    for token in tokens {
        match token {
            Token::Literal(text) => source.push_str(&regex::escape(text)),
            Token::Parameter { convertor, .. } => write!(source, "({})", convertor.regex()?).ok()?,
        }
    }
    source.push_str(r"\n?\z");
    Some(source)
}
