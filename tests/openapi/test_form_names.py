"""A form's model is described with the names that a form has for its fields, where pydantic shows the preferred alias.

Where it doesn't, because the model is described as it is returned, say, the document refers to the model.
"""

from typing import Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, create_model

from ._cases import Framework

DEEP = AliasPath("p", 0)
FIELDS: dict[str, dict[str, Any]] = {
    "no alias": {"a": Field()},
    "for reading": {"a": Field(validation_alias="v")},
    "for both": {"a": Field(alias="v")},
    "two": {"a": Field(validation_alias="v", serialization_alias="s")},
    "two that are the same": {"a": Field(validation_alias="v", serialization_alias="v")},
    "choices": {"a": Field(validation_alias=AliasChoices("c", "d"))},
    "choices, not required": {"a": Field(1, validation_alias=AliasChoices("c", "d"))},
    "choices, written as the first": {"a": Field(validation_alias=AliasChoices("c", "d"), serialization_alias="c")},
    "choices, written as the second": {"a": Field(validation_alias=AliasChoices("c", "d"), serialization_alias="d")},
    "choices with the name": {"a": Field(validation_alias=AliasChoices("c", "a"))},
    "a path": {"a": Field(validation_alias=DEEP)},
    "a path of one": {"a": Field(validation_alias=AliasPath("p"))},
    "a path and a choice": {"a": Field(validation_alias=AliasChoices(DEEP, "c"))},
    "a path of one and a choice": {"a": Field(validation_alias=AliasChoices(AliasPath("p"), "c"))},
    "a choice and a path": {"a": Field(validation_alias=AliasChoices("c", DEEP))},
    "paths": {"a": Field(validation_alias=AliasChoices(DEEP, AliasPath("q", 0)))},
    "swapped": {"a": Field(validation_alias="b"), "b": Field(validation_alias="a")},
    "swapped choices": {
        "a": Field(validation_alias=AliasChoices("b", "x")),
        "b": Field(validation_alias=AliasChoices("a", "z")),
    },
    "each the next one's": {
        "a": Field(validation_alias="b"),
        "b": Field(validation_alias=AliasChoices("c", "z")),
        "c": Field(validation_alias="q"),
    },
    "one for two fields": {"a": Field(), "b": Field(validation_alias=AliasChoices("a", "z"))},
    "one for two fields, first": {"b": Field(validation_alias=AliasChoices("a", "z")), "a": Field()},
    "the name of a path's field": {"a": Field(validation_alias=DEEP), "b": Field(validation_alias="a")},
    "several groups": {
        "b": Field(validation_alias=AliasChoices("c", "d")),
        "a": Field(validation_alias=AliasChoices("e", "f")),
        "z": Field(1),
    },
}
CONFIGS = [ConfigDict(), ConfigDict(validate_by_name=True), ConfigDict(validate_by_name=True, validate_by_alias=False)]
MODES = [ConfigDict(), ConfigDict(json_schema_mode_override="serialization")]


def described(fw: Framework, model: type[BaseModel]) -> Any:
    app = fw.FastAPI()

    @app.post("/one")
    def one(form: model = fw.Form(), more: int = fw.Form()) -> None: ...

    @app.post("/perhaps")
    def perhaps(form: model | None = fw.Form(None)) -> model: ...

    return app.openapi()


@pytest.mark.parametrize("aliases", FIELDS)
def test_models_of_forms_are_described_with_the_same_names(aliases: str) -> None:
    fields: Any = {name: (int, info) for name, info in FIELDS[aliases].items()}
    for config in [{**one, **mode} for one in CONFIGS for mode in MODES]:
        model: Any = create_model("Sent", __config__=ConfigDict(**config), **fields)  # type: ignore[typeddict-item]
        ours, expected = (described(Framework(package), model) for package in ("ferrapi", "fastapi"))
        assert ours == expected, config


def test_recursive_model_that_is_returned_before_it_is_sent_stays_a_reference() -> None:
    def document(fw: Framework) -> Any:
        class Page(BaseModel):  # of its own, because what is said about it where it is used is noted on it
            below: "Page | None" = None
            kind: int = Field(validation_alias="val")

        app = fw.FastAPI()

        @app.get("/")
        def shown() -> Page: ...

        @app.post("/")
        def sent(more: bool = fw.Form(), page: Page = fw.Form([], media_type="application/x-own")) -> None: ...

        return app.openapi()

    ours, expected = (document(Framework(package)) for package in ("ferrapi", "fastapi"))
    assert ours == expected
    assert "$ref" in ours["paths"]["/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
