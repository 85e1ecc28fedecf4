"""``ferrapi shadow``: records what an application is asked, and compares how others answer the same.

Each application is asked in a process of its own, so that one may be FastAPI's and another ferrapi's, with the same
module names. Requests are asked one after the other, in the order of the recording.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from .._redaction import Redaction, is_json
from ..shadow import Recorder, media_type_of
from ._messages import Refused

_BY_NATURE = frozenset({"date", "server"})


def shadow(options: argparse.Namespace) -> int:
    """Record or compare. Answers 1 if something differs.

    Raises:
        Refused: for arguments that make no sense, a file that is no recording, and an application that isn't there.
    """
    if options.record is not None:
        if len(options.what) != 1:
            raise Refused("--record FILE needs the application, and nothing else", 2)
        return _record(options.what[0], options)
    if len(options.what) not in (2, 3):
        raise Refused("Give a recording, and one application or two; or --record FILE and an application", 2)
    return _compare(*options.what, options=options)


def _record(app: str, options: argparse.Namespace) -> int:
    try:
        from . import _serving as serving
    except ImportError as exc:
        raise Refused(f"Serving an application needs uvicorn ({exc}): pip install 'ferrapi[standard]'") from exc
    from ._listening import check_address
    from ._loading import found, load

    place = found(app)
    load(place.import_string)
    _check_recording(options.record)
    check_address(options.host, options.port)

    class Recording(serving.ServeConfig):
        def load_app(self) -> Any:
            return Recorder(super().load_app(), options.record, redact=options.redact)

    print(f"{place.import_string}: what it is asked and answers is written to {options.record}", flush=True)
    return serving.serve(Recording(place.import_string, gc_freeze=False, host=options.host, port=options.port))


def _check_recording(file: str) -> None:
    """Refuse a file that can't be written to. It is the recorder that makes it, with the first request."""
    folder = Path(file).parent
    if not folder.is_dir():
        raise Refused(f"--record: there is no folder {folder}", 2)
    if Path(file).is_dir():
        raise Refused(f"--record: {file} is a folder", 2)
    if not os.access(file if Path(file).exists() else folder, os.W_OK):
        raise Refused(f"--record: {file} can't be written by this user", 2)


def _compare(file: str, one: str, other: str | None = None, *, options: argparse.Namespace) -> int:
    records = _records(file)
    with tempfile.TemporaryDirectory() as folder:
        first = _answers(one, file, Path(folder, "one"), options, alias=False)
        second = None if other is None else _answers(other, file, Path(folder, "other"), options, alias=options.alias)
    redaction = Redaction(options.redact)
    different = skipped = 0
    for number, (record, answer) in enumerate(zip(records, first, strict=True), 1):
        if answer is None:
            skipped += 1
            continue
        against = _recorded(record) if second is None else second[number - 1]
        mine = _redacted(answer, redaction) if second is None else answer
        found = list(_differences(mine, against, options))
        different += bool(found)
        for words in found:
            print(f"{file}:{number}: {record['method']} {record['path']}: {words}")
    print(f"{len(records) - skipped} requests: {different or 'none'} answered differently, {skipped} not asked again")
    return int(different > 0)


def _records(file: str) -> list[dict[str, Any]]:
    try:
        records = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
        for record in records:
            if not isinstance(record, dict):
                raise ValueError("a line is no JSON object")
            if not {"method", "path", "query", "headers", "body", "answer"} <= record.keys():
                raise ValueError("a line has no request and answer")
    except FileNotFoundError:
        raise Refused(f"Path does not exist {file}", 2) from None
    except OSError as exc:
        raise Refused(f"{file} can't be read: {exc.strerror or exc}", 2) from exc
    except ValueError as exc:
        raise Refused(f"{file} is no recording: {exc}", 2) from exc
    if not records:
        raise Refused(f"{file} has no requests", 2)
    return records


