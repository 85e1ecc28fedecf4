"""Which response object a route makes of what its endpoint returns, for who looks at it before it is sent."""

from typing import Any

import pytest
from pydantic import BaseModel
from starlette.responses import HTMLResponse, JSONResponse
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework
from support.naming import steady_name


class Kite(BaseModel):
    tail: int = 1


@pytest.mark.parametrize("returned", [None, Any, dict[str, int], Kite, str], ids=steady_name)
@pytest.mark.parametrize("declared", [None, JSONResponse, HTMLResponse], ids=steady_name)
@pytest.mark.parametrize("injected", [False, True])
@pytest.mark.parametrize("status_code", [None, 201, 204])
def test_its_class(returned: Any, declared: Any, injected: bool, status_code: int | None) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        class Watching(fw.routing.APIRoute):
            def get_route_handler(self) -> Any:
                handler = super().get_route_handler()

                async def handle(request: Any) -> Any:
                    response = await handler(request)
                    kinds = [base.__name__ for base in type(response).__mro__]
                    log.append([kinds, response.status_code, response.body.decode(), response.media_type])
                    response.headers["x-seen"] = type(response).__name__
                    return response

                return handle

        def set_cookie(response: fw.Response) -> None:
            response.headers["x-kite"] = "red"

        app = fw.FastAPI()
        app.router.route_class = Watching

        def endpoint() -> Any:
            return "kite" if returned is str or declared is HTMLResponse else {"tail": 3}

        if returned is not None and status_code != 204:
            endpoint.__annotations__["return"] = returned
        else:
            del endpoint.__annotations__["return"]
        options = {} if declared is None else {"response_class": declared}
        dependencies = [fw.Depends(set_cookie)] if injected else []
        app.get("/kite", status_code=status_code, dependencies=dependencies, **options)(endpoint)
        return app

    compare(make, [Ask(path="/kite")])


@pytest.mark.parametrize("missing", ["status_code", "headers", "both", "background", "nothing"])
@pytest.mark.parametrize("place", ["endpoint", "sync", "exception handler", "declared", "route class", "below"])
def test_a_class_that_sends_itself_needs_no_attributes_of_the_others(missing: str, place: str) -> None:
    """Gradio's answers to requests for a part of a file have no status code."""

    def make(fw: Framework, log: list[Any]) -> Any:
        class Own(fw.Response):
            def __init__(self, content: Any = None, **options: Any) -> None:
                log.append(sorted(options))
                if missing != "background":
                    self.background = None
                if missing not in ("status_code", "both"):
                    self.status_code = 206
                if missing not in ("headers", "both"):
                    self.init_headers({"x-kite": "blue"})

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                headers = [(b"content-length", b"4"), (b"x-own", b"1")]
                await send({"type": "http.response.start", "status": 207, "headers": headers})
                await send({"type": "http.response.body", "body": b"kite"})

        class Replaced(fw.routing.APIRoute):
            def get_route_handler(self) -> Any:
                async def handle(request: Any) -> Any:
                    return Own()

                return handle

        app = fw.FastAPI()
        if place == "route class":
            app.router.route_class = Replaced
        if place == "below":

            @app.middleware("http")
            async def pass_on(request: Any, call_next: Any) -> Any:
                return await call_next(request)

        @app.exception_handler(LookupError)
        async def answer(request: Any, exc: Exception) -> Any:
            return Own()

        async def endpoint(tasks: fw.BackgroundTasks) -> Any:
            tasks.add_task(log.append, "task")
            if place == "exception handler":
                raise LookupError
            return {"tail": 1} if place == "declared" else Own()

        def sync_endpoint() -> Any:
            return Own()

        options = {"response_class": Own} if place == "declared" else {}
        app.get("/kite", **options)(sync_endpoint if place == "sync" else endpoint)
        return app

    compare(make, [Ask(path="/kite")])
