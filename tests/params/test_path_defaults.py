"""A name of the path template takes no default, whatever the parameter is declared as."""

from typing import Annotated, Any

import pytest
from support.frameworks import BOTH

DECLARED = {
    "path": lambda fw: fw.Path(),
    "path with a factory": lambda fw: fw.Path(default_factory=list),
    "query": lambda fw: fw.Query(),
    "query with a factory": lambda fw: fw.Query(default_factory=list),
    "cookie": lambda fw: fw.Cookie(),
    "body": lambda fw: fw.Body(),
}


@pytest.mark.parametrize("default", [1, None, ...])
@pytest.mark.parametrize("name", DECLARED)
def test_a_default_in_the_path_is_refused_alike(name: str, default: Any) -> None:
    messages = []
    for fw in BOTH:

        def endpoint(item: Any = default) -> None: ...

        endpoint.__annotations__ = {"item": Annotated[int, DECLARED[name](fw)]}
        with pytest.raises(AssertionError) as caught:
            fw.FastAPI().get("/{item}")(endpoint)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
