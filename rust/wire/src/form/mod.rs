//! HTML forms, parsed while they arrive.
//!
//! Both parsers take a body in pieces of any size, decide the same however it is cut, hold no more than one unfinished
//! field beside what they have found, and take time linear in the body. Their limits and the sentences of their errors
//! are Starlette's, because a client sees them.

pub mod multipart;
pub mod urlencoded;

use thiserror::Error;

/// How much a form may hold. A limit is the largest number that is still allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Parts of a multipart form that have a file name.
    pub max_files: u64,
    /// All other fields.
    pub max_fields: u64,
    /// Bytes of one field that is not a file; names count in urlencoded forms.
    pub max_part_size: u64,
}

impl Default for Limits {
    /// Starlette's: 1,000 files, 1,000 fields, 1 MiB for a field.
    fn default() -> Self {
        Self { max_files: 1000, max_fields: 1000, max_part_size: 1024 * 1024 }
    }
}

/// Why a form is refused. The text is what the client gets to see, with status 400.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// More fields than allowed.
    #[error("Too many fields. Maximum number of fields is {0}.")]
    TooManyFields(u64),
    /// More files than allowed.
    #[error("Too many files. Maximum number of files is {0}.")]
    TooManyFiles(u64),
    /// A field of an urlencoded form is too large; the limit is in bytes.
    #[error("Field exceeded maximum size of {}KB.", .0 / 1024)]
    FieldTooLarge(u64),
    /// A field of a multipart form is too large; the limit is in bytes.
    #[error("Part exceeded maximum size of {}KB.", .0 / 1024)]
    PartTooLarge(u64),
    /// The content type of a multipart form names no boundary.
    #[error("Missing boundary in multipart.")]
    MissingBoundary,
    /// A part of a multipart form has no name.
    #[error("The Content-Disposition header field \"name\" must be provided.")]
    MissingName,
    /// The body is not a multipart form.
    #[error("Invalid multipart data.")]
    InvalidMultipart,
}
