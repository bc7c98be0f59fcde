"""The charts of the journey map: Vega-Lite, written with Altair. Their data are named and put in by the page.

What lives here: which field is drawn how, for a wide page and for a narrow one. What a mark says to a screen reader and
in its tooltip is the field `said`. Not here: colours and fonts (assets/report/theme.py), figures (journey.js).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from assets.report import theme

Spec = dict[str, Any]
# Layers, as Altair types them.
_Chart = alt.LayerChart | alt.FacetChart

# How units go on from a step, from the axis outwards.
_OUTCOMES = {
    "went on": theme.MAIN,
    "arrived": theme.MAIN,
    "still open": theme.MAIN_SOFT,
    "stopped here": theme.WARM,
    "left": theme.WARM,
}
# How a touchpoint feels against the mean of the whole journey: colour and shape.
_FEELINGS = {
    "peak": (theme.MAIN, "triangle-up"),
    "above": (theme.MAIN, "circle"),
    "near": (theme.QUIET, "circle"),
    "below": (theme.WARM, "circle"),
    "trough": (theme.WARM, "triangle-down"),
    "unknown": (theme.PAPER, "circle"),
}
# Labels of several lines arrive as one text.
_LINES = "split(datum.label, '\\n')"
# Places on an axis stand in the order their rows say, whatever layer brings them first.
_IN_ORDER = alt.EncodingSortField(field="at", op="min")
_SAID: dict[str, Any] = {"description": alt.Description("said:N"), "tooltip": alt.Tooltip("said:N")}
_RIGHT_EDGE = alt.value("width")


def journey_charts() -> Mapping[str, Mapping[str, Spec]]:
    """Every chart by name, for a wide and for a narrow page."""
    bars, changes, channels = _labelled_bars(), _changes(), _channels()
    both = {
        "flow": (_flow_across(), _flow_down()),
        "curve": (_curve_across(), _curve_down()),
        "map": (_map_across(), bars),
        "changes": (changes, changes),
        "paths": (bars, bars),
        "channels": (channels, channels),
    }
    return {name: {"wide": _finished(wide), "narrow": _finished(narrow)} for name, (wide, narrow) in both.items()}


def _finished(chart: _Chart) -> Spec:
    """A chart as the page embeds it: as wide as its place, without Altair's own looks."""
    sizing = alt.AutoSizeParams(type="fit-x", contains="padding")
    spec: Spec = chart.properties(width="container", autosize=sizing).to_dict()
    for of_altair in ("$schema", "config"):
        spec.pop(of_altair, None)
    return spec


def _flow_across() -> _Chart:
    """How many reach each step and how they go on, steps from left to right."""
    x = alt.X("label:N", sort=_IN_ORDER, title=None, axis=alt.Axis(labelExpr=_LINES, labelAngle=0), scale=_bands(0.35))
    steps, parts = alt.Chart(alt.NamedData("steps")), alt.Chart(alt.NamedData("parts"))
    y: dict[str, Any] = {"title": None, "axis": alt.Axis(tickCount=4, format=",d")}
    entered = steps.mark_text(dy=-10, fontSize=14, fontWeight=600, aria=False).encode(
        x=x, y=alt.Y("top:Q", **y), text="figure:N"
    )
    bars = parts.mark_bar(cornerRadius=2).encode(
        x=x,
        y=alt.Y("count:Q", **y),
        color=_outcomes(),
        order="order:Q",
        **_SAID,
    )
    before = steps.mark_tick(color=theme.INK, thickness=2, aria=False).encode(x=x, y=alt.Y("before:Q", **y))
    return alt.layer(entered, bars, before).properties(height=300)


def _flow_down() -> _Chart:
    """The same, steps from top to bottom, each bar below its step's name."""
    y = alt.Y("label:N", sort=_IN_ORDER, axis=None, scale=_bands(0))
    steps, parts = alt.Chart(alt.NamedData("steps")), alt.Chart(alt.NamedData("parts"))
    x: dict[str, Any] = {"axis": None, "scale": alt.Scale(domainMin=0, nice=False)}
    return alt.layer(
        steps.mark_text(align="left", dy=-11, aria=False).encode(y=y, x=alt.value(0), text="name:N"),
        steps.mark_text(align="right", dy=-11, fontWeight=600, aria=False).encode(y=y, x=_RIGHT_EDGE, text="figure:N"),
        parts.mark_bar(size=14, yOffset=9, cornerRadius=2).encode(
            y=y, x=alt.X("count:Q", **x), color=_outcomes(), order="order:Q", **_SAID
        ),
        steps.mark_tick(color=theme.INK, thickness=2, size=20, yOffset=9, aria=False).encode(
            y=y, x=alt.X("before:Q", **x)
        ),
    ).properties(height=alt.Step(54))


