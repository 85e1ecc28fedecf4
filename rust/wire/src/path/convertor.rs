//! What one path parameter may contain.
//!
//! Starlette gives every convertor a regular expression and glues these into one for the whole path. The five built-in
//! ones are known here by name, so that most templates need no regular expression at all; one that an application
//! registered itself is [`Convertor::Custom`], about which nothing is assumed.
//!
//! Odd things, all of them Python's `re`: `[^/]+` contains newlines while `.*` stops at one, and `[0-9]` means the
//! ASCII digits.

use memchr::memchr;

/// The kind of text that a parameter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Convertor {
    /// `{name}` or `{name:str}`: one or more characters other than `/`.
    Str,
    /// `{name:path}`: any characters, `/` included, but no newline; possibly none.
    Path,
    /// `{name:int}`: one or more ASCII digits.
    Int,
    /// `{name:float}`: ASCII digits, then optionally a point and more digits.
    Float,
    /// `{name:uuid}`: 32 hexadecimal digits, with or without each of the four hyphens.
    Uuid,
    /// A convertor of the application's own; only the route itself can say whether it matches.
    Custom,
}

impl Convertor {
    /// Whether the whole of `text` is a value of this kind. For [`Convertor::Custom`] the answer is always `true`:
    /// maybe.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Str => !text.is_empty() && memchr(b'/', text.as_bytes()).is_none(),
            Self::Path => memchr(b'\n', text.as_bytes()).is_none(),
            Self::Int => is_digits(text),
            Self::Float => match text.split_once('.') {
                Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
                None => is_digits(text),
            },
            Self::Uuid => is_uuid(text),
            Self::Custom => true,
        }
    }

    /// The regular expression of this kind of parameter, without a capturing group; `None` for [`Convertor::Custom`].
    #[must_use]
    pub fn regex(self) -> Option<&'static str> {
        match self {
            Self::Str => Some("[^/]+"),
            Self::Path => Some(".*"),
            Self::Int => Some("[0-9]+"),
            Self::Float => Some(r"[0-9]+(?:\.[0-9]+)?"),
            Self::Uuid => Some("[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"),
            Self::Custom => None,
        }
    }

    /// Whether a value of this kind always lies between two slashes of the path, so that a segment can be judged alone.
    #[must_use]
    pub fn stays_in_segment(self) -> bool {
        !matches!(self, Self::Path | Self::Custom)
    }
}

/// Whether `text` is one or more ASCII digits.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `text` has the shape of a UUID, each hyphen being optional.
fn is_uuid(text: &str) -> bool {
    let mut rest = text.as_bytes();
    for (group, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        match rest.split_at_checked(length) {
            Some((digits, after)) if digits.iter().all(u8::is_ascii_hexdigit) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    const KNOWN: [Convertor; 5] = [Convertor::Str, Convertor::Path, Convertor::Int, Convertor::Float, Convertor::Uuid];

    #[test]
    fn a_value_is_judged_whole() {
        let rows: &[(Convertor, &str, bool)] = &[
            (Convertor::Str, "", false),
            (Convertor::Str, "a\nb", true),
            (Convertor::Str, "a/b", false),
            (Convertor::Str, "ü", true),
            (Convertor::Path, "", true),
            (Convertor::Path, "a/b//", true),
            (Convertor::Path, "a\n", false),
            (Convertor::Int, "007", true),
            (Convertor::Int, "", false),
            (Convertor::Int, "-1", false),
            (Convertor::Int, "1\n", false),
            (Convertor::Int, "\u{661}", false),
            (Convertor::Float, "1", true),
            (Convertor::Float, "1.50", true),
            (Convertor::Float, "1.", false),
            (Convertor::Float, ".5", false),
            (Convertor::Float, "1.2.3", false),
            (Convertor::Float, "1e5", false),
            (Convertor::Uuid, "01234567-89ab-cdef-0123-456789ABCDEF", true),
            (Convertor::Uuid, "0123456789abcdef0123456789abcdef", true),
            (Convertor::Uuid, "01234567-89abcdef0123-456789abcdef", true),
            (Convertor::Uuid, "01234567--89ab-cdef-0123-456789abcdef", false),
            (Convertor::Uuid, "01234567-89ab-cdef-0123-456789abcde", false),
            (Convertor::Uuid, "01234567-89ab-cdef-0123-456789abcdef0", false),
            (Convertor::Uuid, "0123456789abcdef0123456789abcdeg", false),
            (Convertor::Custom, "anything at all", true),
        ];
        for (convertor, text, expected) in rows {
            assert_eq!(convertor.accepts(text), *expected, "{convertor:?} {text:?}");
        }
    }

    const NEARLY: &str = "[0-9a-f./\n-]{0,40}|[0-9A-F]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{11,13}";

    proptest! {
        #[test]
        fn accepting_is_matching_the_whole_regex(text in NEARLY) {
            for convertor in KNOWN {
                let regex = Regex::new(&format!(r"\A(?:{})\z", convertor.regex().unwrap())).unwrap();
                prop_assert_eq!(convertor.accepts(&text), regex.is_match(&text), "{:?}", convertor);
            }
        }
    }
}
