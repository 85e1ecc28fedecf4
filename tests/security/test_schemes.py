"""What the schemes say about themselves: their models, names and signatures, and the password form."""

import inspect
import typing
from typing import Any

import pytest
from _oracle import Framework, same
from ferrapi.security import HTTPBearer
from ferrapi.security.base import SecurityBase
from support.naming import steady_name


def described(scheme: Any) -> dict[str, Any]:
    """A scheme's attributes, its model as the OpenAPI document shows it."""
    return {
        name: value.model_dump(by_alias=True, exclude_none=True, mode="json") if hasattr(value, "model_dump") else value
        for name, value in sorted(vars(scheme).items())
    }


SCHEMES: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("api_key", "APIKeyQuery", (), {"name": "k", "description": "d", "scheme_name": "s"}),
    ("api_key", "APIKeyHeader", (), {"name": "k"}),
    ("api_key", "APIKeyCookie", (), {"name": "k", "description": "", "scheme_name": "", "auto_error": False}),
    ("api_key", "APIKeyBase", ("query", "n", "d", "s", False), {}),
    ("http", "HTTPBase", (), {"scheme": "x", "description": "d", "scheme_name": ""}),
    ("http", "HTTPBasic", (), {"description": "d", "realm": "r"}),
    ("http", "HTTPBearer", (), {"bearerFormat": "JWT", "scheme_name": "n"}),
    ("http", "HTTPDigest", (), {}),
    ("oauth2", "OAuth2", (), {}),
    ("oauth2", "OAuth2", (), {"flows": {"password": {"tokenUrl": "t", "scopes": {"a": "b"}}}, "description": "d"}),
    ("oauth2", "OAuth2", (), {"flows": {"unknown": {}}}),
    ("oauth2", "OAuth2", (), {"flows": {"password": {}}}),
    ("oauth2", "OAuth2", (), {"flows": None}),
    ("oauth2", "OAuth2PasswordBearer", ("t",), {}),
    ("oauth2", "OAuth2PasswordBearer", ("t", "n", {"a": "b"}, "d", False, "r"), {}),
    ("oauth2", "OAuth2PasswordBearer", (None,), {}),
    ("oauth2", "OAuth2AuthorizationCodeBearer", ("a", "t"), {}),
    ("oauth2", "OAuth2AuthorizationCodeBearer", ("a", "t", "r", "n", {"s": "d"}, "d", False), {}),
    ("open_id_connect_url", "OpenIdConnect", (), {"openIdConnectUrl": "u", "description": "d"}),
]


@pytest.mark.parametrize(("module", "name", "args", "options"), SCHEMES)
def test_models_and_attributes(module: str, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    same(lambda framework: described(getattr(getattr(framework.security, module), name)(*args, **options)))


@pytest.mark.parametrize(("module", "name"), sorted({(module, name) for module, name, _, _ in SCHEMES}))
def test_signatures(module: str, name: str) -> None:
    def question(framework: Framework) -> Any:
        scheme = getattr(getattr(framework.security, module), name)
        call = inspect.getattr_static(scheme, "__call__", None)
        shown = [inspect.signature(member) for member in (scheme, call) if member is not None]
        return [[(p.name, p.kind.name, p.default) for p in signature.parameters.values()] for signature in shown]

    same(question)


def test_a_subclass_is_a_scheme_of_its_own_name() -> None:
    class Token(HTTPBearer):
        pass

    assert Token().scheme_name == "Token"
    assert isinstance(Token(), SecurityBase)


@pytest.mark.parametrize("scopes", [None, [], ["a"], ["a", "b"], ("a",)])
def test_security_scopes(scopes: Any) -> None:
    same(lambda framework: vars(framework.security.SecurityScopes(scopes)))


FORMS = ["OAuth2PasswordRequestForm", "OAuth2PasswordRequestFormStrict"]


@pytest.mark.parametrize("name", FORMS)
def test_the_fields_of_the_password_form(name: str) -> None:
    def question(framework: Framework) -> Any:
        rows = []
        for parameter in inspect.signature(getattr(framework.security, name)).parameters.values():
            type_, *metadata = typing.get_args(parameter.annotation)
            field = next(item for item in metadata if isinstance(item, framework.params.Form))
            rows.append((parameter.name, parameter.kind.name, parameter.default, type_))
            rows.append((field.metadata, field.json_schema_extra, field.media_type, field.is_required()))
        return rows

    same(question)


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "u", "password": "p"},
        {"username": "u", "password": "p", "scope": "a b  c\td\n"},
        {"username": "u", "password": "p", "grant_type": "password", "client_id": "i", "client_secret": "s"},
    ],
    ids=steady_name,
)
def test_the_password_form_splits_its_scopes(fields: dict[str, Any]) -> None:
    same(lambda framework: vars(framework.security.OAuth2PasswordRequestForm(**fields)))
    strict = {"grant_type": "password", **fields}
    same(lambda framework: vars(framework.security.OAuth2PasswordRequestFormStrict(**strict)))


@pytest.mark.parametrize("name", ["HTTPBasicCredentials", "HTTPAuthorizationCredentials"])
def test_credentials_are_models(name: str) -> None:
    def question(framework: Framework) -> Any:
        schema = getattr(framework.security, name).model_json_schema()
        for part in (schema, *schema["properties"].values()):
            part.pop("description", None)
        return schema

    same(question)
