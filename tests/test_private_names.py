"""Private functions of FastAPI's that libraries call: both packages' are called with the same arguments."""

# ruff: noqa: UP007, UP045  # the two spellings of a union are two things to ask about

import asyncio
import collections
import enum
import functools
import inspect
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from _oracle import FASTAPI, FERRAPI, Framework, same
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, Json, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from starlette.datastructures import FormData, Headers, QueryParams, UploadFile
from support.naming import steady_name


class Colour(enum.Enum):
    RED = 1


class Inner(BaseModel):
    x: int
    colour: Colour = Colour.RED


class Outer(BaseModel):
    inner: Inner
    many: list[Inner] = []
    again: Optional["Outer"] = None


class Filled(BaseModel):
    x: int
    y: list[str] = []
    z: str | None = Field(None, alias="zz")
    w: int = Field(1, validation_alias=AliasChoices("w1", "w2"))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    q: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)
    q_r: int = Field(0, alias="Q")


class ByName(BaseModel):
    model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)
    a: int = Field(1, alias="A")


ANNOTATIONS: list[Any] = [
    int,
    str,
    bytes,
    Any,
    dict,
    list,
    list[int],
    list[bytes],
    list[UploadFile],
    tuple[Colour, ...],
    set[int],
    frozenset[int],
    collections.deque[int],
    Sequence[int],
    Colour,
    Inner,
    Outer,
    list[Inner],
    dict[str, Outer],
    Optional[Outer],
    Optional[bytes],
    Optional[list[int]],
    Union[Inner, Colour],
    Union[Filled, Strict],
    Annotated[Inner, 1],
    RootModel[Inner],
    Json[Inner],
    Literal["a"],
    UploadFile,
]
MODELS: list[type[BaseModel]] = [Inner, Outer, Filled, Strict, Open, ByName]
KINDS = ["Query", "Header", "Cookie", "Path", "Body", "Form", "File"]


def field(fw: Framework, annotation: Any, kind: str | None = None, name: str = "f", **options: Any) -> Any:
    """A field of `annotation` that is declared as `kind`, or not as a parameter."""
    info = FieldInfo(annotation=annotation) if kind is None else getattr(fw.params, kind)(**options)
    info.annotation = annotation
    return fw._compat.ModelField(info, name=name)


def names(models: Any) -> list[str]:
    return sorted(model.__name__ for model in models)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *(("_compat", name) for name in ("get_definitions", "get_flat_models_from_fields", "get_model_name_map")),
        *(("_compat", name) for name in ("create_body_model", "copy_field_info", "is_scalar_field")),
        *(("_compat", name) for name in ("serialize_sequence_value", "get_schema_from_model_field")),
        *(("_compat.v2", name) for name in ("get_flat_models_from_model", "get_flat_models_from_annotation")),
        *(("dependencies.utils", name) for name in ("_get_body_field", "_get_flat_body_params", "_extract_form_body")),
        *(("dependencies.utils", name) for name in ("_get_form_models", "_normalize_form_model", "_get_param_model")),
        *(
            ("dependencies.utils", name)
            for name in ("_extract_form_items", "_get_multidict_value", "solve_dependencies")
        ),
        *(("dependencies.models", name) for name in ("_get_cache_key", "_uses_scopes", "_is_gen_callable")),
        *(("routing", name) for name in ("_merge_lifespan_context", "_build_response_args", "request_response")),
        *(("openapi.utils", name) for name in ("_get_openapi_dependency_data", "_get_openapi_operation_parameters")),
    ],
)
def test_parameters_are_called_the_same(module: str, name: str) -> None:
    def parameters(fw: Framework) -> list[tuple[str, str]]:
        function = getattr(getattr(fw, module), name)
        found = inspect.signature(function).parameters.values()
        kind = (inspect.iscoroutinefunction(function), inspect.isasyncgenfunction(function))
        return [(one.name, one.kind.name) for one in found if not one.name.startswith("_")] + [("", str(kind))]

    assert parameters(FERRAPI) == parameters(FASTAPI)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "field_annotation_is_complex",
        "field_annotation_is_scalar",
        "field_annotation_is_scalar_sequence",
        "field_annotation_is_sequence",
        "is_bytes_or_nonable_bytes_annotation",
        "is_bytes_sequence_annotation",
        "is_pydantic_v1_model_class",
        "is_pydantic_v1_model_instance",
        "annotation_is_pydantic_v1",
        "is_uploadfile_or_nonable_uploadfile_annotation",
        "is_uploadfile_sequence_annotation",
        "value_is_sequence",
    ],
)
def test_questions_about_annotations(name: str, annotation: Any) -> None:
    same(lambda fw: getattr(getattr(fw, "_compat.shared"), name)(annotation))


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_models_in_a_type(annotation: Any) -> None:
    def ask(fw: Framework) -> Any:
        v2 = getattr(fw, "_compat.v2")
        one, known = field(fw, annotation), {Inner}
        found = v2.get_flat_models_from_fields([one], known)
        return (
            names(v2.get_flat_models_from_field(one, set())),
            names(v2.get_flat_models_from_annotation(annotation, set())),
            names(found),
            found is known,
            v2.is_scalar_field(one),
            v2._has_computed_fields(one),
        )

    same(ask)


