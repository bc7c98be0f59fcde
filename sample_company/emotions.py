"""How touchpoints feel: the mean answer at each, and which stand out. The company's peak and trough are planted.

What lives here: plain arithmetic over the truth's events. Not here: the events (moments.py). Nothing here is shared
with the pipeline, on purpose.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from sample_company.kpis import TIMEZONE
from sample_company.student import student

PLANTED = {"peak": "onboarding_call", "trough": "order_delivered_late"}
YEAR_DAYS = 365
LEAST_GAP, LEAST_ANSWERS = 0.1, 30


def emotions(events: pd.DataFrame, through: date) -> dict[str, object]:
    """What is planted, and the feelings of the last 365 days as far as the extracts hold them."""
    felt = feelings(events, through)
    rows = felt.astype(object).where(felt.notna(), None).to_dict("records")
    return {"as_of": through.isoformat(), "planted": PLANTED, "last_365_days": rows}


def feelings(events: pd.DataFrame, through: date) -> pd.DataFrame:
    """One row per touchpoint and scale: answers, their mean (0 to 1) and 95 % interval, the mean of the whole scale.

    A peak is surely above the whole scale's mean and by a tenth at least, with thirty answers or more, on a scale that
    is asked at several touchpoints; a trough below. A touchpoint stands for the scale most of its answers are on.
    """
    answers = events[events["score"].notna()]
    day = answers["at"].dt.tz_localize("UTC").dt.tz_convert(TIMEZONE).dt.date
    answers = answers[(day <= through) & (day > through - timedelta(days=YEAR_DAYS))]
    groups = answers.groupby(["touchpoint", "scale"])["score"]
    felt = groups.agg(n="size", mean="mean").reset_index()
    felt["ci_low"], felt["ci_high"] = np.array([_interval(scores) for _, scores in groups]).reshape(-1, 2).T
    felt["scale_mean"] = felt["scale"].map(answers.groupby("scale")["score"].mean()).astype(float)
    shown = felt.sort_values(["n", "scale"], ascending=[False, True]).drop_duplicates("touchpoint").index
    felt["is_shown"] = felt.index.isin(shown)
    gap = felt["mean"] - felt["scale_mean"]
    compared = felt.groupby("scale")["touchpoint"].transform("size") > 1
    enough = (felt["n"] >= LEAST_ANSWERS) & compared & felt["is_shown"]
    felt["is_peak"] = enough & (felt["ci_low"] > felt["scale_mean"]) & (gap >= LEAST_GAP)
    felt["is_trough"] = enough & (felt["ci_high"] < felt["scale_mean"]) & (gap <= -LEAST_GAP)
    return felt


def _interval(scores: pd.Series) -> tuple[float, float]:
    """Ends of the 95 % interval of a mean between 0 and 1: one answer at either end more, and t; none of one answer."""
    if len(scores) == 1:
        return np.nan, np.nan
    more = np.append(scores.to_numpy(), [0.0, 1.0])
    half = student(len(scores)) * more.std() / np.sqrt(len(more))
    return max(0.0, more.mean() - half), min(1.0, more.mean() + half)