def _curve_across() -> _Chart:
    """The mean score at each touchpoint on one scale, from left to right, with its interval."""
    x = alt.X("label:N", sort=_IN_ORDER, title=None, axis=alt.Axis(labelExpr=_LINES, labelAngle=0), scale=_bands(0.2))
    y = alt.Y(
        "mean:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f"),
    )
    moments, means = alt.Chart(alt.NamedData("moments")), alt.Chart(alt.NamedData("journey"))
    return alt.layer(
        moments.mark_line(color=theme.QUIET, interpolate="monotone", aria=False).encode(x=x, y=y, order="at:Q"),
        means.mark_rule(color=theme.SOFT, strokeDash=[4, 4], aria=False).encode(y=y),
        moments.mark_rule(strokeWidth=6, opacity=0.35, strokeCap="round", aria=False).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q", color=_feelings()
        ),
        moments.mark_tick(color=theme.INK, thickness=2, size=16, aria=False).encode(x=x, y="before:Q"),
        moments.mark_point(size=150, filled=True, opacity=1, stroke=theme.INK).encode(
            x=x, y=y, color=_feelings(), shape=_shapes(), **_SAID
        ),
        moments.mark_text(dy=-18, fontWeight=600, aria=False).encode(x=x, y=y, text="figure:N"),
    ).properties(height=260)