@pytest.mark.parametrize("model", MODELS)
def test_fields_of_a_model(model: type[BaseModel]) -> None:
    def ask(fw: Framework) -> Any:
        v2 = getattr(fw, "_compat.v2")
        fields = v2.get_cached_model_fields(model)
        assert fields is v2.get_cached_model_fields(model)
        assert fields is not v2.get_model_fields(model)
        private = getattr(fw, "dependencies.utils")
        return [
            (one.name, one.alias, one.config, one.mode, private._get_param_aliases(one), v2.asdict(one.field_info))
            for one in fields
        ] + [names(v2.get_flat_models_from_model(model)), names(v2.get_flat_models_from_model(model, {Colour}))]

    same(ask)


@pytest.mark.parametrize("annotation", [list[int], set[int], tuple[int, ...], frozenset[int], Sequence[int], list])
@pytest.mark.parametrize("value", [(1, 2), [1], {3}])
def test_sequences_of_the_declared_kind(annotation: Any, value: Any) -> None:
    same(lambda fw: fw._compat.serialize_sequence_value(field=field(fw, annotation), value=value))
    same(lambda fw: fw._compat.serialize_sequence_value(field=field(fw, annotation | None), value=value))


@pytest.mark.parametrize("annotation", [int, Union[int, list[int]], Annotated[list[int], 1]])
def test_a_value_that_is_no_sequence_is_refused(annotation: Any) -> None:
    for fw in (FASTAPI, FERRAPI):
        # In FastAPI, `Annotated` by itself is asked whether it is a subclass, which it can't say since Python 3.14.
        with pytest.raises((AssertionError, TypeError)):
            fw._compat.serialize_sequence_value(field=field(fw, annotation), value=[1])


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_definitions_of_models(separate: bool, named: bool) -> None:
    def ask(fw: Framework) -> Any:
        compat = fw._compat
        fields = [field(fw, Outer), field(fw, list[Inner]), compat.ModelField(FieldInfo(annotation=Outer), name="o")]
        fields[-1].mode = "serialization"
        models = compat.get_flat_models_from_fields(fields, known_models=set())
        name_map = compat.get_model_name_map(models) if named else {}
        by_field, definitions = compat.get_definitions(
            fields=fields, model_name_map=name_map, separate_input_output_schemas=separate
        )
        schemas = [
            compat.get_schema_from_model_field(
                field=one,
                model_name_map=name_map,
                field_mapping=by_field,
                separate_input_output_schemas=separate,
                field_alias=alias,
            )
            for one in fields
            for alias in (None, "other name")
        ]
        return sorted(name_map.values()), sorted(definitions.items()), schemas

    same(ask)


