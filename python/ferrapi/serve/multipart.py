"""Whether the package is there that `await request.form()` needs, which is Starlette's. Declared forms need none."""

from __future__ import annotations

from importlib import import_module

from ..logger import logger

_INSTALL = "pip install python-multipart"
multipart_not_installed_error = f"""Reading a form needs the package "python-multipart". Install it:

{_INSTALL}
"""
multipart_incorrect_install_error = f"""Reading a form needs the package "python-multipart", and "multipart" is \
installed, which is another one. Take that away and install the right one:

pip uninstall multipart
{_INSTALL}
"""
_TOO_OLD = (0, 0, 12)


def _version(module: str) -> str:
    """The version that a module says it has; empty if it can't be imported or says none."""
    try:
        return str(getattr(import_module(module), "__version__", ""))
    except ImportError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def ensure_multipart_is_installed() -> None:
    """Raise unless python-multipart can be imported, in a version later than 0.0.12 or under its old name.

    Raises:
        RuntimeError: if it can't; the message says what to install.
    """
    if _numbers(_version("python_multipart")) > _TOO_OLD:
        return
    message = multipart_not_installed_error
    if _version("multipart"):
        try:
            import_module("multipart.multipart").parse_options_header  # noqa: B018  # what the other package hasn't
            return
        except (ImportError, AttributeError):
            message = multipart_incorrect_install_error
    logger.error(message)
    raise RuntimeError(message)
