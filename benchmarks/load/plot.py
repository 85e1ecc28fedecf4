"""An SVG plot of the ratios: a lane for each case, a dot for each peer, on a logarithmic axis.

Written by hand: one picture, no library. Colours follow the reader's light or dark mode.
"""

import math
import statistics
from xml.sax.saxutils import escape

from ..cases import BY_NAME
from .peers import PEERS
from .report import RATE, Cases, peers_of, ratios, times

CONTROL = "fastapi"
SERIES = {
    "ferrapi": "own",
    "ferrapi-asgi": "own-asgi",
    "asgi": "hand",
    "go": "go",
    "axum": "axum",
}
"""The peers with a colour of their own; all others but the frozen ones are small grey dots."""
WIDTH, LANE, LEFT, TOP, RIGHT = 960, 30, 330, 84, 40
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
STYLE = """
 .page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif } .small { font-size: 11px }
 .title { font-size: 15px; font-weight: 600 } .grid { stroke: #d1d9e0 } .one { stroke: #59636e; stroke-width: 1.5 }
 .own { fill: #c2410c } .own-asgi { fill: #f59e0b } .hand { fill: #2563eb }
 .go { fill: #0891b2 } .axum { fill: #7c3aed }
 .other { fill: #9198a1 } .bar { fill: #c2410c; opacity: .18 }
 @media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .one { stroke: #9198a1 }
  .own { fill: #fb923c } .own-asgi { fill: #fde047 } .hand { fill: #60a5fa }
  .go { fill: #22d3ee } .axum { fill: #c4b5fd }
  .other { fill: #656c76 } .bar { fill: #fb923c; opacity: .25 }
 }
"""


def _shown(cases: Cases) -> list[str]:
    return [peer for peer in peers_of(cases) if peer != CONTROL and not peer.endswith("-freeze")]


def _values(cases: Cases) -> dict[str, dict[str, float]]:
    """For each case the median ratio of each peer that took part."""
    shown = _shown(cases)
    return {
        name: {peer: statistics.median(ratios(case, peer, CONTROL, RATE)) for peer in shown if peer in case}
        for name, case in cases.items()
    }


def _ticks(cases: Cases) -> list[float]:
    """The axis: from the last tick below every ratio to the first above, and 1 in any case."""
    all_values = [value for case in _values(cases).values() for value in case.values()] + [1.0]
    low = max((tick for tick in TICKS if tick <= min(all_values)), default=TICKS[0])
    high = min((tick for tick in TICKS if tick >= max(all_values)), default=TICKS[-1])
    return [tick for tick in TICKS if low <= tick <= max(high, 2)]


def _legend(cases: Cases) -> list[str]:
    shown = _shown(cases)
    entries = [(css, PEERS[peer].title) for peer, css in SERIES.items() if peer in shown]
    if any(peer not in SERIES for peer in shown):
        entries.append(("other", "other Python frameworks"))
    lines, x = [], 20.0
    for css, title in entries:
        lines.append(f'<circle class="{css}" cx="{x:.0f}" cy="52" r="5"/>')
        lines.append(f'<text x="{x + 10:.0f}" y="56">{escape(title)}</text>')
        x += 30 + 6.4 * len(title)
    return lines


def _dot(x: float, y: float, peer: str, value: float) -> str:
    css = SERIES.get(peer, "other")
    radius = 6 if peer == "ferrapi" else 5 if peer in SERIES else 3.5
    title = escape(f"{PEERS[peer].title}: {times(value)}")
    return f'<circle class="{css}" cx="{x:.1f}" cy="{y}" r="{radius}"><title>{title}</title></circle>'


def svg(cases: Cases) -> str:
    """The plot of a results file's cases. They must have the control, `fastapi`."""
    ticks = _ticks(cases)
    height = TOP + LANE * len(cases) + 36
    start, span = math.log(ticks[0]), math.log(ticks[-1] / ticks[0])

    def place(value: float) -> float:
        inside = min(max(value, ticks[0]), ticks[-1])
        return LEFT + (math.log(inside) - start) / span * (WIDTH - LEFT - RIGHT)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Requests per second compared with FastAPI">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        '<text class="title" x="16" y="28">Requests per second on one core, as multiples of FastAPI</text>',
        *_legend(cases),
    ]
    for tick in ticks:
        x = f"{place(tick):.1f}"
        line = f'x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 30}"'
        lines.append(f'<line class="{"one" if tick == 1 else "grid"}" {line}/>')
        lines.append(f'<text class="small" x="{x}" y="{height - 14}" text-anchor="middle">{tick:g}&#215;</text>')
    for number, (name, values) in enumerate(_values(cases).items()):
        y = TOP + LANE * number + LANE // 2
        lines.append(f'<text x="16" y="{y + 4}">{escape(_short(BY_NAME[name].title))}</text>')
        if "ferrapi" in values:
            left, right = sorted((place(1), place(values["ferrapi"])))
            lines.append(f'<rect class="bar" x="{left:.1f}" y="{y - 5}" width="{right - left:.1f}" height="10"/>')
        order = sorted(values, key=lambda peer: (peer in SERIES, peer == "ferrapi"))
        lines += [_dot(place(values[peer]), y, peer, values[peer]) for peer in order]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _short(title: str) -> str:
    return title if len(title) <= 46 else title[:45].rstrip(" ,") + "…"