@pytest.mark.parametrize("name", ["plain", "a[b.c-d_ß]", "x/y", "Gen[int]"])
def test_names_of_components(name: str) -> None:
    same(lambda fw: getattr(fw, "_compat.v2").normalize_name(name))


@pytest.mark.parametrize("value", ["int", "List[int]", "Nope", int, "Outer", None, "None"])
def test_forward_references(value: Any) -> None:
    same(lambda fw: fw._compat.evaluate_forwardref(value, globals(), {"List": list}))


@pytest.mark.parametrize("loc", [(), ("query", "q"), ["body", 0]])
def test_places_of_missing_values(loc: Any) -> None:
    same(lambda fw: getattr(fw, "dependencies.utils").get_missing_field_error(loc))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("annotation", [*ANNOTATIONS, Optional[Filled], Union[Filled, Strict, None]], ids=str)
def test_what_a_parameter_stands_for(kind: str, annotation: Any) -> None:
    def ask(fw: Framework) -> Any:
        utils = getattr(fw, "dependencies.utils")
        one = field(fw, annotation, kind)
        return (
            utils._get_param_model(one),
            utils._get_form_model(one),
            utils._get_form_models(one),
            utils._get_form_union_models(annotation),
            utils._get_model_type(annotation),
            utils._is_json_field(one),
            utils._get_param_aliases(one),
            [each.name for each in utils._get_flat_fields_from_params([one, one])],
            utils._should_embed_body_fields([one]) if kind in ("Body", "Form", "File") else None,
        )

    same(ask)


def _file(name: str = "a", content: bytes = b"abc") -> UploadFile:
    return UploadFile(io.BytesIO(content), filename=name, size=len(content))


def _forms() -> dict[str, FormData]:
    return {
        "empty": FormData([]),
        "several": FormData([("f", "1"), ("f", "2"), ("x", "3"), ("y", "a"), ("y", ""), ("w2", "5"), ("o", "p")]),
        "blank": FormData([("f", ""), ("x", ""), ("y", ""), ("Q", ""), ("q_r", "1"), ("zz", "")]),
        "files": FormData([("f", _file()), ("f", _file("", b""))]),
        "no file": FormData([("f", _file("", b""))]),
        "both names": FormData([("w1", "1"), ("w2", "2"), ("Q", "3"), ("q_r", "4")]),
    }


FORM_FIELDS: list[tuple[str, Any, dict[str, Any]]] = [
    ("Form", int, {}),
    ("Form", list[str], {}),
    ("Form", Filled, {}),
    ("Form", Union[Filled, Strict], {}),
    ("File", bytes, {}),
    ("File", list[bytes], {}),
    ("File", UploadFile, {}),
    ("File", list[UploadFile], {}),
    ("Form", int, {"alias": "x"}),
    ("Form", int, {"validation_alias": AliasChoices("w1", "w2")}),
    ("Form", Json[Filled], {}),
    ("Query", int, {}),
    ("Query", list[str], {}),
]


@pytest.mark.parametrize("declared", FORM_FIELDS, ids=str)
@pytest.mark.parametrize("form", list(_forms()))
def test_parts_of_a_form_by_field(form: str, declared: tuple[str, Any, dict[str, Any]]) -> None:
    kind, annotation, options = declared

    def ask(fw: Framework) -> Any:
        utils, parts = getattr(fw, "dependencies.utils"), _forms()[form]
        fields = [field(fw, annotation, kind, **options), *utils.get_cached_model_fields(Open)]

        async def body() -> list[Any]:
            return [(key, value, one and one.name) async for key, value, one in utils._extract_form_body(fields, parts)]

        return (
            asyncio.run(body()),
            [(key, value, one and one.name) for key, value, one in utils._extract_form_items(fields, _forms()[form])],
            utils._get_multidict_value(fields[0], _forms()[form], "f"),
        )

    same(ask)


