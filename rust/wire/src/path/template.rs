//! A route's path template: `/users/{id:int}/files/{name}.{extension}` as literal text and parameters.
//!
//! The grammar is Starlette's: a parameter is `{name}` or `{name:convertor}`, name and convertor being ASCII
//! identifiers. Everything else is literal text, braces that form no parameter included (`/a/{}/{1x}` has no parameter
//! at all).

use thiserror::Error;

use super::convertor::Convertor;

/// One piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Text that the path must contain as it is, letter case included.
    Literal(String),
    /// A parameter.
    Parameter {
        /// What the application calls it.
        name: String,
        /// What it may contain.
        convertor: Convertor,
    },
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// A parameter names a convertor that nobody registered.
    #[error("Unknown path convertor '{convertor}' at path {path}")]
    UnknownConvertor {
        /// The convertor as written.
        convertor: String,
        /// The template as written.
        path: String,
    },
    /// The same parameter name occurs twice.
    #[error("Duplicated param name {name} at path {path}")]
    DuplicatedName {
        /// The name that is taken already.
        name: String,
        /// The template as written.
        path: String,
    },
}

/// A parsed path template. Neighbouring literals are one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    tokens: Vec<Token>,
    parameters: Vec<String>,
}

impl Template {
    /// Parses `text`, asking `convertor` for the meaning of the name after each colon (`"str"` where there is none).
    ///
    /// # Errors
    ///
    /// [`TemplateError::UnknownConvertor`] if `convertor` answers `None`, [`TemplateError::DuplicatedName`] if a
    /// parameter name is repeated.
    pub fn parse(text: &str, convertor: impl Fn(&str) -> Option<Convertor>) -> Result<Self, TemplateError> {
        let mut tokens = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, from_brace)) = split_before(rest, '{') {
            literal.push_str(before);
            if let Some((name, kind, after)) = parameter(from_brace) {
                let convertor = convertor(kind).ok_or_else(|| TemplateError::UnknownConvertor {
                    convertor: kind.to_owned(),
                    path: text.to_owned(),
                })?;
                tokens.push(Token::Literal(std::mem::take(&mut literal)));
                tokens.push(Token::Parameter { name: name.to_owned(), convertor });
                rest = after;
            } else {
                literal.push('{');
                rest = from_brace.strip_prefix('{').unwrap_or_default();
            }
        }
        literal.push_str(rest);
        tokens.push(Token::Literal(literal));
        Self::from_tokens(tokens)
    }

    /// Builds a template from tokens, for a caller that has parsed the text already.
    ///
    /// # Errors
    ///
    /// [`TemplateError::DuplicatedName`] if a parameter name is repeated.
    pub fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Result<Self, TemplateError> {
        let mut merged: Vec<Token> = Vec::new();
        for token in tokens {
            match (merged.last_mut(), token) {
                (_, Token::Literal(text)) if text.is_empty() => {}
                (Some(Token::Literal(before)), Token::Literal(text)) => before.push_str(&text),
                (_, token) => merged.push(token),
            }
        }
        let mut template = Self { tokens: merged, parameters: Vec::new() };
        let mut parameters: Vec<String> = Vec::new();
        for token in &template.tokens {
            if let Token::Parameter { name, .. } = token {
                if parameters.contains(name) {
                    return Err(TemplateError::DuplicatedName { name: name.clone(), path: template.text() });
                }
                parameters.push(name.clone());
            }
        }
        template.parameters = parameters;
        Ok(template)
    }

    /// The names of the parameters, in the order of the template.
    #[must_use]
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The template as literals and parameters.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether the template stands for a path (it begins with `/`) rather than for nothing or for a host name.
    #[must_use]
    pub fn is_rooted(&self) -> bool {
        matches!(self.tokens.first(), Some(Token::Literal(text)) if text.starts_with('/'))
    }

    /// The template with its parameters' names alone, as it is shown to people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for token in &self.tokens {
            match token {
                Token::Literal(literal) => text.push_str(literal),
                Token::Parameter { name, .. } => {
                    text.push('{');
                    text.push_str(name);
                    text.push('}');
                }
            }
        }
        text
    }
}

