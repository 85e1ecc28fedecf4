//! What a look-up answers.

use smallvec::SmallVec;

/// A byte range of the path: from the first offset up to, not including, the second.
pub type Span = (u32, u32);

/// A registered pattern that matches the path, or that may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The pattern's registration index: 0 for the first that was inserted.
    pub index: u32,
    /// Whether the pattern is known to match, with these captures. Otherwise the route itself has to be asked.
    pub exact: bool,
    /// The part of the path that each parameter stands for, in template order. A
    /// [`Pattern::Prefix`](super::Pattern::Prefix) has one more, for what follows the slash after the prefix. Empty for
    /// a pattern that can't be seen into.
    pub captures: SmallVec<[Span; 4]>,
}

/// What a look-up finds; hardly ever more than one.
pub type Candidates = SmallVec<[Candidate; 1]>;

/// The span of `part`, which must be a slice of `path`.
///
/// Both are at most `u32::MAX` bytes long; a look-up refuses longer paths.
pub(super) fn span_of(path: &str, part: &str) -> Span {
    let start = part.as_ptr().addr().saturating_sub(path.as_ptr().addr());
    span(start, start.saturating_add(part.len()))
}

/// A span from byte offsets.
pub(super) fn span(start: usize, end: usize) -> Span {
    let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    (narrow(start), narrow(end))
}
