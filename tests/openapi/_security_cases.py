"""Security schemes and the scopes that operations require."""

from functools import partial
from typing import Annotated, Any

from ._cases import Framework, cases


@cases
def schemes(fw: Framework) -> Any:
    s = fw.security
    app = fw.FastAPI()
    every = [
        s.APIKeyHeader(name="X-Key"),
        s.APIKeyQuery(name="key", scheme_name="queryKey", description="In the query"),
        s.APIKeyCookie(name="key", auto_error=False),
        s.HTTPBasic(realm="here"),
        s.HTTPBasic(scheme_name="other basic", description="B"),
        s.HTTPBearer(bearerFormat="JWT"),
        s.HTTPBearer(scheme_name="plain"),
        s.HTTPDigest(),
        s.OAuth2PasswordBearer(tokenUrl="token", scopes={"r": "read"}, refreshUrl="/refresh"),
        s.OAuth2PasswordBearer(tokenUrl="/t", scheme_name="second", description="P"),
        s.OAuth2AuthorizationCodeBearer(authorizationUrl="https://a/", tokenUrl="https://t", scopes={"w": "write"}),
        s.OAuth2(flows={"implicit": {"authorizationUrl": "u", "scopes": {"x": "y"}}}, scheme_name="implicit"),
        s.OAuth2(flows={"clientCredentials": {"tokenUrl": "u"}}, scheme_name="client", description="C"),
        s.OpenIdConnect(openIdConnectUrl="/openid"),
    ]
    for number, scheme in enumerate(every):

        def read(auth: Annotated[Any, fw.Security(scheme)]) -> None: ...

        app.get(f"/{number}", operation_id=f"read{number}")(read)

    @app.get("/all", dependencies=[fw.Depends(scheme) for scheme in every])
    def all_() -> None: ...

    return app


@cases
def scopes(fw: Framework) -> Any:
    oauth = fw.security.OAuth2PasswordBearer("token", scopes={"a": "A", "b": "B"})
    key = fw.security.APIKeyHeader(name="K")

    def own(token: Annotated[str, fw.Security(oauth, scopes=["a"])]) -> None: ...

    def inner(
        token: Annotated[str, fw.Security(oauth, scopes=["b", "a"])], k: Annotated[str, fw.Depends(key)]
    ) -> None: ...

    def outer(
        inner_: Annotated[None, fw.Security(inner, scopes=["c"])], scopes: fw.security.SecurityScopes
    ) -> None: ...

    app = fw.FastAPI(dependencies=[fw.Security(own, scopes=["app"])])

    @app.get("/one")
    def one(a: Annotated[None, fw.Security(own, scopes=["z"])], b: Annotated[None, fw.Depends(inner)]) -> None: ...

    @app.get("/two", dependencies=[fw.Security(outer, scopes=["q", "a"]), fw.Depends(outer)])
    def two(k: Annotated[str, fw.Security(key, scopes=["kk"])]) -> None: ...

    @app.get("/three")
    def three(a: Annotated[None, fw.Depends(outer)], b: Annotated[str, fw.Depends(oauth)]) -> None: ...

    router = fw.APIRouter(prefix="/r", dependencies=[fw.Security(outer, scopes=["router"])])

    @router.get("/four", dependencies=[fw.Security(key)])
    def four() -> None: ...

    app.include_router(router, dependencies=[fw.Security(oauth, scopes=["include"])])
    return app


@cases
def same_name(fw: Framework) -> Any:
    first = fw.security.APIKeyHeader(name="one", scheme_name="key")
    second = fw.security.APIKeyHeader(name="two", scheme_name="key")
    app = fw.FastAPI()

    @app.get("/1")
    def one(a: Annotated[str, fw.Depends(first)], b: Annotated[str, fw.Security(second, scopes=["s"])]) -> None: ...

    @app.get("/2")
    def two(a: Annotated[str, fw.Depends(first)]) -> None: ...

    return app


@cases
def own_schemes(fw: Framework) -> Any:
    class Mine(fw.security.base.SecurityBase):
        def __init__(self) -> None:
            self.model = fw.openapi.models.APIKey(**{"in": "header", "name": "X", "x-more": 1})
            self.scheme_name = "mine"

        def __call__(self, request: fw.Request, extra: int = 3) -> str:
            return "x"

    class Inherited(fw.security.HTTPBearer):
        """A bearer token."""

    app = fw.FastAPI()

    @app.get("/1")
    def one(a: Annotated[str, fw.Depends(Mine())], b: Annotated[Any, fw.Depends(Inherited())]) -> None: ...

    @app.get("/2")
    def two(a: Annotated[str, fw.Depends(partial(Mine(), extra=4))]) -> None: ...

    return app
