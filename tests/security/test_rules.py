"""Rules about roles and scopes: who is let in, and what the document says of it."""

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from ferrapi import APIRouter, Depends, FastAPI, HTTPException, Security, WebSocket
from ferrapi.exceptions import AccessRuleError
from ferrapi.security import (
    AccessRule,
    APIKeyHeader,
    HTTPBearer,
    OAuth2PasswordBearer,
    OpenIdConnect,
    RequireRoles,
    RequireScopes,
    SecurityScopes,
    all_of,
    any_of,
)
from ferrapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import WebSocketDenialResponse
from support.asgi import Ask, exchange
from support.wire import Wire, configured

oauth = OAuth2PasswordBearer("/token", auto_error=False)
bearer = HTTPBearer(auto_error=False)
key = APIKeyHeader(name="x-key", auto_error=False)
openid = OpenIdConnect(openIdConnectUrl="/openid", auto_error=False)
CALLS: list[str] = []


def user(token: Annotated[str | None, Depends(oauth)]) -> Any:
    """Whom a token is of: ``roles:scopes``, each separated by commas; empty for nobody."""
    CALLS.append("user")
    if not token:
        return None
    roles, _, scopes = token.partition(":")
    return SimpleNamespace(roles=roles.split(","), scopes=scopes.split(","), token=token)


def holder(value: Annotated[str | None, Depends(key)]) -> Any:
    return None if value is None else {"roles": value, "scope": value}


def made(rule: AccessRule) -> FastAPI:
    app = FastAPI()

    @app.get("/parameter")
    async def parameter(found: Annotated[Any, Depends(rule)]) -> Any:
        return found if isinstance(found, Mapping) else found.token

    @app.get("/route", dependencies=[Depends(rule)])
    def route() -> str:
        return "in"

    router = APIRouter(prefix="/router", dependencies=[Depends(rule)])

    @router.get("/")
    async def of_router() -> str:
        return "in"

    @router.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    app.include_router(router)
    return app


async def over_asgi(app: Any, path: str, headers: Any) -> tuple[int, bytes, bytes | None]:
    answer = await exchange(app, Ask(path=path, headers=headers))
    return answer.status or 0, answer.body, dict(answer.headers).get(b"www-authenticate")


async def over_http11(app: Any, path: str, headers: Any) -> tuple[int, bytes, bytes | None]:
    wire = Wire(configured(app))
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    await wire.feed(b"GET %b HTTP/1.1\r\nhost: a\r\n%b\r\n" % (path.encode(), lines))
    while wire.state.tasks:
        await asyncio.wait(list(wire.state.tasks))
    await wire.settle()
    await wire.lose()
    head, _, body = wire.written.partition(b"\r\n\r\n")
    status, *found = head.split(b"\r\n")
    named: dict[bytes, bytes] = dict(line.split(b": ", 1) for line in found)  # pairs
    return int(status.split(b" ")[1]), body, named.get(b"www-authenticate")


TRANSPORTS = pytest.mark.parametrize("transport", [over_asgi, over_http11])
A, B = RequireRoles("a"), RequireRoles("b")
CASES: list[tuple[AccessRule, dict[str, int]]] = [
    (RequireRoles("a", user=user), {"": 401, "a:": 200, "b:": 403, "a,b:": 200, ":a": 403}),
    (RequireRoles("a", "b", user=user), {"": 401, "a:": 403, "b,a:": 200}),
    (RequireScopes("a", user=user), {"": 401, "a:": 403, ":a": 200, ":b,a": 200}),
    (RequireScopes("a", "b", user=user), {":a": 403, ":a,b": 200}),
    (any_of(A, B, user=user), {"": 401, "a:": 200, "b:": 200, "c:": 403}),
    (all_of(A, B, user=user), {"": 401, "a:": 403, "a,b:": 200}),
    (all_of(any_of(A, B), RequireScopes("x"), user=user), {"": 401, "a:": 403, ":x": 403, "b:x": 200}),
    (any_of(all_of(A, B), RequireScopes("x"), user=user), {"": 401, "a:": 403, "a,b:": 200, "c:x": 200}),
    (RequireRoles("a", user=user, roles_of=lambda found: found.scopes), {"a:": 403, ":a": 200}),
    (RequireScopes("a", user=user, scopes_of=lambda found: None), {":a": 403}),
]


@TRANSPORTS
@pytest.mark.parametrize(("rule", "answers"), CASES)
@pytest.mark.parametrize("path", ["/parameter", "/route", "/router/"])
def test_who_lacks_something_is_told_apart_from_nobody(transport: Any, rule: Any, answers: Any, path: str) -> None:
    app = made(rule)
    for token, status in answers.items():
        headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        found, body, challenge = asyncio.run(transport(app, path, headers))
        assert found == status, token
        if status == 401:
            assert (body, challenge) == (b'{"detail":"Not authenticated"}', b"Bearer")
        elif status == 403:
            assert body == b'{"detail":"Not enough permissions"}'
        elif path == "/parameter":
            assert body == f'"{token}"'.encode()


