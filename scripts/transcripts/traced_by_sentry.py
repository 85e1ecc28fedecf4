"""Sentry's SDK: transactions, spans and errors of requests; nothing of one request in another."""

import asyncio
from typing import Any

import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from traced import ask_at_once, ask_one_by_one, make

events: list[tuple[str | None, Any]] = []


class Noting(Transport):
    def capture_envelope(self, envelope: Envelope) -> None:
        events.extend((item.type, item.payload.json) for item in envelope.items if item.payload.json)


def show() -> None:
    for kind, event in events:
        request = {key: event.get("request", {}).get(key) for key in ("url", "method", "data")}
        print(kind, event.get("transaction"), event.get("transaction_info"), event.get("tags"), request)
        for span in event.get("spans", ()):
            print("   ", span["op"], span.get("description"))
        for exception in event.get("exception", {}).get("values", ()):
            print("   ", exception["type"], exception["value"], exception["mechanism"])
    events.clear()


sentry_sdk.init(
    dsn="http://key@localhost/1",
    transport=Noting,
    traces_sample_rate=1.0,
    send_default_pii=True,
    max_request_body_size="always",
)
app = make()


@app.get("/tagged")
async def tagged() -> None:
    sentry_sdk.set_tag("tagged", "yes")
    await asyncio.sleep(0.01)


@app.get("/untagged")
async def untagged() -> dict[str, str]:
    await asyncio.sleep(0.005)
    return dict(sentry_sdk.get_isolation_scope()._tags)


ask_one_by_one(app, show)
answers = ask_at_once(app, ["/tagged", "/untagged"])
print(sum(answer.json() != {} for answer in answers[1::2]), "with tags of others")
transactions = [event for _, event in events]
wrong = [one for one in transactions if ("tagged" in one["tags"]) != (one["transaction"] == "/tagged")]
print(len(transactions), len(wrong))
