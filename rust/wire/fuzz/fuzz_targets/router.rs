//! The first line is a path, the others are templates. Candidates come in order, and their captures are slices of the
//! path that the convertors accept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Convertor, Pattern, RouterBuilder, Template, Token};

fn convertor(name: &str) -> Option<Convertor> {
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

fuzz_target!(|text: &str| {
    let (path, templates) = text.split_once('\t').unwrap_or((text, ""));
    let mut builder = RouterBuilder::new();
    let mut registered = Vec::new();
    for text in templates.split('\t').take(30) {
        if let Ok(template) = Template::parse(text, convertor) {
            let index = builder.insert(Pattern::Route(template.clone()));
            assert_eq!(index as usize, registered.len());
            registered.push(template);
        }
    }
    let router = builder.build();
    let mut found = Vec::new();
    router.candidates(path, &mut found);
    assert!(found.windows(2).all(|pair| pair[0].index < pair[1].index));
    for candidate in found.iter().filter(|candidate| candidate.exact) {
        let template = &registered[candidate.index as usize];
        let mut rebuilt = String::new();
        let mut captures = candidate.captures.iter();
        for token in template.tokens() {
            match token {
                Token::Literal(text) => rebuilt.push_str(text),
                Token::Parameter { convertor, .. } => {
                    let &(start, end) = captures.next().expect("one capture for each parameter");
                    let value = &path[start as usize..end as usize];
                    assert!(convertor.accepts(value));
                    rebuilt.push_str(value);
                }
            }
        }
        assert!(rebuilt == path || rebuilt + "\n" == path);
    }
});
