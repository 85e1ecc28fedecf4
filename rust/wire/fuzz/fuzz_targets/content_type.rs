//! What is JSON has the essence to show for it, and options are found where they were written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::media_type::{Options, is_json};

fuzz_target!(|data: &[u8]| {
    let options = Options::parse(data);
    if is_json(data) && !data.contains(&b'"') {
        let essence = options.essence();
        assert!(essence.windows(12).any(|part| part == b"application/"));
        assert!(essence.windows(4).any(|part| part == b"json"));
    }
    if let Some(value) = options.get(b"boundary") {
        assert!(value.len() < data.len());
    }
});