@pytest.mark.parametrize("model", [Filled, Strict, Open])
def test_forms_by_model(model: type[BaseModel]) -> None:
    values: list[Any] = [
        {"x": "1", "y": "a", "zz": "", "w2": 5, "o": 1},
        {"x": ["1", "2"], "y": ["a", ""], "Q": "", "q_r": "2"},
        {"q": ""},
        {},
        3,
        None,
    ]

    def ask(fw: Framework) -> Any:
        utils = getattr(fw, "dependencies.utils")
        return (
            [utils._is_form_model_supplied(model, form) for form in _forms().values()],
            [utils._normalize_form_model(value, model=model) for value in values],
        )

    same(ask)


@pytest.mark.parametrize("annotation", [int, list[str], Json[Filled]])
@pytest.mark.parametrize("name", ["f", "blank", "l", "missing"])
@pytest.mark.parametrize(
    "source",
    [QueryParams("f=1&f=2&blank=&l="), Headers({"f": "1", "blank": ""}), {"f": ["1", "2"], "blank": ""}],
    ids=["query", "headers", "dictionary"],
)
def test_values_of_a_source(source: Any, name: str, annotation: Any) -> None:
    def ask(fw: Framework) -> Any:
        utils = getattr(fw, "dependencies.utils")
        return utils._get_multidict_value(field(fw, annotation, "Query"), source, name), list(
            utils._get_multidict_extras(source, {"f"})
        )

    same(ask)


@pytest.mark.parametrize("value", [1, "x", None, "5", PydanticUndefined])
@pytest.mark.parametrize("options", [{}, {"default": 3}])
def test_validation_of_one_value(options: dict[str, Any], value: Any) -> None:
    same(
        lambda fw: getattr(fw, "dependencies.utils")._validate_value_with_model_field(
            field=field(fw, int, "Query", **options), value=value, values={}, loc=("query", "f")
        )
    )


@pytest.mark.parametrize("query", ["x=1&y=2", "", "x=a&w2=5&zz="])
@pytest.mark.parametrize("annotation", [Filled, Filled | None])
def test_model_that_is_a_whole_source(annotation: Any, query: str) -> None:
    same(
        lambda fw: getattr(fw, "dependencies.utils")._request_param_model_to_args(
            field(fw, annotation, "Query"), Filled, QueryParams(query)
        )
    )


async def _coroutine() -> None: ...


async def _async_generator() -> AsyncIterator[None]:
    yield


def _generator() -> Iterator[None]:
    yield


class _Callable:
    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    "call",
    [_coroutine, _async_generator, _generator, int, _Callable(), _Callable, partial(_generator), lambda: 1, None],
    ids=steady_name,
)
def test_kinds_of_callables(call: Any) -> None:
    def ask(fw: Framework) -> Any:
        models = getattr(fw, "dependencies.models")
        return (
            models._is_coroutine_callable(call),
            models._is_gen_callable(call),
            models._is_async_gen_callable(call),
            models._unwrapped_call(call),
        )

    same(ask)


def _tree(fw: Framework) -> Any:
    """An endpoint with shared dependencies, security scopes, models and bodies."""
    oauth = fw.security.OAuth2PasswordBearer("token", scopes={"a": "A", "b": "B"})
    basic = fw.security.HTTPBasic()
    functions = fw.param_functions

    def first(
        n: int, body: Annotated[int, functions.Body()], token: Any = functions.Security(oauth, scopes=["a"])
    ) -> None: ...

    def second(
        b: str = "x",
        late: Annotated[str, functions.Body()] = "x",
        one: Any = functions.Depends(first),
        h: str = functions.Header(..., include_in_schema=False),
        c: int = functions.Cookie(1, description="said"),
    ) -> None: ...

    def endpoint(
        p: int,
        one: Any = functions.Depends(first),
        two: Any = functions.Depends(second),
        three: Any = functions.Security(first, scopes=["b"]),
        model: Filled = functions.Query(),
        headers: Inner = functions.Header(),
        user: Any = functions.Depends(basic),
        bare: Any = functions.Security(oauth),
        generator: Any = functions.Depends(_generator, scope="function"),
        other: Any = functions.Depends(_async_generator),
    ) -> None: ...

    return getattr(fw, "dependencies.utils").get_dependant(path="/{p}", call=endpoint)


