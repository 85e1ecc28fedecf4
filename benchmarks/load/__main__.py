"""Measures peers under load and writes the results: `python -m benchmarks.load --help`."""

import argparse
import sys
import tempfile
from pathlib import Path

from ..asgi import WrongAnswer
from ..cases import BY_NAME
from . import report, wrk
from .peers import PEERS, SHORT, missing
from .rounds import CaseResult, measure_case
from .server import ServerDidNotStart

METHOD = (
    "One process and one worker for each peer, on one core; wrk with one thread and {connections} connections on "
    "another; {rounds} interleaved rounds of {seconds} s for each case, their order rotating; medians, and ratios "
    "round by round. CPU is user and system time of the server per request. Every answer was compared with the right "
    "ones, the handlers counted their calls. ASGI peers run on uvicorn with uvloop and httptools, `ferrapi` on uvicorn "
    "through its HTTP/1.1 door; Granian, Sanic, Robyn, django-bolt, Go and axum have servers of their own. No access "
    "log anywhere."
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--case", action="append", choices=list(BY_NAME), help="may be repeated; default: all")
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="may be repeated; default: all there are")
    parser.add_argument("--short", action="store_true", help=f"the peers {', '.join(SHORT)} instead of all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--name", help="write benchmarks/results/<date>-NAME.json and .md")
    parser.add_argument(
        "--note", default="", help="a sentence for the results, for instance on what else the machine did"
    )
    arguments = parser.parse_args()
    arguments.case = arguments.case or list(BY_NAME)
    wanted = arguments.peer or (SHORT if arguments.short else list(PEERS))
    arguments.peer = [name for name in wanted if PEERS[name].available]
    for name in wanted:
        if name not in arguments.peer:
            print(missing(PEERS[name]))
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
    print("\n" + report.overview(report.as_data(results)))
    if arguments.name:
        method = METHOD.format(connections=wrk.CONNECTIONS, rounds=arguments.rounds, seconds=arguments.seconds)
        written = report.write(arguments.name, results, method, arguments.note)
        print("written:", written.relative_to(report.RESULTS.parents[1]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
