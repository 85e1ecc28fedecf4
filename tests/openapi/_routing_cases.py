"""The document as a whole: metadata, tags, ids, routers, callbacks, webhooks and what applications add."""

from enum import Enum
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel
from pydantic_core import core_schema
from starlette.responses import Response as StarletteResponse
from starlette.routing import Mount, Route

from ._cases import Framework, cases


class Item(BaseModel):
    name: str
    size: int = 1


class Group(Enum):
    boats = "boats"
    cars = "cars"


@cases
def empty(fw: Framework) -> Any:
    return fw.FastAPI()


@cases
def info(fw: Framework) -> Any:
    return fw.FastAPI(
        title="Harbour",
        version="2024.1",
        summary="Boats",
        description="All about *boats*",
        terms_of_service="https://example.org/terms",
        contact={"name": "Port", "url": "https://example.org", "email": "port@example.org", "x-phone": "1"},
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=[
            {"name": "boats", "description": "B", "externalDocs": {"url": "https://example.org/b"}},
            {"name": "cars", "x-order": 2},
        ],
        servers=[
            {"url": "/relative", "description": "here"},
            {"url": "https://{port}.example.org", "variables": {"port": {"default": "a", "enum": ["a", "b"]}}},
        ],
        openapi_external_docs={"url": "https://example.org/docs", "description": "more"},
    )


@cases
def partial_info(fw: Framework) -> Any:
    app = fw.FastAPI(
        license_info={"name": "X", "url": "https://example.org/l"}, contact={}, openapi_tags=[], servers=[]
    )
    app.openapi_version = "3.0.2"
    return app