def _walk(dependant: Any) -> Iterator[Any]:
    yield dependant
    for one in dependant.dependencies:
        yield from _walk(one)


def test_dependants() -> None:
    def ask(fw: Framework) -> Any:
        models = getattr(fw, "dependencies.models")
        return [
            (
                one.name,
                models._get_cache_key(dependant=one)[1:],
                models._get_computed_scope(dependant=one),
                models._get_oauth_scopes(dependant=one),
                models._is_security_scheme(dependant=one),
                models._uses_scopes(dependant=one),
            )
            for one in _walk(_tree(fw))
        ]

    same(ask)


@pytest.mark.parametrize("embed", [True, False])
def test_bodies_of_a_tree(embed: bool) -> None:
    def ask(fw: Framework) -> Any:
        utils = getattr(fw, "dependencies.utils")
        fields = utils._get_flat_body_params(_tree(fw))
        body = utils._get_body_field(body_params=fields, name="name", embed_body_fields=embed)
        assert utils._get_body_field(body_params=[], name="name", embed_body_fields=embed) is None
        return (
            [one.name for one in fields],
            utils._should_embed_body_fields(fields),
            (body.name, body.alias, body.field_info.is_required(), type(body.field_info).__name__),
            fw._compat.ModelField(
                FieldInfo(annotation=body.field_info.annotation), name="x"
            )._type_adapter.json_schema(),
        )

    same(ask)


def test_what_the_document_says_of_a_tree() -> None:
    def ask(fw: Framework) -> Any:
        utils = getattr(fw, "openapi.utils")
        data = utils._get_openapi_dependency_data(_tree(fw))
        fields = getattr(fw, "dependencies.utils")._get_flat_fields_from_params(
            [*data.path_params, *data.query_params, *data.header_params, *data.cookie_params]
        )
        mapping, _ = fw._compat.get_definitions(fields=fields, model_name_map={})
        parameters: list[dict[str, Any]] = [
            {name: value for name, value in one.items() if value is not None}  # what a document leaves out
            for one in utils._get_openapi_operation_parameters(
                dependency_data=data, model_name_map={}, field_mapping=mapping
            )
        ]
        return (
            [
                [one.name for one in getattr(data, f"{source}_params")]
                for source in ("path", "query", "header", "cookie")
            ],
            [(one.name, scopes) for one, scopes in data.security_dependencies],
            utils._get_openapi_security_definitions(data.security_dependencies),
            parameters,
        )

    same(ask)


@asynccontextmanager
async def _named(app: Any) -> AsyncIterator[dict[str, int]]:
    yield {"a": 1, "c": 1}


@asynccontextmanager
async def _other(app: Any) -> AsyncIterator[dict[str, int]]:
    yield {"b": 2, "c": 2}


@asynccontextmanager
async def _silent(app: Any) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("outer", [_named, _silent])
@pytest.mark.parametrize("inner", [_other, _silent])
def test_merged_lifespans(outer: Callable[[Any], Any], inner: Callable[[Any], Any]) -> None:
    def ask(fw: Framework) -> Any:
        async def main() -> Any:
            async with fw.routing._merge_lifespan_context(outer, inner)(None) as state:
                return state

        return asyncio.run(main())

    same(ask)


