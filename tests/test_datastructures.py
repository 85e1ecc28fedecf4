"""The default marker and uploaded files."""

import asyncio
import io
import pickle
from typing import Annotated, Any, get_type_hints

import pytest
from _oracle import same
from ferrapi.datastructures import Default, DefaultPlaceholder, Headers, UploadFile
from pydantic import BaseModel, Field, TypeAdapter
from starlette.datastructures import UploadFile as StarletteUploadFile
from support.naming import steady_name


@pytest.mark.parametrize("value", [3, 0, None, "", "x", [], [1]], ids=steady_name)
def test_a_default_is_as_true_as_its_value(value: Any) -> None:
    assert bool(Default(value)) is bool(value)


@pytest.mark.parametrize("other", [3, 4, 3.0, None], ids=steady_name)
def test_defaults_are_equal_by_value(other: Any) -> None:
    def question(framework: Any) -> Any:
        default = framework.datastructures.Default
        return default(3) == default(other), default(3) != default(other), default(3) == other

    same(question)


def test_a_default_is_not_hashable_and_shows_its_value() -> None:
    same(lambda framework: hash(framework.datastructures.Default(3)))
    assert repr(Default("x")) == "Default('x')"
    assert isinstance(Default(3), DefaultPlaceholder)


def test_an_upload_is_read_and_written_like_a_file() -> None:
    async def use(framework: Any) -> Any:
        upload = framework.datastructures.UploadFile(
            io.BytesIO(b"abc"), size=3, filename="f.txt", headers=Headers({"content-type": "text/x"})
        )
        done: list[Any] = [repr(upload), upload.content_type, await upload.read(1), await upload.read()]
        done += [await upload.seek(0), await upload.write(b"zz"), upload.size, await upload.seek(1)]
        done += [await upload.read(-1), await upload.close(), upload.file.closed]
        return done

    same(lambda framework: asyncio.run(use(framework)))


SHAPES: list[Any] = [
    lambda upload: upload,
    lambda upload: list[upload],
    lambda upload: upload | None,
    lambda upload: Annotated[upload, Field(description="d")],
]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_schema_of_an_upload(shape: Any) -> None:
    def question(framework: Any) -> Any:
        adapter = TypeAdapter(shape(framework.datastructures.UploadFile))
        return adapter.json_schema(), adapter.json_schema(mode="serialization")

    same(question)


@pytest.mark.parametrize("value", [1, None, "x", b"", [1], [None]], ids=steady_name)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_no_upload(shape: Any, value: Any) -> None:
    same(lambda framework: TypeAdapter(shape(framework.datastructures.UploadFile)).validate_python(value))


@pytest.mark.parametrize("upload", [UploadFile(io.BytesIO()), StarletteUploadFile(io.BytesIO())])
def test_uploads_of_both_packages_are_accepted_as_they_are(upload: Any) -> None:
    class Model(BaseModel):
        file: UploadFile

    assert Model(file=upload).file is upload


def test_defaults_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Default(3))) == Default(3)


def test_type_hints_of_an_upload_name_what_it_has() -> None:
    def question(framework: Any) -> Any:
        return get_type_hints(framework.datastructures.UploadFile)

    same(question)
