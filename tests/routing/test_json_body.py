"""A JSON body that is read by the short way means what FastAPI says that it means.

The property: for every type that is said to be the same from JSON, validating the bytes and validating what Python's
parser makes of them accept the same texts, with the same values, and report the same errors where that is taken for
granted. ``FERRAPI_JSON_CASES`` is the number of texts (8,000 by default), ``FERRAPI_JSON_SEED`` where to begin.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from ferrapi._native import has_long_number
from ferrapi.compile import plain as _plain
from ferrapi.compile.json_body import _SAME_WORDS, early_model
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from support.asgi import Answer, Ask
from support.compare import Make, answers, compare
from support.frameworks import FERRAPI, Framework

from . import json_models as models

CASES = int(os.environ.get("FERRAPI_JSON_CASES", "8000"))
SEED = int(os.environ.get("FERRAPI_JSON_SEED", "1"))
TEXTS_PER_TYPE = 20

pytestmark = pytest.mark.usefixtures("quiet")


def shown(value: Any) -> Any:
    """A value as text, with what its models know of themselves."""
    pending, found = [value], [repr(value)]
    while pending:
        current = pending.pop()
        if isinstance(current, BaseModel):
            found.append(str((type(current).__name__, sorted(current.model_fields_set), current.__pydantic_extra__)))
            pending.extend(current.__dict__.values())
        elif isinstance(current, list):
            pending.extend(current)
    return found


def outcome(validate: Any, value: Any, **options: Any) -> tuple[Any, list[Any] | None]:
    """The value as text, or the errors."""
    try:
        return shown(validate(value, **options)), None
    except ValidationError as exc:
        return None, exc.errors(include_url=False)


def cases(seed: int, count: int) -> Iterator[tuple[Any, bytes]]:
    """`count` texts for the short way, each with the adapter of the type that it is for."""
    chance = random.Random(seed)
    made = 0
    while made < count:
        kind = models.model(chance, 3) if chance.random() < 0.8 else models.any_type(chance, 3)
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(kind)
        except (PydanticUserError, TypeError):  # limits that the type doesn't take
            continue
        if not _plain.is_same_from_json(adapter.core_schema):
            continue
        for _ in range(TEXTS_PER_TYPE):
            text = models.fitting(chance, kind).encode()
            if models.both_parse(text) and not has_long_number(text):
                made += 1
                yield adapter, text


def test_bytes_and_parsed_values_are_validated_alike() -> None:
    accepted = 0
    kinds: Counter[str] = Counter()
    reported = 0
    for adapter, text in cases(SEED, CASES):
        value, errors = outcome(adapter.validator.validate_json, text)
        expected, wrong = outcome(adapter.validator.validate_python, json.loads(text), from_attributes=True)
        where = f"{text!r} for {adapter.core_schema}"
        assert (errors is None) == (wrong is None), f"{errors} {wrong} {where}"
        assert value == expected, where
        accepted += errors is None
        if errors is None or not all(error["type"] in _SAME_WORDS for error in errors):
            continue
        assert repr(errors) == repr(wrong), where
        reported += 1
        kinds.update(error["type"] for error in errors)
    assert accepted > CASES / 10
    assert reported > CASES / 5
    if CASES >= 8000:
        assert set(kinds) == _SAME_WORDS, "a kind of error that is taken for granted was never seen"


JSON = [(b"content-type", b"application/json")]


class Line(BaseModel):
    """A part of an order, with a mistake to make in each field."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=2, max_length=4, pattern="^[a-z]+$")]
    count: Annotated[int, Field(gt=0, le=10, multiple_of=2)]
    price: Annotated[float, Field(ge=0.5, lt=100)] = 1.0
    gift: bool = False
    code: UUID | None = None
    size: Literal["s", "l"] = "s"


class Order(BaseModel):
    """A plain model of plain models."""

    weight: float
    buyer: str = "nobody"
    lines: Annotated[list[Line], Field(min_length=1, max_length=3)] = []
    notes: list[str] = []


class Numbers(BaseModel):
    """What changes 1.0 into a text."""

    model_config = ConfigDict(coerce_numbers_to_str=True)
    text: str


class Outer(BaseModel):
    """A model that has one of those inside."""

    inner: Numbers


class Closed(BaseModel):
    """What forbids other keys."""

    model_config = ConfigDict(extra="forbid")
    a: int
    b: int = 0


BODIES: dict[str, Any] = {
    "order": Order,
    "numbers": Numbers,
    "outer": Outer,
    "closed": Closed,
    "closed list": list[Closed],
    "int": int,
    "optional": int | None,
    "texts": list[str],
    "tree": models.Tree,
}


def make(fw: Framework, log: list[Any]) -> Any:
    """An application with one endpoint for each body; each shows what it got."""
    app = fw.FastAPI()
    for number, kind in enumerate(BODIES.values()):
        app.post(f"/{number}")(_endpoint(fw, kind, log))
    return app


def _endpoint(fw: Framework, kind: Any, log: list[Any]) -> Any:
    async def endpoint(body: Annotated[kind, fw.Body()]) -> Any:  # made at run time
        log.append(repr(body))
        return body

    return endpoint


