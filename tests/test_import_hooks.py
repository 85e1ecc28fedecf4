"""What the import system, and tools that stand in it, see of `fastapi` under `import ferrapi.as_fastapi`.

Each program runs twice, in processes of their own: with FastAPI, and with ferrapi in its place.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

_ALIAS = "import ferrapi.as_fastapi"

_CHAINED = """
import importlib.util, sys

class Chained:
    def __init__(self, loader, seen):
        self.loader, self.seen = loader, seen

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.seen.append([module.__spec__.name, module.__name__, module is sys.modules[module.__spec__.name]])
"""
"""A loader around the one that was found, as post-import hooks have it."""

_NAMED = """
class Named:
    '''Waits for some modules, and finds them with `importlib.util.find_spec` (wrapt, New Relic).'''

    def __init__(self, names):
        self.names, self.busy, self.seen = names, set(), []

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self.names or fullname in self.busy:
            return None
        self.busy.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.busy.discard(fullname)
        if spec is not None:
            spec.loader = Chained(spec.loader, self.seen)
        return spec
"""

_EACH = """
class Each:
    '''Looks at each module, and finds it with the finders behind (Datadog's watchdog works on all names, too).'''

    def __init__(self, names):
        self.seen = []

    def find_spec(self, fullname, path=None, target=None):
        for finder in sys.meta_path[sys.meta_path.index(self) + 1:]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if fullname.split(".")[0] == "fastapi":
                    spec.loader = Chained(spec.loader, self.seen)
                return spec
"""

_PATCHING = """
class Patching:
    '''Replaces `exec_module` of the loader that is found.'''

    def __init__(self, names):
        self.seen = []

    def find_spec(self, fullname, path=None, target=None):
        for finder in sys.meta_path[sys.meta_path.index(self) + 1:]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and fullname.split(".")[0] == "fastapi":
                load = spec.loader.exec_module
                def exec_module(module):
                    load(module)
                    self.seen.append([fullname, module.__name__, module is sys.modules[fullname]])
                spec.loader.exec_module = exec_module
            if spec is not None:
                return spec
"""

_WAITED_FOR = [
    "fastapi",
    "fastapi._compat",
    "fastapi._compat.v2",
    "fastapi.applications",
    "fastapi.dependencies.utils",
    "fastapi.middleware.cors",
    "fastapi.openapi.utils",
    "fastapi.responses",
    "fastapi.routing",
    "fastapi.security",
    "fastapi.security.oauth2",
    "fastapi.testclient",
]


def _both(program: str) -> tuple[Any, Any]:
    """The last line that the program prints, as JSON, with FastAPI and with ferrapi. `ALIAS` is the line between."""
    said = []
    for line in ("pass", _ALIAS):
        done = subprocess.run(
            [sys.executable, "-W", "error::ImportWarning", "-c", program.replace("ALIAS", line)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout.splitlines()[-1]))
    return said[0], said[1]


_MOMENTS = {
    "before ferrapi is imported": "WATCH\nALIAS\nimport fastapi",
    "before fastapi is imported": "ALIAS\nWATCH\nimport fastapi",
    "and a module of its is the first": "ALIAS\nWATCH\nfrom fastapi.security.oauth2 import OAuth2",
    "and an attribute is the first": "ALIAS\nWATCH\nfrom fastapi import routing",
    "before what is imported on demand": "ALIAS\nimport fastapi\nWATCH",
}
_ON_DEMAND = "\nimport fastapi.testclient\nfrom fastapi.middleware.cors import CORSMiddleware\n"


@pytest.mark.parametrize("moment", _MOMENTS)
def test_whoever_waits_for_a_module_is_called_once(moment: str) -> None:
    """Three tools at once, each with its own way of standing in the import system."""
    watch = f"tools = [kind({_WAITED_FOR!r}) for kind in (Named, Each, Patching)]; sys.meta_path[:0] = tools"
    program = (
        _CHAINED
        + _NAMED
        + _EACH
        + _PATCHING
        + _MOMENTS[moment].replace("WATCH", watch)
        + _ON_DEMAND
        + f"""
import json
print(json.dumps([sorted(one for one in tool.seen if one[0] in {_WAITED_FOR!r}) for tool in tools]))
"""
    )
    theirs, ours = _both(program)
    assert ours == theirs
    assert all(ours)


def test_a_package_comes_after_what_it_imports_itself() -> None:
    program = (
        _CHAINED
        + _EACH
        + "tool = Each(()); sys.meta_path.insert(0, tool)\nALIAS\nimport fastapi, json\n"
        + "print(json.dumps([one[0] for one in tool.seen]))"
    )
    for order in _both(program):
        place = {name: index for index, name in enumerate(order)}
        assert place["fastapi"] == len(order) - 1
        for first, second in (
            ("fastapi.security.oauth2", "fastapi.security"),
            ("fastapi.security.base", "fastapi.security.oauth2"),
            ("fastapi.dependencies", "fastapi.dependencies.utils"),
            ("fastapi.exceptions", "fastapi.routing"),
            ("fastapi.routing", "fastapi.applications"),
        ):
            assert place[first] < place[second], (first, second)


@pytest.mark.parametrize(
    "import_", ["import ferrapi.testclient", "from ferrapi.middleware.cors import CORSMiddleware", "ferrapi.FastAPI"]
)
def test_an_application_that_says_ferrapi_is_seen_as_well(import_: str) -> None:
    program = (
        _CHAINED
        + _NAMED
        + f"tool = Named({_WAITED_FOR!r}); sys.meta_path.insert(0, tool)\n{_ALIAS}\nimport ferrapi\n{import_}\n"
        + "print(sorted(one[0] for one in tool.seen))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("fastapi", "fastapi.routing", "fastapi.applications", "fastapi.openapi.utils"):
        assert repr(name) in done.stdout
    assert ("fastapi.testclient" in done.stdout) == ("testclient" in import_)


def test_importing_fastapi_imports_what_it_imports_there() -> None:
    """But for private modules of its telemetry."""
    theirs, ours = _both(
        "ALIAS\nimport fastapi, json, sys\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.split('.')[0] == 'fastapi')))"
    )
    assert ours == [name for name in theirs if not name.startswith("fastapi.telemetry._")]


def test_what_can_be_asked_of_a_module() -> None:
    """Before it is imported and afterwards, of its spec, its loader and its file."""
    theirs, ours = _both(
        """
