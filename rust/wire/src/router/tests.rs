//! Tables of what matches what, and a property: the tree answers as one regular expression after the other would.

use proptest::prelude::*;
use regex::Regex;

use super::{Candidate, Candidates, Pattern, Router, RouterBuilder};
use crate::path::{Convertor, Template, Token};

fn convertor(name: &str) -> Option<Convertor> {
    match name {
        "str" => Some(Convertor::Str),
        "path" => Some(Convertor::Path),
        "int" => Some(Convertor::Int),
        "float" => Some(Convertor::Float),
        "uuid" => Some(Convertor::Uuid),
        "hex" => Some(Convertor::Custom),
        _ => None,
    }
}

fn template(text: &str) -> Template {
    Template::parse(text, convertor).unwrap()
}

/// `*` is any path, `/x/*` a prefix, everything else a route.
fn pattern(text: &str) -> Pattern {
    match text.strip_suffix("/*") {
        _ if text == "*" => Pattern::Any,
        Some(prefix) => Pattern::Prefix(template(prefix)),
        None => Pattern::Route(template(text)),
    }
}

fn router(patterns: &[&str]) -> Router {
    let mut builder = RouterBuilder::new();
    for (position, text) in patterns.iter().enumerate() {
        assert_eq!(builder.insert(pattern(text)) as usize, position);
    }
    builder.build()
}

fn candidates(router: &Router, path: &str) -> Vec<Candidate> {
    let mut found = Candidates::new();
    router.candidates(path, &mut found);
    if let Some(remembered) = router.remembered(path) {
        assert_eq!(remembered, found.as_slice());
    }
    found.into_vec()
}

/// Each candidate as one word: `0`, `1(x|y)` with captures, a question mark if the route has to be asked.
fn shown(router: &Router, path: &str) -> String {
    let words = candidates(router, path).into_iter().map(|found| {
        let values: Vec<&str> = found.captures.iter().map(|&(a, b)| &path[a as usize..b as usize]).collect();
        let captures = if values.is_empty() { String::new() } else { format!("({})", values.join("|")) };
        format!("{}{captures}{}", found.index, if found.exact { "" } else { "?" })
    });
    words.collect::<Vec<_>>().join(" ")
}

fn check(patterns: &[&str], rows: &[(&str, &str)]) {
    let router = router(patterns);
    for (path, expected) in rows {
        assert_eq!(shown(&router, path), *expected, "{path:?} in {patterns:?}");
    }
}

#[test]
fn nothing_registered_matches_nothing() {
    check(&[], &[("", ""), ("/", ""), ("/a/b", "")]);
}

#[test]
fn the_order_of_registration_decides_and_not_how_static_a_route_is() {
    check(
        &["/users/{name}", "/users/me", "/users/me", "/{kind}/me"],
        &[("/users/me", "0(me) 1 2 3(users)"), ("/users/you", "0(you)"), ("/cats/me", "3(cats)"), ("/users", "")],
    );
}

#[test]
fn slashes_are_counted() {
    check(
        &["/", "/a", "/a/", "/a//b", "//", "/{x}/", "/a/{x}"],
        &[
            ("/", "0"),
            ("", ""),
            ("/a", "1"),
            ("/a/", "2 5(a)"),
            ("/a//b", "3"),
            ("/a/b", "6(b)"),
            ("//", "4"),
            ("///", ""),
            ("/a/b/", ""),
            ("/A", ""),
        ],
    );
}

#[test]
fn every_kind_of_parameter_has_its_own_alphabet() {
    check(
        &["/{x}", "/{x:int}", "/{x:float}", "/{x:uuid}", "/{x:path}", "/{x:hex}"],
        &[
            ("/7", "0(7) 1(7) 2(7) 4(7) 5?"),
            ("/7.5", "0(7.5) 2(7.5) 4(7.5) 5?"),
            ("/7.", "0(7.) 4(7.) 5?"),
            ("/\u{667}", "0(\u{667}) 4(\u{667}) 5?"),
            (
                "/0123456789abcdef0123456789ABCDEF",
                "0(0123456789abcdef0123456789ABCDEF) 3(0123456789abcdef0123456789ABCDEF) \
                 4(0123456789abcdef0123456789ABCDEF) 5?",
            ),
            ("/", "4() 5?"),
            ("/a/b", "4(a/b) 5?"),
        ],
    );
}