def handled(handler: Any) -> Make:
    """The same application with an own handler of the error."""

    def build(fw: Framework, log: list[Any]) -> Any:
        app = make(fw, log)
        app.add_exception_handler(fw.exceptions.RequestValidationError, handler(fw, log))
        return app

    return build


def ask(body: bytes, kind: str = "order") -> Ask:
    return Ask("POST", f"/{list(BODIES).index(kind)}", b"", JSON, (body,))


SEVERAL = (
    b'{"weight": "heavy", "buyer": 7, "lines": [{"name": "A", "count": 3, "price": 100, "gift": "maybe", "code": "x",'
    b' "size": "m", "colour": "red", "age": [1, {"b": null}]}, {"count": 1.5}, {"name": "abcde", "count": 12.0}],'
    b' "notes": ["fine", null, 1, {}, "\xc3\xa9"]}'
)
LIST_TYPE = b'{"weight": 1, "lines": {"a": 1}, "notes": [1]}'

LONG = [
    b'{"weight": %s}',
    b'{"weight": -%s}',
    b'{"weight": "%s"}',
    b'{"weight": 0.%s}',
    b'{"weight": %s.5}',
    b'{"weight": %se-400}',
    b'{"weight": 1, "unused": %s}',
    b'{"weight": "x", "unused": %s}',
    b'{"weight": 1, "lines": [{"name": "abc", "count": %s}]}',
    b'{"weight": 1, "buyer": "%s"}',
    b'{"weight": 1, "buyer": %s}',
]


class TestLongNumbers:
    """Python makes an integer of any digits, or refuses; pydantic's parser makes other things of them."""

    @pytest.mark.parametrize("digits", [17, 307, 308, 309, 310, 400, 617, 618, 4300, 4301, 4500])
    @pytest.mark.parametrize("digit", [b"1", b"2", b"9"])
    def test_anywhere_in_a_body(self, digits: int, digit: bytes) -> None:
        compare(make, [ask(text % (digit * digits)) for text in LONG])

    @pytest.mark.parametrize("digits", [309, 4500])
    def test_a_long_integer_is_never_a_float(self, framework: Framework, digits: int) -> None:
        """The control for the rows above: there is something to be told apart."""
        answer = answers(framework, make, [ask(LONG[0] % (b"2" * digits))])[0]
        assert answer.status == (422 if digits == 309 else 400)


class TestKeysAndTexts:
    """Where parsers differ: keys that come twice, numbers as texts, texts that are nearly JSON."""

    @pytest.mark.parametrize(
        "body",
        [
            b'{"text": %s}' % text
            for text in (b"1", b"1.0", b"-0.0", b"1e2", b"1e400", b"NaN", b"true", b"null", b'"x"')
        ],
    )
    def test_numbers_that_become_text(self, body: bytes) -> None:
        compare(make, [ask(body, "numbers"), ask(b'{"inner": %s}' % body, "outer")])

    @pytest.mark.parametrize(
        "body",
        [
            b'{"a": 1, "a": 2}',
            b'{"a": "x", "a": 2}',
            b'{"a": 2, "a": "x"}',
            b'{"a": 1, "x": 1, "x": 2}',
            b'{"x": 1, "a": 1, "y": 2, "x": {"x": 1, "x": 2}}',
            b'{"x": 1, "\\u0078": 2, "b": null, "b": "y", "z": 0}',
            b'{"a": [], "a": {"q": 1, "q": 2}, "zz": NaN, "zz": Infinity}',
            b'{"": 1, "": 2}',
        ],
    )
    def test_a_key_twice(self, body: bytes) -> None:
        nested = b'{"size": 1, "below": [{"size": 1, "x": 1, "x": 2, "size": "q"}], "below": [%s]}'
        compare(make, [ask(body, "closed"), ask(b"[%s]" % body, "closed list"), ask(nested % body, "tree")])

    @pytest.mark.parametrize("kind", list(BODIES))
    def test_bodies_of_all_kinds(self, kind: str) -> None:
        texts = [b"null", b" null\n", b"0", b"1.0", b'""', b'"1"', b"[]", b"{}", b"[null]", b"[[]]", b'[{"a": 1}, {}]']
        texts += [b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"{", b"nul", b'"\xff"', b'"\\ud800"', b"-", b"01", b"[1,]"]
        texts += [b"{}\x00", b'"\x00"', b'"\t"', b"NaN", b"-NaN", b"+1", b"1.", b".5", b"[" * 300 + b"]" * 300]
        compare(make, [ask(text, kind) for text in texts])


def details(fw: Framework, log: list[Any]) -> Any:
    """A handler that shows everything that the error knows."""

    async def handler(request: Any, exc: Any) -> Any:
        text = str(exc).partition("\n  File ")[0]  # FastAPI may name an endpoint of before, by the address of this one
        log.append((text, repr(exc.body), repr(exc.errors()), repr(exc), exc.args, exc.body is exc.body))
        log.append([hasattr(exc, name) for name in ("body", "endpoint_ctx", "detail")])
        return fw.responses.PlainTextResponse(f"{exc.body!r} {exc.errors()!r} {text}", 400)

    return handler