import importlib.util, inspect, json, os, pickle, sys
ALIAS
said = []
for name in NAMES:
    before = importlib.util.find_spec(name)
    imported = name in sys.modules
    module = importlib.import_module(name)
    after = importlib.util.find_spec(name)
    loader = module.__loader__
    source = open(module.__file__, encoding="utf-8").read()
    said.append([
        imported, before.name, before.has_location, before.origin == module.__file__, before.cached == after.cached,
        after is module.__spec__, after.name, after.origin == module.__file__, type(loader).__name__,
        loader is after.loader, loader.name, loader.get_filename(name) == module.__file__,
        loader.get_source(name) == source, before.loader.get_source(name) == source,
        inspect.getsource(module) == source, inspect.getsourcefile(module) == module.__file__,
        inspect.getmodule(module) is module, module.__spec__.parent == module.__package__,
        importlib.util.resolve_name(".x", module.__spec__.parent).split(".")[0],
        before.loader.is_package(name) == after.loader.is_package(name) == hasattr(module, "__path__"),
    ])
print(json.dumps(said))
""".replace("NAMES", repr(_WAITED_FOR))
    )
    assert ours == theirs


def test_what_there_is_not_is_not_found() -> None:
    theirs, ours = _both("""
import importlib.util, json
ALIAS
said = [importlib.util.find_spec("fastapi.surely_not")]
try:
    importlib.util.find_spec("fastapi.surely.not")
except ModuleNotFoundError as error:
    said.append(error.name)
print(json.dumps(said))
""")
    assert ours == theirs == [None, "fastapi.surely"]


def test_each_module_of_the_folder_can_be_imported() -> None:
    """Walking over a package is how tools collect what belongs to it."""
    theirs, ours = _both("""
import importlib, json, pkgutil
ALIAS
import fastapi
names = [one.name for one in pkgutil.walk_packages(fastapi.__path__, "fastapi.")]
for name in names:
    if not name.endswith((".__main__", ".wsgi", ".cli", ".gunicorn")):
        assert importlib.import_module(name) is importlib.import_module(name)
print(json.dumps(names))
""")
    assert set(theirs) <= {*ours, *(name for name in theirs if name.startswith("fastapi.telemetry._"))}


def test_resources_are_found() -> None:
    theirs, ours = _both("""
import importlib.resources, json
ALIAS
import fastapi
print(json.dumps(["routing" in {one.name.partition(".")[0] for one in importlib.resources.files("fastapi").iterdir()},
                  importlib.resources.files("fastapi.security").joinpath("oauth2.py").is_file()]))
""")
    assert ours == theirs == [True, True]


def test_a_module_can_be_loaded_again() -> None:
    theirs, ours = _both("""
import importlib, json
ALIAS
import fastapi.openapi.constants as constants, fastapi.utils as utils
own = constants.REF_PREFIX
constants.REF_PREFIX = "mine"
said = [importlib.reload(module) is module for module in (constants, utils)]
print(json.dumps([*said, constants.REF_PREFIX == own, constants.__name__, constants.__spec__.name]))
""")
    assert ours == theirs


def test_both_names_at_once_in_two_threads() -> None:
    """Each is in the middle of its import when the other begins."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"""
import sys, threading
{_ALIAS}
import fastapi, ferrapi
both = threading.Barrier(2)

class Meeting:
    def find_spec(self, fullname, path=None, target=None):
        if fullname != threading.current_thread().name or fullname in met:
            return None
        met.add(fullname)
        for finder in sys.meta_path[1:]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                create = spec.loader.create_module
                def create_module(spec):
                    both.wait()
                    return create(spec)
                spec.loader.create_module = create_module
                return spec

met, found = set(), []
sys.meta_path.insert(0, Meeting())
def take(name):
    __import__(name)
    found.append(sys.modules[name].TestClient)
names = ["fastapi.testclient", "ferrapi.testclient"]
threads = [threading.Thread(target=take, args=[name], name=name) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 2 and found[0] is found[1], found
assert sys.modules["fastapi.testclient"] is sys.modules["ferrapi.testclient"]
print(sys.modules["ferrapi.testclient"].__spec__.name)
""",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "fastapi.testclient"), done.stderr


def test_a_hook_that_fails_fails_the_import_and_it_can_be_tried_again() -> None:
    theirs, ours = _both(
        _CHAINED
        + _NAMED
        + """
import json
class Failing(list):
    def append(self, one):
        super().append(one)
        if len(self) == 1:
            raise ValueError("of the tool")
tool = Named(["fastapi.testclient"]); tool.seen = Failing()
sys.meta_path.insert(0, tool)
ALIAS
said = []
for _ in range(2):
    try:
        import fastapi.testclient
    except ValueError as error:
        said.append(str(error))
said.append(fastapi.testclient.__name__)
print(json.dumps([said, tool.seen]))
"""
    )
    assert ours == theirs
