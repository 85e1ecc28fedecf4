"""slowapi: limits by decorator and by both middlewares, shared and costly ones, what is exempt, and their headers."""

from asking import ask
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIASGIMiddleware, SlowAPIMiddleware
from slowapi.util import get_remote_address


def application(limiter: Limiter, middleware: type | None) -> FastAPI:
    app = FastAPI()
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
    if middleware is not None:
        app.add_middleware(middleware)
    return app


def given(n: int = 1) -> int:
    return n


def by_token(request: Request) -> str:
    return request.headers.get("token", "none")


def show(middleware: type | None, key_style: str) -> None:
    limiter = Limiter(get_remote_address, default_limits=["3/hour"], headers_enabled=True, key_style=key_style)
    app = application(limiter, middleware)
    router = APIRouter(prefix="/included")
    shared = limiter.shared_limit("2/hour", scope="both")

    @app.get("/twice")
    @limiter.limit("2/hour")
    async def twice(request: Request, response: Response, n: int = 1) -> int:
        return n

    @app.get("/synchronous")
    @limiter.limit("1/hour", error_message="enough")
    def synchronous(request: Request, response: Response, n: int = Depends(given)) -> list[int]:
        return [n]

    @app.get("/whole")
    @limiter.limit("1/hour")
    async def whole(request: Request) -> PlainTextResponse:
        return PlainTextResponse("whole", 203)

    @app.get("/a")
    @shared
    async def first(request: Request, response: Response) -> str:
        return "a"

    @app.get("/b")
    @shared
    async def second(request: Request, response: Response) -> str:
        return "b"

    @app.get("/tokens")
    @limiter.limit(lambda key: "4/hour" if key == "admin" else "1/hour", key_func=by_token)
    async def tokens(request: Request, response: Response) -> str:
        return "tokens"

    @app.get("/costly")
    @limiter.limit("5/hour", cost=lambda request: int(request.headers.get("cost", 1)))
    async def costly(request: Request, response: Response) -> str:
        return "costly"

    @app.get("/exempt")
    @limiter.exempt
    async def exempt() -> str:
        return "exempt"

    @app.get("/wrong")
    @limiter.limit("1/hour")
    async def wrong(request: str = "no request") -> str:
        return request

    @router.get("/default")
    def default() -> str:
        return "default"

    app.include_router(router)
    ask(
        app,
        *[("GET", "/twice?n=2")] * 3,
        *[("GET", "/included/default")] * 5,
        *[("GET", "/synchronous?n=3")] * 2,
        *[("GET", path) for path in ("/whole", "/a", "/b") * 2],
        *[("GET", "/tokens", {"headers": {"token": token}}) for token in ("admin", "me") * 3],
        *[("GET", "/costly", {"headers": {"cost": "3"}})] * 2,
        *[("GET", "/exempt")] * 4,
        ("GET", "/wrong"),
        ("GET", "/twice?n=x"),
        ("GET", "/nothing"),
        unshown=frozenset({"x-ratelimit-reset", "retry-after"}),
    )


def no_request() -> None:
    try:
        Limiter(get_remote_address).limit("1/hour")(given)
    except Exception as error:
        print(type(error).__name__, error)


for each in (None, SlowAPIMiddleware, SlowAPIASGIMiddleware):
    for style in ("url", "endpoint"):
        print(each, style)
        show(each, style)
no_request()
