"""Measures peers under load and writes the results: `python -m benchmarks.load --help`."""

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

from ..asgi import WrongAnswer
from ..cases import BY_NAME
from . import report, wrk
from .rounds import CaseResult, measure_case
from .server import DOORS, ServerDidNotStart

METHOD = (
    "uvicorn, one worker, uvloop, on one core; wrk with one thread and {connections} connections on another; {rounds} "
    "interleaved rounds of {seconds} s for each case, their order rotating; medians, and ratios round by round. CPU is "
    "user and system time of the server per request. Every answer was compared with the right ones, the handlers "
    "counted their calls. `ferrapi` is served through its HTTP/1.1 door, all others through ASGI and httptools."
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    known = [name for name in DOORS if name != "ferrapi" or importlib.util.find_spec("ferrapi.server")]
    parser.add_argument("--case", action="append", choices=list(BY_NAME), help="may be repeated; default: all")
    parser.add_argument("--peer", action="append", choices=known, help="may be repeated; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--name", help="write benchmarks/results/<date>-NAME.json and .md")
    arguments = parser.parse_args()
    arguments.case = arguments.case or list(BY_NAME)
    arguments.peer = arguments.peer or known
    return arguments


def _say(result: CaseResult) -> None:
    parts = [f"{peer} {result.median(peer, 'cpu'):.1f}" for peer in result.rounds]
    print(f"{result.case.name}, CPU µs per request: " + ", ".join(parts), flush=True)


def main() -> int:
    """Run the chosen cases; 1 if an answer was wrong or something could not be run."""
    arguments = _arguments()
    results = []
    try:
        wrk.version()
        with tempfile.TemporaryDirectory() as folder:
            for name in arguments.case:
                case = BY_NAME[name]
                result = measure_case(case, arguments.peer, arguments.rounds, arguments.seconds, Path(folder))
                results.append(result)
                _say(result)
    except (WrongAnswer, wrk.LoadFailed, ServerDidNotStart) as error:
        print(f"benchmark refused: {error}", file=sys.stderr)
        return 1
    print("\n" + report.tables(results))
    if arguments.name:
        method = METHOD.format(connections=wrk.CONNECTIONS, rounds=arguments.rounds, seconds=arguments.seconds)
        print("written:", report.write(arguments.name, results, method).relative_to(report.RESULTS.parents[1]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
