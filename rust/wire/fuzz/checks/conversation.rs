//! However a connection's bytes are cut, and whenever its requests are answered, the same requests come of them, and nothing of one
//! becomes another.

use wire::http1::{BodyLength, Conversation, Event, Limits, Refusal};

const LIMITS: Limits = Limits { head: 4096, body: Some(4096) };

/// What was heard: requests with their heads' lengths and their bodies, and a refusal at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    requests: Vec<Request>,
    refusal: Option<Refusal>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    head: usize,
    body: Vec<u8>,
    is_complete: bool,
}

/// When a request is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    End,
    Head,
    FirstPiece,
}

/// How bytes come, and how requests are answered.
#[derive(Clone, Copy)]
struct Course {
    /// The sizes of pieces, in turns; all that is left for a 0.
    sizes: [usize; 2],
    /// When requests are answered, in turns.
    moments: [Moment; 4],
    /// The number of the request that is answered with the connection's end, if there is one.
    last: Option<usize>,
}

impl Course {
    /// All at once, and each request answered at its end.
    const PLAIN: Self = Self { sizes: [0; 2], moments: [Moment::End; 4], last: None };

    /// What three bytes say.
    fn of(choices: [u8; 3]) -> Self {
        let [size, other, answers] = choices;
        let moments = [0, 1, 2, 3].map(|turn| match (answers >> (turn * 2)) & 3 {
            1 => Moment::Head,
            2 => Moment::FirstPiece,
            _ => Moment::End,
        });
        let last = (answers & 3 == 3).then_some(usize::from(answers >> 4));
        Self { sizes: [usize::from(size), usize::from(other)], moments, last }
    }
}

/// Reads `data` as `course` says. Answers what was heard, and the number of the request that ended the connection before its own end.
fn hear(data: &[u8], course: &Course) -> (Heard, Option<usize>) {
    let mut heard = Heard::default();
    let mut cut_short = None;
    let mut conversation = Conversation::new(LIMITS);
    let (mut start, mut end) = (0, 0);
    let (mut keep_alive, mut is_answered, mut length) = (true, true, BodyLength::None);
    for size in course.sizes.iter().cycle() {
        end = if *size == 0 { data.len() } else { data.len().min(end + size) };
        loop {
            let (used, event) = conversation.read(&data[start..end]);
            start += used;
            let number = heard.requests.len();
            let moment = match event {
                Event::More | Event::Over => break,
                Event::Request(head) => {
                    assert!(heard.refusal.is_none() && is_answered && keep_alive);
                    keep_alive = head.keep_alive && Some(number) != course.last;
                    is_answered = false;
                    length = head.body;
                    heard.requests.push(Request { head: head.length, ..Request::default() });
                    Moment::Head
                }
                Event::Body(piece) => {
                    let request = heard.requests.last_mut().unwrap();
                    assert!(!request.is_complete && !piece.is_empty());
                    request.body.extend_from_slice(piece);
                    Moment::FirstPiece
                }
                Event::End => {
                    heard.requests.last_mut().unwrap().is_complete = true;
                    if !is_answered {
                        assert_eq!(conversation.read(&data[start..end]), (0, Event::Wait));
                    }
                    Moment::End
                }
                Event::Wait => panic!("answered"),
                Event::Refused(refusal) => {
                    assert!(heard.refusal.replace(refusal).is_none() && conversation.is_cut_short());
                    continue;
                }
            };
            let number = heard.requests.len() - 1;
            if is_answered || !(moment == Moment::End || moment == course.moments[number % 4]) {
                continue;
            }
            is_answered = true;
            conversation.answered(keep_alive);
            let request = &heard.requests[number];
            let is_missing = match length {
                BodyLength::None => false,
                BodyLength::Known(length) => u64::try_from(request.body.len()).unwrap() < length,
                BodyLength::Chunked => !request.is_complete,
            };
            assert_eq!(conversation.is_cut_short(), !keep_alive && is_missing);
            if !keep_alive && !request.is_complete {
                cut_short = Some(number);
            }
        }
        assert!(end - start <= LIMITS.head);
        if end == data.len() {
            break;
        }
    }
    (heard, cut_short)
}

/// `data` is three bytes that choose a course, and all that comes by a connection.
pub fn check(data: &[u8]) {
    let Some((choices, data)) = data.split_first_chunk::<3>() else { return };
    compare(data, &hear(data, &Course::PLAIN).0, &Course::of(*choices));
}

/// `data` is all that comes by a connection; it comes in many ways.
pub fn check_many_ways(data: &[u8]) {
    let (whole, _) = hear(data, &Course::PLAIN);
    for size in [0, 1, 2, 3, 7] {
        for moment in [Moment::End, Moment::Head, Moment::FirstPiece] {
            for last in [Some(0), Some(1), None] {
                compare(data, &whole, &Course { sizes: [size; 2], moments: [moment; 4], last });
            }
        }
    }
}

/// What is heard in another course is what is heard at once, up to where that course ends the connection.
fn compare(data: &[u8], whole: &Heard, course: &Course) {
    let (heard, cut_short) = hear(data, course);
    let count = heard.requests.len();
    if let Some(number) = cut_short {
        assert!(number + 1 == count && heard.refusal.is_none());
        let (own, other) = (&heard.requests[number], &whole.requests[number]);
        assert!(own.head == other.head && other.body.starts_with(&own.body));
        assert_eq!(heard.requests[..number], whole.requests[..number]);
    } else if course.last.is_some_and(|last| last + 1 == count) {
        assert!(heard.refusal.is_none() || heard.requests.last().is_some_and(|request| !request.is_complete));
        assert_eq!(heard.requests, whole.requests[..count]);
    } else {
        assert_eq!(heard, *whole);
    }
    let taken: usize = whole.requests.iter().map(|request| request.head + request.body.len()).sum();
    assert!(taken <= data.len());
    let mut conversation = Conversation::new(LIMITS);
    if let Some(head) = conversation.take_whole(data, 4096) {
        let request = Request { head: head.length, body: data[head.length..].to_vec(), is_complete: true };
        assert_eq!(*whole, Heard { requests: vec![request], refusal: None });
    }
}