def _curve_down() -> _Chart:
    """The same, touchpoints from top to bottom."""
    y = alt.Y("label:N", sort=_IN_ORDER, title=None, axis=alt.Axis(labelExpr=_LINES), scale=_bands(0.2))
    x = alt.X("mean:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(values=[0, 0.5, 1], format=".1f"))
    moments, means = alt.Chart(alt.NamedData("moments")), alt.Chart(alt.NamedData("journey"))
    return alt.layer(
        moments.mark_line(color=theme.QUIET, interpolate="monotone", aria=False).encode(x=x, y=y, order="at:Q"),
        means.mark_rule(color=theme.SOFT, strokeDash=[4, 4], aria=False).encode(x=x),
        moments.mark_rule(strokeWidth=6, opacity=0.35, strokeCap="round", aria=False).encode(
            y=y, x=alt.X("low:Q"), x2="high:Q", color=_feelings()
        ),
        moments.mark_tick(color=theme.INK, thickness=2, size=16, aria=False).encode(y=y, x="before:Q"),
        moments.mark_point(size=150, filled=True, opacity=1, stroke=theme.INK).encode(
            y=y, x=x, color=_feelings(), shape=_shapes(), **_SAID
        ),
        moments.mark_text(dy=-14, fontWeight=600, aria=False).encode(y=y, x=x, text="figure:N"),
    ).properties(height=alt.Step(58))


def _map_across() -> _Chart:
    """Every touchpoint in its step's column and its channel's row, as large as the number who met it."""
    axis = alt.Axis(
        orient="top",
        labelExpr=_LINES,
        labelAngle=0,
        # Room for names of two lines.
        labelPadding=24,
        labelColor=theme.INK,
        labelFontWeight=600,
    )
    in_columns = alt.EncodingSortField(field="column", op="min")
    x: dict[str, Any] = {
        "sort": in_columns,
        "title": None,
        "axis": axis,
        "scale": alt.Scale(paddingInner=0.04, paddingOuter=0),
    }
    rows = alt.Axis(labelExpr="split(datum.label, '|')[1] == '0' ? split(datum.label, '|')[0] : ''", labelFontSize=13)
    y = alt.Y("row:N", sort=_IN_ORDER, title=None, axis=rows, scale=alt.Scale(padding=0.5))
    points = alt.Chart(alt.NamedData("points"))
    columns = (
        alt.Chart(alt.NamedData("columns")).mark_rect(fill=theme.STRIPE, aria=False).encode(x=alt.X("label:N", **x))
    )
    bubbles = points.mark_point(filled=True, opacity=1, stroke=theme.SOFT, strokeWidth=1).encode(
        x=alt.X("label:N", bandPosition=0.12, **x),
        y=y,
        size=alt.Size("entered:Q", legend=None, scale=alt.Scale(range=[40, 420], domainMin=0)),
        color=_feelings(),
        shape=_shapes(),
        **_SAID,
    )
    names = points.mark_text(align="left", baseline="middle", lineBreak="\n", lineHeight=14, aria=False).encode(
        x=alt.X("label:N", bandPosition=0.23, **x), y=y, text="name:N"
    )
    return alt.layer(columns, bubbles, names).properties(height=alt.Step(48))


def _labelled_bars() -> _Chart:
    """Bars, each below its own name, so that long names fit on a narrow page."""
    y = alt.Y("key:N", sort=_IN_ORDER, axis=None, scale=_bands(0))
    heads, bars = alt.Chart(alt.NamedData("heads")), alt.Chart(alt.NamedData("bars"))
    return alt.layer(
        heads.mark_text(align="left", dy=9, color=theme.SOFT, aria=False).encode(y=y, x=alt.value(0), text="name:N"),
        bars.mark_text(align="left", dy=-8, aria=False).encode(y=y, x=alt.value(0), text="name:N"),
        bars.mark_text(align="right", dy=-8, fontWeight=600, aria=False).encode(y=y, x=_RIGHT_EDGE, text="figure:N"),
        bars.mark_bar(size=8, yOffset=8, cornerRadius=2, stroke=theme.SOFT, strokeWidth=0.5).encode(
            y=y, x=alt.X("value:Q", axis=None, scale=alt.Scale(domainMin=0, nice=False)), color=_feelings(), **_SAID
        ),
    ).properties(height=alt.Step(42))


def _changes() -> _Chart:
    """By how much each step's volume changed, to either side of nothing."""
    y = alt.Y("label:N", sort=_IN_ORDER, title=None, axis=alt.Axis(labelColor=theme.INK), scale=_bands(0.4))
    signs = alt.Axis(tickCount=5, labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.0%')")
    x = alt.X("change:Q", title=None, axis=signs, scale=alt.Scale(nice=True, padding=8))
    changes = alt.Chart(alt.NamedData("changes"))
    return alt.layer(
        changes.mark_bar(color=theme.MAIN, cornerRadius=2).encode(y=y, x=x, **_SAID),
        changes.mark_text(align="right", fontWeight=600, dx=58, aria=False).encode(y=y, x=_RIGHT_EDGE, text="figure:N"),
        alt.Chart(alt.NamedData("zero")).mark_rule(color=theme.SOFT, aria=False).encode(x=alt.X("change:Q")),
    ).properties(height=alt.Step(30))


def _channels() -> _Chart:
    """One KPI in each channel with its interval, against the value of all channels."""
    y = alt.Y("label:N", sort=_IN_ORDER, title=None, axis=alt.Axis(labelColor=theme.INK), scale=_bands(0.2))
    x = alt.X("value:Q", title=None, axis=alt.Axis(tickCount=4, labels=False), scale=alt.Scale(zero=False))
    channels, everything = alt.Chart(alt.NamedData("channels")), alt.Chart(alt.NamedData("everything"))
    return alt.layer(
        everything.mark_rule(color=theme.SOFT, strokeDash=[4, 4], aria=False).encode(x=x),
        channels.mark_rule(strokeWidth=6, opacity=0.35, strokeCap="round", aria=False).encode(
            y=y, x=alt.X("low:Q"), x2="high:Q", color=_feelings()
        ),
        channels.mark_point(size=100, filled=True, opacity=1, stroke=theme.INK).encode(
            y=y, x=x, color=_feelings(), shape=_shapes(), **_SAID
        ),
        channels.mark_text(align="right", fontWeight=600, dx=74, aria=False).encode(
            y=y, x=_RIGHT_EDGE, text="figure:N"
        ),
    ).properties(height=alt.Step(26))


def _bands(padding: float) -> alt.Scale:
    return alt.Scale(paddingInner=padding, paddingOuter=padding / 2)


def _outcomes() -> alt.Color:
    return alt.Color("outcome:N", legend=None, scale=alt.Scale(domain=list(_OUTCOMES), range=list(_OUTCOMES.values())))


def _feelings() -> alt.Color:
    colours = [colour for colour, _ in _FEELINGS.values()]
    return alt.Color("feeling:N", legend=None, scale=alt.Scale(domain=list(_FEELINGS), range=colours))


def _shapes() -> alt.Shape:
    shapes = [shape for _, shape in _FEELINGS.values()]
    return alt.Shape("feeling:N", legend=None, scale=alt.Scale(domain=list(_FEELINGS), range=shapes))