@cases
def operations(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/documented", tags=["a", "b"])
    def documented_thing() -> None:
        """Say hello.

            indented

        * list\fNot this.
        """

    @app.get("/given", summary="Given", description="Given description", deprecated=True, operation_id="theGiven")
    def given() -> None:
        """Overridden."""

    @app.get("/empty-docs", summary="", description="", deprecated=False, tags=[], name="a name_of it")
    def empty_docs() -> None: ...

    @app.get("/enum", tags=[Group.boats, "plain"])
    def enum() -> None: ...

    @app.get("/hidden", include_in_schema=False)
    def hidden(item: Item) -> None: ...

    @app.get("/response-description", response_description="")
    def response_description() -> None: ...

    app.add_api_route("/partial/{a}", partial(_partial_endpoint, b=3), name="partial_one")
    app.add_api_route("/callable", _Callable(), methods=["PUT"], tags=["c"])
    return app


def _partial_endpoint(a: int, b: int) -> int:
    """Docs of it."""
    return a + b


class _Callable:
    """Not the docs of the call."""

    def __call__(self, q: int = 1) -> Item:
        """The docs of the call."""
        return Item(name=str(q))


@cases
def methods(fw: Framework) -> Any:
    app = fw.FastAPI()
    for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace"):

        def call(item: Item, key: str, n: int = 1) -> Item: ...

        getattr(app, method)("/one/{key}", name=f"do {method}")(call)

    @app.api_route("/default")
    def default() -> None: ...

    @app.api_route("/custom", methods=["PURGE"])
    def custom(item: Item) -> None: ...

    return app


@cases
def same_path_twice(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/x/{a}")
    def first(a: int) -> int: ...

    @app.get("/x/{a}")
    def second(a: str) -> str: ...

    @app.post("/x/{b}")
    def third(b: str) -> str: ...

    return app


@cases
def duplicate_operation_ids(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/a", operation_id="same")
    def first() -> None: ...

    @app.get("/b", operation_id="same")
    def second() -> None: ...

    app.add_api_route("/c", partial(_partial_endpoint, a=1), operation_id="same", name="p")
    app.add_api_route("/d", _Callable(), operation_id="same")
    return app


@cases
def converters(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.get("/{rest:path}/{n:int}/{u:uuid}/{f:float}")
    def read(rest: str, n: int, u: str, f: float) -> None: ...

    @app.get("/undeclared/{left}/{out}")
    def undeclared(left: str) -> None: ...

    return app


@cases
def routers(fw: Framework) -> Any:
    app = fw.FastAPI(
        deprecated=None,
        generate_unique_id_function=lambda route: f"app-{route.name}",
        responses={418: {"description": "tea"}},
    )
    inner = fw.APIRouter(
        prefix="/inner",
        tags=["inner"],
        deprecated=True,
        generate_unique_id_function=lambda route: f"inner-{route.name}-{route.path_format}",
    )
    outer = fw.APIRouter(tags=["outer"], include_in_schema=True)

    @inner.get("/item/{name}", tags=["own"])
    def item(name: str) -> Item: ...

    @inner.post("/item", generate_unique_id_function=lambda route: f"own-{sorted(route.methods)}")
    def save(item: Item) -> Item: ...

    @outer.get("")
    def root() -> None: ...

    @outer.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    outer.include_router(inner, tags=["include"])
    app.include_router(outer, prefix="/v1", tags=["v1"])
    app.include_router(
        outer, prefix="/v2/{tenant}", deprecated=True, generate_unique_id_function=lambda r: "v2-" + r.name
    )
    app.include_router(inner, prefix="/hidden", include_in_schema=False)

    @outer.get("/late")
    def late() -> None: ...

    return app


@cases
def not_api_routes(fw: Framework) -> Any:
    async def plain(request: Any) -> StarletteResponse:
        return StarletteResponse()

    app = fw.FastAPI(routes=[Route("/plain", plain), Mount("/mounted", routes=[Route("/x", plain)])])
    app.add_route("/added", plain)
    sub = fw.FastAPI()

    @sub.get("/sub")
    def read() -> None: ...

    @app.websocket("/ws/{a}")
    async def socket(websocket: fw.WebSocket, a: int) -> None: ...

    app.mount("/sub", sub)
    app.get("/api")(read)
    return app


@cases
def callbacks(fw: Framework) -> Any:
    class Event(BaseModel):
        name: str

    class Ack(BaseModel):
        ok: bool = True

    scheme = fw.security.HTTPBasic(scheme_name="cb")
    hooks = fw.APIRouter(default_response_class=fw.responses.HTMLResponse)

    @hooks.post("{$callback_url}/done/{$request.body.id}", response_model=Ack)
    def done(event: Event, auth: Annotated[Any, fw.Depends(scheme)], q: int = 1) -> Any:
        """It's done."""

    @hooks.get("{$callback_url}/done/{$request.body.id}", name="done", responses={404: {"model": Event}})
    def done_get() -> None: ...

    @hooks.put("/hidden", include_in_schema=False)
    def hidden(event: Item) -> None: ...

    nested = fw.APIRouter(prefix="/nested", callbacks=hooks.routes)

    @nested.post("/start")
    def nested_start() -> None: ...

    app = fw.FastAPI(callbacks=nested.routes)

    @app.post("/start", callbacks=hooks.routes)
    def start(item: Item, callback_url: str) -> Item: ...

    @app.get("/plain")
    def plain() -> None: ...

    router = fw.APIRouter(callbacks=hooks.routes)

    @router.get("/routed")
    def routed() -> None: ...

    app.include_router(router, prefix="/r", callbacks=nested.routes)
    return app


@cases
def webhooks(fw: Framework) -> Any:
    hooks = fw.APIRouter()

    @hooks.post("from-router")
    def from_router(item: list[Item]) -> None: ...

    app = fw.FastAPI(webhooks=hooks)
    scheme = fw.security.APIKeyHeader(name="X-Hook")

    @app.webhooks.post("new-item", tags=["hooks"])
    def new_item(item: Item, auth: Annotated[str, fw.Security(scheme)], q: Annotated[int, fw.Header()] = 1) -> None:
        """A new item was made."""

    @app.webhooks.put("new-item", responses={404: {"model": Item}})
    def again() -> Item: ...

    @app.get("/x", operation_id="new_itemnew_item_post")
    def read() -> None: ...

    return app


@cases
def only_webhooks(fw: Framework) -> Any:
    app = fw.FastAPI()

    @app.webhooks.get("ping", include_in_schema=False)
    def ping() -> None: ...

    @app.webhooks.get("/pong")
    def pong(n: int) -> None: ...

    return app


@cases
def extra(fw: Framework) -> Any:
    app = fw.FastAPI()
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}

    @app.post(
        "/body",
        openapi_extra={
            "requestBody": {"content": {"application/x-yaml": {"schema": schema}}, "required": True},
            "x-own": {"deep": [1]},
        },
    )
    def body() -> None: ...

    @app.post(
        "/merge/{a}",
        tags=["one"],
        openapi_extra={
            "tags": ["two"],
            "parameters": [{"name": "more", "in": "query", "required": False, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "Replaced"}, "404": {"description": "Added"}},
            "requestBody": {"content": {"application/json": {"example": {"name": "x"}}}},
            "summary": "From extra",
            "security": [{"outside": []}],
            "externalDocs": {"url": "https://example.org/x"},
            "servers": [{"url": "/s"}],
            "operationId": "fromExtra",
        },
    )
    def merge(a: int, item: Item) -> None: ...

    @app.get("/empty", openapi_extra={})
    def nothing() -> None: ...

    return app


@cases
def prefixes_with_parameters(fw: Framework) -> Any:
    app = fw.FastAPI()
    router = fw.APIRouter(prefix="/{region}")

    @router.get("/{city}")
    def read(city: str, region: int, unknown: str) -> None: ...

    @router.get("/")
    def listing() -> None: ...

    app.include_router(router, prefix="/world")
    return app


@cases
def hidden_routes(fw: Framework) -> Any:
    class Secret(BaseModel):
        """In no document."""

    class Reply(BaseModel):
        """In a callback alone."""

    class Unspeakable:
        """What JSON Schema has no words for."""

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            return core_schema.is_instance_schema(cls)

    app = fw.FastAPI()
    hooks = fw.APIRouter()

    @hooks.post("/seen")
    def seen(reply: Reply) -> None: ...

    @hooks.post("/unseen", include_in_schema=False)
    def unseen(secret: Secret) -> None: ...

    @app.post("/hidden", include_in_schema=False, responses={404: {"model": Secret}}, callbacks=hooks.routes)
    def hidden(secret: Secret, odd: Annotated[Unspeakable, fw.Body()]) -> Secret: ...

    @app.get("/shown", callbacks=hooks.routes)
    def shown() -> None: ...

    @app.webhooks.post("hidden", include_in_schema=False)
    def hook(secret: Secret) -> None: ...

    return app
