"""fastapi-injectable: dependencies in functions that no request calls."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from fastapi_injectable import injectable
from fastapi_injectable.decorator import injectable as decorated
from fastapi_injectable.util import get_injected_obj


def number() -> int:
    print("number")
    return 7


def opened(n: Annotated[int, Depends(number)]) -> Iterator[str]:
    print("in")
    yield f"opened {n}"
    print("out")


async def awaited(n: Annotated[int, Depends(number)]) -> str:
    return f"awaited {n}"


@injectable
def plain(a: Annotated[str, Depends(opened)], n: Annotated[int, Depends(number)], own: int = 1) -> list[object]:
    return [a, n, own]


@decorated(use_cache=False)
async def asynchronous(a: Annotated[str, Depends(awaited)], b: Annotated[int, Depends(number)]) -> list[object]:
    return [a, b]


async def main() -> None:
    print(await asynchronous())
    print(await asynchronous())


print(plain(), plain(own=2))
print(get_injected_obj(opened))
asyncio.run(main())
