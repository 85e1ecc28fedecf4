//! `Transport`: where a request's parts come from, and how its response is sent.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use super::asgi::AsgiTransport;
use super::given::GivenTransport;
use super::layers::{Delivery, Rest, deliver};
use super::reply::Body;
use super::sink::Sink;
use crate::http1::{Connection, Destination, InFlightRequest, RequestHead, Site};
use crate::py;
use crate::request::reader::{Groups, Reader};

/// What a request came in by.
pub(crate) enum Transport {
    Http(HttpTransport),
    Asgi(AsgiTransport),
    Given(GivenTransport),
}

/// The headers of a response.
pub(crate) enum Headers<'h, 'py> {
    /// The body's length and this content type, and nothing else.
    ContentType(&'h [u8]),
    /// Pairs of bytes, which were checked.
    Pairs(Bound<'py, PyList>),
}

/// A request that the HTTP/1.1 transport has read.
pub(crate) struct HttpTransport {
    pub(crate) in_flight: Py<InFlightRequest>,
    pub(crate) destination: Destination,
    pub(crate) content: Content,
}

/// The body of a request that the HTTP/1.1 transport has read.
pub(crate) enum Content {
    Empty,
    Whole(Py<PyBytes>),
    /// The client left before it was complete.
    Lost,
}

impl Transport {
    /// The object that makes exchanges, and guards what is done in Python.
    pub(super) fn layer<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Http(transport) => Ok(transport.in_flight.get().protocol(py)),
            Self::Asgi(transport) => Ok(transport.layer(py)),
            Self::Given(transport) => Ok(transport.layer(py)),
        }
    }

    /// The request as Python knows it.
    pub(super) fn exchange<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let layer = self.layer(py)?;
        match self {
            Self::Http(transport) => {
                let Destination { site, target, params, roots } = &transport.destination;
                let params = params.to_dict(py)?;
                let content = match &transport.content {
                    Content::Empty => Some(PyBytes::new(py, b"")),
                    Content::Whole(bytes) => Some(bytes.bind(py).clone()),
                    Content::Lost => None,
                };
                let roots = roots.as_ref().map(|roots| (&roots.0, &roots.1));
                let parts = (
                    &transport.in_flight,
                    transport.head().clone(),
                    site.get().owner(),
                    target,
                    params,
                    content,
                    roots,
                );
                layer.call_method1(intern!(py, "exchange"), parts)
            }
            Self::Asgi(transport) => transport.exchange(py, &layer),
            Self::Given(transport) => Ok(transport.exchange(py)),
        }
    }

    /// The application's exception handlers, by class and by status.
    pub(super) fn handlers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Http(transport) => Ok(transport.site().handlers().bind(py).clone()),
            Self::Asgi(transport) => Ok(transport.handlers(py)),
            Self::Given(transport) => transport.handlers(py),
        }
    }

    /// The declared parameters; None if any is missing or invalid.
    pub(super) fn read<'py>(&self, py: Python<'py>, reader: &Py<Reader>) -> PyResult<Option<Groups<'py>>> {
        match self {
            Self::Http(transport) => {
                reader.get().read_groups_of_head(py, transport.head(), &transport.destination.params)
            }
            Self::Asgi(transport) => reader.get().read_groups_of_scope(transport.scope(py)),
            Self::Given(transport) => transport.read(py, reader),
        }
    }

    /// Whether there are limits for forms that the route doesn't know, of a router around it.
    pub(super) fn limits_forms(&self, py: Python<'_>) -> PyResult<bool> {
        match self {
            Self::Http(transport) => transport.site().limits_forms(py),
            Self::Asgi(transport) => transport.scope(py).contains(intern!(py, "ferrapi.form_limits")),
            Self::Given(transport) => transport.limits_forms(py),
        }
    }

    /// The first header called `name`, which is in lower case.
    pub(super) fn header<T>(&self, py: Python<'_>, name: &[u8], take: impl FnOnce(&[u8]) -> T) -> PyResult<Option<T>> {
        match self {
            Self::Http(transport) => Ok(transport.head().value_of(py, name).map(take)),
            Self::Asgi(transport) => transport.header(py, name, take),
            Self::Given(transport) => transport.header(py, name, take),
        }
    }

    /// The length of the body in bytes: of what has been read, else as the head announces it.
    pub(super) fn body_size(&self, py: Python<'_>) -> PyResult<u64> {
        let read = match self {
            Self::Http(transport) => match &transport.content {
                Content::Whole(content) => Some(content.bind(py).as_bytes().len()),
                Content::Empty | Content::Lost => Some(0),
            },
            Self::Asgi(transport) => transport.content_length(py),
            Self::Given(transport) => transport.content(py)?.map(|content| content.as_bytes().len()),
        };
        if let Some(length) = read {
            return Ok(u64::try_from(length).unwrap_or(u64::MAX));
        }
        let announced =
            self.header(py, b"content-length", |value| std::str::from_utf8(value).ok()?.trim().parse().ok())?;
        Ok(announced.flatten().unwrap_or(0))
    }

    /// The first header called `name`, which is in lower case, as text or None.
    pub(super) fn header_text<'py>(&self, py: Python<'py>, name: &[u8]) -> PyResult<Option<Bound<'py, PyString>>> {
        self.header(py, name, |value| py::latin1(py, value))
    }

    /// What follows `scheme` in the first header called `name`, if that can be said without looking closely.
    pub(super) fn token<'py>(
        &self,
        py: Python<'py>,
        name: &[u8],
        scheme: &[u8],
    ) -> PyResult<Option<Bound<'py, PyString>>> {
        let found = self.header(py, name, |value| token_after(scheme, value).map(|token| py::latin1(py, token)))?;
        Ok(found.flatten())
    }

    /// Shows the garbage collector what this holds.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Http(transport) => {
                visit.call(&transport.in_flight)?;
                transport.destination.traverse(visit)
            }
            Self::Asgi(transport) => transport.traverse(visit),
            Self::Given(transport) => transport.traverse(visit),
        }
    }
}

