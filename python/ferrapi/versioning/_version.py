"""What an application says about its versions, and what each says about its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from typing import Literal

from starlette.requests import HTTPConnection

from ..declare.versions import NAME
from ..exceptions import VersioningError

Headers = list[tuple[bytes, bytes]]
_LINK = frozenset('<>"\\^`{|} ')
"""Characters that are no part of a URI reference (RFC 3986)."""


@dataclass(frozen=True)
class Version:
    """A version of the API.

    Parameters:
        name: what requests call it: letters, digits, dots, hyphens and underscores.
        deprecated: since when, or from when on, nobody should begin to use it. Its answers have a ``Deprecation``
            header then (RFC 9745), and its document says so of each operation.
        sunset: when it is expected to be gone: a ``Sunset`` header (RFC 8594).
        links: addresses by relation, each a ``Link`` header (RFC 8288). ``deprecation`` and ``sunset`` say more about
            either date; ``successor-version`` and others are yours to choose.

    Raises:
        VersioningError: for a name or a link that headers can't carry, a time without a zone, or a sunset before the
            deprecation.
    """

    name: str
    deprecated: datetime | None = None
    sunset: datetime | None = None
    links: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise VersioningError(f"{self.name!r} is no name of a version: use letters, digits, '.', '-' and '_'")
        for what, moment in (("deprecated", self.deprecated), ("sunset", self.sunset)):
            if moment is not None and (not isinstance(moment, datetime) or moment.tzinfo is None):
                raise VersioningError(f"Version {self.name!r}: {what}= is a datetime with a timezone, not {moment!r}")
        if self.deprecated is not None and self.sunset is not None and self.sunset < self.deprecated:
            raise VersioningError(f"Version {self.name!r} can't be gone before it is deprecated (RFC 9745, section 4)")
        for relation, url in self.links.items():
            is_plain = relation.isascii() and relation.isprintable() and url.isascii() and url.isprintable()
            if not is_plain or not relation or _LINK & {*relation, *url}:
                raise VersioningError(
                    f"Version {self.name!r}: the link {relation!r} to {url!r} can't stand in a header"
                )

    @cached_property
    def headers(self) -> Headers:
        """What its answers say about its end."""
        found: Headers = []
        if self.deprecated is not None:
            found.append((b"deprecation", b"@%d" % int(self.deprecated.timestamp())))
        if self.sunset is not None:
            found.append((b"sunset", format_datetime(self.sunset.astimezone(UTC), usegmt=True).encode()))
        found += [(b"link", f'<{url}>; rel="{relation}"'.encode()) for relation, url in self.links.items()]
        return found


Choice = Callable[[HTTPConnection], str | None]
"""A way of one's own to find out which version a request names; None for none."""


@dataclass(frozen=True)
class Versioning:
    """The versions of an application's API, and how requests name one.

    Parameters:
        versions: the versions, the oldest first; ``">=2"`` means the second and all after it in this list.
        by: ``"path"``, ``"header"``, ``"media_type"`` (a parameter of what ``Accept`` names), or a function that gets a
            request or WebSocket and gives the name of a version, or None.
        name: the header's name (``Accept-Version`` if not given) or the media type parameter's (``version``).
        prefix: where a version's document and pages are, and its routes if the path names it. It has one ``{version}``.
        default: the version of requests that name none. Without one these meet only the routes that have no version.
        unknown: the status of the answer to an unknown version, or to none where one is needed: 400, 404 or 406.

    Raises:
        VersioningError: for settings that contradict each other.
    """

    versions: Sequence[str | Version]
    by: Literal["path", "header", "media_type"] | Choice = "path"
    name: str | None = None
    prefix: str = "/v{version}"
    default: str | None = None
    unknown: Literal[400, 404, 406] = 400

    def __post_init__(self) -> None:
        if isinstance(self.versions, str) or not self.versions:
            raise VersioningError("Versioning needs a list of versions, the oldest first")
        if len(self.known) != len(self.versions):
            raise VersioningError("Each version is named once")
        if self.default is not None and self.default not in self.known:
            raise VersioningError(f"The default {self.default!r} is none of the versions: {', '.join(self.known)}")
        if self.by not in ("path", "header", "media_type") and not callable(self.by):
            raise VersioningError(f"by={self.by!r} is neither 'path', 'header' nor 'media_type', and no function")
        if self.name is not None and (self.by not in ("header", "media_type") or not NAME.fullmatch(self.name)):
            raise VersioningError(f"name={self.name!r} is for a header or a media type parameter")
        start, *rest = self.prefix.split("{version}")
        if len(rest) != 1 or not start.startswith("/") or rest[0].endswith("/") or {"{", "}"} & {*start, *rest[0]}:
            raise VersioningError(
                f"prefix={self.prefix!r} begins with '/', doesn't end with it and has one {{version}}"
            )
        if self.unknown not in (400, 404, 406):
            raise VersioningError(f"unknown={self.unknown!r} is neither 400, 404 nor 406")

    @cached_property
    def known(self) -> dict[str, Version]:
        """The versions by name, the oldest first."""
        made = [one if isinstance(one, Version) else Version(one) for one in self.versions]
        return {one.name: one for one in made}

    @cached_property
    def field(self) -> str:
        """The name of the header or parameter that is looked at."""
        return self.name or ("version" if self.by == "media_type" else "Accept-Version")

    def prefix_of(self, version: str) -> str:
        """The prefix of a version."""
        return self.prefix.replace("{version}", version)
