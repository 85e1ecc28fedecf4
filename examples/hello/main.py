"""Hello: serve it with ``uvicorn examples.hello.main:app`` from the repository's root."""

from ferrapi import FastAPI

app = FastAPI()


@app.get("/hello/{name}")
async def hello(name: str, times: int = 1) -> dict[str, str]:
    return {"message": ", ".join([f"hello {name}"] * times)}
