//! JSON for plain values: what `jsonable_encoder` and `json.dumps` would give for `None`, booleans, integers, finite floats,
//! strings, and lists, tuples and string-keyed dictionaries of these.
//!
//! Only the exact types count: a subclass may mean something else (an enum, a named tuple). For anything else, and for what the
//! standard library refuses (NaN, a lone surrogate), the answer is None and Python decides.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::py;

/// Containers inside containers that are encoded here; deeper values are left to Python, which knows its own stack.
const MAX_DEPTH: usize = 64;

/// The JSON text of `value`, or None if it isn't made of plain values or gets longer than `max_bytes`.
///
/// Without `whole`, what `jsonable_encoder` leaves out is left out.
#[pyfunction]
#[pyo3(signature = (value, max_bytes=None, whole=false))]
pub(crate) fn encode_json<'py>(
    value: &Bound<'py, PyAny>,
    max_bytes: Option<usize>,
    whole: bool,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let mut out = Vec::with_capacity(128);
    let room = Room { depth: MAX_DEPTH, bytes: max_bytes.unwrap_or(usize::MAX), whole, floats: true };
    let done = encode(value, &mut out, room)? && out.len() <= room.bytes;
    Ok(if done { Some(PyBytes::new(value.py(), &out)) } else { None })
}

/// As `encode_json` without a limit, and what `jsonable_encoder` leaves out left out.
pub(crate) fn encode_plain(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    let mut out = Vec::with_capacity(128);
    let room = Room { depth: MAX_DEPTH, bytes: usize::MAX, whole: false, floats: true };
    Ok(if encode(value, &mut out, room)? { Some(out) } else { None })
}

/// What `jsonable_encoder` makes of a value: plain values, lists and dictionaries.
///
/// `encode` is asked for what isn't a plain value, a list, a tuple or a dictionary.
#[pyfunction]
pub(crate) fn to_jsonable<'py>(value: &Bound<'py, PyAny>, encode: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    jsonable(value, encode, MAX_DEPTH)
}

fn jsonable<'py>(value: &Bound<'py, PyAny>, encode: &Bound<'py, PyAny>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if is_plain(value) {
        return Ok(value.clone());
    }
    let Some(depth) = depth.checked_sub(1) else { return encode.call1((value,)) };
    if let Ok(mapping) = value.cast_exact::<PyDict>() {
        let made = PyDict::new(py);
        for (key, value) in py::items(mapping) {
            if key.cast::<PyString>().is_ok_and(|key| key.to_str().is_ok_and(|key| key.starts_with("_sa"))) {
                continue;
            }
            let key = if is_plain(&key) { key } else { encode.call1((key,))? };
            made.set_item(key, jsonable(&value, encode, depth)?)?;
        }
        return Ok(made.into_any());
    }
    let made = PyList::empty(py);
    if let Ok(list) = value.cast_exact::<PyList>() {
        for item in list.iter() {
            made.append(jsonable(&item, encode, depth)?)?;
        }
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        for item in tuple.iter() {
            made.append(jsonable(&item, encode, depth)?)?;
        }
    } else {
        return encode.call1((value,));
    }
    Ok(made.into_any())
}

/// Whether `jsonable_encoder` returns a value as it is, by its exact type.
fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
}

/// How much deeper and how long the text may get, whether nothing is left out, and whether there may be floats. The length is looked at between the items of
/// containers.
#[derive(Clone, Copy)]
pub(super) struct Room {
    depth: usize,
    bytes: usize,
    whole: bool,
    floats: bool,
}

impl Room {
    /// Room for everything.
    pub(super) const WHOLE: Self = Self { depth: MAX_DEPTH, bytes: usize::MAX, whole: true, floats: true };

    /// Room for everything but floats.
    pub(super) const WITHOUT_FLOATS: Self = Self { depth: MAX_DEPTH, bytes: usize::MAX, whole: true, floats: false };

    /// The room inside of a container, if there is any.
    fn inside(self) -> Option<Self> {
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }
}

/// Appends `value`; answers whether it could.
pub(super) fn encode(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, room: Room) -> PyResult<bool> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return Ok(encode_text(text, out));
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(flag) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        return encode_int(number, out);
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        return if room.floats { encode_float(number, out) } else { Ok(false) };
    } else {
        return room.inside().map_or(Ok(false), |room| encode_container(value, out, room));
    }
    Ok(true)
}

fn encode_container(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, room: Room) -> PyResult<bool> {
    if let Ok(mapping) = value.cast_exact::<PyDict>() {
        encode_dict(mapping, out, room)
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        encode_items(list.iter(), out, room)
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        encode_items(tuple.iter(), out, room)
    } else {
        Ok(false)
    }
}

fn encode_int(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<bool> {
    let Ok(small) = number.extract::<i64>() else { return Ok(false) };
    out.extend_from_slice(itoa::Buffer::new().format(small).as_bytes());
    Ok(true)
}

fn encode_float(number: &Bound<'_, PyFloat>, out: &mut Vec<u8>) -> PyResult<bool> {
    if !number.value().is_finite() {
        return Ok(false);
    }
    // Python's shortest repr is its own ("1e+16", "1.0"); asking is exact.
    let text = number.repr()?;
    out.extend_from_slice(text.to_str()?.as_bytes());
    Ok(true)
}

fn encode_items<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, out: &mut Vec<u8>, room: Room) -> PyResult<bool> {
    out.push(b'[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if out.len() > room.bytes || !encode(&item, out, room)? {
            return Ok(false);
        }
    }
    out.push(b']');
    Ok(true)
}

fn encode_dict(mapping: &Bound<'_, PyDict>, out: &mut Vec<u8>, room: Room) -> PyResult<bool> {
    out.push(b'{');
    let mut first = true;
    for (key, value) in py::items(mapping) {
        let Ok(key) = key.cast_exact::<PyString>() else { return Ok(false) };
        let Ok(text) = key.to_str() else { return Ok(false) };
        if !room.whole && text.starts_with("_sa") {
            continue; // SQLAlchemy's state, which `jsonable_encoder` leaves out
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        escape(text, out);
        out.push(b':');
        if out.len() > room.bytes || !encode(&value, out, room)? {
            return Ok(false);
        }
    }
    out.push(b'}');
    Ok(true)
}

fn encode_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> bool {
    let Ok(text) = text.to_str() else { return false };
    escape(text, out);
    true
}

/// Appends a JSON string. Everything but quotes, backslashes and control characters stands for itself.
fn escape(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(position) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, after) = rest.split_at(position);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = after.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
