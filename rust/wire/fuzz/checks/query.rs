//! Raw and decoded pairs agree, and the count is an upper bound.

use wire::query;

/// `data` is what follows a question mark.
pub fn check(data: &[u8]) {
    let pairs: Vec<_> = query::pairs(data).collect();
    assert!(pairs.len() <= query::count(data));
    for ((raw_name, raw_value), (name, value)) in query::raw_pairs(data).zip(&pairs) {
        assert!(query::is_named(raw_name, name));
        assert_eq!(query::decode(raw_value), *value);
        assert!(value.len() <= raw_value.len().saturating_mul(2));
    }
    assert!(wire::path::percent_decode(data).len() <= data.len().saturating_mul(2));
}