/// The token in `value`, if it has nothing at its ends that Python might take for a blank.
fn token_after<'v>(scheme: &[u8], value: &'v [u8]) -> Option<&'v [u8]> {
    let (own, rest) = value.split_at_checked(scheme.len())?;
    let token = rest.strip_prefix(b" ")?;
    let is_bare = token.first().is_some_and(u8::is_ascii_graphic) && token.last().is_some_and(u8::is_ascii_graphic);
    (own.eq_ignore_ascii_case(scheme) && is_bare).then_some(token)
}

impl HttpTransport {
    /// The connection that it has come by.
    pub(super) fn connection(&self) -> &Connection {
        self.in_flight.get().connection()
    }

    /// The application.
    fn site(&self) -> &Site {
        self.destination.site.get()
    }

    /// The request's head.
    pub(super) fn head(&self) -> &RequestHead {
        self.in_flight.get().head()
    }

    /// The `send` of the layers that requests pass, if there are any.
    pub(super) fn outer_send<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.site().sending(self.head(), self.in_flight.bind(py))
    }

    /// Sends a whole response, which middleware has to see in messages if this is not done.
    pub(super) fn send<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: &Body,
    ) -> PyResult<bool> {
        let Some(send) = self.outer_send(py)? else {
            self.in_flight.bind(py).get().write(py, status, headers, body.as_slice(py))?;
            return Ok(true);
        };
        Ok(matches!(deliver(None, &send, status, headers, body.as_slice(py), Rest::Nothing)?, Delivery::Sent))
    }

    /// Begins a response whose body comes in pieces.
    pub(super) fn open<'py>(&self, py: Python<'py>, status: u16, headers: &Bound<'py, PyList>) -> PyResult<Sink> {
        let Some(send) = self.outer_send(py)? else {
            self.in_flight.bind(py).get().begin_pieces(py, status, headers.as_any())?;
            return Ok(Sink::own(self.in_flight.clone_ref(py)));
        };
        Sink::of(None, &send, status, headers)
    }
}

impl<'py> Headers<'_, 'py> {
    /// As ASGI has them, for a body of `length` bytes.
    pub(super) fn pairs(&self, py: Python<'py>, length: usize) -> PyResult<Bound<'py, PyList>> {
        match self {
            Self::Pairs(list) => Ok(list.clone()),
            Self::ContentType(content_type) => {
                let digits = itoa::Buffer::new().format(length).to_owned();
                let length =
                    PyTuple::new(py, [PyBytes::new(py, b"content-length"), PyBytes::new(py, digits.as_bytes())])?;
                let kind = PyTuple::new(py, [PyBytes::new(py, b"content-type"), PyBytes::new(py, content_type)])?;
                PyList::new(py, [length, kind])
            }
        }
    }

    /// As the exchange's `send_body` takes them.
    pub(super) fn argument(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Pairs(list) => list.clone().into_any(),
            Self::ContentType(content_type) => PyBytes::new(py, content_type).into_any(),
        }
    }
}
