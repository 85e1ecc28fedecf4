"""The command `ferrapi`: serves applications, lists and checks their routes, and moves code over from FastAPI.

Options of ``run`` and ``dev``, and the way in which the application is found, are those of FastAPI's command; the rest
is ferrapi's own. Messages go to standard output and are one sentence where that will do. The exit status is

* 1 for an application that can't be found or imported, and for what ``check``, ``migrate`` and ``shadow`` have found,
* 2 for options that make no sense,
* 3 for a server that doesn't start,
* 130 for what Ctrl-C has ended before it was served.

Each command has a module of its own, imported when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["cli_main", "execute", "main"]

_INTERRUPTED = 130  # what a shell says of a process that SIGINT has ended


def execute(arguments: Sequence[str]) -> int:
    """Do what the arguments (without the command's own name) say. Answers the exit status.

    Raises:
        SystemExit: for arguments that can't be read, and after a help text.
    """
    from ._arguments import parser

    reader = parser()
    reader.check_command(arguments)
    options = reader.parse_args(arguments)
    if options.version:
        from .. import __version__

        print(f"ferrapi {__version__}")
        return 0
    if options.command is None:
        reader.print_help()
        return 2
    from ._messages import Refused

    try:
        status: int = options.do(options)
    except Refused as refused:
        print(refused)
        return refused.status
    return status


def cli_main() -> None:
    """Run the command with the process's arguments, and exit."""
    try:
        sys.exit(execute(sys.argv[1:]))
    except (
        KeyboardInterrupt
    ):  # while the application is imported, or something is looked into; servers end by themselves
        sys.exit(_INTERRUPTED)


def main() -> None:
    """The command `ferrapi`."""
    cli_main()
