"""Sessions as a database library has them; there is no database behind them."""

from typing import TypeVar

from .freight import SHIPMENTS, calls

Row = TypeVar("Row")


class Session:
    """A session that blocks."""

    def __init__(self) -> None:
        calls["session opened"] += 1
        self.new: list[object] = []

    def get(self, kind: type[Row], key: int) -> Row | None:
        """Return a row by its key."""
        found = SHIPMENTS[key] if 0 <= key < len(SHIPMENTS) else None
        return found if isinstance(found, kind) else None

    def commit(self) -> None:
        """Keep what was added."""
        calls["committed"] += 1
        self.new.clear()

    def rollback(self) -> None:
        """Forget what was added."""
        calls["rolled back"] += 1
        self.new.clear()

    def close(self) -> None:
        """Give the connection back."""
        calls["session closed"] += 1


class AsyncSession:
    """A session whose methods are awaited."""

    def __init__(self) -> None:
        self._session = Session()

    def add(self, item: object) -> None:
        """Write this at the next commit."""
        self._session.new.append(item)

    async def commit(self) -> None:
        """Keep what was added."""
        self._session.commit()

    async def rollback(self) -> None:
        """Forget what was added."""
        self._session.rollback()

    async def close(self) -> None:
        """Give the connection back."""
        self._session.close()
