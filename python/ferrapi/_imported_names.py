"""The table behind `ferrapi._names`: what else each module of FastAPI 0.165.0 holds, and where that comes from.

It was written down from ``dir()`` of the modules and the identity of the objects; `tests/test_names.py` asks again. A
name stands below the module that it comes from; ferrapi's own begin with a dot. ``original=name`` says that it has
another name there, and what comes from a module called `_private` has an underscore more. Below ``""`` are modules.
"""

from __future__ import annotations

import sys
from functools import cache

Origin = tuple[str, str | None]
"""The module that a name comes from and the name it has there; None for that module itself."""

_COROUTINES = "inspect" if sys.version_info >= (3, 13) else "asyncio"
"""Where FastAPI has `iscoroutinefunction` from."""

_TABLE: dict[str, dict[str, str]] = {
    "": {
        "": (
            "._body_limit=_body_limit ._compat=_compat ._form_limits=_form_limits .applications=applications "
            ".background=background .cli=cli .concurrency=concurrency .datastructures=datastructures "
            ".dependencies=dependencies .encoders=encoders .exception_handlers=exception_handlers "
            ".exceptions=exceptions .logger=logger .middleware=middleware .openapi=openapi "
            ".param_functions=param_functions .params=params .requests=requests .responses=responses "
            ".routing=routing .security=security .sse=sse .staticfiles=staticfiles .telemetry=telemetry "
            ".types=types .utils=utils .websockets=websockets"
        ),
    },
    "_body_limit": {
        "": "starlette.middleware.body_limit=body_limit",
        "starlette.exceptions": "HTTPException",
        "starlette.middleware.body_limit": "MAX_BODY_SIZE_SCOPE_KEY RequestBodyLimitMiddleware",
        "starlette.requests": "Request",
        "starlette.types": "ASGIApp Message Receive Scope Send",
        ".exception_handlers": "http_exception_handler",
    },
    "_compat.shared": {
        "": "types typing warnings",
        "collections": "deque",
        "collections.abc": "Mapping Sequence",
        "dataclasses": "is_dataclass",
        "pydantic": "BaseModel",
        "starlette.datastructures": "UploadFile",
        "types": "UnionType",
        "typing": "Annotated Any get_args get_origin TypeGuard TypeVar Union",
    },
    "_compat.v2": {
        "": "re warnings ._compat.shared=shared",
        "collections.abc": "Sequence",
        "copy": "copy",
        "dataclasses": "dataclass is_dataclass",
        "enum": "Enum",
        "functools": "lru_cache",
        "pydantic": (
            "BaseModel ConfigDict create_model Field GetJsonSchemaHandler PydanticSchemaGenerationError "
            "PydanticUndefinedAnnotation TypeAdapter ValidationError"
        ),
        "pydantic.fields": "FieldInfo",
        "pydantic.json_schema": "GenerateJsonSchema=_GenerateJsonSchema JsonSchemaValue",
        "pydantic_core": "CoreSchema PydanticUndefined Url",
        "pydantic_core.core_schema": "with_info_plain_validator_function",
        "types": "UnionType",
        "typing": "Annotated Any cast get_args get_origin Literal Union",
        "._compat.shared": "lenient_issubclass",
    },
    "_form_limits": {
        "annotated_doc": "Doc",
        "pydantic": "ConfigDict NonNegativeInt TypeAdapter with_config",
        "typing": "Annotated",
        "typing_extensions": "TypedDict",
    },
    "applications": {
        "": "os .routing=routing",
        "annotated_doc": "Doc",
        "collections.abc": "Coroutine",
        "enum": "Enum",
        "starlette.middleware.base": "BaseHTTPMiddleware",
        "starlette.middleware.errors": "ServerErrorMiddleware",
        "starlette.middleware.exceptions": "ExceptionMiddleware",
        "starlette.responses": "HTMLResponse",
        "starlette.types": "Lifespan",
        "typing": "Annotated Literal",
        "typing_extensions": "deprecated",
        "._body_limit": "AppBodyLimitMiddleware",
        "._form_limits": "_FormLimits",
        ".datastructures": "DefaultPlaceholder",
        ".middleware.asyncexitstack": "AsyncExitStackMiddleware",
        ".openapi.docs": "get_redoc_html get_swagger_ui_html get_swagger_ui_oauth2_redirect_html",
        ".openapi.utils": "get_openapi",
        ".params": "Depends",
        ".telemetry": "TelemetryConfig",
        ".types": "IncEx",
    },
    "background": {
        "annotated_doc": "Doc",
        "typing": "Annotated",
    },
    "concurrency": {
        "anyio": "CancelScope CapacityLimiter Semaphore",
        "anyio.lowlevel": "checkpoint_if_cancelled",
        "contextlib": "AbstractAsyncContextManager",
    },
    "datastructures": {
        "annotated_doc": "Doc",
        "typing": "Annotated",
    },
    "dependencies": {
        "": ".dependencies.models=models .dependencies.utils=utils",
    },
    "dependencies.models": {
        "": "inspect sys",
        _COROUTINES: "iscoroutinefunction",
        "functools": "lru_cache partial",
        ".concurrency": "_DependencyConcurrency",
        ".dependencies._private": (
            "get_cache_key get_computed_scope get_oauth_scopes get_security_scheme is_async_gen_callable "
            "is_coroutine_callable is_gen_callable is_security_scheme unwrapped_call uses_scopes"
        ),
        ".security.base": "SecurityBase",
    },
    "dependencies.utils": {
        "": "dataclasses inspect sys .params=params",
        "anyio": "CancelScope",
        "collections.abc": (
            "AsyncGenerator AsyncIterable AsyncIterator Callable Generator Iterable Iterator Mapping Sequence"
        ),
        "contextlib": "asynccontextmanager contextmanager",
        "copy": "copy deepcopy",
        "functools": "partial",
        "pydantic": (
            "AliasChoices AliasPath BaseModel BeforeValidator ConfigDict GetJsonSchemaHandler GetPydanticSchema Json "
            "Tag"
        ),
        "pydantic.fields": "FieldInfo",
        "pydantic_core": "CoreSchema PydanticUndefined=RequiredParam PydanticUndefined=Undefined",
        "starlette.concurrency": "run_in_threadpool",
        "starlette.datastructures": "FormData Headers ImmutableMultiDict QueryParams UploadFile",
        "starlette.requests": "HTTPConnection",
        "types": "UnionType",
        "typing": "Annotated cast ForwardRef get_args get_origin Literal Union",
        "._compat.shared": "sequence_types",
        "._compat.v2": "evaluate_forwardref get_cached_model_fields is_scalar_field serialize_sequence_value",
        ".concurrency": "_DependencyConcurrency contextmanager_in_threadpool",
        ".declare.body": ("should_embed_body_fields=_should_embed_body_fields flat_body_params=_get_flat_body_params"),
        ".declare.forms": "is_unselected=_is_empty_file_input normalize_form_model=_normalize_form_model",
        ".serve.form_values": "read_keeping_position=_read_file_bytes",
        ".serve.multipart": (
            "ensure_multipart_is_installed multipart_incorrect_install_error multipart_not_installed_error"
        ),
        ".dependencies._private": (
            "extract_form_body extract_form_items get_body_field get_flat_fields_from_params "
            "get_form_model get_form_models get_form_union_models get_model_type get_multidict_extras "
            "get_multidict_value get_param_aliases get_param_model get_signature is_form_model_supplied is_json_field "
            "request_param_model_to_args validate_value_with_model_field"
        ),
        ".dependencies.models": (
            "_get_cache_key _get_computed_scope _get_oauth_scopes _is_async_gen_callable _is_coroutine_callable "
            "_is_gen_callable"
        ),
        ".logger": "logger",
        ".security.oauth2": "SecurityScopes",
        ".types": "DependencyCacheKey",
        ".utils": "create_model_field get_path_param_names",
    },
    "encoders": {
        "annotated_doc": "Doc",
        "pydantic.color": "Color",
        "pydantic_extra_types.color": "Color=PyExtraColor",
        "typing": "Annotated",
        "._compat.shared": "is_pydantic_v1_model_instance",
    },
    "exceptions": {
        "annotated_doc": "Doc",
        "typing": "Annotated",
    },
    "middleware": {
        "": ".middleware.asyncexitstack=asyncexitstack",
    },
    "openapi": {
        "": ".openapi.constants=constants .openapi.docs=docs .openapi.models=models .openapi.utils=utils",
    },
    "openapi.docs": {
        "annotated_doc": "Doc",
        "typing": "Annotated",
        ".encoders": "jsonable_encoder",
    },
    "openapi.models": {
        "": "email_validator",
        "collections.abc": "Callable Iterable Mapping",
        "pydantic_core.core_schema": "with_info_plain_validator_function",
        ".logger": "logger",
    },
    "openapi.utils": {
        "": "copy http inspect .routing=routing",
        "dataclasses": "dataclass field",
        "starlette.responses": "JSONResponse Response",
        "starlette.routing": "BaseRoute",
        "typing": "cast Literal",
        "._compat.shared": "lenient_issubclass",
        "._compat.v2": "get_flat_models_from_fields get_model_name_map ModelField",
        ".datastructures": "_Unset DefaultPlaceholder",
        ".dependencies.models": "_get_cache_key _get_oauth_scopes _get_security_scheme _is_security_scheme Dependant",
        ".dependencies.utils": "_get_flat_fields_from_params _get_param_aliases _get_param_model",
        ".encoders": "jsonable_encoder",
        ".openapi._private": (
            "get_openapi_dependency_data get_openapi_operation_parameters get_openapi_security_definitions "
            "OpenAPIDependencyData"
        ),
        ".openapi.constants": "METHODS_WITH_BODY REF_PREFIX",
        ".openapi.models": "OpenAPI",
        ".params": "Body ParamTypes",
        ".types": "DependencyCacheKey ModelNameMap",
        ".utils": "deep_dict_update generate_operation_id_for_path is_body_allowed_for_status_code",
    },
    "param_functions": {
        "": "re",
        "annotated_doc": "Doc",
        "pydantic": "AliasChoices AliasPath Discriminator",
        "typing": "Annotated",
        "typing_extensions": "deprecated",
        ".datastructures": "_Unset",
        ".openapi.models": "Example",
    },
    "params": {
        "": "warnings",
        "typing": "Annotated",
        ".exceptions": "FastAPIDeprecationWarning",
        ".openapi.models": "Example",
    },
    "responses": {
        "": "importlib orjson ujson",
        "typing": "cast Protocol",
    },
    "routing": {
        "": (
            "anyio contextlib copy email errno functools inspect json math os starlette.routing=routing stat "
            "threading types warnings .params=params"
        ),
        "annotated_doc": "Doc",
        "anyio.abc": "ObjectReceiveStream",
        "collections.abc": "AsyncIterator Awaitable Callable Collection Coroutine Generator Iterator Mapping Sequence",
        "contextlib": "AbstractAsyncContextManager AbstractContextManager asynccontextmanager AsyncExitStack",
        "contextvars": "ContextVar",
        "dataclasses": "dataclass field",
        "enum": "Enum IntEnum",
        "pydantic_core": "PydanticUndefined=Undefined",
        "starlette._exception_handler": "wrap_app_handling_exceptions",
        "starlette._utils": "get_route_path is_async_callable",
        "starlette.concurrency": "iterate_in_threadpool run_in_threadpool",
        "starlette.datastructures": "URL URLPath",
        "starlette.exceptions": "HTTPException",
        "starlette.middleware": "Middleware",
        "starlette.requests": "Request",
        "starlette.responses": "JSONResponse PlainTextResponse RedirectResponse Response StreamingResponse",
        "starlette.staticfiles": "StaticFiles",
        "starlette.types": "AppType ASGIApp Lifespan Receive Scope Send",
        "starlette.websockets": "WebSocket",
        "typing": "Annotated Any cast Literal Protocol TypeVar",
        "typing_extensions": "deprecated",
        "._body_limit": "get_body_limit_error wrap_app_with_body_limit",
        "._compat.shared": "lenient_issubclass",
        "._compat.v2": "ModelField",
        "._form_limits": "_FormLimits _validate_form_limits",
        ".datastructures": "Default DefaultPlaceholder",
        ".dependencies.models": "_is_async_gen_callable _is_coroutine_callable _is_gen_callable Dependant",
        ".dependencies.utils": (
            "_get_body_field _get_flat_body_params _should_embed_body_fields get_dependant "
            "get_parameterless_sub_dependant get_stream_item_type get_typed_return_annotation solve_dependencies "
            "SolvedDependency"
        ),
        ".encoders": "jsonable_encoder",
        ".exceptions": (
            "EndpointContext FastAPIError RequestValidationError ResponseValidationError "
            "WebSocketRequestValidationError"
        ),
        ".serve.lifespan": "DefaultLifespan=_DefaultLifespan",
        ".routing._private": (
            "build_dependant_with_parameterless_dependencies build_response_args "
            "EFFECTIVE_ROUTE_CONTEXT_KEY=_FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY extract_endpoint_context "
            "FORM_LIMITS_KEY=_FASTAPI_FORM_LIMITS_KEY get_fastapi_scope "
            "INCLUDED_ROUTER_KEY=_FASTAPI_INCLUDED_ROUTER_KEY merge_lifespan_context normalize_non_finite_floats "
            "SCOPE_KEY=_FASTAPI_SCOPE_KEY T update_scope wrap_gen_lifespan_context"
        ),
        ".serve.streams": "PING_INTERVAL=_PING_INTERVAL",
        ".sse": "EventSourceResponse format_sse_event KEEPALIVE_COMMENT ServerSentEvent",
        ".telemetry": "get_telemetry_data",
        ".types": "DecoratedCallable IncEx",
        ".utils": "create_model_field get_value_or_default is_body_allowed_for_status_code",
    },
    "security.api_key": {
        "annotated_doc": "Doc",
        "typing": "Annotated",
    },
    "security.http": {
        "annotated_doc": "Doc",
        "starlette.requests": "HTTPConnection",
        "typing": "Annotated",
        ".security.base": "SecurityBase",
    },
    "security.oauth2": {
        "annotated_doc": "Doc",
        "starlette.requests": "HTTPConnection",
        "typing": "cast",
        ".security.base": "SecurityBase",
        ".security.utils": "get_authorization_scheme_param",
    },
    "security.open_id_connect_url": {
        "annotated_doc": "Doc",
        "starlette.requests": "HTTPConnection",
        "typing": "Annotated",
        ".security.base": "SecurityBase",
    },
    "sse": {
        "annotated_doc": "Doc",
    },
    "utils": {
        "": "ferrapi=fastapi warnings ._compat.v2=v2",
    },
}


@cache
def origins(module: str) -> dict[str, Origin]:
    """Where each name of a module of FastAPI's (without the first part of its name) comes from."""
    found: dict[str, Origin] = {}
    for home, words in _TABLE.get(module, {}).items():
        for word in words.split():
            original, renamed, name = word.partition("=")
            if not renamed:
                name = f"_{word}" if home.endswith("._private") else word
            found[name] = (home, original) if home else (original, None)
    return found
