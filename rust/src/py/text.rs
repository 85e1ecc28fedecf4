//! Text objects, most of which are short and ASCII.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// `text` as an object. As `PyString::new`, which has Python decode what is known to be ASCII.
pub(crate) fn text<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    if text.is_ascii() { one_byte_each(py, text.as_bytes(), 0x7f) } else { PyString::new(py, text) }
}

/// Latin-1 text, which has a character for each byte.
pub(crate) fn latin1<'py>(py: Python<'py>, raw: &[u8]) -> Bound<'py, PyString> {
    one_byte_each(py, raw, if raw.is_ascii() { 0x7f } else { 0xff })
}

/// The same, if it is known which `largest` character to expect: U+007F or U+00FF.
fn one_byte_each<'py>(py: Python<'py>, raw: &[u8], largest: ffi::Py_UCS4) -> Bound<'py, PyString> {
    let other_way = || PyString::new(py, &wire::latin1::decode(raw));
    let Ok(length) = ffi::Py_ssize_t::try_from(raw.len()) else { return other_way() };
    // SAFETY: we are attached. `PyUnicode_New` gives a text object of so many characters with a byte for each, which are ours to
    // write, once, since nobody else knows of it (but for the empty one, of which nothing is written); or null, and then the other
    // way says what is wrong.
    unsafe {
        let Ok(object) = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(length, largest)) else {
            return other_way();
        };
        std::ptr::copy_nonoverlapping(raw.as_ptr(), ffi::PyUnicode_1BYTE_DATA(object.as_ptr()), raw.len());
        object.cast_into_unchecked()
    }
}
