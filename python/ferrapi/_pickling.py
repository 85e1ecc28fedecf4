"""Copies and pickles of applications, and of their parts, at any time.

What an object has made for serving (tables, plans, native objects) belongs to it and to this process. It is left out of
copies and pickles, and made again when the copy first serves a request.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Regained:
    """An object whose state is its attributes, but for those that it makes again.

    `_made` names these. The class has their values as of before they are made.
    """

    _made: ClassVar[frozenset[str]] = frozenset()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in self._made}