/// `text` cut before the first `mark`.
fn split_before(text: &str, mark: char) -> Option<(&str, &str)> {
    text.find(mark).and_then(|at| text.split_at_checked(at))
}

/// The parameter that `text` begins with: its name, its convertor's name and what follows the closing brace.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, after_name) = identifier(text.strip_prefix('{')?)?;
    if let Some(after) = after_name.strip_prefix('}') {
        return Some((name, "str", after));
    }
    let (kind, after_kind) = identifier(after_name.strip_prefix(':')?)?;
    Some((name, kind, after_kind.strip_prefix('}')?))
}

/// The ASCII identifier that `text` begins with, and what follows it.
fn identifier(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let end = text.find(|each: char| !(each.is_ascii_alphanumeric() || each == '_')).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin(name: &str) -> Option<Convertor> {
        match name {
            "str" => Some(Convertor::Str),
            "path" => Some(Convertor::Path),
            "int" => Some(Convertor::Int),
            _ => None,
        }
    }

    fn literal(text: &str) -> Token {
        Token::Literal(text.to_owned())
    }

    fn parameter(name: &str, convertor: Convertor) -> Token {
        Token::Parameter { name: name.to_owned(), convertor }
    }

    #[test]
    fn a_template_is_literals_and_parameters() {
        let rows: &[(&str, &[Token])] = &[
            ("", &[]),
            ("/", &[literal("/")]),
            ("/a//b/", &[literal("/a//b/")]),
            ("/{a}", &[literal("/"), parameter("a", Convertor::Str)]),
            ("/{a:int}x", &[literal("/"), parameter("a", Convertor::Int), literal("x")]),
            ("{a}{_b2:path}", &[parameter("a", Convertor::Str), parameter("_b2", Convertor::Path)]),
            ("/{{a}}", &[literal("/{"), parameter("a", Convertor::Str), literal("}")]),
            ("/{", &[literal("/{")]),
            ("/{}", &[literal("/{}")]),
            ("/{1a}", &[literal("/{1a}")]),
            ("/{a b}", &[literal("/{a b}")]),
            ("/{a:}", &[literal("/{a:}")]),
            ("/{a:int:int}", &[literal("/{a:int:int}")]),
            ("/{\u{e4}}", &[literal("/{\u{e4}}")]),
            ("/{a", &[literal("/{a")]),
            ("/{a:int", &[literal("/{a:int")]),
            ("/{a{b}", &[literal("/{a"), parameter("b", Convertor::Str)]),
        ];
        for (text, expected) in rows {
            let template = Template::parse(text, builtin).unwrap();
            assert_eq!(template.tokens(), *expected, "{text:?}");
        }
    }

    #[test]
    fn an_unknown_convertor_is_named() {
        let error = Template::parse("/x/{a:hex}", builtin).unwrap_err();
        assert_eq!(error.to_string(), "Unknown path convertor 'hex' at path /x/{a:hex}");
    }

    #[test]
    fn a_name_is_used_once() {
        let error = Template::parse("/{a}/{b}/{a:int}", builtin).unwrap_err();
        assert_eq!(error.to_string(), "Duplicated param name a at path /{a}/{b}/{a}");
    }

    #[test]
    fn neighbouring_literals_are_one() {
        let tokens = [literal("/a"), literal(""), literal("/b"), parameter("c", Convertor::Int), literal("")];
        let template = Template::from_tokens(tokens).unwrap();
        assert_eq!(template.tokens(), [literal("/a/b"), parameter("c", Convertor::Int)]);
        assert_eq!(template.parameters(), ["c"]);
        assert_eq!(template.text(), "/a/b{c}");
    }
}
