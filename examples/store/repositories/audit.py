"""The audit log: written after the answer has been sent, read by the staff."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Database, writing
from ..models import AuditEntry


async def record(database: Database, actor: str, action: str, subject: str, detail: str) -> None:
    """Writes one line in a session of its own; meant for background tasks, which outlive the request's session."""
    async with database.sessions() as session, writing(session):
        session.add(AuditEntry(actor=actor, action=action, subject=subject, detail=detail))


async def page(session: AsyncSession, subject: str | None, limit: int, offset: int) -> tuple[int, Sequence[AuditEntry]]:
    """Returns how many lines there are (about one subject, if named) and one page of them, newest first."""
    conditions = [] if subject is None else [AuditEntry.subject == subject]
    total = await session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions))
    newest_first = select(AuditEntry).where(*conditions).order_by(AuditEntry.id.desc()).limit(limit).offset(offset)
    return total or 0, (await session.scalars(newest_first)).all()
