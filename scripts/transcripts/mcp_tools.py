"""fastapi-mcp: operations as tools, listed and called over HTTP, with a header passed on, and a stranger refused."""

import json
from typing import Annotated

import httpx
from asking import describe
from fastapi import Body, Depends, FastAPI, Header, HTTPException
from fastapi_mcp import AuthConfig, FastApiMCP
from pydantic import BaseModel, Field

TALK = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


class Parcel(BaseModel):
    weight: Annotated[float, Field(gt=0, description="Kilograms.")]
    to: str = "Hamburg"


def known(authorization: Annotated[str, Header()] = "") -> str:
    if authorization != "Bearer ann":
        raise HTTPException(401, "who are you?")
    return authorization


app = FastAPI(title="Parcels")


@app.get("/parcels/{number}", operation_id="find_parcel", tags=["parcels"])
async def find(number: int, verbose: bool = False, authorization: Annotated[str, Header()] = "") -> dict[str, object]:
    """Where a parcel is."""
    return {"number": number, "verbose": verbose, "asked_by": authorization}


@app.post("/parcels", operation_id="send_parcel", tags=["parcels"])
async def send(parcel: Annotated[Parcel, Body()]) -> Parcel:
    """Sends a parcel."""
    return parcel


@app.delete("/parcels/{number}", operation_id="lose_parcel", tags=["inside"])
async def lose(number: int) -> None:
    """Not a tool."""


FastApiMCP(app, include_tags=["parcels"], auth_config=AuthConfig(dependencies=[Depends(known)])).mount_http()

CALLS = [
    ("tools/list", {}),
    ("tools/call", {"name": "find_parcel", "arguments": {"number": 7, "verbose": True}}),
    ("tools/call", {"name": "find_parcel", "arguments": {"number": "seven"}}),
    ("tools/call", {"name": "send_parcel", "arguments": {"weight": 2.5}}),
    ("tools/call", {"name": "send_parcel", "arguments": {"weight": -1}}),
    ("tools/call", {"name": "lose_parcel", "arguments": {"number": 7}}),
]


def say(answer: httpx.Response) -> dict[str, str]:
    """Print an answer; return the headers that go on with its session."""
    text = answer.text
    if text.startswith(("event:", "data:")):
        text = next(line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    print(answer.status_code, answer.headers.get("content-type"), text)
    session = answer.headers.get("mcp-session-id")
    return {"mcp-session-id": session} if session else {}


async def main() -> None:
    """Talk to the server as a client of MCP does."""
    hello = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "transcript", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://parcels") as client:
        say(await client.post("/mcp", json=message, headers=TALK))
        headers = {**TALK, "Authorization": "Bearer ann"}
        headers |= say(await client.post("/mcp", json=message, headers=headers))
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        say(await client.post("/mcp", json=ready, headers=headers))
        for number, (method, params) in enumerate(CALLS, 1):
            body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            say(await client.post("/mcp", content=body, headers=headers))


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
    describe(app)
