"""E-mail: over SMTP (aiosmtplib) where the settings name a server, otherwise into the log."""

import logging
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

logger = logging.getLogger(__name__)


class Mailer(Protocol):
    """Something that takes messages."""

    async def send(self, message: EmailMessage) -> None:
        """Hands the message on; OSError or aiosmtplib's errors if that fails."""


class LogMailer:
    """Writes to whom and about what into the log and sends nothing."""

    async def send(self, message: EmailMessage) -> None:
        """Logs it."""
        logger.info("e-mail to %s: %s", message["To"], message["Subject"])


class SmtpMailer:
    """Sends through one server.

    Parameters:
        url: ``smtp://user:password@host:587`` (STARTTLS if the server offers it) or ``smtps://…`` (TLS at once).
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.secure = parts.scheme == "smtps"
        self.host = parts.hostname or "localhost"
        self.port = parts.port or (465 if self.secure else 587)
        self.user = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None

    async def send(self, message: EmailMessage) -> None:
        """Delivers it to the server."""
        await aiosmtplib.send(
            message,
            hostname=self.host,
            port=self.port,
            use_tls=self.secure,
            username=self.user,
            password=self.password,
            timeout=10,
        )


def make_mailer(url: str | None) -> Mailer:
    """Returns the mailer for the setting ``smtp_url``."""
    return SmtpMailer(url) if url else LogMailer()


def letter(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """Makes a message of plain text."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content(text)
    return message
