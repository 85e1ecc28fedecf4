"""New Relic's agent: the transactions of requests, their segments, attributes and errors, with nothing sent."""

import os
from typing import Any

os.environ.update(
    NEW_RELIC_DEVELOPER_MODE="true",
    NEW_RELIC_LICENSE_KEY="0" * 40,
    NEW_RELIC_APP_NAME="unit",
    NEW_RELIC_LOG_LEVEL="critical",
    NEW_RELIC_STARTUP_TIMEOUT="10",
)
import newrelic.agent
import newrelic.core.agent

newrelic.agent.initialize()
from traced import ask_one_by_one, make  # noqa: E402  # what it imports is to be traced

application = newrelic.agent.register_application(timeout=10.0)
recorded: list[Any] = []
agent = newrelic.core.agent.agent_instance()
record = agent.record_transaction


def noting(app_name: str, data: Any) -> None:
    recorded.append(data)
    record(app_name, data)


agent.record_transaction = noting


def plain(name: Any) -> str:
    """A name without which package a function of the framework's was written in."""
    return str(name).replace("ferrapi.", "fastapi.")


def segments(node: Any, depth: int = 1) -> None:
    print("   " * depth, type(node).__name__, plain(getattr(node, "name", None) or getattr(node, "method", None)))
    for child in node.children:
        segments(child, depth + 1)


def show() -> None:
    for data in recorded:
        told = sorted(
            (one.name, one.value) for one in data.agent_attributes if one.name.startswith(("request", "response"))
        )
        print(data.path, data.type, told, [(plain(error.type), error.message) for error in data.errors])
        segments(data.root)
    recorded.clear()


ask_one_by_one(make(), show)
