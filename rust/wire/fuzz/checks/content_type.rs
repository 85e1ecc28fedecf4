//! What is JSON has the essence to show for it, and options are found where they were written.

use wire::media_type::{Options, is_json};

/// `data` is a header value.
pub fn check(data: &[u8]) {
    let options = Options::parse(data);
    if is_json(data) && !data.contains(&b'"') {
        let essence = options.essence();
        assert!(essence.windows(12).any(|part| part == b"application/"));
        assert!(essence.windows(4).any(|part| part == b"json"));
    }
    for name in [&b"boundary"[..], b"name", b"filename", b"charset"] {
        if let Some(value) = options.get(name) {
            assert!(name.len() + value.len() <= data.len());
            assert!(data.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name)));
        }
    }
}
