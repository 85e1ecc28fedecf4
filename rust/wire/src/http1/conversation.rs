//! One connection's requests, one after the other, out of its bytes.
//!
//! Nothing is kept here but where the reading is: whoever calls holds the bytes that were not taken, and gives them again with
//! what has come since. A request is read while it is answered; the next one is begun when the answer is complete.

use super::chunks::{Chunk, ChunkReader};
use super::head::{BodyLength, Head, HeadReader, Step, read_whole};
use super::refusal::Refusal;

/// How large requests may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, and of a body's trailers.
    pub head: usize,
    /// Bytes of a body, if it has a limit.
    pub body: Option<u64>,
}

/// What has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// Nothing more than is needed for the next event.
    More,
    /// A request's head. Its body follows, and then its end.
    Request(Box<Head>),
    /// A piece of the body.
    Body(&'b [u8]),
    /// The end of the request.
    End,
    /// The end of the request was before; its answer isn't complete.
    Wait,
    /// No request, or one that can't be gone on with. Nothing more is read.
    Refused(Refusal),
    /// Nothing more is read.
    Over,
}

/// Where the reading is.
#[derive(Clone, Debug)]
enum State {
    /// Before a request, or in its head.
    Head,
    /// In a body with so many bytes left.
    Length(u64),
    Chunks(Box<ChunkReader>),
    /// Behind a request.
    Read,
    Over,
}

/// One connection, as far as it has been read.
#[derive(Clone, Debug)]
pub struct Conversation {
    limits: Limits,
    reader: HeadReader,
    state: State,
    /// Whether the head has begun.
    is_begun: bool,
    /// Bytes of empty lines before the head.
    blank: usize,
    /// Bytes of the body that have come.
    received: u64,
    /// Whether there is no request, or its answer is complete.
    is_answered: bool,
    /// Whether a request's head has come, and not its end.
    is_after_head: bool,
    /// Whether nothing more is read although the client may be sending something.
    is_cut_short: bool,
}

