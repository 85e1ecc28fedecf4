"""`Compiled`: what a route needs per request: the plans of its steps, and how its result becomes a response."""

from __future__ import annotations

from typing import Any, Literal

from .._native import Program
from .._version_counter import ROUTES_VERSION
from ..compile.plan import Plan
from ..compile.program import NOBODY
from ..datastructures import DefaultPlaceholder
from ..declare.callables import Kind
from ..declare.handler_facts import HandlerFacts
from ..declare.limits import FormBounds
from ..declare.overrides import Overrides
from ..exceptions import EndpointContext
from .respond import Responder, endpoint_context, sends_events

_REMEMBERED_OVERRIDES = 16


class Compiled:
    """What a route needs per request, made at its first one and again after an edit.

    Parameters:
        route: what its handler was made with.
        is_observed: whether somebody wants to see how requests are served (`Observed`).
    """

    def __init__(self, route: HandlerFacts, *, is_observed: bool) -> None:
        self.as_of = ROUTES_VERSION.value
        self.route = route
        embed = route._embed_body_fields
        self.embed = embed
        self.has_body = route._body_encoding is not None
        self.reads_body_last = self.has_body and bool(route.dependencies_before_body)
        self.base = self._plan({})
        self.is_form = route._body_encoding == "form"
        self.bounds = FormBounds.of({**route._outer_form_limits, **(route.form_limits or {})})
        strict = route.strict_content_type
        self.strict = bool(strict.value if isinstance(strict, DefaultPlaceholder) else strict)
        kind = self.base.endpoint.kind
        self.streams = (
            route.is_sse_stream
            or route.is_json_stream
            or kind in (Kind.GENERATOR, Kind.ASYNC_GENERATOR)
            or (kind is Kind.SYNC and sends_events(route))
        )
        self.responder = self._responder(route, streams=self.streams, in_thread=kind is Kind.SYNC)
        provider = route.dependency_overrides_provider
        self.provider = provider if hasattr(provider, "dependency_overrides") else NOBODY
        self._overridden: dict[Any, Plan] = {}
        self.program: Program | Literal[False] | None = None  # made when it is first wanted
        self.is_observed = is_observed

    def obstacle(self) -> str | None:
        """What keeps the route from having a program, in a word of the table in docs/internals/architecture.md."""
        return "replaced functions" if self.is_observed else None

    def context(self) -> EndpointContext:
        """Where the endpoint is, for messages."""
        return endpoint_context(self.route)

    @staticmethod
    def _responder(route: HandlerFacts, *, streams: bool, in_thread: bool) -> Responder:
        if not streams:
            return Responder(route, in_thread)
        from .streams import StreamResponder  # whose module is only imported for those who yield

        return StreamResponder(route, in_thread)

    def plan(self) -> Plan:
        """The plan for this request: the base plan, unless dependencies are overridden."""
        overrides = self.provider.dependency_overrides
        return self._override(overrides) if overrides else self.base

    def _override(self, overrides: Any) -> Plan:
        key = tuple((id(call), id(override)) for call, override in overrides.items())
        plan = self._overridden.get(key)
        if plan is None:
            if len(self._overridden) >= _REMEMBERED_OVERRIDES:
                self._overridden.clear()
            plan = self._overridden[key] = self._plan(dict(overrides))
        return plan

    def _plan(self, overrides: Overrides) -> Plan:
        return Plan(
            self.route.dependant,
            embed=self.embed,
            provider=self.route.dependency_overrides_provider,
            overrides=overrides,
            body_last=self.reads_body_last,
        )
