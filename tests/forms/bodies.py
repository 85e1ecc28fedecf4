"""Random form bodies: well-formed ones, and ones that were damaged in the ways in which parsers differ."""

import random
from dataclasses import dataclass

NAMES = ["a", "b", "", "file", "a b", "é", "x" * 40, 'q"q', "semi;colon", "back\\slash", "%41", "a[]"]
TEXTS = [
    b"",
    b"1",
    b"text",
    b"\xc3\xa9",
    b"\xff\xfe",
    b"-",
    b"--",
    b"\r",
    b"\n",
    b"\r\n",
    b"--b",
    b"a\r\n--",
    b"\0",
    b"x" * 300,
]
URLENCODED = [
    b"a=1",
    b"b=",
    b"=",
    b"c",
    b"",
    b"&",
    b"&&",
    b"a=b=c",
    b"%41=%zz",
    b"x+y=%2B",
    b"\xc3\xa9=\xff",
    b"a=%E9%",
    b";",
    b"a=1;b=2",
]
FILENAMES = ["f.txt", "", "C:\\dir\\f.txt", "\\\\host\\f", "é.txt", 'a"b', "../../x", "n\0", "a;b", "%22"]
HEADERS = [
    "Content-Type: text/plain",
    "content-TYPE:x/y; charset=latin-1",
    "X: ",
    "X:  two",
    "Content-Transfer-Encoding: base64",
]
BOUNDARIES = ["b", "boundary", "-", "--", "x" * 70, "x" * 256, "x" * 257, "a b", "", "b'()+_,./:=?", "é"]
TYPES = ["multipart/form-data", "Multipart/Form-Data", "multipart/form-data ", "multipart/mixed"]
CHARSETS = [
    "",
    "",
    "",
    "; charset=utf-8",
    "; charset=latin-1",
    "; charset=ascii",
    "; charset=utf-16",
    "; charset=nope",
    '; charset="utf-8"',
]


@dataclass(frozen=True)
class Form:
    """A request's content type and body, and the limits that apply."""

    content_type: bytes
    body: bytes
    max_files: int = 1000
    max_fields: int = 1000
    max_part_size: int = 1024 * 1024


def _limits(rng: random.Random) -> dict[str, int]:
    if rng.random() < 0.7:
        return {}
    return {"max_files": rng.randrange(4), "max_fields": rng.randrange(5), "max_part_size": rng.choice([0, 1, 4, 50])}


def urlencoded(rng: random.Random) -> Form:
    """A body of names and values, or of something like it."""
    pieces = [rng.choice(URLENCODED) for _ in range(rng.randrange(7))]
    body = damaged(rng, rng.choice([b"&", b"&", b"&", b";", b"&&"]).join(pieces), b"&=%+;\x00\xff")
    content_type = rng.choice(
        [
            b"application/x-www-form-urlencoded",
            b"Application/X-WWW-Form-Urlencoded ; charset=utf-8",
            b'application/x-www-form-urlencoded;a="b;c"',
            b" application/x-www-form-urlencoded",
            b"application/x-www-form-urlencodedx",
            b"text/plain",
            b"",
        ]
    )
    return Form(content_type, body, **_limits(rng))


def _disposition(rng: random.Random) -> bytes:
    name = rng.choice(NAMES)
    options = [f'name="{name}"'] if rng.random() < 0.97 else ["name=bare"] if rng.random() < 0.5 else []
    if rng.random() < 0.5:
        filename = rng.choice(FILENAMES)
        options.append(f'filename="{filename}"' if rng.random() < 0.9 else f"filename*=utf-8''{filename}")
    if rng.random() < 0.1:
        rng.shuffle(options)
    key = rng.choice(["Content-Disposition", "content-disposition", "CONTENT-DISPOSITION"])
    kind = "form-data" if rng.random() < 0.95 else rng.choice(["attachment", "", "form-data ;"])
    return "; ".join([f"{key}: {kind}", *options]).encode(rng.choice(["utf-8", "utf-8", "latin-1"]), "replace")


def multipart(rng: random.Random) -> Form:
    """A body of parts, or of something like it."""
    boundary = rng.choice(BOUNDARIES) if rng.random() < 0.4 else "b"
    mark = b"--" + boundary.encode("latin-1")
    lines = []
    for _ in range(rng.randrange(5)):
        head = [_disposition(rng)] if rng.random() < 0.97 else []
        head += [rng.choice(HEADERS).encode() for _ in range(9 if rng.random() < 0.02 else rng.randrange(3))]
        rng.shuffle(head)
        content = b"".join(rng.choice(TEXTS) for _ in range(rng.randrange(4)))
        after = rng.choice([b" ", b"\t", b"x", b"-"]) if rng.random() < 0.04 else b""
        lines.append(b"\r\n".join([mark + after, *head, b"", content, b""]))
    body = (rng.choice([b"\r\n", b"\n", b"preamble\r\n", b"-"]) if rng.random() < 0.1 else b"") + b"".join(lines)
    body += mark + rng.choice([b"--\r\n", b"--\r\n", b"--", b"--\r\nepilogue", b"", b"-", b"\r\n"])
    if rng.random() < 0.25:
        body = damaged(rng, body, b'\r\n-b:;"= \x00')
    quoted = f'"{boundary}"' if rng.random() < 0.5 else boundary
    start = rng.choice(TYPES) if rng.random() < 0.1 else TYPES[0]
    option = f"; boundary={quoted}" if rng.random() < 0.97 else ""
    return Form(f"{start}{rng.choice(CHARSETS)}{option}".encode("latin-1"), body, **_limits(rng))


def damaged(rng: random.Random, body: bytes, alphabet: bytes) -> bytes:
    """`body` with a few bytes changed, added or taken away, or cut short."""
    found = bytearray(body)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 5])):
        at = rng.randrange(len(found) + 1)
        action = rng.randrange(4)
        if action == 0:
            found[at:at] = bytes([rng.choice(alphabet)])
        elif action == 1:
            del found[at : at + rng.choice([1, 1, 2, 10])]
        elif action == 2 and at < len(found):
            found[at] = rng.choice(alphabet)
        else:
            found = found[: max(at, len(found) // 2)]
    return bytes(found)


def cut(rng: random.Random, body: bytes) -> list[bytes]:
    """`body` in pieces, some of them empty."""
    if rng.random() < 0.2:
        return [body[at : at + 1] for at in range(len(body))] or [b""]
    marks = sorted(rng.randrange(len(body) + 1) for _ in range(rng.randrange(6)))
    return [body[start:end] for start, end in zip([0, *marks], [*marks, len(body)], strict=True)]
