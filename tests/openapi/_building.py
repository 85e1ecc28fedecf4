"""Running the source of a random application with one of the two packages."""

from __future__ import annotations
import __future__

import json
import sys
import types
import warnings
from dataclasses import dataclass, field
from typing import Any

from ._cases import Framework
from ._random_models import CUT

POSTPONED = "from __future__ import annotations"


@dataclass
class Outcome:
    """How building an application and its document went.

    Parameters:
        errors: the classes of the error of each declaration, with their bases; none for those that worked.
        document: the document as text, if it could be made.
    """

    errors: list[list[str]] = field(default_factory=list)
    document: str = ""

    def run(self, source: str, name: str, module: types.ModuleType) -> None:
        """Run the declarations of a module one by one."""
        flags = __future__.annotations.compiler_flag if source.startswith(POSTPONED) else 0
        for declaration in source.split(CUT):
            self.attempt(lambda text=declaration: exec(compile(text, f"<{name}>", "exec", flags, True), vars(module)))

    def attempt(self, step: Any) -> Any:
        """The result of `step`, or None; its error is noted."""
        try:
            result = step()
        except Exception as error:
            self.errors.append([kind.__name__ for kind in type(error).__mro__])
            return None
        self.errors.append([])
        return result

    def agrees_with(self, expected: Outcome) -> bool:
        """Whether it is as FastAPI's: an error of ferrapi's may belong to a class of its own below FastAPI's.

        A document that FastAPI can't make decides nothing.
        """
        pairs = zip(expected.errors, self.errors, strict=True)
        *alike, _ = [bool(theirs) == bool(ours) and set(theirs[:1]) <= set(ours) for theirs, ours in pairs]
        return all(alike) and (bool(expected.errors[-1]) or self.document == expected.document)


def outcome(sources: dict[str, str], package: str) -> Outcome:
    """What comes of `sources` with `package`. Each module can be imported by its name meanwhile."""
    modules: dict[str, types.ModuleType] = {}
    found = Outcome()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name, source in sources.items():
                sys.modules[name] = module = types.ModuleType(name)
                vars(module).update({"fw": Framework(package), **modules})
                modules[name] = module
                found.run(source, name, module)
            app: Any = modules["application"].app
            found.document = json.dumps(found.attempt(app.openapi), indent=1)
        finally:
            for name in sources:
                sys.modules.pop(name, None)
    return found