#[test]
fn a_last_newline_may_follow_any_route() {
    check(
        &["/a", "/{x:int}", "/{x}", "/{x:path}", "/a/{b}.{c:int}", "/a/*"],
        &[
            ("/a\n", "0 2(a\n) 3(a)"),
            ("/a\n\n", "2(a\n\n)"),
            ("/1\n", "1(1) 2(1\n) 3(1)"),
            ("/\n", "2(\n) 3()"),
            ("/\nb", "2(\nb)"),
            ("/a/x.1\n", "3(a/x.1) 4(x|1) 5(x.1)"),
            ("/a/x\n.1", "4(x\n|1)"),
            ("/a/x\n/y", ""),
            ("/a/\n", "3(a/) 5()"),
        ],
    );
}

#[test]
fn literal_newlines_match_themselves() {
    check(&["/a\n", "/a"], &[("/a\n", "0 1"), ("/a\n\n", "0"), ("/a", "1")]);
}

#[test]
fn several_parameters_of_a_segment_share_it_greedily() {
    check(
        &["/f/{a}.{b}", "/f/{a}{b}", "/f/v{n:int}", "/f/{n:int}{rest}", "/f/{a}-{b}/z"],
        &[
            ("/f/x.tar.gz", "0(x.tar|gz) 1(x.tar.g|z)"),
            ("/f/..", "1(.|.)"),
            ("/f/\u{e4}\u{f6}", "1(\u{e4}|\u{f6})"),
            ("/f/\u{e4}", ""),
            ("/f/v12", "1(v1|2) 2(12)"),
            ("/f/123", "1(12|3) 3(12|3)"),
            ("/f/a-b-c/z", "4(a-b|c)"),
            ("/f/a/b-c/z", ""),
        ],
    );
}

#[test]
fn a_path_parameter_in_the_middle_takes_as_much_as_it_can() {
    check(
        &["/{a:path}/x/{b}", "/files/{a:path}", "/files/{a:path}/raw", "/p{a:path}", "/{u}/{a:path}/{n:int}"],
        &[
            ("/x/x/x/1", "0(x/x|1) 4(x|x/x|1)"),
            ("/files/a/b/raw", "1(a/b/raw) 2(a/b)"),
            ("/files/", "1()"),
            ("/files", ""),
            ("/files//raw", "1(/raw) 2()"),
            ("/files/raw", "1(raw)"),
            ("/p", "3()"),
            ("/p/q", "3(/q)"),
            ("/f/a\nb/x/1", ""),
            ("/f//1", "4(f||1)"),
        ],
    );
}

#[test]
fn a_prefix_needs_its_slash_and_captures_the_rest() {
    check(
        &["/*", "/api/*", "/api/v{n:int}/*", "/{tenant}/*", "/a//*"],
        &[
            ("/", "0()"),
            ("/api", "0(api)"),
            ("/api/", "0(api/) 1() 3(api|)"),
            ("/api/v2/x/y", "0(api/v2/x/y) 1(v2/x/y) 2(2|x/y) 3(api|v2/x/y)"),
            ("/apis/x", "0(apis/x) 3(apis|x)"),
            ("/a//x", "0(a//x) 3(a|/x) 4(x)"),
            ("", ""),
            ("*", ""),
        ],
    );
}

#[test]
fn what_cant_be_seen_into_is_asked() {
    check(
        &["*", "/x/a{h:hex}/b", "/x/{h:hex}/*", "/x/ab"],
        &[
            ("/x/ab", "0? 2? 3"),
            ("/x/aq/b", "0? 1? 2?"),
            ("/x/a/q/b\n", "0? 1? 2?"),
            ("/x/a/q/b\n\n", "0? 2?"),
            ("/x/b", "0? 2?"),
            ("/x", "0?"),
            ("/y/a", "0?"),
            ("", "0?"),
            ("@evil.example", "0?"),
        ],
    );
}

#[test]
fn templates_without_a_first_slash_are_asked_for_every_path() {
    let mut builder = RouterBuilder::new();
    builder.insert(Pattern::Route(template("")));
    builder.insert(Pattern::Route(template("{sub}.example.org")));
    builder.insert(Pattern::Prefix(template("{x:path}")));
    builder.insert(Pattern::Route(template("/a")));
    let router = builder.build();
    assert_eq!(shown(&router, ""), "0? 1? 2?");
    assert_eq!(shown(&router, "/a"), "0? 1? 2? 3");
}

