"""Requests that two servers in a row may understand in two ways, and the one way in which they are to be understood.

Most hide a request for ``/smuggled`` in what one reading takes for a body and another for what comes behind it. Each is
followed by a request for ``/canary`` (`requests.CANARY`), which is swallowed if too much is taken for a body.
"""

from __future__ import annotations

_INSIDE = "GET /smuggled HTTP/1.1\r\nHost: inside\r\n\r\n"
_CHUNKED = "5\r\nhello\r\n0\r\n\r\n"


def _post(lines: str, body: str, version: str = "1.1", path: str = "/raw") -> str:
    return f"POST {path} HTTP/{version}\r\nHost: x\r\n{lines}\r\n\r\n{body}"


def _chunks(body: str) -> str:
    return _post("Transfer-Encoding: chunked", body)


# Two lengths, or a length and chunks, in any order and disguise.
_LENGTHS = [
    *(
        _post(f"{first}\r\n{second}", "0\r\n\r\n" + _INSIDE)
        for length in ("0", "5", "45")
        for first, second in (
            (f"Content-Length: {length}", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", f"Content-Length: {length}"),
            ("transfer-encoding: CHUNKED", f"content-length: {length}"),
        )
    ),
    _post("Content-Length: 0\r\nContent-Length: 40", _INSIDE),
    _post("Content-Length: 40\r\nX: y\r\nContent-Length: 0", _INSIDE),
    _post("Content-Length: 40\r\ncontent-length: 40", _INSIDE),
    _post("Content-Length: 0, 40", _INSIDE),
    _post("Content-Length: 40, 40", _INSIDE),
    _post("Content-Length: 40,", _INSIDE),
    _post("Content-Length: ,40", _INSIDE),
    _post("Content-Length: 4 0", _INSIDE),
    _post("Content-Length: 4\t0", _INSIDE),
    _post("Content-Length: 4_0", _INSIDE),
    _post("Content-Length: 0x28", _INSIDE),
    _post("Content-Length: 0o50", _INSIDE),
    _post("Content-Length: 40.0", _INSIDE),
    _post("Content-Length: 4e1", _INSIDE),
    _post("Content-Length: +40", _INSIDE),
    _post("Content-Length: -40", _INSIDE),
    _post("Content-Length: \xb2", _INSIDE),
    _post("Content-Length: \x004", _INSIDE),
    _post("Content-Length: 40;", _INSIDE),
    _post("Content-Length: '40'", _INSIDE),
    _post('Content-Length: "40"', _INSIDE),
    _post("Content-Length:", _INSIDE),
    _post("Content-Length: \t", _INSIDE),
    _post("Content-Length: 18446744073709551656", _INSIDE),
    _post("Content-Length: 4294967336" + "0" * 12, _INSIDE),
    _post("Content-Length: 9007199254740993000", _INSIDE),
]

# Transfer codings that one server knows and another one doesn't.
_CODINGS = [
    *(
        _post(f"{line}\r\nContent-Length: 40", _INSIDE)
        for line in (
            "Transfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: x",
            "Transfer-Encoding:",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: 'chunked'",
            "Transfer-Encoding: ,chunked",
            "Transfer-Encoding: chunked,",
            "Transfer-Encoding: chunked;a=b",
            "Transfer-Encoding: chunked\x0b",
            "Transfer-Encoding: \x00chunked",
            "Transfer-Encoding: chunke\\d",
            "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
        )
    ),
    _post("Transfer-Encoding: chunked", _CHUNKED + _INSIDE, version="1.0"),
    _post("Transfer-Encoding: gzip", _CHUNKED),
    _post("Transfer-Encoding: deflate, chunked", _CHUNKED),
    _post("Transfer-Encoding: chunked, chunked", _CHUNKED),
    _post("Transfer-Encoding: chunked\xa0", _CHUNKED),
    _post("Transfer-Encoding: \xa0chunked", _CHUNKED),
    _post("Transfer-Encoding: CHUNKED;", _CHUNKED),
]

# Lines that one server takes for a line, and another for two, or for none.
_LINES = [
    _post("Content-Length : 40", _INSIDE),
    _post("Content-Length\t: 40", _INSIDE),
    _post("Content-Length\r\n: 40", _INSIDE),
    _post("Content-Length\0: 40", _INSIDE),
    _post("Content Length: 40", _INSIDE),
    _post(" Content-Length: 40", _INSIDE),
    _post("\tTransfer-Encoding: chunked", _CHUNKED),
    _post("Transfer-Encoding\xa0: chunked", _CHUNKED),
    _post("X: y\r\n Transfer-Encoding: chunked", _CHUNKED),
    _post("Transfer-Encoding:\r\n chunked", _CHUNKED),
    _post("Transfer-Encoding: \r\n\tchunked", _CHUNKED),
    _post("X: y\nContent-Length: 40", _INSIDE),
    _post("X: y\rContent-Length: 40", _INSIDE),
    _post("X: y\r\r\nContent-Length: 40", _INSIDE),
    _post("X: y\n\nContent-Length: 40", _INSIDE),
    _post("X: y\r\rContent-Length: 40", _INSIDE),
    _post("X: y\x00\r\nContent-Length: 40", _INSIDE),
    _post("X: y\x0b\r\nContent-Length: 40", _INSIDE),
    _post("X: y\x85Content-Length: 40\x01", _INSIDE),
    _post(": y\r\nContent-Length: 40", _INSIDE),
    _post("X\r\nContent-Length: 40", _INSIDE),
    _post("X y: z\r\nContent-Length: 40", _INSIDE),
    "POST /raw HTTP/1.1\r\n Host: x\r\nContent-Length: 40\r\n\r\n" + _INSIDE,
    "POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 40\n\r\n" + _INSIDE,
    "POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\n" + _INSIDE,
    "POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\r\n\r\n" + _INSIDE,
]

# Where a request is for, and from whom.
_TARGETS = [
    "GET /a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n",
    "GET /a HTTP/1.1\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x/smuggled?\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: u@x\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x y\r\n\r\n",
    "GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET x HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET @y/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a\\b\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a /b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET  /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a  HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET\t/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a HTTP/1.1 \r\nHost: x\r\n\r\n",
    "GET /a\r\nHost: x\r\n\r\n",
    "GET /a HTTP/1.1\rHost: x\r\n\r\n",
    "GET /a HTTP/1.1\nHost: x\n\n",
    "GET /a\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "\0GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    " GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "\rGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a http/1.1\r\nHost: x\r\n\r\n",
    "GET /a HTTP/1.1, HTTP/1.0\r\nHost: x\r\n\r\n",
    "GET /a HTTP/01.1\r\nHost: x\r\n\r\n",
]

# Chunks.
_SIZES = [
    _chunks(f"{size}\r\nhello\r\n0\r\n\r\n")
    for size in (
        *("5 ", " 5", "\t5", "5\t", "5\x0b", "+5", "-5", "0x5", "5h", "5.0", "5_0", "", ";x", "\xb5", "5\0", "5\n"),
        *("5; x", "5 ;x", "5;x =y", '5;x="', '5;x="a"b', "5;x=y\n", "5;\r", "5;x\rx", "5;x\0", "5;\xe9=y", "5;x=a b"),
        *("10000000000000005", "100000005" + "0" * 8, "f" * 16, "0" * 16 + "5", "00000000000000000005"),
    )
]
_CHUNK_ENDS = [
    _chunks("5\r\nhelloX\r\n0\r\n\r\n"),
    _chunks("5\r\nhello\n0\r\n\r\n"),
    _chunks("5\r\nhello\r0\r\n\r\n"),
    _chunks("5\r\nhello0\r\n\r\n"),
    _chunks("4\r\nhello\r\n0\r\n\r\n"),
    _chunks("5\nhello\n0\n\n"),
    _chunks("5\rhello\r0\r\r"),
    _chunks("0\n\n" + _INSIDE),
    _chunks("0\r\n\n" + _INSIDE),
    _chunks("0\r\n\rX" + _INSIDE),
    _chunks("0\r\nContent-Length: 40\r\n\r\n" + _INSIDE),
    _chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n" + _CHUNKED),
    _chunks("0\r\nHost: y\r\n\r\n"),
    _chunks("0\r\nConnection: close\r\n\r\n"),
    _chunks("0\r\nProxy-Connection: close\r\n\r\n"),
    _chunks("0\r\nUpgrade: websocket\r\n\r\n"),
    _chunks("0\r\nX : y\r\n\r\n"),
    _chunks("0\r\nX: y\n\r\n"),
    _chunks("0\r\nX: y\r\n z\r\n\r\n"),
    _chunks("0\r\n: y\r\n\r\n"),
    _chunks("0\r\nX: y\0\r\n\r\n"),
    _chunks("0\r\n" + _INSIDE),
]

REFUSED = [text.encode("latin-1") for text in (*_LENGTHS, *_CODINGS, *_LINES, *_TARGETS, *_SIZES, *_CHUNK_ENDS)]
"""What is refused, with nothing of it called."""

_CANARY = "canary canary"

READ: list[tuple[bytes, list[int], list[str]]] = [
    (text.encode("latin-1"), statuses, calls)
    for text, statuses, calls in (
        # One request's body is no other request, even where nobody reads it.
        (_post("Content-Length: 40", _INSIDE), [200, 200], [f"raw {_INSIDE.encode()!r}", _CANARY]),
        (_post("Content-Length: 40", _INSIDE, path="/early"), [200, 200], ["early", _CANARY]),
        (_post("Content-Length: 40", _INSIDE, path="/nowhere"), [404, 200], [_CANARY]),
        (_post("Content-Length: 40", _INSIDE, path="/items/5"), [405, 200], [_CANARY]),
        (_post("content-LENGTH:40", _INSIDE), [200, 200], [f"raw {_INSIDE.encode()!r}", _CANARY]),
        (_post("Content-Length: 000000000000000040", _INSIDE), [200, 200], [f"raw {_INSIDE.encode()!r}", _CANARY]),
        (_post("Content-Length: \t 40 \t", _INSIDE), [200, 200], [f"raw {_INSIDE.encode()!r}", _CANARY]),
        (_chunks(f"28\r\n{_INSIDE}\r\n0\r\n\r\n"), [200, 200], [f"raw {_INSIDE.encode()!r}", _CANARY]),
        (
            _post("Transfer-Encoding: chunked", f"28\r\n{_INSIDE}\r\n0\r\n\r\n", path="/early"),
            [200, 200],
            ["early", _CANARY],
        ),
        (_post("TRANSFER-encoding:\tChunked ", _CHUNKED), [200, 200], ["raw b'hello'", _CANARY]),
        # Names that look like others are names of their own: there is no body, and so another request.
        (_post("Content_Length: 40", _INSIDE), [200, 200, 200], ["raw b''", "smuggled", _CANARY]),
        (_post("Content-Length-: 40", _INSIDE), [200, 200, 200], ["raw b''", "smuggled", _CANARY]),
        (_post("X-Content-Length: 40", _INSIDE), [200, 200, 200], ["raw b''", "smuggled", _CANARY]),
        (_post("Transfer_Encoding: chunked", _INSIDE), [200, 200, 200], ["raw b''", "smuggled", _CANARY]),
        (_post("Connection: Content-Length\r\nContent-Length: 5", "hello"), [200, 200], ["raw b'hello'", _CANARY]),
        (_post("Content-Length: 0", _INSIDE), [200, 200, 200], ["raw b''", "smuggled", _CANARY]),
        # Bodies where others expect none.
        (
            f"GET /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n{_INSIDE}",
            [200, 200],
            ["smuggled", _CANARY],
        ),
        (
            f"GET /smuggled HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{_CHUNKED}",
            [200, 200],
            ["smuggled", _CANARY],
        ),
        (f"HEAD /head HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n{_INSIDE}", [200, 200], ["head", _CANARY]),
        (
            f"DELETE /none HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n{_INSIDE}",
            [204, 200],
            ["none", _CANARY],
        ),
        # Chunks with what may be said of them.
        (_chunks('005;a;b=c;d="e;\\"\t"\r\nhello\r\n000;z\r\n\r\n'), [200, 200], ["raw b'hello'", _CANARY]),
        (_chunks("5\r\nhello\r\n0\r\nX: y\r\nY:\r\n\r\n"), [200, 200], ["raw b'hello'", _CANARY]),
        (_chunks("2\r\n\r\n\r\n3\r\n0\r\n\r\n0\r\n\r\n"), [200, 200], ["raw b'\\r\\n0\\r\\n'", _CANARY]),
        (
            _chunks("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
            [200, 200],
            [f"raw {b'0123456789' * 2!r}", _CANARY],
        ),
        # Upgrades that nobody wants are requests.
        (
            _post("Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 40", _INSIDE),
            [200, 200],
            [f"raw {_INSIDE.encode()!r}", _CANARY],
        ),
        # Whoever has to be told to send a body has sent it already.
        (_post("Expect: 100-continue\r\nContent-Length: 5", "hello"), [200, 200], ["raw b'hello'", _CANARY]),
        (
            _post("Expect: 100-continue\r\nContent-Length: 40", _INSIDE, path="/early"),
            [200, 200],
            ["early", _CANARY],
        ),
        # Empty lines before a request line.
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n", [200, 200], ["root", _CANARY]),
        # The end is the end.
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + _INSIDE, [200], ["root"]),
        ("GET / HTTP/1.0\r\n\r\n" + _INSIDE, [200], ["root"]),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, close\r\n\r\n" + _INSIDE, [200], ["root"]),
        # An absolute target of the same authority is its path.
        ("GET http://x/items/5 HTTP/1.1\r\nHost: x\r\n\r\n", [200, 200], ["items 5 none", _CANARY]),
        # Something that is no request ends the connection, behind what was answered.
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\nX\r\n\r\n" + _INSIDE, [200, 400], ["root"]),
    )
]
"""What is read, with the statuses of the answers and what is called."""
