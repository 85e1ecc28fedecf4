//! A cookie has a name or a value, and neither has blanks around it.

use wire::cookies;

/// `data` is the value of a `Cookie` header.
pub fn check(data: &[u8]) {
    for ((raw_name, raw_value), (name, value)) in cookies::raw_pairs(data).zip(cookies::pairs(data)) {
        assert!(!(raw_name.is_empty() && raw_value.is_empty()));
        assert!(!name.contains(';') && !name.contains('='));
        assert!(!name.starts_with(' ') && !name.ends_with('\t'));
        assert_eq!(cookies::decode(raw_value), value);
        assert!(value.chars().count() <= raw_value.len());
    }
}