def test_missing_scopes_are_challenged_as_in_rfc_6750() -> None:
    client = TestClient(made(RequireScopes("a", "b", user=user)))
    answer = client.get("/route", headers={"authorization": "Bearer :a"})
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="a b"'
    roles = TestClient(made(RequireRoles("a", user=user))).get("/route", headers={"authorization": "Bearer b:"})
    assert "www-authenticate" not in roles.headers


def test_sockets_are_refused_before_they_are_accepted() -> None:
    client = TestClient(made(RequireRoles("a", user=user)))
    for headers, status in (({}, 401), ({"authorization": "Bearer b:"}, 403)):
        with (
            pytest.raises(WebSocketDenialResponse) as denied,
            client.websocket_connect("/router/socket", headers=headers),
        ):
            pass
        assert denied.value.status_code == status
    with client.websocket_connect("/router/socket", headers={"authorization": "Bearer a:"}):
        pass


NAMES = st.sets(st.sampled_from("abcd"))
RULES: st.SearchStrategy[Any] = st.recursive(
    st.sets(st.sampled_from("abcd"), min_size=1).map(lambda names: ("roles", tuple(sorted(names)))),
    lambda below: st.tuples(st.sampled_from(["any", "all"]), st.lists(below, min_size=1, max_size=3)),
    max_leaves=6,
)


@given(RULES, st.none() | NAMES)
def test_any_composition_decides_as_logic_does(described: Any, roles: Any) -> None:
    def rule_of(one: Any) -> AccessRule:
        if one[0] == "roles":
            return RequireRoles(*one[1])
        return (any_of if one[0] == "any" else all_of)(*map(rule_of, one[1]))

    def holds(one: Any) -> bool:
        if one[0] == "roles":
            return roles >= set(one[1])
        return (any if one[0] == "any" else all)(map(holds, one[1]))

    rule = any_of(rule_of(described), user=user)
    expected = 401 if roles is None else 200 if holds(described) else 403
    asked = None if roles is None else {"roles": roles}
    decided = rule.decide({user: asked})
    if expected == 200:
        assert decided is asked
    else:
        assert decided.error().status_code == expected


def test_rules_may_ask_different_users() -> None:
    rule = any_of(RequireRoles("a", user=user), RequireScopes("k", user=holder))
    client = TestClient(made(rule))
    assert client.get("/parameter").status_code == 401
    assert client.get("/parameter", headers={"x-key": "no"}).status_code == 403
    assert client.get("/parameter", headers={"x-key": "j k"}).json() == {"roles": "j k", "scope": "j k"}
    assert client.get("/parameter", headers={"x-key": "no", "authorization": "Bearer a:"}).json() == "a:"
    both = TestClient(made(all_of(RequireRoles("a", user=user), RequireScopes("k", user=holder))))
    assert both.get("/route", headers={"x-key": "k"}).status_code == 401
    assert both.get("/route", headers={"x-key": "k", "authorization": "Bearer a:"}).status_code == 200


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ({"roles": ["a"]}, 200),
        ({"roles": "b a"}, 200),
        ({"roles": {"a": 1}}, 200),
        ({"roles": "ab"}, 403),
        ({"roles": None}, 403),
        ({}, 403),
        (SimpleNamespace(roles=()), 403),
        (None, 401),
    ],
)
def test_users_may_be_of_any_shape(found: Any, status: int) -> None:
    client = TestClient(made(RequireRoles("a", user=lambda: found)))
    assert client.get("/route").status_code == status


def test_a_user_without_roles_is_a_mistake_and_not_a_refusal() -> None:
    with pytest.raises(AccessRuleError, match="no attribute 'roles'"):
        TestClient(made(RequireRoles("a", user=object))).get("/route")


@pytest.mark.parametrize("make", [RequireRoles, RequireScopes, any_of, all_of])
def test_rules_about_nothing_are_refused(make: Any) -> None:
    for arguments in ((), ("",), (3,)):
        with pytest.raises(AccessRuleError):
            make(*arguments, user=user)


@pytest.mark.parametrize("rule", [RequireRoles("a"), any_of(A, RequireScopes("b", user=user)), all_of(any_of(B))])
def test_a_rule_that_does_not_say_whose_is_refused_when_it_is_used(rule: AccessRule) -> None:
    with pytest.raises(AccessRuleError, match="user="):
        made(rule)


def test_the_user_is_asked_for_once_and_may_be_overridden() -> None:
    app = FastAPI(dependencies=[Depends(RequireRoles("a", user=user))])

    @app.get("/")
    async def read(found: Annotated[Any, Depends(RequireScopes("s", user=user))], same: Any = Depends(user)) -> bool:
        return found is same

    CALLS.clear()
    client = TestClient(app)
    assert client.get("/", headers={"authorization": "Bearer a:s"}).json() is True
    assert CALLS == ["user"]
    app.dependency_overrides[user] = lambda: {"roles": ["a"], "scope": "s"}
    assert client.get("/").json() is True


