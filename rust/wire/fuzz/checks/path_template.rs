//! What was parsed says the same when it is written out and parsed again; its refusals are the two that there are; and
//! it matches the paths that it makes.

use wire::{Candidates, Convertor, Pattern, RouterBuilder, Template, TemplateError, Token};

use super::paths::{MAX_PATH, convertor, is_plain, matches, name};

/// The template with the names of its convertors.
fn written(template: &Template) -> String {
    let token = |token: &Token| match token {
        Token::Literal(text) => text.clone(),
        Token::Parameter { name: parameter, convertor } => format!("{{{parameter}:{}}}", name(*convertor)),
    };
    template.tokens().iter().map(token).collect()
}

/// A value that the convertor accepts.
fn value(convertor: Convertor, number: usize) -> String {
    match convertor {
        Convertor::Str => format!("v{number}.\u{e9}"),
        Convertor::Path => ["", "a/b", "/"][number % 3].to_owned(),
        Convertor::Int => number.to_string(),
        Convertor::Float => ["0", "1.5"][number % 2].to_owned(),
        Convertor::Uuid => "01234567-89abCDEF0123-456789abcdef".to_owned(),
        Convertor::Custom => "anything".to_owned(),
    }
}

/// The template filled with values.
fn example(template: &Template) -> String {
    let piece = |(number, token): (usize, &Token)| match token {
        Token::Literal(text) => text.clone(),
        Token::Parameter { convertor, .. } => value(*convertor, number),
    };
    template.tokens().iter().enumerate().map(piece).collect()
}

/// `data` is a template.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let template = match Template::parse(&text, convertor) {
        Ok(template) => template,
        Err(TemplateError::UnknownConvertor { convertor: unknown, path }) => {
            assert_eq!(path, text);
            assert!(convertor(&unknown).is_none() && text.contains(&format!(":{unknown}}}")));
            return;
        }
        Err(TemplateError::DuplicatedName { name, .. }) => {
            assert!(text.matches(&format!("{{{name}")).count() >= 2);
            return;
        }
    };
    assert_eq!(Template::parse(&written(&template), convertor).as_ref(), Ok(&template));
    assert_eq!(Template::from_tokens(template.tokens().to_vec()).as_ref(), Ok(&template));
    assert_eq!(template.is_rooted(), text.starts_with('/'));
    let literals = |token: &Token| matches!(token, Token::Literal(text) if !text.is_empty());
    assert!(template.tokens().windows(2).all(|pair| !(literals(&pair[0]) && literals(&pair[1]))));
    let parameters = template.tokens().iter().filter_map(|token| match token {
        Token::Parameter { name, .. } => Some(name),
        Token::Literal(_) => None,
    });
    assert!(parameters.eq(template.parameters()));
    if template.parameters().is_empty() {
        assert_eq!(template.text(), text);
    }
    let path = example(&template);
    if path.len() > MAX_PATH {
        return;
    }
    assert!(matches(&template, false, &path));
    if is_plain(&template, false) {
        let mut builder = RouterBuilder::new();
        builder.insert(Pattern::Route(template));
        let mut found = Candidates::new();
        builder.build().candidates(&path, &mut found);
        assert!(found.iter().any(|candidate| candidate.exact));
    }
}
