"""Elastic APM's middleware: the transactions, spans and errors of requests, with nothing sent; none in another's."""

from collections import Counter
from typing import Any

import elasticapm
from elasticapm.base import Client
from elasticapm.contrib.starlette import ElasticAPM
from traced import CONCURRENT, ask_at_once, ask_one_by_one, make

recorded: list[tuple[str, dict[str, Any]]] = []


class Noting(Client):  # type: ignore[misc]  # the agent has no types
    """A client that keeps what it would send."""

    def queue(self, event_type: str, data: dict[str, Any], flush: bool = False) -> None:
        recorded.append((event_type, data))


app = make()


@app.get("/told/{name}")
async def told(name: str) -> str:
    elasticapm.label(told=name)
    with elasticapm.async_capture_span(name):
        return name


client = Noting(
    {"SERVICE_NAME": "unit", "CLOUD_PROVIDER": "none", "METRICS_INTERVAL": "0ms", "CENTRAL_CONFIG": "false"}
)
app.add_middleware(ElasticAPM, client=client)


def show() -> None:
    for kind, data in recorded:
        error = data.get("exception") or {}
        request = (data.get("context") or {}).get("request") or {}
        print(
            "  ", kind, data.get("name"), data.get("result"), data.get("outcome"), data.get("type"), data.get("culprit")
        )
        print("    ", error.get("type"), error.get("message"), request.get("method"), request.get("url"))
    recorded.clear()


ask_one_by_one(app, show)
answers = ask_at_once(app, [f"/told/{number}" for number in range(CONCURRENT)])
print(Counter(answer.status_code for answer in answers))
matching = 0
for kind, data in recorded:
    if kind == "transaction":
        path = data["context"]["request"]["url"]["pathname"]
        matching += data["context"]["tags"] == {"told": path.rpartition("/")[2]}
print("labels of the transaction's own request:", matching)
