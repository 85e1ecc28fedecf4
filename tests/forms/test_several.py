"""What the body parameters of several dependencies make of a request's body, and how documents describe it.

The first parameter, whether all have one name, and which of them stand for the whole form decide. A dependency that is
used several times counts each time.
"""

import inspect
from typing import Annotated, Any, Literal

from differential.common import JSON, examples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, Field, Json
from support.asgi import Ask
from support.compare import compare, compare_documents
from support.frameworks import Framework

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
PARTS = [(b"content-type", b"multipart/form-data; boundary=cut")]


class Colour(BaseModel):
    shade: int = 1


class Tool(BaseModel):
    kind: Literal["saw"] = "saw"


class Size(BaseModel):
    width: int = Field(2, validation_alias=AliasChoices("width", "wide"))


def annotations(fw: Framework) -> dict[str, Any]:
    """The ways in which a parameter may want the body, or a part of it."""
    return {
        "form": Annotated[int, fw.Form()],
        "form model": Annotated[Colour, fw.Form()],
        "other form model": Annotated[Size, fw.Form()],
        "described form model": Annotated[Colour, fw.Form(description="About", title="Painted")],
        "form model or none": Annotated[Colour | None, fw.Form()],
        "form models": Annotated[Colour | Size, fw.Form()],
        "JSON form": Annotated[Json[Colour], fw.Form()],
        "file": Annotated[bytes, fw.File()],
        "model": Colour,
        "key of a model": Annotated[Colour, fw.Body(embed=True)],
        "number": Annotated[int, fw.Body()],
        "key of a number": Annotated[int, fw.Body(embed=True)],
    }


KINDS = list(annotations(Framework("fastapi")))
USES = ("Depends", "without cache", "Security", "other Security")
Uses = list[tuple[str, str, str]]


def _marker(fw: Framework, use: str, dependency: Any) -> Any:
    if use == "Depends":
        return fw.Depends(dependency)
    if use == "without cache":
        return fw.Depends(dependency, use_cache=False)
    return fw.Security(dependency, scopes=["read"] if use == "Security" else ["write"])


def _make(uses: Uses) -> Any:
    def make(fw: Framework, log: list[Any]) -> Any:
        known: dict[tuple[str, str], Any] = {}
        for name, kind, _ in uses:

            def dependency(kind: str = kind, **values: Any) -> None:
                log.append((kind, repr(values)))

            parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotations(fw)[kind])
            dependency.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]  # read by both
            known.setdefault((name, kind), dependency)
        app = fw.FastAPI()

        @app.post("/", dependencies=[_marker(fw, use, known[name, kind]) for name, kind, use in uses])
        def endpoint() -> None: ...

        return app

    return make


ASKS = [
    Ask("POST", headers=headers, body=[body])
    for headers, body in (
        ([], b""),
        (JSON, b'{"shade": 2, "wide": 3, "x": 4, "y": 5}'),
        (JSON, b'{"x": {"shade": 7}, "y": {"width": 3}}'),
        (JSON, b"7"),
        (FORM, b"shade=2&wide=3&x=4&y=5&y=6"),
        (FORM, b'x={"shade":3}'),
        (PARTS, b'--cut\r\nContent-Disposition: form-data; name="x"\r\n\r\n9\r\n--cut--\r\n'),
    )
]


@given(
    st.lists(st.tuples(st.sampled_from("xxxy"), st.sampled_from(KINDS), st.sampled_from(USES)), min_size=1, max_size=4)
)
@examples(120)
def test_the_parameters_of_several_dependencies_share_a_body_alike(uses: Uses) -> None:
    compare(_make(uses), ASKS, "asgi")
    compare_documents(_make(uses))


@given(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)), st.lists(st.sampled_from((0, 1)), min_size=2, max_size=4)
)
@examples(60)
def test_repeated_dependencies_are_described_as_often_as_they_are_used(
    kinds: tuple[str, str], order: list[int]
) -> None:
    uses = [("x", kinds[one], USES[index % 4]) for index, one in enumerate(order)]
    compare_documents(_make(uses))


OPTIONS: dict[str, dict[str, Any]] = {
    "multiple_of": {"multiple_of": 2},
    "min_length": {"min_length": 1},
    "strict": {"strict": True},
    "title": {"title": "Called"},
    "description": {"description": "Said"},
    "extra": {"json_schema_extra": {"x-own": 1}},
    "discriminator": {"discriminator": "kind"},
}


@given(
    st.sampled_from(sorted(OPTIONS)), st.sampled_from(("Size", "Size | None", "Size | Colour", "Tool")), st.booleans()
)
@examples(42)
def test_what_is_said_of_a_form_model_beside_other_fields_is_shown_alike(
    option: str, type_: str, optional: bool
) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        size = Annotated[eval(type_), fw.Form(**OPTIONS[option])]

        def endpoint(**values: Any) -> None: ...

        parameters = [
            inspect.Parameter(
                "x", inspect.Parameter.KEYWORD_ONLY, annotation=size, **({"default": None} if optional else {})
            ),
            inspect.Parameter("count", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[int, fw.Form()]),
        ]
        endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by both
        app.post("/")(endpoint)
        return app

    if (option == "discriminator" and type_ != "Tool") or (option == "strict" and "|" in type_):  # pydantic refuses
        return
    compare_documents(make)
