"""The document of an application."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.routing import BaseRoute

from ..encoders import jsonable_encoder
from ..routing import RouteContext
from ._blame import blame_field, blame_route
from ._operation import Described, declared_fields, describe_routes, render_request_body, render_route
from ._schemas import JsonObject, Schemas, generate_schemas
from .models import OpenAPI

FIXED_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})
"""The methods that are fields of a path item in OpenAPI 3.2; others are among its additional operations there."""


class _Paths:
    """Renders routes into path items and collects what they refer to.

    Parameters:
        schemas: the schemas of all fields.
        has_all_methods: whether path items have room for any method, as from OpenAPI 3.2 on.
    """

    def __init__(self, schemas: Schemas, *, has_all_methods: bool = False) -> None:
        self.schemas = schemas
        self.has_all_methods = has_all_methods
        self.definitions = dict(schemas.definitions)
        self.security_schemes: dict[str, JsonObject] = {}
        self._operation_ids: set[str] = set()

    def render(self, routes: Iterable[Described]) -> dict[str, JsonObject]:
        """The path items of `routes` by path; a later route of the same path and method wins."""
        paths: dict[str, JsonObject] = {}
        for one in routes:
            try:
                rendered = render_route(one, self.schemas, self._operation_ids)
            except Exception as exc:
                blame_route(exc, one)
                raise
            if rendered.operations:
                self._add(paths.setdefault(one.route.path_format, {}), one, rendered.operations)
            self.security_schemes |= rendered.security_schemes
            self.definitions |= rendered.definitions
        return paths

    def _add(self, item: JsonObject, one: Described, operations: dict[str, JsonObject]) -> None:
        if not self.has_all_methods:
            item.update(operations)
            return
        for method, operation in operations.items():
            if method in FIXED_METHODS:
                item[method] = operation
            else:
                item.setdefault("additionalOperations", {})[method.upper()] = operation
            body = render_request_body(one.route.body_field, self.schemas) if method == "query" else None
            if body is not None:
                operation.setdefault("requestBody", body)

    def components(self) -> JsonObject:
        """What the path items refer to; models in alphabetical order."""
        schemas = {name: self.definitions[name] for name in sorted(self.definitions)}
        return _only_set(schemas=schemas, securitySchemes=self.security_schemes)


def _only_set(**values: Any) -> JsonObject:
    """The `values` that are neither None nor empty."""
    return {name: value for name, value in values.items() if value}


def get_openapi(
    *,
    title: str,
    version: str,
    openapi_version: str = "3.1.0",
    summary: str | None = None,
    description: str | None = None,
    routes: Sequence[BaseRoute | RouteContext],
    webhooks: Sequence[BaseRoute | RouteContext] | None = None,
    tags: list[dict[str, Any]] | None = None,
    servers: list[dict[str, str | Any]] | None = None,
    terms_of_service: str | None = None,
    contact: dict[str, str | Any] | None = None,
    license_info: dict[str, str | Any] | None = None,
    separate_input_output_schemas: bool = True,
    external_docs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Generate the OpenAPI document of `routes`.

    Parameters:
        title: the API's name.
        version: the API's version, not the specification's.
        openapi_version: the version of the specification that the document states.
        summary: a sentence about the API.
        description: more about the API, in CommonMark.
        routes: the application's routes; those that are no API routes are skipped.
        webhooks: routes that describe the requests the API sends to its users.
        tags: tag objects: descriptions of tags and their order.
        servers: server objects.
        terms_of_service: a URL.
        contact: a contact object.
        license_info: a licence object.
        separate_input_output_schemas: whether a model whose output differs from its input gets two schemas.
        external_docs: an external documentation object.

    Returns:
        the document as plain data.

    Raises:
        pydantic.ValidationError: when what the application adds is no part of an OpenAPI document.
    """
    described = describe_routes(routes)
    described_webhooks = describe_routes(webhooks or ())
    fields = declared_fields([*described, *described_webhooks])
    try:
        schemas = generate_schemas(fields, separate=separate_input_output_schemas)
    except Exception as exc:
        blame_field(exc, [*described, *described_webhooks], separate=separate_input_output_schemas)
        raise
    has_all_methods = not openapi_version.startswith(("2.", "3.0", "3.1"))
    paths = _Paths(schemas, has_all_methods=has_all_methods)
    info = {"title": title, "version": version} | _only_set(
        summary=summary,
        description=description,
        termsOfService=terms_of_service,
        contact=contact,
        license=license_info,
    )
    document: JsonObject = {"openapi": openapi_version, "info": info, "paths": paths.render(described)}
    document |= _only_set(
        webhooks=paths.render(described_webhooks), servers=servers, tags=tags, externalDocs=external_docs
    )
    document |= _only_set(components=paths.components())
    rendered: dict[str, Any] = jsonable_encoder(OpenAPI(**document), by_alias=True, exclude_none=True)
    return rendered
