//! Registration: patterns are cut into segments and put into the tree.

use super::found::Candidates;
use super::tail::Tail;
use super::tree::{Node, Router};
use crate::path::{Convertor, Template, Token};

/// What a route says about the paths that it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The whole path: `^template$`.
    Route(Template),
    /// The path up to a slash, and anything after it: `^template/(.*)$`, as Starlette's `Mount` has it. An empty
    /// template matches every path that begins with a slash. Never exact.
    Prefix(Template),
    /// Nothing that this crate could use: a candidate for every path.
    Any,
}

/// Paths with more candidates are looked up in the tree each time.
const MOST_REMEMBERED: usize = 4;

/// Collects patterns; their order is what decides between them.
#[derive(Debug, Default)]
pub struct RouterBuilder {
    router: Router,
    registered: u32,
    /// The paths of templates without parameters.
    spelt: Vec<String>,
}

/// What the plain segments of a template are followed by.
enum End<'t> {
    /// Nothing.
    Here,
    /// `{x:path}` as the last segment.
    Path,
    /// Segments that have to be matched by a regular expression.
    Tail(&'t [Vec<Token>]),
}

impl RouterBuilder {
    /// A builder without patterns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers `pattern` and answers its index: 0 for the first, then 1, and so on.
    ///
    /// A template that doesn't begin with `/` matches by other rules in Starlette (host names), so the pattern then
    /// counts as [`Pattern::Any`], except for the empty prefix.
    pub fn insert(&mut self, pattern: Pattern) -> u32 {
        let index = self.registered;
        self.registered = index.saturating_add(1);
        match pattern {
            Pattern::Route(template) if template.is_rooted() => {
                if let [Token::Literal(path)] = template.tokens() {
                    self.spelt.push(path.clone());
                }
                self.insert_template(index, &template, false);
            }
            Pattern::Prefix(template) if template.is_rooted() || template.tokens().is_empty() => {
                self.insert_template(index, &template, true);
            }
            _ => self.router.anywhere.push(index),
        }
        index
    }

    /// The finished index.
    #[must_use]
    pub fn build(self) -> Router {
        let Self { mut router, spelt, .. } = self;
        for path in spelt {
            let mut candidates = Candidates::new();
            router.candidates(&path, &mut candidates);
            if candidates.len() <= MOST_REMEMBERED {
                router.spelt.insert(path.into(), candidates);
            }
        }
        router
    }

    fn insert_template(&mut self, index: u32, template: &Template, prefix: bool) {
        let segments = segments(template.tokens());
        let (plain, end) = split(&segments, prefix);
        let mut at = 0;
        for segment in plain {
            at = match segment.as_slice() {
                [] => self.static_child(at, ""),
                [Token::Literal(text)] => self.static_child(at, text),
                [Token::Parameter { convertor, .. }, ..] => self.parameter_child(at, *convertor),
                [Token::Literal(_), ..] => at,
            };
        }
        let Some(node) = self.router.nodes.get_mut(at) else { return };
        match end {
            End::Here if prefix => node.prefixes.push(index),
            End::Here => node.ends.push(index),
            End::Path => node.paths.push(index),
            End::Tail(rest) => node.tails.push(Tail::new(index, &joined(rest, prefix))),
        }
    }

    fn static_child(&mut self, parent: usize, text: &str) -> usize {
        let fresh = self.router.nodes.len();
        let Some(node) = self.router.nodes.get_mut(parent) else { return parent };
        let child = *node.statics.entry(text.into()).or_insert(fresh);
        self.add_if_fresh(child, fresh)
    }

    fn parameter_child(&mut self, parent: usize, convertor: Convertor) -> usize {
        let fresh = self.router.nodes.len();
        let Some(node) = self.router.nodes.get_mut(parent) else { return parent };
        let known = node.parameters.iter().find(|(kind, _)| *kind == convertor).map(|(_, child)| *child);
        if known.is_none() {
            node.parameters.push((convertor, fresh));
        }
        self.add_if_fresh(known.unwrap_or(fresh), fresh)
    }

    fn add_if_fresh(&mut self, child: usize, fresh: usize) -> usize {
        if child == fresh {
            self.router.nodes.push(Node::default());
        }
        child
    }
}

/// The tokens of a rooted template between its slashes. The empty template has no segment, `/` has one, which is empty.
fn segments(tokens: &[Token]) -> Vec<Vec<Token>> {
    let mut segments: Vec<Vec<Token>> = Vec::new();
    for token in tokens {
        let Token::Literal(text) = token else {
            if let Some(segment) = segments.last_mut() {
                segment.push(token.clone());
            }
            continue;
        };
        for (position, piece) in text.split('/').enumerate() {
            if position > 0 {
                segments.push(Vec::new());
            }
            if let (Some(segment), false) = (segments.last_mut(), piece.is_empty()) {
                segment.push(Token::Literal(piece.to_owned()));
            }
        }
    }
    segments
}

/// The leading segments that a tree can hold, and what comes after them.
fn split(segments: &[Vec<Token>], prefix: bool) -> (&[Vec<Token>], End<'_>) {
    let plain = segments.iter().take_while(|segment| is_plain(segment)).count();
    let (before, after) = segments.split_at_checked(plain).unwrap_or((segments, &[]));
    let end = match after {
        [] => End::Here,
        [last] if !prefix && matches!(last.as_slice(), [Token::Parameter { convertor: Convertor::Path, .. }]) => {
            End::Path
        }
        _ => End::Tail(after),
    };
    (before, end)
}

/// Whether a segment is a literal text or a single parameter that doesn't reach beyond it.
fn is_plain(segment: &[Token]) -> bool {
    match segment {
        [] | [Token::Literal(_)] => true,
        [Token::Parameter { convertor, .. }] => convertor.stays_in_segment(),
        _ => false,
    }
}

/// `segments` as one list of tokens again, each behind its slash; a prefix has `/{path:path}` after them.
fn joined(segments: &[Vec<Token>], prefix: bool) -> Vec<Token> {
    let slash = || Token::Literal("/".to_owned());
    let mut tokens: Vec<Token> = Vec::new();
    let remaining = [Token::Parameter { name: String::new(), convertor: Convertor::Path }];
    let after = if prefix { Some(remaining.as_slice()) } else { None };
    for segment in segments.iter().map(Vec::as_slice).chain(after) {
        for token in std::iter::once(&slash()).chain(segment) {
            match (tokens.last_mut(), token) {
                (Some(Token::Literal(before)), Token::Literal(text)) => before.push_str(text),
                _ => tokens.push(token.clone()),
            }
        }
    }
    tokens
}
