"""Where ferrapi's protocol and another parser disagree about requests, and the rule behind it.

ferrapi's is the stricter one but for absolute targets, which h11 hands on as paths, and empty lines before a request.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

LENIENT: dict[str, re.Pattern[bytes]] = {
    "RFC 9112, 3.2.2: of an absolute target the path is taken; h11 hands on all of it": re.compile(
        rb"(?i)[!-~]+ https?://[!-~]+ HTTP/"
    ),
    "Proxy-Connection, as in `DIFFERENCES`": re.compile(rb"(?i)proxy-connection:"),
    "A failure that closes the connection, as in `DIFFERENCES`": re.compile(rb"/fails"),
}
"""Rules by which ferrapi's protocol answers what h11 doesn't, and what a connection's bytes have where they apply."""

_EMPTY_LINES = re.compile(rb"((?:\r\n)+)(?=[!-~]+ [!-~]+ HTTP/)")


def without_empty_lines(data: bytes) -> Iterator[bytes]:
    """`data` with some of the line ends before its request lines left out, in all ways.

    RFC 9112, 2.2: empty lines before a request line are skipped. h11 refuses them, and only the framing says which line
    ends are such lines and which are the end of a head or of a body.
    """
    parts = _EMPTY_LINES.split(data)
    ends = parts[1::2]
    for kept in itertools.product(*(sorted({0, 1, 2, len(end) // 2}) for end in ends)):
        chosen = [end[: 2 * count] for end, count in zip(ends, kept, strict=True)]
        yield b"".join(itertools.chain(*itertools.zip_longest(parts[::2], chosen, fillvalue=b"")))


HTTPTOOLS: dict[str, re.Pattern[bytes]] = {
    "RFC 9110, 7.8: an upgrade may be ignored, as ferrapi's and h11 do; httptools drops what is behind": re.compile(
        rb"(?i)\r\n(?:connection:[^\n]*upgrade[^\n]*\n(?:[^\r\n]+\r\n)*upgrade:|upgrade:[^\n]*\n(?:[^\r\n]+\r\n)*connection:[^\n]*upgrade)"
    ),
    "RFC 9112, 7.1: a chunk's size has at most 15 digits; behind an answer the connection ends": re.compile(
        rb"\r\n[0-9A-Fa-f]{16,}[\r;]"
    ),
    "RFC 9110, 6.5.1: trailers that frame, route or end are refused; behind an answer the connection ends": re.compile(
        rb"(?i)\r\n0+(?:;[^\n]*)?\r\n(?:[^\r\n]+\r\n)*"
        rb"(?:host|content-length|transfer-encoding|upgrade|(?:proxy-)?connection):"
    ),
}
"""Rules by which ferrapi's protocol and httptools differ, and what a connection's bytes have where they apply."""

DIFFERENCES: dict[str, tuple[str, ...]] = {
    ("RFC 9110, 9.3.6: CONNECT is for proxies, and refused; h11 hands it on"): ("method CONNECT",),
    ("RFC 9110, 9.1: only known methods are served, so no rest of a body is; h11 takes any"): (
        "method BREW",
        "method get",
        "method Get",
        "method GETGETGETGETGETGETGETGETGET",
        "method PRI",
        "whole GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nX",
    ),
    (
        "RFC 9112, 3.2: h11 hands on any target as a path; of an absolute one whose authority is that of Host ferrapi"
        "takes the path, and refuses what has not the form that the method asks for"
    ): (
        "target /items/5#frag",
        "target /#",
        "target #",
        "target ?limit=3",
        "target items/5",
        "target http://x/items/5",
        "target HTTP://x/items/5",
        "target http://x",
        "target http://x?limit=1",
        "target http://u:p@x:80/items/5",
        "target x:443",
        "target http:/items/5",
        "target ://x/",
        "target *",
        "whole PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n",
    ),
    ("RFC 9112, 2.3: versions 1.0 and 1.1 are served; h11 serves any single-digit version"): (
        "version HTTP/1.2",
        "version HTTP/2.0",
        "version HTTP/3.0",
        "version HTTP/0.9",
    ),
    ("RFC 9112, 5.2: a folded line is refused; h11 joins it"): (
        "framing  Content-Length: 5",
        "framing  Transfer-Encoding: chunked",
        "framing X: y\\r\\n Content-Length: 5",
        "framing Content-Length:\\r\\n 5",
        "header  X: y",
        "header \\tX: y",
        "header X: y\\r\\n z",
        "header X: y\\r\\n\\tz",
        "header X: y\\r\\n \\r\\n",
        "whole GET / HTTP/1.1\\r\\nHost: x\\r\\n X: y\\r\\n\\r\\n",
    ),
    ("RFC 9112, 6.3, 5: equal lengths in a list or in repeated fields may be taken for one; h11 does"): (
        "framing Content-Length: 5,5",
        "framing Content-Length: 5, 5",
        "framing Content-Length: 5\\r\\nContent-Length: 5",
    ),
    ("RFC 9110, 9.1 again: the bytes after the body make `helloGET`, an unknown method"): (
        "framing Content-Length: 0",
        "framing Content-Length: 00",
        "framing Content_Length: 5",
        "framing Transfer_Encoding: chunked",
    ),
    ("RFC 9110, 8.6: a length has at most 18 digits, a chunk's size 15; h11 waits for as much as is said"): (
        "framing Content-Length: 18446744073709551621",
        "framing Content-Length: 9223372036854775808",
        "framing Content-Length: 0000000000000000005",
        "chunks FFFFFFFFFFFFFFFF\\r\\nhello",
        "chunks 10000000000000005\\r\\nhello\\r\\n0\\r\\n\\r\\n",
    ),
    ("RFC 9112, 2.2: a bare LF may end a line; h11 takes it"): (
        "framing X: y\\nContent-Length: 5",
        "header X: y\\nZ: w",
        "header X: y\\n",
        "whole GET / HTTP/1.1\\nHost: x\\n\\n",
        "whole GET / HTTP/1.1\\nHost: x\\r\\n\\r\\n",
        "whole GET / HTTP/1.1\\r\\nHost: x\\n\\r\\n",
        "whole GET / HTTP/1.1\\r\\nHost: x\\r\\n\\n",
    ),
    (
        "RFC 9112, 7.1: blanks after a chunk's size, an extension without a name, a length among the "
        "trailers: h11 takes them"
    ): (
        "chunks 5 \\r\\nhello\\r\\n0\\r\\n\\r\\n",
        "chunks 5;\\r\\nhello\\r\\n0\\r\\n\\r\\n",
        "chunks 5\\r\\nhello\\r\\n0\\r\\nContent-Length: 9\\r\\n\\r\\n",
        "chunks 5\\t\\r\\nhello\\r\\n0\\r\\n\\r\\n",
    ),
    ("RFC 9110, 5.5: control characters in a value: h11 refuses few"): (
        "header X: \\x7f",
        "header X: \\x01",
    ),
    ("Proxy-Connection is no HTTP; httptools treats it as Connection, and so does ferrapi's"): (
        "header Proxy-Connection: close",
    ),
    ("A request behind one that fails: ferrapi's starts it after the failure has closed the connection, so never"): (
        "special GET /fails",
    ),
    ("RFC 9112, 2.2: empty lines before a request line are skipped; h11 refuses"): (
        "whole \\r\\n",
        "whole \\r\\n\\r\\n",
        "whole \\r\\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "whole \\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "whole GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\\r\\n",
    ),
}
