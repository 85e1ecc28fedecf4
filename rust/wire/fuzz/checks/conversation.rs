//! However a connection's bytes are cut, the same requests come of them, and nothing of one becomes another.

use wire::http1::{Conversation, Event, Limits, Refusal};

const LIMITS: Limits = Limits { head: 4096, body: Some(4096) };

/// What was heard: requests with their heads' lengths and their bodies, and a refusal at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    requests: Vec<(usize, Vec<u8>, bool)>,
    refusal: Option<Refusal>,
}

/// `data` in pieces of `size` bytes. Every request is answered at its end, or at its head if `is_early`.
fn hear(data: &[u8], size: usize, is_early: bool) -> Heard {
    let mut heard = Heard::default();
    let mut conversation = Conversation::new(LIMITS);
    let (mut held, mut keep_alive) = (Vec::new(), true);
    for piece in data.chunks(size.max(1)) {
        held.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let (used, event) = conversation.read(&held[at..]);
            at += used;
            match event {
                Event::More | Event::Over => break,
                Event::Request(head) => {
                    assert!(heard.refusal.is_none());
                    keep_alive = head.keep_alive;
                    heard.requests.push((head.length, Vec::new(), false));
                    if is_early && keep_alive {
                        conversation.answered(true);
                    }
                }
                Event::Body(piece) => {
                    let (_, body, is_complete) = heard.requests.last_mut().unwrap();
                    assert!(!*is_complete && !piece.is_empty());
                    body.extend_from_slice(piece);
                }
                Event::End => {
                    heard.requests.last_mut().unwrap().2 = true;
                    if !(is_early && keep_alive) {
                        assert_eq!(conversation.read(&held[at..]), (0, Event::Wait));
                        conversation.answered(keep_alive);
                    }
                }
                Event::Wait => panic!("answered"),
                Event::Refused(refusal) => {
                    assert!(heard.refusal.replace(refusal).is_none());
                }
            }
        }
        held.drain(..at);
        assert!(held.len() <= LIMITS.head + size);
    }
    heard
}

/// `data` is all that comes by a connection.
pub fn check(data: &[u8]) {
    let whole = hear(data, data.len(), false);
    for size in [1, 2, 3, 7] {
        assert_eq!(hear(data, size, false), whole);
    }
    assert_eq!(hear(data, data.len(), true), whole);
    let taken: usize = whole.requests.iter().map(|(head, body, _)| head + body.len()).sum();
    assert!(taken <= data.len());
    let mut conversation = Conversation::new(LIMITS);
    if let Some(head) = conversation.take_whole(data, 4096) {
        let expected = Heard { requests: vec![(head.length, data[head.length..].to_vec(), true)], refusal: None };
        assert_eq!(whole, expected);
    }
}