def changing(fw: Framework, log: list[Any]) -> Any:
    """A handler that puts another body into the error, and takes it away."""

    def handler(request: Any, exc: Any) -> Any:
        exc.body = [exc.body, "more"]
        first = repr(exc.body)
        del exc.body
        return fw.responses.PlainTextResponse(f"{first} {exc.errors()!r}", 400)

    return handler


def delegating(fw: Framework, log: list[Any]) -> Any:
    """A handler that leaves the answer to the default one."""

    async def handler(request: Any, exc: Any) -> Any:
        response = await fw.exception_handlers.request_validation_exception_handler(request, exc)
        log.append(
            (isinstance(response, fw.responses.JSONResponse), response.status_code, response.body, response.raw_headers)
        )
        response.headers["x-own"] = "yes"
        return response

    return handler


def replacing(fw: Framework, log: list[Any]) -> Any:
    """A handler that makes an HTTP error of it and leaves that to the default one."""

    async def handler(request: Any, exc: Any) -> Any:
        again = fw.HTTPException(400, {"body": exc.body, "errors": len(exc.errors())}, {"X-Kind": "json"})
        return await fw.exception_handlers.http_exception_handler(request, again)

    return handler


def raising(fw: Framework, log: list[Any]) -> Any:
    """A handler that raises the error again with the body that it had."""

    async def handler(request: Any, exc: Any) -> Any:
        raise fw.exceptions.RequestValidationError(exc.errors(), body=exc.body)

    return handler


class TestReports:
    """The error that is reported straight from the bytes, and the one that goes the long way."""

    BODIES = (SEVERAL, LIST_TYPE, b"{}", b'{"weight": [1, 1.0, "\xe2\x82\xac"], "weight": true, "lines": []}', b"[]")

    @pytest.mark.parametrize("body", BODIES)
    def test_the_default_answer(self, body: bytes) -> None:
        assert compare(make, [ask(body)])[0].status == 422

    @pytest.mark.parametrize("handler", [details, changing, delegating, replacing, raising])
    @pytest.mark.parametrize("body", BODIES)
    def test_own_handlers(self, handler: Any, body: bytes) -> None:
        compare(handled(handler), [ask(body)])

    def test_the_body_that_is_shown_is_what_was_sent(self, framework: Framework) -> None:
        body = b'{"weight": "x", "y": {"k": 1, "k": [2.0]}}'
        answer: Answer = answers(framework, handled(replacing), [ask(body)])[0]
        assert json.loads(answer.body) == {"detail": {"body": {"weight": "x", "y": {"k": [2.0]}}, "errors": 1}}

    def test_a_dependency_sees_the_error_around_its_yield(self) -> None:
        def build(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            async def around() -> Any:
                try:
                    yield
                except fw.exceptions.RequestValidationError as exc:
                    log.append((exc.errors(), exc.body))
                    raise

            @app.post("/", dependencies=[fw.Depends(around)])
            async def root(body: Order) -> Any:
                return body

            return app

        compare(build, [Ask("POST", "/", b"", JSON, (body,)) for body in self.BODIES])


class TestTheShortWayIsTaken:
    """Nothing above would prove much if these bodies went the long way."""

    @staticmethod
    def way(kind: str) -> Any:
        app = make(FERRAPI, [])
        route = app.routes[-len(BODIES) + list(BODIES).index(kind)]
        return early_model(route.app.compiled().base)

    @pytest.mark.parametrize("kind", ["order", "closed", "closed list", "tree", "texts"])
    def test_for_plain_models(self, kind: str) -> None:
        assert self.way(kind) is not None

    @pytest.mark.parametrize("kind", ["numbers", "outer"])
    def test_not_for_models_that_make_texts_of_numbers(self, kind: str) -> None:
        assert self.way(kind) is None

    def test_errors_are_reported_without_the_body(self) -> None:
        """A direct report holds the bytes, parsed when somebody asks; the other was parsed for validating."""
        seen: list[Any] = []

        def noting(fw: Framework, log: list[Any]) -> Any:
            def handler(request: Any, exc: Any) -> Any:
                seen.append("body" in vars(exc))
                return fw.responses.Response()

            return handler

        answers(FERRAPI, handled(noting), [ask(SEVERAL), ask(LIST_TYPE), ask(LONG[0] % (b"9" * 400))])
        assert seen == [False, True, True]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("content_type", [None, b"", b" ", b"application/json", b"text/plain"])
def test_an_empty_content_type_says_nothing(content_type: bytes | None, strict: bool) -> None:
    def build(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(strict_content_type=strict)

        @app.post("/")
        async def root(value: Annotated[dict[str, int], fw.Body()]) -> Any:
            return value

        return app

    headers = [] if content_type is None else [(b"content-type", content_type)]
    compare(build, [Ask("POST", headers=headers, body=[b'{"a": 1}'])])
