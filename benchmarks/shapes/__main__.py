"""Measures the shapes of real services beside FastAPI: `python -m benchmarks.shapes --help`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..asgi import WrongAnswer
from ..load import wrk
from ..load.peers import PEERS, missing
from ..load.report import as_data
from ..load.rounds import CaseResult
from ..load.server import ServerDidNotStart
from . import report
from .cases import BY_NAME
from .measure import CONTROL, WAYS, measure_shape


def _ways(text: str) -> list[str]:
    ways = text.split(",")
    if unknown := set(ways) - WAYS.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(WAYS)}")
    return ways


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=__doc__)
    parser.add_argument("--case", action="append", choices=list(BY_NAME), help="may be repeated; default: all")
    parser.add_argument("--peers", type=_ways, default=list(WAYS), help=f"default: {','.join(WAYS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--out", type=Path, metavar="STEM", help="write STEM.json and STEM.md")
    parser.add_argument("--note", default="", help="a sentence for the results")
    arguments = parser.parse_args()
    peers = {way: PEERS[WAYS[way].peer] for way in arguments.peers}
    arguments.peers = [way for way, peer in peers.items() if peer.available]
    for peer in peers.values():
        if not peer.available:
            print(missing(peer))
    return arguments


def _say(result: CaseResult, asked: Sequence[str]) -> None:
    parts = []
    for way in asked:
        if not WAYS[way].serves(result.case.name):
            continue
        if way not in result.rounds:
            parts.append(f"{way} stalled")
            continue
        part = f"{way} {result.median(way, 'cpu'):.1f}"
        if way != CONTROL and CONTROL in result.rounds:
            part += f" ({result.ratio(CONTROL, way, 'cpu')[0]:.2f})"
        parts.append(part)
    print(f"{result.case.name}, CPU µs per request (times FastAPI): " + ", ".join(parts), flush=True)


def main() -> int:
    """Measure the chosen shapes; 1 if an answer was wrong or something could not be run."""
    arguments = _arguments()
    results, refused = [], 0
    try:
        wrk.version()
    except wrk.LoadFailed as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.case or BY_NAME:
            try:
                result = measure_shape(
                    BY_NAME[name], arguments.peers, arguments.rounds, arguments.seconds, Path(folder)
                )
            except (WrongAnswer, wrk.LoadFailed, ServerDidNotStart) as error:
                print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)
                refused += 1
                continue
            results.append(result)
            _say(result, arguments.peers)
    print("\n" + report.shapes_table(as_data(results)))
    if arguments.out:
        print("written:", report.write(arguments.out, results, arguments.rounds, arguments.seconds, arguments.note))
    return int(refused > 0)


if __name__ == "__main__":
    raise SystemExit(main())
