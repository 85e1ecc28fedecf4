//! The router's candidates are those templates that match one by one, in order, and their captures are slices of the
//! path that the convertors accept.
//!
//! Compiling a regular expression costs far more than everything else here, so an input's own templates may need none.
//! Those that do are in fixed routers, made once, of which an input chooses one.

use std::cell::OnceCell;

use wire::{Candidate, Candidates, Pattern, Router, RouterBuilder, Template, Token};

use super::paths::{MAX_PATH, convertor, is_known, is_plain, matches};

/// How many fixed routers there are. It has no divisor with the number of `ENDS` or `MIXED`, so that each has all kinds.
const FIXED: usize = 37;

/// Beginnings of the templates with regular expressions, which the tree can hold, and what follows them.
const STEMS: [&str; 5] = ["", "/a", "/{s}", "/{i:int}", "/a/{u:uuid}"];
const MIXED: [&str; 16] = [
    "/{x}.{y}",
    "/{x}{y}",
    "/v{n:int}",
    "/{n:int}{x}",
    "/{x}-{n:int}",
    "/{p:path}/b",
    "/p{p:path}",
    "/{p:path}{n:int}",
    "/{c:c}",
    "/a{c:c}/b",
    "/{f:float}.{x}",
    "/{f:float}{n:int}",
    "/[{x}",
    "/{x}+",
    "/{w:uuid}.{x}",
    "/{p:path}/{q:path}",
];
const ENDS: [&str; 4] = ["", "/", "/{z:int}", "/*"];

/// A router and what was registered.
struct Table {
    router: Router,
    patterns: Vec<Pattern>,
}

impl Table {
    fn new(patterns: Vec<Pattern>) -> Self {
        let mut builder = RouterBuilder::new();
        for (position, pattern) in patterns.iter().enumerate() {
            assert_eq!(builder.insert(pattern.clone()) as usize, position);
        }
        Self { router: builder.build(), patterns }
    }

    /// One of the fixed routers: every `FIXED`th combination.
    fn fixed(number: usize) -> Self {
        let stems = STEMS.iter().flat_map(|stem| MIXED.iter().map(move |mixed| format!("{stem}{mixed}")));
        let texts = stems.flat_map(|text| ENDS.iter().map(move |end| format!("{text}{end}")));
        Self::new(texts.skip(number).step_by(FIXED).filter_map(|text| pattern(&text)).collect())
    }

    /// Compares the candidates for `path` with the templates, one by one.
    fn check(&self, path: &str) {
        let mut found = Candidates::new();
        self.router.candidates(path, &mut found);
        assert!(found.windows(2).all(|pair| pair[0].index < pair[1].index));
        let mut found = found.iter().peekable();
        for (position, pattern) in self.patterns.iter().enumerate() {
            let candidate = found.next_if(|candidate| candidate.index as usize == position);
            let (template, prefix) = match pattern {
                Pattern::Route(template) => (template, false),
                Pattern::Prefix(template) => (template, true),
                Pattern::Any => {
                    assert!(candidate.is_some_and(|candidate| !candidate.exact));
                    continue;
                }
            };
            let seen = template.is_rooted() || (prefix && template.tokens().is_empty());
            let expected = !seen || matches(template, prefix, path);
            if is_known(template) || !seen {
                assert_eq!(candidate.is_some(), expected, "{path:?} {template:?} {prefix}");
            } else {
                assert!(candidate.is_some() || !expected, "{path:?} {template:?} {prefix}");
            }
            if let Some(candidate) = candidate {
                assert_eq!(candidate.exact, seen && is_known(template), "{path:?} {template:?}");
                if seen && is_known(template) {
                    rebuild(template, prefix, path, candidate);
                }
            }
        }
        assert!(found.next().is_none());
    }
}

/// `*` is any path, what ends in `/*` a prefix.
fn pattern(text: &str) -> Option<Pattern> {
    let parse = |text| Template::parse(text, convertor).ok();
    match text.strip_suffix("/*") {
        _ if text == "*" => Some(Pattern::Any),
        Some(prefix) => parse(prefix).map(Pattern::Prefix),
        None => parse(text).map(Pattern::Route),
    }
}

/// Whether a pattern needs no regular expression.
fn is_cheap(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Route(template) => !template.is_rooted() || is_plain(template, false),
        Pattern::Prefix(template) => !template.is_rooted() || is_plain(template, true),
        Pattern::Any => true,
    }
}

/// The template filled with what was captured is the path again.
fn rebuild(template: &Template, prefix: bool, path: &str, candidate: &Candidate) {
    let mut rebuilt = String::new();
    let mut captures = candidate.captures.iter().map(|&(start, end)| &path[start as usize..end as usize]);
    for token in template.tokens() {
        match token {
            Token::Literal(text) => rebuilt.push_str(text),
            Token::Parameter { convertor, .. } => {
                let value = captures.next().expect("one capture for each parameter");
                assert!(convertor.accepts(value));
                rebuilt.push_str(value);
            }
        }
    }
    if prefix {
        rebuilt.push('/');
        rebuilt.push_str(captures.next().expect("one capture for the rest"));
    }
    assert!(captures.next().is_none());
    assert!(rebuilt == path || rebuilt + "\n" == path);
}

/// The first byte of `data` chooses a fixed router. The rest is text with tabulators: a path, then templates.
pub fn check(data: &[u8]) {
    thread_local! {
        static TABLES: [OnceCell<Table>; FIXED] = const { [const { OnceCell::new() }; FIXED] };
    }
    let Some((selector, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let mut pieces = text.split('\t');
    let path = pieces.next().unwrap_or_default();
    if path.len() > MAX_PATH {
        return;
    }
    let number = usize::from(*selector) % FIXED;
    TABLES.with(|tables| tables[number].get_or_init(|| Table::fixed(number)).check(path));
    let own: Vec<_> = pieces.take(8).filter_map(pattern).filter(is_cheap).collect();
    if !own.is_empty() {
        Table::new(own).check(path);
    }
}
