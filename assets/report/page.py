"""Puts a page together: one HTML file that asks nothing of any network and runs nothing but what is in it.

What lives here: assembling a page's template, the content security policy, escaping its data. Not here: which pages
there are (render.py), what they show.

Everything a page shows of the marts is in one block of JSON, and the page's script writes it as text, never as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

_SHARED = Path(__file__).with_name("shared")
# Where the data go, once: what lies between is a template's only hole.
_HOLE = "{{data}}"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
# What would end or confuse a script element, whatever it is part of.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}
_LIBRARY = "window.vegaEmbed = vegaEmbed;"

Charts = Mapping[str, Mapping[str, dict[str, Any]]]


@dataclass(frozen=True)
class Page:
    """One page of a version.

    Attributes:
        name: Its file's name without `.html`.
        title: What a browser's tab says.
        folder: Where its `<name>.html`, `.css` and `.js` lie.
        charts: Makes its charts by name, each for a `wide` and a `narrow` page; imports what it needs when called.
    """

    name: str
    title: str
    folder: Path
    charts: Callable[[], Charts]


def make_template(page: Page) -> str:
    """A page without its data: takes seconds where it has charts, and is the same until the report's code changes."""
    style = _read(_SHARED / "base.css") + _read(page.folder / f"{page.name}.css")
    script = _read(_SHARED / "base.js") + _read(page.folder / f"{page.name}.js")
    charts = page.charts()
    library = _library() if charts else ""
    for code in (script, library):
        if re.search(r"</script|<!--", code, re.IGNORECASE):
            raise ValueError("a script of the page would end its own element")
    parts = {
        "title": page.title,
        "policy": _policy(scripts=(script, library), styles=(style,)),
        "style": style,
        "body": _read(page.folder / f"{page.name}.html"),
        "charts": as_json(_compiled(charts)),
        "script": script,
        "library": library,
        "data": _HOLE,
    }
    # In one go: what is put in is not looked at again.
    template = _PLACE.sub(lambda place: parts[place[1]], _read(_SHARED / "base.html"))
    if template.count(_HOLE) != 1:
        raise ValueError(f"a template has one place for data, not {template.count(_HOLE)}")
    return template


def _library() -> str:
    """Vega's drawing code, as one script."""
    import vl_convert

    return vl_convert.javascript_bundle(_LIBRARY)


def _compiled(charts: Charts) -> Charts:
    """Charts as Vega, so that no reader's browser has to work Vega-Lite out, and a mistake shows here."""
    if not charts:
        return {}
    import vl_convert

    from assets.report.theme import CONFIG

    return {
        name: {width: vl_convert.vegalite_to_vega(spec, config=CONFIG) for width, spec in widths.items()}
        for name, widths in charts.items()
    }


def fill(template: str, data: Mapping[str, Any]) -> str:
    """A template with its data, the whole page."""
    before, _, after = template.partition(_HOLE)
    return f"{before}{as_json(data)}{after}"


def as_json(value: object) -> str:
    """JSON that can stand inside a script element, whatever its texts hold: only ASCII, without `<`, `>` and `&`."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _finite(value: object) -> object:
    """The same value with nothing where a number is none or without end: JSON has no word for those."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _policy(*, scripts: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """Nothing may be loaded, sent, framed or evaluated; only the scripts and styles of the page itself run."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