def test_a_user_dependency_does_not_see_what_rules_need_and_may_raise() -> None:
    def strict(scopes: SecurityScopes) -> Any:
        CALLS.append(scopes.scope_str)
        raise HTTPException(401, headers={"WWW-Authenticate": "Negotiate"})

    CALLS.clear()
    answer = TestClient(made(RequireScopes("a", user=strict))).get("/route")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Negotiate")
    assert CALLS == [""]


def test_equal_rules_are_one() -> None:
    assert RequireRoles("a", user=user) == RequireRoles("a", user=user)
    assert len({any_of(A, user=user), any_of(A, user=user), all_of(A, user=user)}) == 2
    assert RequireRoles("a", user=user) != RequireScopes("a", user=user)
    assert list(inspect.signature(RequireRoles).parameters) == ["roles", "user", "roles_of"]


# The document


@dataclass
class Shown:
    """What the document says of an operation."""

    security: Any
    refusals: dict[str, str]


def shown(*rules: Any, **options: Any) -> Shown:
    app = FastAPI()
    app.get("/", dependencies=[Depends(rule) for rule in rules], **options)(lambda: None)
    operation = app.openapi()["paths"]["/"]["get"]
    answers = operation["responses"]
    return Shown(operation.get("security"), {code: answers[code]["description"] for code in answers if code != "200"})


def _of(scheme: Any) -> Any:
    def of(found: Annotated[Any, Depends(scheme)]) -> Any:
        return found

    return of


OAUTH, BEARER, KEY, OPENID = "OAuth2PasswordBearer", "HTTPBearer", "APIKeyHeader", "OpenIdConnect"


@pytest.mark.parametrize(
    ("rule", "security"),
    [
        (RequireScopes("a", "b", user=user), [{OAUTH: ["a", "b"]}]),
        (RequireRoles("a", user=user), [{OAUTH: []}]),
        (RequireRoles("a", user=_of(openid)), [{OPENID: []}]),
        (RequireRoles("a", user=_of(bearer)), [{BEARER: ["a"]}]),
        (RequireScopes("a", user=_of(bearer)), [{BEARER: ["a"]}]),
        (any_of(RequireScopes("a"), RequireScopes("b"), user=user), [{OAUTH: ["a"]}, {OAUTH: ["b"]}]),
        (all_of(RequireScopes("a"), RequireScopes("b"), user=user), [{OAUTH: ["a", "b"]}]),
        (all_of(RequireScopes("a", user=user), RequireRoles("b", user=holder)), [{OAUTH: ["a"], KEY: ["b"]}]),
        (any_of(RequireScopes("a", user=user), RequireRoles("b", user=holder)), [{OAUTH: ["a"]}, {KEY: ["b"]}]),
        (RequireRoles("a", user=lambda: None), None),
    ],
)
def test_the_document_lists_what_is_needed_of_which_scheme(rule: AccessRule, security: Any) -> None:
    assert shown(rule).security == security


def test_several_rules_and_declared_scopes_are_needed_together() -> None:
    either = any_of(RequireScopes("a"), RequireScopes("b"), user=user)
    assert shown(either, RequireScopes("c", user=user)).security == [{OAUTH: ["a", "c"]}, {OAUTH: ["b", "c"]}]
    app = FastAPI()
    app.get("/", dependencies=[Security(RequireScopes("a", user=user), scopes=["own"]), Depends(key)])(lambda: None)
    assert app.openapi()["paths"]["/"]["get"]["security"] == [{OAUTH: ["own", "a"]}, {KEY: []}]


def test_the_document_has_the_refusals_unless_the_route_describes_them() -> None:
    rule = all_of(RequireRoles("a"), any_of(RequireScopes("x", "y"), RequireRoles("b")), user=user)
    needs = "Not enough permissions: role a and scopes x, y; or role a and role b"
    assert shown(rule).refusals == {"401": "Not authenticated", "403": needs}
    assert shown(rule, responses={403: {"description": "No"}}).refusals == {"401": "Not authenticated", "403": "No"}
    assert shown(rule, responses={"4XX": {"description": "No"}}).refusals == {"4XX": "No"}
    assert shown().refusals == {}


def test_operations_below_a_router_with_a_rule_show_it() -> None:
    paths = made(RequireScopes("a", user=user)).openapi()["paths"]
    for path in ("/parameter", "/route", "/router/"):
        assert paths[path]["get"]["security"] == [{OAUTH: ["a"]}]
        assert "403" in paths[path]["get"]["responses"]
        assert "user_0" not in str(paths[path])
