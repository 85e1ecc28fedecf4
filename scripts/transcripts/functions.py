"""fastapi-injectable: dependencies in functions that no request calls."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi_injectable import injectable, register_app
from fastapi_injectable.decorator import injectable as decorated
from fastapi_injectable.util import (
    async_get_injected_obj,
    cleanup_all_exit_stacks,
    cleanup_exit_stack_of_func,
    get_injected_obj,
)


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


async def streamed(a: Annotated[str, Depends(awaited)]) -> AsyncIterator[str]:
    print("in, asynchronously")
    try:
        yield f"streamed {a}"
    finally:
        print("out, asynchronously")


class Service:
    def __init__(self, n: Annotated[int, Depends(number)], text: Annotated[str, Depends(awaited)]) -> None:
        self.told = (n, text)


@decorated
async def with_service(service: Annotated[Service, Depends()], a: Annotated[str, Depends(streamed)]) -> list[object]:
    return [service.told, a]


@decorated
def of_a_request(request: Request) -> str:
    return request.url.path


async def main() -> None:
    print(await asynchronous())
    print(await asynchronous())
    print(await with_service())
    print((await async_get_injected_obj(with_service))[1])
    print(await async_get_injected_obj(streamed))
    await cleanup_exit_stack_of_func(with_service)
    print("the others")
    await cleanup_all_exit_stacks()


async def overridden() -> None:
    app = FastAPI()
    app.dependency_overrides[number] = lambda: 70
    await register_app(app)
    print(await asynchronous())
    print(await with_service())
    await cleanup_all_exit_stacks()


print(plain(), plain(own=2))
print(get_injected_obj(opened))
try:
    print(of_a_request())
except TypeError as error:
    print(error)
asyncio.run(main())
asyncio.run(overridden())
