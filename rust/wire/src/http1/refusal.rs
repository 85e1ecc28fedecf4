//! Why a request is refused, and the answer to it.

/// Why a request is refused. The connection ends with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is no HTTP, or can be understood in more than one way.
    Malformed,
    /// It was begun and not completed in time.
    TooSlow,
    /// Its body is larger than allowed.
    BodyTooLarge,
    /// Its head or its trailers are larger than allowed.
    HeadTooLarge,
    /// Its method or its transfer coding is not known.
    NotImplemented,
    /// It is in another version of HTTP.
    Version,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::TooSlow => 408,
            Self::BodyTooLarge => 413,
            Self::HeadTooLarge => 431,
            Self::NotImplemented => 501,
            Self::Version => 505,
        }
    }

    /// The answer's body; for the log, too.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Malformed => "Invalid HTTP request received.",
            Self::TooSlow => "Request took too long to arrive.",
            Self::BodyTooLarge => "Request body too large.",
            Self::HeadTooLarge => "Request header fields too large.",
            Self::NotImplemented => "Request method or transfer coding not implemented.",
            Self::Version => "HTTP version not supported.",
        }
    }
}
