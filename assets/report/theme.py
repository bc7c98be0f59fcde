"""How every chart looks, as Vega's configuration; the colours themselves are those of the page (shared/base.css).

Colours are CSS variables, so one drawing is right in light and dark and on paper, and follows when that changes.
"""

from __future__ import annotations

from typing import Any

INK = "var(--ink)"
SOFT = "var(--ink-soft)"
LINE = "var(--line)"
STRIPE = "var(--stripe)"
PAPER = "var(--paper)"
MAIN = "var(--main)"
MAIN_SOFT = "var(--main-soft)"
WARM = "var(--warm)"
WARM_SOFT = "var(--warm-soft)"
QUIET = "var(--quiet)"

SMALL = 12
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

CONFIG: dict[str, Any] = {
    "background": None,
    "font": _FONT,
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT,
        "labelFontSize": SMALL,
        "labelLimit": 0,
        "labelPadding": 8,
        "labelLineHeight": 16,
        "titleColor": SOFT,
        "titleFontSize": SMALL,
        "titleFontWeight": "normal",
        "titlePadding": 12,
        "domain": False,
        "ticks": False,
        "gridColor": LINE,
    },
    "text": {"color": INK, "fontSize": SMALL},
}
