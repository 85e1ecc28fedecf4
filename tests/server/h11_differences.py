"""Where uvicorn's two HTTP/1.1 protocols disagree about the requests of `requests.py`, and the rule behind it.

The door answers all of these as httptools does.
"""

DIFFERENCES: dict[str, tuple[str, ...]] = {
    ("RFC 9110, 7.8: after a head with Upgrade or CONNECT httptools drops what came in the same piece"): (
        "method CONNECT",
        "header Connection: Upgrade\\r\\nUpgrade: h2c",
        "header Connection: Upgrade, HTTP2-Set...\\nHTTP2-Settings: AAMAAABk",
    ),
    ("RFC 9110, 9.1: llhttp knows a list of methods and refuses others; h11 takes any token"): (
        "method BREW",
        "method get",
        "method Get",
        "method GETGETGETGETGETGETGETGETGET",
        "method PRI",
        "whole GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nX",
    ),
    (
        "RFC 9112, 3.2: h11 hands on any target as a path; httptools parses it, strips an authority and a "
        "fragment, and refuses what is none of the four forms"
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
        "whole PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n",
    ),
    (
        "RFC 9112, 2.3: llhttp knows versions 0.9, 1.0, 1.1 and 2.0; h11 serves any single-digit version, and "
        "no protocol but HTTP"
    ): (
        "version HTTP/1.2",
        "version HTTP/2.0",
        "version RTSP/1.0",
        "version HTTP/3.0",
    ),
    ("RFC 9112, 5.2: a folded line is refused by llhttp and joined by h11"): (
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
    (
        "RFC 9112, 6.3, 5: equal lengths in a list or in repeated fields may be taken for one; h11 does, llhttp doesn't"
    ): (
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
    ("RFC 9110, 8.6: a length beyond 64 bits is an error to llhttp; h11 waits for that much"): (
        "framing Content-Length: 18446744073709551621",
        "chunks 10000000000000005\\r\\nhello\\r\\n0\\r\\n\\r\\n",
    ),
    ("RFC 9112, 2.2: a bare LF may end a line; h11 takes it, llhttp doesn't"): (
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
        "trailers: llhttp refuses, h11 doesn't"
    ): (
        "chunks 5 \\r\\nhello\\r\\n0\\r\\n\\r\\n",
        "chunks 5;\\r\\nhello\\r\\n0\\r\\n\\r\\n",
        "chunks 5\\r\\nhello\\r\\n0\\r\\nContent-Length: 9\\r\\n\\r\\n",
        "chunks 5\\t\\r\\nhello\\r\\n0\\r\\n\\r\\n",
    ),
    ("RFC 9110, 5.5: control characters in a value: llhttp refuses all, h11 few"): (
        "header X: \\x7f",
        "header X: \\x01",
    ),
    ("RFC 9112, 3.2: exactly one Host; h11 insists, httptools doesn't"): (
        "header Host: other",
        "header HOST: other",
        "header Host: x",
        "header Host:",
        "header Host: a b",
        "header Host: a@b",
        "header Host: \\xe9",
        "whole GET / HTTP/1.1\\r\\n\\r\\n",
        "whole GET / HTTP/1.1\\r\\nHost: x",
    ),
    ("Proxy-Connection is no HTTP; llhttp treats it as Connection"): ("header Proxy-Connection: close",),
    (
        "A request behind one that fails: the door starts it after the failure has closed the connection, that is never"
    ): ("special GET /fails",),
    ("RFC 9112, 2.2: empty lines before a request line are skipped by llhttp; h11 refuses"): (
        "whole \\r\\n",
        "whole \\r\\n\\r\\n",
        "whole \\n",
        "whole \\r",
        "whole \\r\\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "whole \\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "whole \\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "whole GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\\r\\n",
    ),
    (
        "RFC 9112, 3: blanks in the request line: llhttp skips repeated ones, h11 refuses; RFC 1945's `GET /` "
        "without version is served by llhttp"
    ): (
        "whole GET /\\r\\n\\r\\n",
        "whole GET  / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "whole GET /  HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
    ),
}
