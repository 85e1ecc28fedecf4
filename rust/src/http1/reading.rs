//! What a connection has read and nobody has taken yet.

use wire::http1::{Conversation, Event, Head, Limits, Refusal};

/// The bytes of a connection, on their way from the client to whoever answers.
pub(super) struct Reading {
    pub(super) conversation: Conversation,
    /// Bytes that no event was made of yet, from `at` on.
    held: Vec<u8>,
    at: usize,
    /// What has come of the body of the current request, and was not taken.
    inbox: Vec<u8>,
    /// Whether all of the body has come.
    is_complete: bool,
    /// Whether nobody wants the rest of the body.
    drops_body: bool,
}

/// What has come, as in `wire::http1::Event`.
pub(super) enum Got {
    More,
    /// A head, and the bytes that it was read from.
    Request(Box<Head>, Vec<u8>),
    /// A piece of the body, which is in the inbox now.
    Body,
    End,
    Wait,
    Refused(Refusal),
    Over,
}

impl Reading {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            conversation: Conversation::new(limits),
            held: Vec::new(),
            at: 0,
            inbox: Vec::new(),
            is_complete: false,
            drops_body: false,
        }
    }

    /// The request that `input` is, if that is all there is.
    pub(super) fn take_whole(&mut self, input: &[u8], most: u64) -> Option<Head> {
        let head = if self.has_held() { None } else { self.conversation.take_whole(input, most) };
        if head.is_some() {
            self.is_complete = true;
            self.drops_body = false;
        }
        head
    }

    /// Whether there are bytes that no event was made of yet.
    pub(super) fn has_held(&self) -> bool {
        self.at < self.held.len()
    }

    /// So many bytes there are.
    pub(super) fn held(&self) -> usize {
        self.held.len().saturating_sub(self.at)
    }

    /// Keeps bytes that have come.
    pub(super) fn hold(&mut self, fresh: &mut &[u8]) {
        if self.at > 0 && self.at.saturating_mul(2) >= self.held.len() {
            self.held.drain(..self.at);
            self.at = 0;
        }
        self.held.extend_from_slice(fresh);
        *fresh = &[];
    }

    /// Whether a whole request is among the bytes that are held.
    pub(super) fn has_request_behind(&self) -> bool {
        self.conversation.has_request_behind(self.held.get(self.at..).unwrap_or_default())
    }

    /// The bytes that are held, and not any more.
    pub(super) fn take_held(&mut self) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.held);
        held.drain(..std::mem::take(&mut self.at));
        held
    }

    /// What comes next, out of what is held and then of what is `fresh`, of which nothing is left unless there is more to come.
    pub(super) fn next(&mut self, fresh: &mut &[u8]) -> Got {
        if !fresh.is_empty() && (self.has_held() || !self.conversation.is_in_body()) {
            self.hold(fresh);
        }
        let is_held = self.has_held();
        let input = if is_held { self.held.get(self.at..).unwrap_or_default() } else { *fresh };
        let (used, event) = self.conversation.read(input);
        let got = match event {
            Event::Request(head) => {
                let start = used.saturating_sub(head.length);
                let bytes = input.get(start..used).unwrap_or_default().to_vec();
                self.inbox = Vec::new();
                self.is_complete = false;
                self.drops_body = false;
                Got::Request(head, bytes)
            }
            Event::Body(piece) => {
                if !self.drops_body {
                    self.inbox.extend_from_slice(piece);
                }
                Got::Body
            }
            Event::End => {
                self.is_complete = true;
                Got::End
            }
            Event::More => Got::More,
            Event::Wait => Got::Wait,
            Event::Refused(refusal) => Got::Refused(refusal),
            Event::Over => Got::Over,
        };
        if is_held {
            self.at = self.at.saturating_add(used);
            if !self.has_held() {
                self.held = Vec::new();
                self.at = 0;
            }
        } else {
            *fresh = fresh.get(used..).unwrap_or_default();
        }
        got
    }

    /// How much of the body nobody has taken.
    pub(super) fn waiting(&self) -> usize {
        self.inbox.len()
    }

    /// What has come of the body since it was asked last, and whether that is the last of it.
    pub(super) fn take_body(&mut self) -> (Vec<u8>, bool) {
        (std::mem::take(&mut self.inbox), self.is_complete)
    }

    /// Puts the whole body of the current request there.
    pub(super) fn put_body(&mut self, body: &[u8]) {
        self.inbox = body.to_vec();
    }

    /// The current request is answered: nobody wants its body.
    pub(super) fn answered(&mut self, keep_alive: bool) {
        if !keep_alive {
            self.drop_body(); // what has come is not on its way any more
        }
        self.conversation.answered(keep_alive);
        self.inbox = Vec::new();
        self.drops_body = true;
    }

    /// Drops what is held of the current request's body.
    fn drop_body(&mut self) {
        loop {
            let (used, event) = self.conversation.read(self.held.get(self.at..).unwrap_or_default());
            self.at = self.at.saturating_add(used);
            if !matches!(event, Event::Body(_)) {
                return;
            }
        }
    }

    /// Reads nothing more, and forgets what has been read.
    pub(super) fn close(&mut self) {
        self.conversation.close();
        self.held = Vec::new();
        self.at = 0;
        self.inbox = Vec::new();
    }
}
