//! Who answers a request: a route of an application that is known, or the application in the ASGI way; and the task for it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use wire::http1::BodyLength;

use super::calling::Calling;
use super::connection::{Connection, is, set};
use super::in_flight::InFlightRequest;
use super::reading::Reading;
use super::request_head::RequestHead;
use super::site::{Destination, Site, Unmatched, Way};
use crate::run::{Content, Headers, HttpTransport, Machine, Program, Serving, Transport, program_of};

/// A request for a route that wants its whole body.
pub(super) struct Collecting {
    pub(super) head: RequestHead,
    pub(super) destination: Destination,
}

/// Who answers a request.
pub(super) enum Answerer {
    Route {
        destination: Destination,
        content: Content,
    },
    /// Nobody needs to be asked what is answered.
    Known(Py<Unmatched>),
    Application,
    /// There are too many requests.
    Nobody,
}

impl Connection {
    /// The application, if its routes are known.
    fn site<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Site>>> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        if let Some(site) = server.site(py)
            && site.get().stands(py)?
        {
            return Ok(Some(site));
        }
        if is(&this.flags.is_foreign) {
            return Ok(None);
        }
        let found = slf.call_method0(intern!(py, "find_site"))?;
        let site = server.use_site(&found)?;
        set(&this.flags.is_foreign, site.is_none());
        Ok(site)
    }

    /// Who answers a request, without its body.
    pub(super) fn answerer(slf: &Bound<'_, Self>, head: &RequestHead) -> PyResult<Answerer> {
        let py = slf.py();
        let this = slf.get();
        if this.server.get().is_full(py)? {
            return Ok(Answerer::Nobody);
        }
        let Some(site) = Self::site(slf)? else { return Ok(Answerer::Application) };
        if site.get().has_layers() && !site.get().passes(py, head, &this.ends(py)?.get_item(2)?)? {
            return Ok(Answerer::Application);
        }
        // A convertor that raises is the application's own way's to report.
        Ok(match Site::find(&site, head, this.server.get().root_path()).ok().flatten() {
            Some(Way::Route(destination)) => Answerer::Route { destination, content: Content::Empty },
            Some(Way::Unmatched(unmatched)) if head.wire().body == BodyLength::None => Answerer::Known(unmatched),
            Some(Way::Unmatched(_)) | None => Answerer::Application,
        })
    }

    /// Serves a request that has come whole.
    pub(super) fn start_whole(slf: &Bound<'_, Self>, head: RequestHead, content: Content) -> PyResult<()> {
        let py = slf.py();
        let answerer = match Self::answerer(slf, &head)? {
            Answerer::Route { destination, .. } => Answerer::Route { destination, content },
            other => {
                if let Content::Whole(content) = content {
                    slf.get().reading.change(py, |reading| reading.put_body(content.as_bytes(py)));
                }
                other
            }
        };
        Self::start(slf, head, answerer)
    }

    /// Serves a request in a task of its own; its response may be complete when this is back.
    pub(super) fn start(slf: &Bound<'_, Self>, head: RequestHead, answerer: Answerer) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        let in_flight = Bound::new(py, InFlightRequest::new(slf.clone().unbind(), head, this.is_at_its_end(py)))?;
        if matches!(answerer, Answerer::Route { .. } | Answerer::Known(_)) {
            in_flight.get().note_body_taken();
        } else if this.reading.see(py, Reading::waiting) > 0 {
            in_flight.get().stop_asking();
        }
        this.timing.stop();
        drop(this.in_flight.replace(py, Some(in_flight.clone().unbind())));
        let task = match answerer {
            Answerer::Known(unmatched) => {
                let Some((status, headers, body)) = unmatched.get().answer() else { return Ok(()) };
                let (headers, body) = (headers.bind(py), body.as_bytes(py));
                let headers = match headers.cast::<PyBytes>() {
                    Ok(kind) => Headers::ContentType(kind.as_bytes()),
                    Err(_) => Headers::Pairs(headers.cast::<PyList>()?.clone()),
                };
                return in_flight.get().write(py, status, &headers, body);
            }
            Answerer::Route { destination, content } => {
                let is_lost = matches!(content, Content::Lost);
                // A program that can't be made is Python's to report.
                let program: Option<Py<Program>> = if is_lost {
                    None
                } else {
                    program_of(destination.target.bind(py)).ok().flatten().map(Bound::unbind)
                };
                let transport = HttpTransport { in_flight: in_flight.clone().unbind(), destination, content };
                let serving = Bound::new(py, Serving::new(Machine::new(Transport::Http(transport), program)))?;
                if is_lost {
                    in_flight.get().lose(py)?;
                }
                server.tasks.make(py, serving.as_any())?
            }
            Answerer::Application => {
                let calling = Calling::new(in_flight.clone().unbind());
                let serving = Bound::new(py, Serving::of_request(Box::new(calling)))?;
                server.tasks.make(py, serving.as_any())?
            }
            Answerer::Nobody => {
                server.warn(py, "Exceeded concurrency limit.")?;
                return in_flight.get().answer_last(py, 503, "Service Unavailable");
            }
        };
        if in_flight.get().begin(&task) {
            server.tasks.note(&task)?;
        }
        Ok(())
    }

    /// The task of a request is over.
    pub(crate) fn forget(&self, py: Python<'_>, in_flight: &Py<InFlightRequest>) -> PyResult<()> {
        let is_last = is(&self.flags.is_lost)
            && self.in_flight.see(py, |current| current.as_ref().is_some_and(|current| current.is(in_flight)));
        if is_last {
            drop(self.in_flight.take(py)); // nothing comes that it would have to be told of, and it refers back here
        }
        in_flight.get().end(py).map_or(Ok(()), |task| self.server.get().tasks.forget(task.bind(py)))
    }
}
