//! The end of a connection whose client may still be sending (RFC 9112, section 9.6).
//!
//! Closing a socket while something comes resets the connection, and the client may lose an answer that it has not read yet. So
//! the own side alone is closed at first, and what comes is dropped: until the client closes its side, is silent, or has had
//! enough time. TLS has no half-closed connections; there, the connection just stays open for as long.

use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;

use super::connection::{Connection, is};
use super::reading::Reading;
use super::timing::Awaited;

/// Seconds that such a client has in all; the two are nginx's.
const LONGEST: f64 = 30.0;
/// Seconds in which something has to come from it.
pub(super) const SILENCE: f64 = 5.0;
/// Seconds that it has when the server stops.
const LONGEST_AT_SHUTDOWN: f64 = 2.0;

impl Connection {
    /// Ends the connection behind what has been written. `is_framed` tells whether the client knows without the connection's end
    /// where its response ends.
    pub(super) fn part(slf: &Bound<'_, Self>, is_framed: bool) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let may_be_sending = this.reading.change(py, |reading| {
            let may_be_sending = reading.conversation.is_cut_short() || reading.has_held();
            Reading::close(reading);
            may_be_sending
        });
        if !may_be_sending || is(&this.flags.has_ended) || !this.close_side(py, is_framed)? {
            return this.close(py);
        }
        this.resume_reading(py)?;
        Self::linger(slf, if is(&this.flags.is_last) { LONGEST_AT_SHUTDOWN } else { LONGEST })
    }

    /// Whether what comes is dropped, and the client's end is awaited.
    pub(super) fn is_lingering(&self) -> bool {
        self.timing.awaited() == Awaited::End
    }

    /// The server stops: the client of a connection that lingers has not much more time.
    pub(super) fn hurry(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::linger(slf, LONGEST_AT_SHUTDOWN)
    }

    /// Waits for the client's end, at most so many seconds.
    fn linger(slf: &Bound<'_, Self>, seconds: f64) -> PyResult<()> {
        let this = slf.get();
        this.timing.end_by(this.known().now(slf.py())? + seconds);
        Self::wait_for(slf, Awaited::End)
    }

    /// Closes the own side of the connection, if there is such a thing; tells whether the client gets to know what it has to.
    fn close_side(&self, py: Python<'_>, is_framed: bool) -> PyResult<bool> {
        let Some(transport) = self.transport.get(py) else { return Ok(false) };
        let transport = transport.bind(py);
        if transport.call_method0(intern!(py, "is_closing"))?.is_truthy()? {
            return Ok(false);
        }
        if !transport.call_method0(intern!(py, "can_write_eof"))?.is_truthy()? {
            return Ok(is_framed);
        }
        match transport.call_method0(intern!(py, "write_eof")) {
            Ok(_) => Ok(true),
            Err(error) if error.is_instance_of::<PyOSError>(py) => Ok(false), // the client has gone already
            Err(error) => Err(error),
        }
    }
}