def test_lifespan_that_is_a_generator() -> None:
    def lifespan(app: Any) -> Iterator[dict[str, Any]]:
        yield {"app": app}

    def ask(fw: Framework) -> Any:
        async def main() -> Any:
            async with fw.routing._wrap_gen_lifespan_context(lifespan)("it") as state:
                return state

        return asyncio.run(main())

    same(ask)


@pytest.mark.parametrize("route", [None, 201])
@pytest.mark.parametrize("injected", [None, 202])
def test_arguments_of_a_response(route: int | None, injected: int | None) -> None:
    solved = SimpleNamespace(background_tasks="tasks", response=SimpleNamespace(status_code=injected))
    same(lambda fw: fw.routing._build_response_args(status_code=route, solved_result=solved))


@pytest.mark.parametrize("child", [{"a": 2, "path_params": {"z": 1}, "fastapi": {"m": 1}}, {"a": 3}, {}])
@pytest.mark.parametrize("scope", [{}, {"a": 1, "path_params": {"q": 1}, "fastapi": {"k": 1}}])
def test_scope_of_a_match(scope: dict[str, Any], child: dict[str, Any]) -> None:
    def ask(fw: Framework) -> Any:
        own = {**scope, "fastapi": dict(scope["fastapi"])} if scope else {}
        fw.routing._update_scope(own, child)
        noted = fw.routing._get_fastapi_scope(own)
        noted["more"] = 1
        return own

    assert ask(FERRAPI) == ask(FASTAPI)


@pytest.mark.parametrize("function", [_coroutine, len, 3, _Callable], ids=steady_name)
def test_place_of_a_function(function: Any) -> None:
    def ask(fw: Framework) -> Any:
        return sorted(fw.routing._extract_endpoint_context(function).items())

    assert ask(FERRAPI) == ask(FASTAPI)


def test_dependant_behind_other_dependencies() -> None:
    def ask(fw: Framework) -> Any:
        def guard(x: Annotated[int, fw.param_functions.Body()]) -> None: ...

        def endpoint(a: int, b: Annotated[int, fw.param_functions.Body()]) -> None: ...

        dependant, fields, embed = fw.routing._build_dependant_with_parameterless_dependencies(
            path="/{a}", call=endpoint, dependencies=[fw.param_functions.Depends(guard)]
        )
        return [one.call.__name__ for one in dependant.dependencies], [one.name for one in fields], embed

    same(ask)


@pytest.mark.parametrize("data", [float("nan"), {"a": [float("inf"), 1.0], float("nan"): 1}, "x", [[-float("inf")]]])
def test_floats_that_json_does_not_have(data: Any) -> None:
    same(lambda fw: fw.routing._normalize_non_finite_floats(data))


@pytest.mark.parametrize("limits", [None, {}, {"max_files": 1}, {"max_fields": 0, "max_part_size": 3}])
def test_form_limits(limits: Any) -> None:
    same(lambda fw: fw._form_limits._validate_form_limits(limits))


class _PartOfMethod:
    def _begin(self, n: "Inner", label: str) -> None: ...

    __init__ = functools.partialmethod(_begin, label="x")


class _StaticNew:
    @staticmethod
    def __new__(cls: Any, n: "Inner") -> Any: ...


class _Method:
    def method(self, n: "Inner", m: "Optional[int]" = None) -> "Inner": ...


def _unknown(n: "Unknown") -> None: ...  # noqa: F821  # is what is asked about


@pytest.mark.parametrize(
    "call",
    [_PartOfMethod, partial(_PartOfMethod), _StaticNew, partial(_StaticNew), _Method().method, _unknown, _Callable()],
    ids=steady_name,
)
def test_signatures(call: Any) -> None:
    """Names in annotations are looked up where the function that is called in the end was written."""

    def ask(fw: Framework) -> Any:
        utils = getattr(fw, "dependencies.utils")
        return str(utils._get_signature(call)), str(utils.get_typed_signature(call))

    same(ask)
