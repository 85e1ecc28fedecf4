//! The segment tree and the walk through it.

use std::collections::HashMap;

use memchr::{memchr, memrchr};
use smallvec::SmallVec;

use super::found::{Candidate, Candidates, Span, span_of};
use super::tail::Tail;
use crate::path::Convertor;

/// What can follow one sequence of plain segments.
///
/// Nodes live in one list and name each other by position, so that neither building, walking nor dropping a tree
/// recurses.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Children by literal text. The keys are the application's; the hasher is keyed nevertheless.
    pub(super) statics: HashMap<Box<str>, usize, ahash::RandomState>,
    /// Children by kind of parameter; the names don't matter to a match.
    pub(super) parameters: SmallVec<[(Convertor, usize); 1]>,
    /// Routes that end here.
    pub(super) ends: Vec<u32>,
    /// Routes whose last segment, after this, is `{x:path}`.
    pub(super) paths: Vec<u32>,
    /// Prefixes that end here.
    pub(super) prefixes: Vec<u32>,
    /// Patterns whose further segments only a regular expression can judge.
    pub(super) tails: Vec<Tail>,
}

/// The finished index. Look-ups need no lock and change nothing.
#[derive(Debug)]
pub struct Router {
    /// The tree; its root, which stands for no segment at all, comes first.
    pub(super) nodes: Vec<Node>,
    /// Patterns that are candidates for every path.
    pub(super) anywhere: Vec<u32>,
    /// The candidates for paths that a template spells out: most requests are for one of those.
    pub(super) spelt: HashMap<Box<str>, Candidates, ahash::RandomState>,
}

/// A node still to be looked at.
struct Visit<'p> {
    node: usize,
    /// What is left of the path: nothing, or a slash and the next segment.
    rest: &'p str,
    /// How many captures belong to the way from the root to the node's parent.
    kept: usize,
    /// What the last segment of that way captured.
    capture: Option<Span>,
}

impl Default for Router {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], anywhere: Vec::new(), spelt: HashMap::default() }
    }
}

impl Router {
    /// All patterns that match `path` or may match it, in the order of registration, if that is remembered: what
    /// [`Router::candidates`] finds.
    #[must_use]
    pub fn remembered(&self, path: &str) -> Option<&[Candidate]> {
        self.spelt.get(path).map(SmallVec::as_slice)
    }

    /// Replaces the content of `out` by all patterns that match `path` or may match it, in the order of registration.
    ///
    /// `path` is the decoded path, without the query. One that doesn't begin with a slash, or is longer than `u32::MAX`
    /// bytes, is matched by [`Pattern::Any`](super::Pattern::Any) alone.
    pub fn candidates(&self, path: &str, out: &mut Candidates) {
        out.clear();
        out.extend(self.anywhere.iter().map(|&index| Candidate { index, exact: false, captures: SmallVec::new() }));
        if path.starts_with('/') && u32::try_from(path.len()).is_ok() {
            self.walk(path, out);
        }
        if out.len() > 1 {
            out.sort_unstable_by_key(|candidate| candidate.index);
        }
    }

    /// Visits every node that a beginning of `path` leads to. Each node is visited at most once, since its depth is the
    /// number of segments before it.
    fn walk(&self, path: &str, out: &mut Candidates) {
        let mut captures: SmallVec<[Span; 4]> = SmallVec::new();
        let mut pending: SmallVec<[Visit<'_>; 8]> = SmallVec::new();
        pending.push(Visit { node: 0, rest: path, kept: 0, capture: None });
        while let Some(visit) = pending.pop() {
            captures.truncate(visit.kept);
            captures.extend(visit.capture);
            let Some(node) = self.nodes.get(visit.node) else { continue };
            let Some(after_slash) = visit.rest.strip_prefix('/') else {
                out.extend(node.ends.iter().map(|&index| Candidate { index, exact: true, captures: captures.clone() }));
                continue;
            };
            node.open_ends(path, visit.rest, after_slash, &captures, out);
            let end = memchr(b'/', after_slash.as_bytes()).unwrap_or(after_slash.len());
            if let Some((segment, rest)) = after_slash.split_at_checked(end) {
                let kept = captures.len();
                node.children(segment, rest, |child, value| {
                    let capture = value.map(|value| span_of(path, value));
                    pending.push(Visit { node: child, rest, kept, capture });
                });
            }
        }
    }
}

impl Node {
    /// Adds the patterns of this node that take all of `rest`, which is a slash and `after_slash`.
    fn open_ends(&self, path: &str, rest: &str, after_slash: &str, captures: &[Span], out: &mut Candidates) {
        if !(self.paths.is_empty() && self.prefixes.is_empty())
            && let Some(line) = one_line(after_slash)
        {
            let mut captures = SmallVec::from_slice(captures);
            captures.push(span_of(path, line));
            let both = self.paths.iter().chain(&self.prefixes);
            out.extend(both.map(|&index| Candidate { index, exact: true, captures: captures.clone() }));
        }
        for tail in &self.tails {
            let offset = path.len().saturating_sub(rest.len());
            let mut captures = SmallVec::from_slice(captures);
            if tail.matches(rest, offset, &mut captures) {
                if !tail.captures() {
                    captures.clear();
                }
                out.push(Candidate { index: tail.index, exact: tail.exact, captures });
            }
        }
    }

    /// Calls `each` with every child that `segment` leads to, and with the value if the child is a parameter. `rest` is
    /// what follows the segment in the path: at the end of it a last newline of the segment may be left out.
    fn children<'p>(&self, segment: &'p str, rest: &str, mut each: impl FnMut(usize, Option<&'p str>)) {
        let shorter = if rest.is_empty() { segment.strip_suffix('\n') } else { None };
        if !self.statics.is_empty() {
            for text in std::iter::once(segment).chain(shorter) {
                if let Some(&child) = self.statics.get(text) {
                    each(child, None);
                }
            }
        }
        for &(convertor, child) in &self.parameters {
            let value = std::iter::once(segment).chain(shorter).find(|text| convertor.accepts(text));
            if value.is_some() {
                each(child, value);
            }
        }
    }
}

/// What Python's `(.*)$` captures when it has to match all of `text`: nothing if a newline is anywhere but at the very
/// end.
fn one_line(text: &str) -> Option<&str> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    memrchr(b'\n', line.as_bytes()).is_none().then_some(line)
}
