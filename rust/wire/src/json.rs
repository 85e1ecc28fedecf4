//! What can be told of JSON text without parsing it.

/// Digits from which on an integer may be beyond what a float holds (`f64::MAX` has 309).
const LONG: usize = 309;

/// Whether `text` has a number of so many digits that parsers disagree about it.
///
/// Python makes an integer of any digits, which then may not fit into a float, or refuses more than 4,300 of them; JSON parsers
/// elsewhere make infinity of both. A run of digits as long as that is found by looking at one byte in so many.
pub fn has_long_number(text: &[u8]) -> bool {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    (LONG.saturating_sub(1)..text.len()).step_by(LONG).any(|at| {
        let (before, after) = text.split_at(at);
        let behind = after.iter().take_while(is_digit).count();
        behind > 0 && behind.saturating_add(before.iter().rev().take_while(is_digit).count()) >= LONG
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_wherever_they_are() {
        for length in [0, 1, 308, 309, 310, 617, 618, 619, 5_000] {
            for before in [0, 1, 200, 307, 308, 309, 310, 400, 618] {
                for after in [0, 1, 308, 309, 700] {
                    let text = [vec![b'x'; before], vec![b'7'; length], vec![b' '; after]].concat();
                    assert_eq!(has_long_number(&text), length >= LONG, "{before} {length} {after}");
                }
            }
        }
    }

    #[test]
    fn several_short_runs_are_no_long_one() {
        let text = [vec![b'1'; 308], vec![b','], vec![b'2'; 308], vec![b'.'], vec![b'3'; 308]].concat();
        assert!(!has_long_number(&text));
    }
}
