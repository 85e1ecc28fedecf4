"""gradio: an interface mounted behind an authorization of its own; configuration, calls, their events, uploads."""

import json
import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient


def greet(name: str, times: float) -> str:
    """Greets."""
    return " ".join([f"Hello {name}!"] * int(times))


def signed_in(request: Request) -> str | None:
    """The user of a request."""
    return request.headers.get("x-user")


interface = gradio.Interface(greet, [gradio.Textbox(), gradio.Number()], gradio.Textbox(), api_name="greet")
app = FastAPI(title="Around it")


@app.get("/own")
async def own() -> str:
    """A route beside."""
    return "own"


app = gradio.mount_gradio_app(app, interface, path="/ui", auth_dependency=signed_in)


def talk(client: TestClient, root: str, **headers: str) -> None:
    """What a client of gradio's API does."""
    page = client.get(f"{root}/", headers=headers)
    print(root, page.status_code, page.headers["content-type"], "gradio_config" in page.text)
    config = client.get(f"{root}/config", headers=headers)
    print(config.status_code, sorted(config.json()) if config.status_code == 200 else config.text)
    info = client.get(f"{root}/gradio_api/info", headers=headers)
    print(info.status_code, info.text)
    for body in ({"data": ["Ann", 2]}, {"data": ["Ann"]}, {"data": 5}, {}):
        begun = client.post(f"{root}/gradio_api/call/greet", json=body, headers=headers)
        print(json.dumps(body), begun.status_code, begun.headers["content-type"])
        if begun.status_code != 200:
            print(begun.text)
            continue
        result = client.get(f"{root}/gradio_api/call/greet/{begun.json()['event_id']}", headers=headers)
        print(result.status_code, result.headers["content-type"], result.text)
    for path in ("/gradio_api/upload", "/gradio_api/nothing", "/theme.css", "/gradio_api/file=/etc/passwd"):
        answer = client.get(f"{root}{path}", headers=headers)
        print(path, answer.status_code, answer.headers.get("content-type"))
    upload = client.post(f"{root}/gradio_api/upload", files={"files": ("a.txt", b"text")}, headers=headers)
    print(upload.status_code, [name.rsplit("/", 1)[-1] for name in upload.json()])


with TestClient(app) as client:
    print(client.get("/own").text, client.get("/ui/config").status_code)
    talk(client, "/ui", **{"x-user": "ann"})
