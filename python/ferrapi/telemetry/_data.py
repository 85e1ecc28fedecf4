"""`TelemetryData`: what is known of the request that is being served, for processors of spans and logs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_doc import Doc
from starlette.requests import Request
from starlette.websockets import WebSocket

if TYPE_CHECKING:
    from opentelemetry.context import Context


@dataclass(kw_only=True)
class TelemetryData:
    """What is known of a request or connection while it is served. Read it, and don't change it.

    None of it is exported by itself. A processor that exports some of it decides what has to be left out.
    """

    request: Annotated[Request | None, Doc("The request, once its route was found.")] = None
    websocket: Annotated[WebSocket | None, Doc("The WebSocket, once its route was found.")] = None
    body: Annotated[Any, Doc("The body as it was read, before it is validated.")] = None
    values: Annotated[dict[str, Any] | None, Doc("The endpoint's arguments, once its dependencies have run.")] = None
    errors: Annotated[Sequence[Any] | None, Doc("What was wrong with the request, with the input.")] = None


def get_telemetry_data(context: Context | None = None) -> TelemetryData | None:
    """What is known of the request that is being served; None outside of one, and when it has been served.

    Parameters:
        context: an OpenTelemetry context, such as the one of a log record; the current one if none is given.
    """
    watch = sys.modules.get(f"{__package__}._watch")  # imported when the first application became active
    data: TelemetryData | None = None if watch is None else watch.data_in(context)
    return data