#[test]
fn text_that_means_something_to_a_regex_is_literal() {
    check(
        &["/a.b", "/(x|y)+/{a}.{b}", "/{a}[/{b}.*", "/{}/{1}"],
        &[
            ("/a.b", "0"),
            ("/axb", ""),
            ("/(x|y)+/1.2", "1(1|2)"),
            ("/x/1.2", ""),
            ("/q[/r.*", "2(q|r)"),
            ("/{}/{1}", "3"),
        ],
    );
}

#[test]
fn deep_templates_and_deep_paths_need_no_deep_stack() {
    let deep: String = "/{x}/y".repeat(50_000).replace("{x}", "x");
    let router = router(&[&deep, "/{all:path}"]);
    assert_eq!(candidates(&router, &deep).len(), 2);
    assert_eq!(candidates(&router, &"/".repeat(1_000_000)).len(), 1);
}

#[test]
fn the_walk_visits_the_same_nodes_however_many_routes_there_are() {
    let texts: Vec<String> = (0..20_000).map(|n| format!("/r{n}/{{id:int}}/x")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let router = router(&texts);
    assert_eq!(shown(&router, "/r19999/5/x"), "19999(5)");
    assert_eq!(shown(&router, "/r20000/5/x"), "");
}

#[test]
fn a_look_up_replaces_what_an_earlier_one_found() {
    let router = router(&["/a"]);
    let mut found = Candidates::new();
    router.candidates("/a", &mut found);
    router.candidates("/b", &mut found);
    assert!(found.is_empty());
}

/// The pattern as one regular expression, and whether every part of it is known.
fn naive(pattern: &Pattern) -> (Regex, bool) {
    let (template, after) = match pattern {
        Pattern::Route(template) => (template, ""),
        Pattern::Prefix(template) => (template, "/(.*)"),
        Pattern::Any => return (Regex::new("").unwrap(), false),
    };
    let known = template.tokens().iter().all(|token| match token {
        Token::Literal(_) => true,
        Token::Parameter { convertor, .. } => *convertor != Convertor::Custom,
    });
    let parts = template.tokens().iter().map(|token| match token {
        Token::Literal(text) => regex::escape(text),
        Token::Parameter { convertor, .. } => format!("({})", convertor.regex().unwrap_or("(?s:.*)")),
    });
    let source = format!(r"\A{}{after}\n?\z", parts.collect::<String>());
    (Regex::new(&source).unwrap(), known)
}

fn segment() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ab1.]{0,2}",
        4 => Just("{}".to_owned()),
        2 => Just("{:int}".to_owned()),
        1 => Just("{:float}".to_owned()),
        1 => Just("{:uuid}".to_owned()),
        1 => Just("{:path}".to_owned()),
    ];
    prop_oneof![
        6 => piece.clone(),
        1 => prop::collection::vec(piece, 2..4).prop_map(|pieces| pieces.concat()),
    ]
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let parts = (prop::collection::vec(segment(), 0..4), 0..8_u8);
    parts.prop_map(|(segments, kind)| {
        let mut text: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        for number in 0.. {
            match text.find("{}").or_else(|| text.find("{:")) {
                Some(at) => text.insert_str(at + 1, &format!("p{number}")),
                None => break,
            }
        }
        match kind {
            0 => Pattern::Any,
            1 => Pattern::Prefix(template(&text)),
            _ if text.is_empty() => Pattern::Route(template("/")),
            _ => Pattern::Route(template(&text)),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_tree_answers_as_a_list_of_regular_expressions(
        patterns in prop::collection::vec(any_pattern(), 1..12),
        paths in prop::collection::vec("(/[ab1.]{0,3}(\n|\u{e4})?){0,5}\n{0,2}", 12),
    ) {
        let mut builder = RouterBuilder::new();
        for pattern in &patterns {
            builder.insert(pattern.clone());
        }
        let router = builder.build();
        let regexes: Vec<_> = patterns.iter().map(naive).collect();
        for path in &paths {
            let mut expected = Vec::new();
            for (index, ((regex, known), pattern)) in regexes.iter().zip(&patterns).enumerate() {
                if let Some(found) = regex.captures(path) {
                    let spans = found.iter().skip(1).flatten().map(|span| (span.start() as u32, span.end() as u32));
                    let exact = *known && !matches!(pattern, Pattern::Any);
                    expected.push(Candidate { index: index as u32, exact, captures: spans.collect() });
                }
            }
            prop_assert_eq!(candidates(&router, path), expected, "{:?}", path);
        }
    }
}
