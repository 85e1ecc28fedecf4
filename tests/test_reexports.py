"""The modules that hold names of Starlette's hold the same names as FastAPI's."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import pytest
from ferrapi.middleware.asyncexitstack import AsyncExitStackMiddleware

MODULES = {
    "requests": ["HTTPConnection", "Request"],
    "websockets": ["WebSocket", "WebSocketDisconnect", "WebSocketState"],
    "staticfiles": ["StaticFiles"],
    "templating": ["Jinja2Templates"],
    "testclient": ["TestClient"],
    "middleware": ["Middleware"],
    "middleware.cors": ["CORSMiddleware"],
    "middleware.gzip": ["GZipMiddleware"],
    "middleware.httpsredirect": ["HTTPSRedirectMiddleware"],
    "middleware.trustedhost": ["TrustedHostMiddleware"],
    "middleware.wsgi": ["WSGIMiddleware"],
    "concurrency": ["iterate_in_threadpool", "run_in_threadpool", "run_until_first_complete"],
    "datastructures": ["URL", "Address", "FormData", "Headers", "QueryParams", "State"],
}


@pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi is deprecated")
@pytest.mark.parametrize("module", MODULES)
def test_names_of_starlette(module: str) -> None:
    for name in MODULES[module]:
        ours = getattr(import_module(f"ferrapi.{module}"), name)
        assert ours is getattr(import_module(f"fastapi.{module}"), name)


def test_light_modules_import_nothing_that_an_application_may_not_use() -> None:
    """`python_multipart` is not in the list because `starlette.requests` imports it by itself if it is there."""
    light = "params param_functions encoders exceptions exception_handlers responses sse background security"
    code = (
        f"import sys\nfor name in {light!r}.split(): __import__('ferrapi.' + name)\n"
        "print(sorted({'jinja2', 'httpx', 'httpx2', 'orjson', 'ujson', "
        "'email_validator', 'uvicorn', 'starlette.testclient', 'starlette.templating'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("options", [{}, {"context_name": "stack"}])
def test_an_exit_stack_is_open_while_the_application_runs(options: dict[str, str]) -> None:
    log: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        stack = scope[options.get("context_name", "fastapi_middleware_astack")]
        assert isinstance(stack, AsyncExitStack)
        stack.callback(log.append, "closed")
        log.append("done")
        raise ValueError("passes through")

    with pytest.raises(ValueError, match="passes through"):
        asyncio.run(AsyncExitStackMiddleware(application, **options)({"type": "http"}, None, None))  # type: ignore[arg-type]  # not called
    assert log == ["done", "closed"]
