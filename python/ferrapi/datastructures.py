"""Small value types: uploaded files, the marker for options that were not given, and Starlette's own, re-exported.

`Default(value)` is how a signature says "this is what applies unless somebody sets the option": the option's value
is then known, and so is the fact that nobody chose it, which is what lets a router's choice win over an
application's. It claims to return the type that it was given, so that signatures keep their useful annotations.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from pydantic import GetJsonSchemaHandler
from pydantic_core import core_schema
from starlette.datastructures import URL as URL
from starlette.datastructures import Address as Address
from starlette.datastructures import FormData as FormData
from starlette.datastructures import Headers as Headers
from starlette.datastructures import QueryParams as QueryParams
from starlette.datastructures import State as State
from starlette.datastructures import UploadFile as StarletteUploadFile

from ._names import names_of

__all__ = [
    "URL",
    "Address",
    "Default",
    "DefaultPlaceholder",
    "FormData",
    "Headers",
    "QueryParams",
    "State",
    "UploadFile",
]


class UploadFile(StarletteUploadFile):
    """A file of a multipart form.

    Small files are in memory, large ones in a temporary file. The methods are asynchronous and do their work in a
    thread when the file is on disk; `file` is the plain file object underneath for code that wants one.
    """

    file: BinaryIO
    filename: str | None
    size: int | None
    headers: Headers
    if not TYPE_CHECKING:  # to whom it is the property that it is
        content_type: str | None

    async def write(self, data: bytes) -> None:
        """Write `data` at the current position."""
        await super().write(data)

    async def read(self, size: int = -1) -> bytes:
        """Read `size` bytes from the current position, or all that is left if it is negative."""
        return await super().read(size)

    async def seek(self, offset: int) -> None:
        """Go to `offset`, in bytes from the start of the file."""
        await super().seek(offset)

    async def close(self) -> None:
        """Close the file; a temporary one is deleted."""
        await super().close()

    @classmethod
    def _validate(cls, value: Any, _info: Any) -> "UploadFile":
        """Accept any uploaded file, ours or Starlette's, and nothing else."""
        if not isinstance(value, StarletteUploadFile):
            raise ValueError(f"Expected UploadFile, received: {type(value)}")
        return cast(UploadFile, value)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: Callable[[Any], Mapping[str, Any]]
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(cls._validate)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Mapping[str, Any], handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "application/octet-stream"}


class DefaultPlaceholder:
    """An option's default, wrapped to tell it from the same value given on purpose. It is as true as its value.

    Args:
        value: What applies if the option is not set.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DefaultPlaceholder) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]  # equal by value, and the values may be unhashable

    def __repr__(self) -> str:
        return f"Default({self.value!r})"


DefaultType = TypeVar("DefaultType")


def Default(value: DefaultType) -> DefaultType:
    """Mark `value` as a default that nobody chose; the type checker sees the value's own type."""
    return cast(DefaultType, DefaultPlaceholder(value))


_Unset: Any = Default(None)
"""The default of options that have none: told from an explicit `None` by identity."""


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