def _answers(app: str, file: str, target: Path, options: argparse.Namespace, *, alias: bool) -> list[Any]:
    headers = dict(_header(text) for text in options.header)
    command = [sys.executable, "-m", "ferrapi.cli._replay", app, file, str(target), str(options.timeout)]
    done = subprocess.run(
        [*command, json.dumps(headers), *(["alias"] if alias else [])], text=True, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise Refused(done.stdout.rstrip() or f"{app} could not be asked", 1)
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise Refused(f"--header {text!r} has no colon: write NAME:VALUE", 2)
    return name.strip().lower(), value.strip()


def _recorded(record: dict[str, Any]) -> dict[str, Any]:
    """The recorded answer in the form of one that was given now."""
    answer = record["answer"]
    headers = [[name.lower(), value] for name, value in answer["headers"]]
    return {"status": answer["status"], "headers": headers, "body": answer["body"], "end": "complete"}


def _redacted(answer: dict[str, Any], redaction: Redaction) -> dict[str, Any]:
    headers = [[name, redaction.header(name, value)] for name, value in answer["headers"]]
    body = redaction.body(answer["body"], media_type_of(headers))
    return {**answer, "headers": headers, "body": body}


def _differences(one: dict[str, Any], other: dict[str, Any], options: argparse.Namespace) -> Iterator[str]:
    for key, words in (("status", "status"), ("raised", "raised"), ("end", "the answer is")):
        if one.get(key) != other.get(key):
            yield f"{words} {one.get(key)} and {other.get(key)}"
    ignored = _BY_NATURE | {name.lower() for name in options.ignore_header}
    bodies = None if None in (one["body"], other["body"]) else _body_difference(one, other, options.ignore_field)
    if bodies is not None or options.ignore_field:
        ignored |= {"content-length", "etag"}
    headers = [[(name, value) for name, value in each["headers"] if name not in ignored] for each in (one, other)]
    if headers[0] != headers[1]:
        lost = [f"{name}: {value}" for name, value in headers[0] if (name, value) not in headers[1]]
        new = [f"{name}: {value}" for name, value in headers[1] if (name, value) not in headers[0]]
        yield f"headers {lost} and {new}" if lost or new else "headers in another order"
    if bodies is not None:
        yield bodies


def _body_difference(one: dict[str, Any], other: dict[str, Any], ignored: list[str]) -> str | None:
    if one["body"] == other["body"]:
        return None
    if not all(is_json(media_type_of(each["headers"])) for each in (one, other)):
        return f"body {_short(one['body'])} and {_short(other['body'])}"
    try:
        values = json.loads(one["body"]), json.loads(other["body"])
    except (ValueError, RecursionError):
        return f"body {_short(one['body'])} and {_short(other['body'])}"
    found = _first_difference(*values, frozenset(ignored))
    if found is None:
        return None if ignored else "the bytes of the body, not what they mean"
    where, first, second = found
    return f"body{where}: {_short(json.dumps(first))} and {_short(json.dumps(second))}"


_NOTHING = "(nothing)"


def _first_difference(one: Any, other: Any, ignored: frozenset[str]) -> tuple[str, Any, Any] | None:
    """Where two JSON values differ, and the values there."""
    pending: list[tuple[str, Any, Any]] = [("", one, other)]
    while pending:
        where, first, second = pending.pop()
        if isinstance(first, dict) and isinstance(second, dict):
            names = [name for name in dict.fromkeys([*first, *second]) if name not in ignored]
            found = [(f"{where}.{name}", first.get(name, _NOTHING), second.get(name, _NOTHING)) for name in names]
            pending.extend(reversed(found))
        elif isinstance(first, list) and isinstance(second, list):
            pairs = enumerate(zip_longest(first, second, fillvalue=_NOTHING))
            pending.extend(reversed([(f"{where}[{index}]", *pair) for index, pair in pairs]))
        elif type(first) is not type(second) or first != second:
            return where, first, second
    return None


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