impl Conversation {
    /// A connection that nothing has come by.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            reader: HeadReader::new(limits.head),
            state: State::Head,
            is_begun: false,
            blank: 0,
            received: 0,
            is_answered: true,
            is_after_head: false,
            is_cut_short: false,
        }
    }

    /// Whether a request may begin with the next byte.
    #[must_use]
    pub fn is_between(&self) -> bool {
        match self.state {
            State::Head => !self.is_begun,
            State::Read => self.is_answered,
            _ => false,
        }
    }

    /// Whether a part of a head has come.
    #[must_use]
    pub fn is_in_head(&self) -> bool {
        matches!(self.state, State::Head) && self.is_begun
    }

    /// Whether a request's head has come, and not yet its end.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        matches!(self.state, State::Length(_) | State::Chunks(_))
    }

    /// Whether a request was answered before the end of its body, which has not come.
    #[must_use]
    pub fn is_answered_early(&self) -> bool {
        self.is_answered && self.is_after_head
    }

    /// Whether nothing more is read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether nothing more is read although the client may be sending something: what was refused, or the rest of a body that was
    /// answered with the connection's end. Closing its socket at once could cost it the answer (RFC 9112, section 9.6).
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// The request that `input` is, from its first byte to its last, if one may begin, its body is not longer than `most` and
    /// nothing has to be watched on its way. Otherwise nothing is taken.
    pub fn take_whole(&mut self, input: &[u8], most: u64) -> Option<Head> {
        if !self.is_between() {
            return None;
        }
        let head = read_whole(input, self.limits.head).filter(Head::is_plain)?;
        let length = head.content_length().filter(|&length| length <= most)?;
        let rest = input.len().checked_sub(head.length)?;
        if u64::try_from(rest) != Ok(length) || self.limits.body.is_some_and(|limit| length > limit) {
            return None;
        }
        self.state = State::Read;
        self.is_answered = false;
        Some(head)
    }

    /// Looks at `input`: what was not taken before, and what has come since. Answers how much is taken, and what it is.
    pub fn read<'b>(&mut self, input: &'b [u8]) -> (usize, Event<'b>) {
        if matches!(self.state, State::Read) && self.is_answered {
            self.begin_again();
        }
        match &mut self.state {
            State::Head => self.read_head(input),
            State::Length(0) => (0, self.end()),
            State::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                if length == 0 {
                    return (0, Event::More);
                }
                *left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
                (length, Event::Body(input.get(..length).unwrap_or_default()))
            }
            State::Chunks(chunks) => match chunks.read(input) {
                Ok((used, Chunk::More)) => (used, Event::More),
                Ok((used, Chunk::End)) => (used, self.end()),
                Ok((used, Chunk::Piece(piece))) => {
                    self.received = self.received.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                    if self.limits.body.is_some_and(|limit| self.received > limit) {
                        return (used, self.refuse(Refusal::BodyTooLarge));
                    }
                    (used, Event::Body(piece))
                }
                Err(refusal) => (input.len(), self.refuse(refusal)),
            },
            State::Read => (0, Event::Wait),
            State::Over => (input.len(), Event::Over),
        }
    }

    /// Whether `input`, what was not taken before, has a whole request in it behind the current one. One that asks for another
    /// protocol doesn't count.
    #[must_use]
    pub fn has_request_behind(&self, mut input: &[u8]) -> bool {
        let mut ahead = self.clone();
        ahead.answered(true);
        let mut is_behind = false;
        loop {
            let (used, event) = ahead.read(input);
            input = input.get(used..).unwrap_or_default();
            match event {
                Event::Request(head) if head.upgrade.is_some() => return false,
                Event::Request(_) => is_behind = true,
                Event::End if is_behind => return true,
                Event::Body(_) | Event::End => {}
                Event::More | Event::Wait | Event::Refused(_) | Event::Over => return false,
            }
        }
    }

    /// The answer to the request is complete; `keep_alive` tells whether another one may follow. What is left of the body is still
    /// read.
    pub fn answered(&mut self, keep_alive: bool) {
        self.is_answered = true;
        if !keep_alive {
            self.is_cut_short |= match self.state {
                State::Length(left) => left > 0,
                State::Chunks(_) => true,
                State::Head | State::Read | State::Over => false,
            };
            self.close();
        }
    }

    /// Reads nothing more: the connection closes, or is another protocol's.
    pub fn close(&mut self) {
        self.state = State::Over;
    }

    fn begin_again(&mut self) {
        self.state = State::Head;
        self.is_begun = false;
        self.blank = 0;
        self.received = 0;
    }

    fn end<'b>(&mut self) -> Event<'b> {
        self.is_after_head = false;
        self.state = State::Read;
        Event::End
    }

    fn refuse<'b>(&mut self, refusal: Refusal) -> Event<'b> {
        self.state = State::Over;
        self.is_cut_short = true;
        Event::Refused(refusal)
    }

    fn read_head<'b>(&mut self, input: &'b [u8]) -> (usize, Event<'b>) {
        let mut at = 0_usize;
        if !self.is_begun {
            // Empty lines before a request line are ignored (RFC 9112, section 2.2), but not for ever.
            while let Some([b'\r', b'\n', ..]) = input.get(at..) {
                at = at.saturating_add(2);
            }
            self.blank = self.blank.saturating_add(at);
            if self.blank > self.limits.head {
                return (at, self.refuse(Refusal::HeadTooLarge));
            }
            if matches!(input.get(at..), Some([] | [b'\r'])) {
                return (at, Event::More);
            }
        }
        self.is_begun = true;
        match self.reader.read(input.get(at..).unwrap_or_default()) {
            Step::Partial => (at, Event::More),
            Step::Refused(refusal) => (input.len(), self.refuse(refusal)),
            Step::Complete(head) => {
                at = at.saturating_add(head.length);
                self.state = match head.body {
                    BodyLength::None => State::Length(0),
                    BodyLength::Known(length) if self.limits.body.is_some_and(|limit| length > limit) => {
                        return (at, self.refuse(Refusal::BodyTooLarge));
                    }
                    BodyLength::Known(length) => State::Length(length),
                    BodyLength::Chunked => State::Chunks(Box::new(ChunkReader::new(self.limits.head))),
                };
                self.is_answered = false;
                self.is_after_head = true;
                (at, Event::Request(Box::new(head)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Method;

    const LIMITS: Limits = Limits { head: 200, body: Some(1000) };
    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /// What a connection's bytes say, each request being answered at its end: its method and its body, or what came instead.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Heard {
        requests: Vec<(&'static str, Vec<u8>)>,
        refusal: Option<Refusal>,
        is_complete: bool,
    }

    fn hear(input: &[u8], cuts: &[usize]) -> Heard {
        let mut heard = Heard::default();
        let mut conversation = Conversation::new(LIMITS);
        let (mut held, mut start) = (Vec::new(), 0);
        let mut keep_alive = true;
        for &end in cuts.iter().chain([&input.len()]) {
            held.extend_from_slice(&input[start..end]);
            start = end;
            let mut at = 0;
            loop {
                let (used, event) = conversation.read(&held[at..]);
                at += used;
                match event {
                    Event::More | Event::Over => break,
                    Event::Request(head) => {
                        keep_alive = head.keep_alive;
                        heard.requests.push((head.method.as_str(), Vec::new()));
                        heard.is_complete = false;
                    }
                    Event::Body(piece) => heard.requests.last_mut().unwrap().1.extend_from_slice(piece),
                    Event::End => {
                        heard.is_complete = true;
                        assert_eq!(conversation.read(&held[at..]), (0, Event::Wait));
                        conversation.answered(keep_alive);
                    }
                    Event::Wait => panic!("answered"),
                    Event::Refused(refusal) => heard.refusal = Some(refusal),
                }
            }
            held.drain(..at);
        }
        heard
    }

    fn request(method: &'static str, body: &str) -> (&'static str, Vec<u8>) {
        (method, body.as_bytes().to_vec())
    }

    #[test]
    fn requests_are_read_in_order_however_they_are_cut() {
        let input = b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n\
            POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\
            PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n\r\n\r\n\
            GET / HTTP/1.0\r\n\r\nGET /never HTTP/1.1\r\n";
        let expected = Heard {
            requests: vec![request("GET", ""), request("POST", "hello"), request("PUT", "abcde"), request("GET", "")],
            refusal: None,
            is_complete: true,
        };
        assert_eq!(hear(input, &[]), expected);
        for at in 0..input.len() {
            assert_eq!(hear(input, &[at]), expected, "{at}");
        }
        assert_eq!(hear(input, &(0..input.len()).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn what_is_refused_ends_the_connection() {
        let rows: &[(&str, Refusal)] = &[
            ("get\0", Refusal::Malformed),
            ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", Refusal::NotImplemented),
            ("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", Refusal::NotImplemented),
            ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", Refusal::Version),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", Refusal::BodyTooLarge),
            ("\r\n\r\n\r\n\r\n", Refusal::Malformed),
        ];
        for (input, refusal) in &rows[..5] {
            let both = [GET, input.as_bytes(), GET].concat();
            let heard = hear(&both, &[]);
            assert_eq!((heard.requests.len(), heard.refusal), (1, Some(*refusal)), "{input:?}");
            assert_eq!(hear(&both, &(0..both.len()).collect::<Vec<_>>()), heard, "{input:?}");
        }
        let empty = "\r\n".repeat(101);
        assert_eq!(hear(empty.as_bytes(), &[]).refusal, Some(Refusal::HeadTooLarge));
        let long = format!("GET /{}", "a".repeat(200));
        assert_eq!(hear(long.as_bytes(), &[]).refusal, Some(Refusal::HeadTooLarge));
        let chunks = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            format!("64\r\n{}\r\n", "a".repeat(100)).repeat(11)
        );
        assert_eq!(hear(chunks.as_bytes(), &[]).refusal, Some(Refusal::BodyTooLarge));
    }

    #[test]
    fn nothing_is_read_behind_a_request_before_it_is_answered() {
        let mut conversation = Conversation::new(LIMITS);
        let both = [GET, GET].concat();
        let (used, event) = conversation.read(&both);
        assert!(matches!(event, Event::Request(head) if head.method == Method::Get));
        assert_eq!(conversation.read(&both[used..]), (0, Event::End));
        assert_eq!(conversation.read(&both[used..]), (0, Event::Wait));
        assert!(!conversation.is_between());
        conversation.answered(true);
        assert!(conversation.is_between());
        assert!(matches!(conversation.read(&both[used..]), (length, Event::Request(_)) if length == GET.len()));
        conversation.answered(false);
        assert_eq!(conversation.read(GET), (GET.len(), Event::Over));
    }

    #[test]
    fn whether_a_whole_request_is_behind_is_seen_without_taking_it() {
        let upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        let post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
        let rows: &[(&[u8], bool)] = &[
            (b"", false),
            (b"\r\n", false),
            (&GET[..20], false),
            (GET, true),
            (&[GET, b"x"].concat(), true),
            (post, true),
            (&post[..post.len() - 1], false),
            (b"\0", false),
            (upgrade, false),
        ];
        let bodies: &[(&str, &str)] = &[
            ("", ""),
            ("Content-Length: 5\r\n", "hello"),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ];
        for (behind, expected) in rows {
            for (field, body) in bodies {
                let input = [format!("POST / HTTP/1.1\r\nHost: x\r\n{field}\r\n{body}").as_bytes(), behind].concat();
                let mut conversation = Conversation::new(LIMITS);
                let mut at = 0;
                loop {
                    let (used, event) = conversation.read(&input[at..]);
                    at += used;
                    assert_eq!(conversation.has_request_behind(&input[at..]), *expected, "{field:?} {behind:?}");
                    if matches!(event, Event::Wait) {
                        break;
                    }
                }
                conversation.answered(false);
                assert!(!conversation.has_request_behind(&input[at..]));
            }
        }
    }

    #[test]
    fn an_early_answer_makes_no_request_of_the_body() {
        let mut conversation = Conversation::new(LIMITS);
        let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\n";
        assert!(matches!(conversation.read(head), (_, Event::Request(_))));
        conversation.answered(true);
        assert_eq!(GET.len(), 27);
        assert_eq!(conversation.read(GET), (27, Event::Body(GET)));
        assert_eq!(conversation.read(GET), (0, Event::End));
        assert!(matches!(conversation.read(GET), (27, Event::Request(_))));
    }

    #[test]
    fn a_connection_that_ends_may_be_cut_short() {
        let rows: &[(&str, &str, bool, bool)] = &[
            ("", "", false, false),
            ("Content-Length: 5\r\n", "", false, true),
            ("Content-Length: 5\r\n", "hell", false, true),
            ("Content-Length: 5\r\n", "hello", false, false),
            ("Content-Length: 5\r\n", "hell", true, false),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n", false, true),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", false, false),
        ];
        for (field, body, keep_alive, expected) in rows {
            let mut conversation = Conversation::new(LIMITS);
            let input = format!("POST / HTTP/1.1\r\nHost: x\r\n{field}\r\n{body}");
            let mut at = 0;
            loop {
                let (used, event) = conversation.read(&input.as_bytes()[at..]);
                at += used;
                if matches!(event, Event::More | Event::Wait) {
                    break;
                }
            }
            assert!(!conversation.is_cut_short());
            conversation.answered(*keep_alive);
            assert_eq!(conversation.is_cut_short(), *expected, "{field:?} {body:?}");
        }
        let mut conversation = Conversation::new(LIMITS);
        assert!(matches!(conversation.read(b"\0"), (1, Event::Refused(Refusal::Malformed))));
        assert!(conversation.is_cut_short());
    }

    #[test]
    fn a_whole_request_is_taken_at_once_or_not_at_all() {
        let whole = |input: &[u8]| Conversation::new(LIMITS).take_whole(input, 100).is_some();
        assert!(whole(GET));
        assert!(whole(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"));
        for input in [
            &GET[..20],
            &[GET, b"G"].concat(),
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab",
            b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
            b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ] {
            assert!(!whole(input));
        }
        let mut conversation = Conversation::new(LIMITS);
        assert!(conversation.take_whole(GET, 0).is_some());
        assert!(conversation.take_whole(GET, 0).is_none());
        conversation.answered(true);
        assert!(conversation.take_whole(GET, 0).is_some());
        conversation.answered(true);
        assert_eq!(conversation.read(b"G"), (0, Event::More));
        assert!(conversation.take_whole(GET, 0).is_none());
    }
}
