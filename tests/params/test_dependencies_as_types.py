"""`Depends` and `Security` as types of fields, as in the settings of libraries that take a list of dependencies."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydantic import ConfigDict, ValidationError, create_model
from support.frameworks import BOTH, Framework

TYPES: list[Callable[[Framework], Any]] = [
    lambda fw: fw.params.Depends,
    lambda fw: fw.params.Security,
    lambda fw: fw.params.Depends | None,
    lambda fw: Sequence[fw.params.Depends],  # the package's own
    lambda fw: dict[str, fw.params.Security],
]
VALUES: list[Callable[[Framework], Any]] = [
    lambda fw: fw.Depends(len),
    lambda fw: fw.Security(len, scopes=["a"]),
    lambda fw: {"dependency": len, "use_cache": False, "scope": "function"},
    lambda fw: {"dependency": len, "scope": "elsewhere"},
    lambda fw: {"dependency": 1},
    lambda fw: {"a": fw.Security(len)},
    lambda fw: [fw.Depends(len), fw.Security(len)],
    lambda fw: None,
]


def told(fw: Framework, type_: Any, value: Any, config: ConfigDict) -> Any:
    """What a model with one field of this type makes of a value."""
    try:
        model: Any = create_model("Settings", field=(type_, ...), __config__=config)
    except Exception as exc:
        return type(exc)
    try:
        made = model(field=value)
    except ValidationError as exc:
        return [(error["type"], error["loc"]) for error in exc.errors()]
    return str(made.field), made.field is value, str(made.model_dump())


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("config", [ConfigDict(), ConfigDict(arbitrary_types_allowed=True)])
def test_a_dependency_is_a_type_for_fields_of_models(
    type_: Callable[[Framework], Any], value: Callable[[Framework], Any], config: ConfigDict
) -> None:
    theirs, ours = (told(fw, type_(fw), value(fw), config) for fw in BOTH)
    assert ours == theirs
