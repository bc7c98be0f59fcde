/* The journey map: what is selected, and what that gives as sentences, charts and tables.

   Chart and table of a section are made from the same rows, so they cannot disagree. */

const data = readJson("data");
const touchpoints = data.touchpoints;
const FEW = 30;
const PATHS_SHOWN = 10;
const DIFFERENCES_SHOWN = 4;

const KPIS = {
  csat: ["Customer satisfaction", "percent", 1],
  ces: ["Ease (customer effort)", "percent", 1],
  nps_transactional: ["Net Promoter Score after a contact", "points", 1],
  first_reply_minutes: ["First reply", "minutes", -1],
  full_resolution_minutes: ["Full resolution", "minutes", -1],
  journeys_with_switch: ["Journeys with a change of channel", "percent", -1],
  preferred_channel_match: ["Met in the preferred channel", "percent", 1],
};

/* Names. */

const nameOf = (touchpoint) =>
  ({ start: "Start", end: "End" })[touchpoint] || touchpoints[touchpoint]?.name || words(touchpoint);
const channelOf = (touchpoint) => touchpoints[touchpoint]?.channel || "unknown";
const segmentName = (segment) => (segment === "all" ? "All segments" : words(segment));
const periodOf = (id) => data.periods.find((period) => period.id === id);
const monthName = (id) => periodOf(id).name.split(" (")[0];

/* What is selected, and its cells. */

const selection = {};
const journey = () => data.journeys.find((each) => each.journey === selection.journey);
const unit = () => (selection.journey === "customer" ? "customers" : "journeys");

function cellsIn(period) {
  const cells = asObjects(data.columns.map, data.map[selection.journey]?.[selection.segment]?.[period]);
  const order = new Map(journey().steps.map((step, at) => [step.step, at]));
  return cells.filter((cell) => order.has(cell.step)).sort((one, other) => order.get(one.step) - order.get(other.step));
}

const stepName = (step) => journey().steps.find((each) => each.step === step)?.name || words(step);
const isWhole = (cell) => cell.touchpoint === "all";
const keyOf = (cell) => `${cell.step} ${cell.touchpoint}`;
const byKey = (cells) => new Map(cells.map((cell) => [keyOf(cell), cell]));
const labelOf = (cell) => (isWhole(cell) ? `${stepName(cell.step)} (whole step)` : nameOf(cell.touchpoint));

/** A score scale as people write it: `csat 1-5` is CSAT 1-5. */
const scaleName = (scale) => scale.replace(/^(csat|nps|ces)\b/, (metric) => metric.toUpperCase());

/** A figure of a cell in words: hidden, few, or as it is. */
function figure(cell, value, say) {
  if (!cell) return NONE;
  if (cell.is_suppressed && !known(value)) return "hidden";
  return say(value) + (cell.is_low_n && known(value) ? " (few)" : "");
}

/** How a touchpoint feels against the mean of the whole journey. */
function feeling(cell) {
  if (cell.is_trough) return "trough";
  if (cell.is_peak) return "peak";
  if (!known(cell.score_mean) || !known(cell.journey_score_mean) || !known(cell.score_ci_low)) return "unknown";
  if (cell.score_ci_high < cell.journey_score_mean) return "below";
  return cell.score_ci_low > cell.journey_score_mean ? "above" : "near";
}

const FEELINGS = {
  trough: "remedy",
  peak: "build on",
  below: "below the mean",
  above: "above the mean",
  near: "about the mean",
  unknown: NONE,
};
const SIGNS = { trough: " ▼", peak: " ▲" };
const feelingOf = (cell) => (cell.is_suppressed && !known(cell.score_mean) ? "hidden" : FEELINGS[feeling(cell)]);
const interval = (cell) => (known(cell.score_ci_low) ? `${score(cell.score_ci_low)} to ${score(cell.score_ci_high)}` : NONE);

/* Headline. */

function showSummary(cells) {
  const whole = cells.filter(isWhole);
  const moments = cells.filter((cell) => !isWhole(cell));
  const met = most(whole, (cell) => cell.entered);
  const [troughs, peaks] = ["is_trough", "is_peak"].map((mark) => moments.filter((cell) => cell[mark]).length);
  const where = `${journey().name}, ${segmentName(selection.segment).toLowerCase()}, ${lowered(periodOf(selection.period).name)}`;
  element("summary").textContent = met
    ? `${where}: ${figure(met, met.entered, count)} ${unit()} reached ${stepName(met.step)}, the most frequented step. ` +
      `${numbered(troughs, "touchpoint")} to remedy, ${peaks} to build on.`
    : `${where}: nothing to show.`;
  const hidden = cells.filter((cell) => cell.is_suppressed).length;
  const few = cells.filter((cell) => cell.is_low_n).length;
  element("hidden-note").textContent = [
    hidden ? `${numbered(hidden, "figure")} hidden for privacy (fewer than five customers).` : "",
    few ? `${numbered(few, "figure")} marked as few (fewer than ${FEW}).` : "",
  ].join(" ");
  element("tiles").replaceChildren(...tiles(whole, moments, met));
}

const numbered = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const lowered = (name) => (name.startsWith("Last") ? `the ${name.charAt(0).toLowerCase()}${name.slice(1)} to ${dayName(data.as_of)}` : name);

/** The one with the most of something, of those that have it. */
function most(cells, of) {
  return cells.filter((cell) => known(of(cell))).reduce((best, cell) => (!best || of(cell) > of(best) ? cell : best), null);
}

function tiles(whole, moments, met) {
  const lost = largestLoss(whole);
  const asked = moments.filter((cell) => cell.scores >= FEW && known(cell.score_gap));
  const low = most(asked.filter((cell) => cell.score_gap < 0), (cell) => -cell.score_gap);
  const high = most(asked.filter((cell) => cell.score_gap > 0), (cell) => cell.score_gap);
  return [
    tile("Most frequented step", met && count(met.entered), met && `${unit()} at ${stepName(met.step)}`),
    tile("Largest drop-off", lost && percent(1 - lost.progress_rate), lost && `after ${stepName(lost.step)}`),
    tile("Lowest moment", low && score(low.score_mean), low ? moment(low) : "none below the mean", low && "warm"),
    tile("Highest moment", high && score(high.score_mean), high ? moment(high) : "none above the mean", high && "main"),
  ];
}

const moment = (cell) => `${nameOf(cell.touchpoint)}, ${scaleName(cell.score_scale)}; mean ${score(cell.journey_score_mean)}`;

const tile = (title, value, detail, look) =>
  make(
    "div",
    { class: `tile ${look || ""}` },
    make("dt", {}, title),
    make("dd", { class: "figure" }, value || NONE),
    make("dd", { class: "soft" }, detail || "not enough figures"),
  );

/** The step after which the largest share stops; a step of few says little. */
function largestLoss(whole) {
  const told = whole.filter((cell) => !cell.is_low_n && known(cell.progress_rate) && cell.progress_rate < 1);
  return most(told.filter((cell) => !isGoal(cell.step)), (cell) => -cell.progress_rate);
}

/* Volumes and drop-offs. */

const stepsAfter = (step) => journey().steps.slice(journey().steps.findIndex((each) => each.step === step) + 1);
const isExit = (step) => journey().steps.find((each) => each.step === step)?.stage === "exit";
/** Whether a step is as far as one should come: what follows is nothing, or leaving. */
const isGoal = (step) => stepsAfter(step).every((later) => later.stage === "exit");

/** How the units of a step go on: [outcome, number]. To go on from the goal of a journey is to leave. */
function outcomes(cell) {
  const [open, dropped] = [cell.still_open || 0, cell.dropped || 0];
  const on = Math.max(0, cell.entered - open - dropped);
  if (isExit(cell.step)) return [["left", cell.entered]];
  if (!isGoal(cell.step)) return [["went on", on], ["still open", open], ["stopped here", dropped]];
  return stepsAfter(cell.step).length ? [["arrived", dropped], ["still open", open], ["left", on]] : [["arrived", on], ["still open", open]];
}

const OUTCOMES = ["went on", "arrived", "still open", "stopped here", "left"];

function flowData(cells, before) {
  const rows = journey().steps.map((step, at) => {
    const cell = cells.find((each) => each.step === step.step && isWhole(each)) || null;
    const earlier = before.get(`${step.step} all`);
    const goes = cell && known(cell.progress_rate) ? `${percent(cell.progress_rate)} ${isGoal(step.step) ? "leave" : "go on"}` : "";
    return { step, at, cell, earlier, label: `${lines(step.name, 14)}\n${goes}`, name: goes ? `${step.name} · ${goes}` : step.name };
  });
  const shown = rows.filter(({ cell }) => cell && !cell.is_suppressed);
  return {
    rows,
    steps: rows.map(({ label, name, cell, earlier }, at) => ({
      label,
      name,
      at,
      top: cell?.entered || 0,
      before: earlier && !earlier.is_suppressed ? earlier.entered : null,
      figure: figure(cell, cell?.entered, count),
    })),
    parts: shown.flatMap(({ label, at, step, cell }) =>
      outcomes(cell)
        .filter(([, number]) => number > 0)
        .map(([outcome, number], order) => ({
          label,
          at,
          outcome,
          order,
          count: number,
          said: `${step.name}: ${count(number)} of ${count(cell.entered)} ${outcome}`,
        })),
    ),
  };
}

function showFlow(cells, before, beforeName) {
  const { rows, steps, parts } = flowData(cells, before);
  const lost = largestLoss(cells.filter(isWhole));
  const stopped = selection.journey === "customer" ? "met no later stage" : "came no further";
  element("flow-lead").textContent = lost
    ? `The largest drop-off is after ${stepName(lost.step)}: ${percent(1 - lost.progress_rate)} of the ${unit()} whose ` +
      `${count(journey().window_days)} days are over ${stopped} (${count(lost.dropped)}).`
    : "No step has lost enough to tell where most are lost.";
  const columns = [
    ["Step", ({ step }) => step.name],
    ["Reached", ({ cell }) => figure(cell, cell?.entered, count), true],
    ["Customers", ({ cell }) => figure(cell, cell?.customers, count), true],
    ...OUTCOMES.map((outcome) => [
      sentence(outcome),
      ({ cell }) => (cell && !cell.is_suppressed ? count(new Map(outcomes(cell)).get(outcome)) : figure(cell)),
      true,
    ]),
    ["Share that goes on", ({ cell }) => figure(cell, cell?.progress_rate, percent), true],
    ["Time to the next, half within", ({ cell }) => figure(cell, cell?.minutes_to_next_p50, duration), true],
    ["nine of ten within", ({ cell }) => figure(cell, cell?.minutes_to_next_p90, duration), true],
    ["Target, from the start", ({ step }) => duration(step.target_minutes), true],
    ...(beforeName ? [[`Reached, ${beforeName}`, ({ earlier }) => figure(earlier, earlier?.entered, count), true]] : []),
  ];
  showTable(flow.foot, `Steps of ${journey().name}`, columns, rows);
  flow.signs.replaceChildren(
    legend([
      ["main", "went on or arrived"],
      ["main-soft", "still open"],
      ["warm", "stopped here or left"],
      ...(beforeName ? [["stroke", beforeName]] : []),
    ]),
  );
  return () =>
    flow.chart.show({ steps, parts }, `Bars: how many ${unit()} reached each step, and how they went on. The table below has the same figures.`);
}

/* The emotional curve: one for each scale, because scores of different scales are never blended. */

function curvesData(cells, before) {
  const wide = WIDE.matches;
  const scales = new Map();
  for (const cell of cells) {
    if (known(cell.score_mean)) scales.set(cell.score_scale, [...(scales.get(cell.score_scale) || []), cell]);
  }
  const answers = (rows) => rows.reduce((sum, cell) => sum + (isWhole(cell) ? 0 : cell.scores), 0);
  return [...scales]
    .map(([scale, rows]) => ({
      scale,
      rows,
      answers: answers(rows),
      mean: rows.find((cell) => known(cell.journey_score_mean))?.journey_score_mean ?? null,
      moments: rows
        .filter((cell) => !isWhole(cell))
        .map((cell, at) => {
          const earlier = before.get(keyOf(cell));
          return {
            label: `${lines(nameOf(cell.touchpoint), wide ? 15 : 18)}\n${lines(stepName(cell.step), wide ? 15 : 18)}`,
            at,
            mean: cell.score_mean,
            low: cell.score_ci_low ?? cell.score_mean,
            high: cell.score_ci_high ?? cell.score_mean,
            before: earlier?.score_scale === scale ? earlier.score_mean : null,
            feeling: feeling(cell),
            figure: score(cell.score_mean) + (cell.scores < FEW ? " (few)" : ""),
            said: `${nameOf(cell.touchpoint)}: ${score(cell.score_mean)} on ${scaleName(scale)}, 95\u00a0% interval ${interval(cell)}, ${numbered(cell.scores, "answer")}`,
          };
        }),
    }))
    .filter((curve) => curve.moments.length)
    .sort((one, other) => other.answers - one.answers);
}

function showCurves(cells, before, beforeName) {
  const found = curvesData(cells, before);
  element("curve-lead").textContent = found.length
    ? "The mean score at each touchpoint, in the order of the journey. Each scale has a curve of its own."
    : "Nobody was asked here, or too few to show.";
  element("curve-signs").replaceChildren(
    legend([
      ["warm down", "remedy"],
      ["main up", "build on"],
      ["quiet band", "95 % interval"],
      ["dashed", "mean of the whole journey"],
      ...(beforeName ? [["stroke", beforeName]] : []),
    ]),
  );
  element("curve-signs").hidden = !found.length;
  while (curves.length < found.length) curves.push(newCurve());
  curves.forEach((curve, at) => {
    curve.root.hidden = at >= found.length;
    if (curve.root.hidden) curve.chart.close();
  });
  return found.map(({ scale, rows, moments, mean, answers }, at) => {
    const curve = curves[at];
    curve.title.textContent = `${scaleName(scale)}, from 0 to 1`;
    // As wide as it has touchpoints: short curves stand side by side.
    curve.root.style.flexGrow = moments.length;
    curve.root.style.flexBasis = `${moments.length * 6.6}rem`;
    curve.root.style.maxWidth = `${moments.length * 20}rem`;
    curve.note.textContent = `${numbered(answers, "answer")}; mean of the whole journey ${score(mean)}`;
    showTable(curve.foot, `Scores on ${scaleName(scale)}, shown from 0 to 1`, scoreColumns, rows);
    const journeyMean = known(mean) ? [{ mean }] : [];
    return () =>
      curve.chart.show({ moments, journey: journeyMean }, `Mean score on ${scaleName(scale)} at each touchpoint with its 95 % interval. The table below has the same figures.`);
  });
}

const scoreColumns = [
  ["Touchpoint", labelOf],
  ["Step", (cell) => stepName(cell.step)],
  ["Mean", (cell) => score(cell.score_mean), true],
  ["95 % interval", interval, true],
  ["Answers", (cell) => count(cell.scores) + (cell.scores < FEW ? " (few)" : ""), true],
  ["Lowest tenth up to", (cell) => score(cell.score_p10), true],
  ["Middle", (cell) => score(cell.score_p50), true],
  ["Highest tenth from", (cell) => score(cell.score_p90), true],
  ["Share of low scores", (cell) => percent(cell.share_below_floor), true],
  ["Mean of the journey", (cell) => score(cell.journey_score_mean), true],
  ["Difference", (cell) => signed(cell.score_gap, score), true],
  ["Against the mean", (cell) => (isWhole(cell) ? NONE : feelingOf(cell))],
];

function newCurve() {
  const title = make("h3", { id: `curve-${curves.length}` });
  const note = make("p", { class: "soft small" });
  const root = make("figure", { class: "curve", "aria-labelledby": title.id }, title, note);
  element("curves").append(root);
  return { root, title, note, ...parts(root, "curve") };
}

/* What to do. */

function showActions(cells) {
  const moments = cells.filter((cell) => !isWhole(cell));
  const troughs = moments.filter((cell) => cell.is_trough).sort((one, other) => other.opportunity_size - one.opportunity_size);
  const peaks = moments.filter((cell) => cell.is_peak).sort((one, other) => other.score_gap * other.entered - one.score_gap * one.entered);
  element("actions-lead").textContent =
    troughs.length || peaks.length
      ? "What stands out from the mean of the journey by more than chance; what concerns most customers comes first."
      : "No touchpoint stands out from the mean of the journey by more than chance.";
  element("actions").replaceChildren(
    ...[
      ["remedy", "▼ Remedy", troughs],
      ["build", "▲ Build on", peaks],
    ]
      .filter(([, , found]) => found.length)
      .map(([look, title, found]) =>
        make("div", { class: look }, make("h3", {}, title), make("ol", {}, found.map((cell) => make("li", {}, ...action(cell, look))))),
      ),
  );
}

function action(cell, look) {
  const side = cell.score_gap < 0 ? "below" : "above";
  const owner = words(touchpoints[cell.touchpoint]?.owner || "nobody");
  const exits =
    known(cell.exit_rate_after_low) && known(cell.exit_rate_otherwise)
      ? ` After a low score ${percent(cell.exit_rate_after_low)} of customers were not heard from for 90 days, otherwise ${percent(cell.exit_rate_otherwise)}.`
      : "";
  return [
    make("strong", {}, `${nameOf(cell.touchpoint)}`),
    ` scores ${score(cell.score_mean)} on ${scaleName(cell.score_scale)}, ${score(Math.abs(cell.score_gap))} ${side} the journey's mean of ` +
      `${score(cell.journey_score_mean)} (95\u00a0% interval ${interval(cell)}, ${numbered(cell.scores, "answer")}); ` +
      `${count(cell.customers)} customers met it.${exits} For ${owner} to ${look === "remedy" ? "remedy" : "build on"}.`,
  ];
}

/* Touchpoints by channel. */

function mapData(cells) {
  const moments = cells.filter((cell) => !isWhole(cell));
  const channels = [...new Set(moments.map((cell) => channelOf(cell.touchpoint)))];
  const places = new Map();
  const placed = moments.map((cell) => {
    const place = `${cell.step}|${channelOf(cell.touchpoint)}`;
    places.set(place, (places.get(place) ?? -1) + 1);
    return { cell, channel: channelOf(cell.touchpoint), rank: places.get(place) };
  });
  placed.sort((one, other) => channels.indexOf(one.channel) - channels.indexOf(other.channel) || one.rank - other.rank);
  const said = (cell) =>
    `${nameOf(cell.touchpoint)}, ${channelOf(cell.touchpoint)}: ${figure(cell, cell.entered, count)} ${unit()}` +
    (known(cell.score_mean) ? `, score ${score(cell.score_mean)} on ${scaleName(cell.score_scale)}` : "");
  return {
    moments,
    columns: journey().steps.map((step, column) => ({ label: lines(step.name, 14), column })),
    points: placed.map(({ cell, channel, rank }, at) => ({
      label: lines(stepName(cell.step), 14),
      column: journey().steps.findIndex((step) => step.step === cell.step),
      at,
      row: `${channel}|${rank}`,
      entered: cell.entered || 0,
      feeling: feeling(cell),
      name: `${lines(nameOf(cell.touchpoint), journey().steps.length > 6 ? 17 : 30)}\n${figure(cell, cell.entered, count)}`,
      said: said(cell),
    })),
    ...bars(moments, said),
  };
}

/** The same one below the other, by step. */
function bars(moments, said) {
  const rows = journey().steps.flatMap((step) => {
    const own = moments.filter((cell) => cell.step === step.step);
    const head = { key: step.step, name: step.name.toUpperCase(), isHead: true };
    return own.length ? [head, ...own.map((cell) => ({ key: keyOf(cell), cell }))] : [];
  });
  const placed = rows.map((row, at) => ({ ...row, at }));
  return {
    heads: placed.filter((row) => row.isHead),
    bars: placed
      .filter((row) => row.cell)
      .map(({ key, at, cell }) => ({
        key,
        at,
        name: `${nameOf(cell.touchpoint)} · ${channelOf(cell.touchpoint)}${SIGNS[feeling(cell)] || ""}`,
        value: cell.entered || 0,
        figure: figure(cell, cell.entered, count),
        feeling: feeling(cell),
        said: said(cell),
      })),
  };
}

function showMap(cells) {
  const { moments, columns, points, heads, bars } = mapData(cells);
  element("map-lead").textContent = moments.length
    ? `Where they meet us: the larger the sign, the more ${unit()}. Its colour says how it feels.`
    : "No touchpoint was met in this selection.";
  map.signs.replaceChildren(
    legend([
      ["warm down", "remedy"],
      ["warm round", "below the mean"],
      ["quiet round", "about the mean"],
      ["main round", "above the mean"],
      ["main up", "build on"],
      ["hollow", "nobody asked"],
    ]),
  );
  const columnsOfTable = [
    ["Touchpoint", labelOf],
    ["Step", (cell) => stepName(cell.step)],
    ["Channel", (cell) => channelOf(cell.touchpoint)],
    ["Handled by", (cell) => words(touchpoints[cell.touchpoint]?.channel_class || "unknown")],
    ["Owner", (cell) => words(touchpoints[cell.touchpoint]?.owner || "unknown")],
    [sentence(unit()), (cell) => figure(cell, cell.entered, count), true],
    ["Share that goes on", (cell) => figure(cell, cell.progress_rate, percent), true],
    ["Time to the next, half within", (cell) => figure(cell, cell.minutes_to_next_p50, duration), true],
    ["Score", (cell) => (known(cell.score_mean) ? `${score(cell.score_mean)} (${scaleName(cell.score_scale)})` : figure(cell, null, score)), true],
    ["Against the mean", feelingOf],
    ["Exit after a low score", (cell) => figure(cell, cell.exit_rate_after_low, percent), true],
    ["Exit otherwise", (cell) => figure(cell, cell.exit_rate_otherwise, percent), true],
  ];
  showTable(map.foot, `Touchpoints of ${journey().name}`, columnsOfTable, moments);
  return () => map.chart.show(WIDE.matches ? { columns, points } : { heads, bars }, `Touchpoints by step and channel, sized by how many ${unit()} met them. The table below has the same figures.`);
}

/* Against the period before. */

function changesData(now, before) {
  const rows = now
    .map((cell) => ({ cell, earlier: before.get(keyOf(cell)) || null }))
    .map((row) => ({ ...row, change: changeOf(row), move: moveOf(row) }));
  return {
    rows,
    changes: rows
      .filter(({ cell, change }) => isWhole(cell) && known(change))
      .map(({ cell, earlier, change }, at) => ({
        label: stepName(cell.step),
        at,
        change,
        figure: signed(change, percent),
        said: `${stepName(cell.step)}: ${count(cell.entered)}, before ${count(earlier.entered)}`,
      })),
  };
}

const changeOf = ({ cell, earlier }) => (cell.entered && earlier?.entered ? cell.entered / earlier.entered - 1 : null);

/** By how much a score moved, and whether by more than chance; null where the two cannot be compared. */
function moveOf({ cell, earlier }) {
  if (!known(cell.score_mean) || earlier?.score_scale !== cell.score_scale) return null;
  const apart = cell.score_ci_low > earlier.score_ci_high || cell.score_ci_high < earlier.score_ci_low;
  return { by: cell.score_mean - earlier.score_mean, apart: apart && known(cell.score_ci_low) && known(earlier.score_ci_low) };
}

function showChanges(pair) {
  const empty = { rows: [], changes: [] };
  const { rows, changes } = pair ? changesData(cellsIn(pair[0]), byKey(cellsIn(pair[1]))) : empty;
  const isOver = pair && periodOf(pair[0]).isOver;
  const volumes = isOver ? changes : [];
  const moved = rows.filter(({ cell, move }) => !isWhole(cell) && move?.apart);
  element("changes-lead").textContent = !pair
    ? "There is no month before to compare with."
    : `${monthName(pair[0])} against ${monthName(pair[1])}. ` +
      (isOver ? "The chart shows by how much the volume of each step changed." : `${monthName(pair[0])} is not over, so its volumes are not compared; its scores are.`);
  const sentences = moved.map(
    ({ cell, earlier, move }) =>
      `${nameOf(cell.touchpoint)} ${move.by > 0 ? "rose" : "fell"} from ${score(earlier.score_mean)} to ${score(cell.score_mean)} on ${scaleName(cell.score_scale)}: more than chance explains.`,
  );
  const none = pair ? ["No score moved by more than chance explains."] : [];
  element("moves").replaceChildren(...(sentences.length ? sentences : none).map((text) => make("li", {}, text)));
  changesFigure.root.hidden = !pair;
  if (!pair) return () => changesFigure.chart.close();
  const earlierFigure = (of, say) => ({ earlier }) => figure(earlier, earlier?.[of], say);
  const nowFigure = (of, say) => ({ cell }) => figure(cell, cell[of], say);
  showTable(
    changesFigure.foot,
    `${monthName(pair[0])} against ${monthName(pair[1])}`,
    [
      ["Touchpoint", ({ cell }) => labelOf(cell)],
      [sentence(unit()), nowFigure("entered", count), true],
      ["before", earlierFigure("entered", count), true],
      ["Change", ({ change }) => (isOver ? signed(change, percent) : NONE), true],
      ["Share that goes on", nowFigure("progress_rate", percent), true],
      ["before", earlierFigure("progress_rate", percent), true],
      ["Score", nowFigure("score_mean", score), true],
      ["before", earlierFigure("score_mean", score), true],
      ["Scale", ({ cell }) => (cell.score_scale ? scaleName(cell.score_scale) : NONE)],
      ["More than chance", ({ move }) => (move ? (move.apart ? "yes" : "no") : NONE)],
    ],
    rows,
  );
  changesFigure.root.querySelector(".chart").hidden = !volumes.length;
  return () =>
    volumes.length
      ? changesFigure.chart.show({ changes: volumes, zero: [{ change: 0 }] }, "Change of the volume of each step. The table below has the same figures.")
      : changesFigure.chart.close();
}

/* Paths. */

function showPaths() {
  const rows = asObjects(data.columns.paths, data.paths[selection.journey]?.[selection.period]);
  const shown = rows.filter((row) => !row.is_suppressed).slice(0, PATHS_SHOWN);
  const way = commonWay(rows);
  element("paths-lead").textContent = shown.length
    ? `${way.length > 2 ? `Taking the most frequent next step each time: ${way.map(nameOf).join(" → ")}. ` : ""}Paths are of all segments together.`
    : "No paths in this selection.";
  const name = (row) => `${nameOf(row.from_touchpoint)} → ${nameOf(row.to_touchpoint)}`;
  const bars = shown.map((row, at) => ({
    at,
    key: `${row.from_touchpoint} ${row.to_touchpoint}`,
    name: name(row),
    value: row.transitions,
    figure: count(row.transitions),
    feeling: "peak",
    said: `${name(row)}: ${numbered(row.transitions, "time")}`,
  }));
  paths.root.hidden = !rows.length;
  showTable(
    paths.foot,
    "Most common paths",
    [
      ["From", (row) => nameOf(row.from_touchpoint)],
      ["To", (row) => nameOf(row.to_touchpoint)],
      ["Times", (row) => figure(row, row.transitions, count), true],
      ["Customers", (row) => figure(row, row.customers, count), true],
      ["Share of all that follow", (row) => figure(row, row.share_of_from, percent), true],
      ["Time between, half within", (row) => figure(row, row.minutes_p50, duration), true],
      ["nine of ten within", (row) => figure(row, row.minutes_p90, duration), true],
    ],
    rows,
  );
  return () => paths.chart.show({ heads: [], bars }, "The most common ways from one touchpoint to the next. The table below has the same figures.");
}

/** From the start by the most frequent next step, until the end or a touchpoint that was met already. */
function commonWay(rows) {
  const way = ["start"];
  while (way[way.length - 1] !== "end") {
    const here = way[way.length - 1];
    const next = most(rows.filter((row) => row.from_touchpoint === here), (row) => row.transitions);
    if (!next || way.includes(next.to_touchpoint)) break;
    way.push(next.to_touchpoint);
  }
  return way;
}

/* Channels. */

/** Values of a KPI in its unit. */
function valueOf(kpi) {
  const of = (KPIS[kpi] || [])[1];
  if (of === "minutes") return duration;
  return (value) => (known(value) ? `${plain(value, 1)}${of === "percent" ? "\u00a0%" : ""}` : NONE);
}

const kpiName = (kpi) => (KPIS[kpi] || [words(kpi)])[0];

/** How far a channel is from all channels, as a share of their value. */
const relative = (row) => Math.abs(row.difference) / Math.max(Math.abs(row.all_value), 1);

function channelFeeling(row) {
  if (row.is_low_n) return "unknown";
  if (!row.is_different || !known(row.difference)) return "near";
  return row.difference * ((KPIS[row.kpi] || [])[2] || 1) > 0 ? "above" : "below";
}

function showChannels() {
  const rows = asObjects(data.columns.channels, data.channels[selection.period]);
  const own = rows.filter((row) => row.channel !== "all");
  const measured = [...new Set(own.filter((row) => known(row.value)).map((row) => row.kpi))].sort(
    (one, other) => Object.keys(KPIS).indexOf(one) - Object.keys(KPIS).indexOf(other),
  );
  const apart = own
    .filter((row) => row.is_different && !row.is_low_n && known(row.value) && known(row.difference))
    .sort((one, other) => relative(other) - relative(one));
  element("channels-lead").textContent = measured.length
    ? `Each measure by channel, against all channels together. Channels are of all journeys and segments together. ${apart.length ? "Furthest apart, by more than chance:" : "No channel is apart by more than chance."}`
    : "No figures by channel in this period.";
  element("differences").replaceChildren(
    ...apart
      .slice(0, DIFFERENCES_SHOWN)
      .map((row) => `${kpiName(row.kpi)}, ${row.channel}: ${valueOf(row.kpi)(row.value)} against ${valueOf(row.kpi)(row.all_value)} of all channels (${channelFeeling(row) === "above" ? "better" : "worse"}).`)
      .map((text) => make("li", {}, text)),
  );
  while (small.length < measured.length) small.push(newSmall());
  small.forEach((each, at) => {
    each.root.hidden = at >= measured.length;
    if (each.root.hidden) each.chart.close();
  });
  element("channels-signs").replaceChildren(
    legend([
      ["main round", "better by more than chance"],
      ["warm round", "worse by more than chance"],
      ["quiet round", "no more apart than chance"],
      ["hollow", `few (fewer than ${FEW})`],
      ["dashed", "all channels"],
    ]),
  );
  element("channels-table").hidden = element("channels-signs").hidden = !rows.length;
  showTable(element("channels-table"), "Measures by channel", channelColumns, rows);
  return measured.map((kpi, at) => {
    const shown = own.filter((row) => row.kpi === kpi && known(row.value));
    const all = shown.find((row) => known(row.all_value))?.all_value;
    small[at].title.textContent = kpiName(kpi);
    small[at].note.textContent = `all channels ${valueOf(kpi)(all)}`;
    const channels = shown.map((row, at) => ({
      at,
      label: row.channel,
      value: row.value,
      low: row.ci_low ?? row.value,
      high: row.ci_high ?? row.value,
      feeling: channelFeeling(row),
      figure: valueOf(kpi)(row.value),
      said: `${kpiName(kpi)}, ${row.channel}: ${figure(row, row.value, valueOf(kpi))}`,
    }));
    const everything = known(all) ? [{ value: all }] : [];
    return () => small[at].chart.show({ channels, everything }, `${kpiName(kpi)} by channel. The table below has the same figures.`);
  });
}

const channelColumns = [
  ["Measure", (row) => kpiName(row.kpi)],
  ["Channel", (row) => row.channel],
  ["Value", (row) => figure(row, row.value, valueOf(row.kpi)), true],
  ["95 % interval", (row) => (known(row.ci_low) ? `${valueOf(row.kpi)(row.ci_low)} to ${valueOf(row.kpi)(row.ci_high)}` : figure(row, null, count)), true],
  ["Number", (row) => figure(row, row.n, count), true],
  ["Against all channels", (row) => (row.channel === "all" ? NONE : figure(row, row.difference, (by) => signed(by, valueOf(row.kpi)))), true],
  ["More than chance", (row) => (row.channel === "all" || row.is_suppressed ? NONE : row.is_different ? "yes" : "no")],
];

function newSmall() {
  const title = make("h3", { id: `channel-${small.length}` });
  const note = make("p", { class: "soft small" });
  const root = make("figure", { "aria-labelledby": title.id }, title, note);
  element("channels").append(root);
  return { root, title, note, ...parts(root, "channels") };
}

/* The page. */

/** A figure's places: its chart, its legend, its table. */
function parts(root, name) {
  const [place, signs, foot] = [make("div", { class: "chart" }), make("div", {}), make("div", {})];
  root.append(place, signs, foot);
  return { root, signs, foot, chart: new Chart(place, name) };
}

const curves = [];
const small = [];
const flow = parts(element("flow"), "flow");
const map = parts(element("map"), "map");
const changesFigure = parts(element("changes"), "changes");
const paths = parts(element("paths"), "paths");

/** Write all text and tables of what is selected; the charts follow, as soon as they can be drawn. */
function show() {
  const period = periodOf(selection.period);
  const cells = cellsIn(selection.period);
  // A month is shown beside the one before; a month that is not over only by its scores.
  const isMonth = period.compare?.[0] === period.id;
  const before = isMonth ? byKey(cellsIn(period.compare[1])) : new Map();
  const beforeName = isMonth ? monthName(period.compare[1]) : "";
  const compared = period.isOver ? before : new Map();
  showSummary(cells);
  jobs = [showFlow(cells, compared, period.isOver ? beforeName : "")];
  jobs.push(...showCurves(cells, before, beforeName));
  showActions(cells);
  jobs.push(showMap(cells), showChanges(period.compare), showPaths(), ...showChannels());
  if (window.vegaEmbed) draw();
}

let jobs = [];
const draw = () =>
  drawAll(jobs).catch((error) => {
    // The tables have everything: open them where a drawing fails.
    for (const details of document.querySelectorAll("details")) details.open = true;
    throw error;
  });

function select(wanted) {
  const known = {
    journey: data.journeys.map((each) => each.journey),
    segment: data.segments,
    period: data.periods.map((period) => period.id),
  };
  for (const [name, values] of Object.entries(known)) {
    selection[name] = values.includes(wanted[name]) ? wanted[name] : values[0];
    element(name).value = selection[name];
  }
  show();
}

function start() {
  element("as-of").textContent = `As of ${dayName(data.as_of)}`;
  if (!data.journeys.length || !data.periods.length) {
    element("nothing").textContent =
      `No journey has been observed up to ${dayName(data.as_of)}. This page fills by itself as soon as a night brings customers' orders, contacts or answers.`;
    element("nothing").hidden = false;
    return;
  }
  for (const period of data.periods) period.isOver = period.is_complete;
  fillSelect(element("journey"), data.journeys.map((each) => [each.journey, each.name]));
  fillSelect(element("segment"), data.segments.map((segment) => [segment, segmentName(segment)]));
  fillSelect(element("period"), data.periods.map((period) => [period.id, period.name]));
  element("bar").hidden = element("content").hidden = false;
  select(readAddress());
  for (const name of ["journey", "segment", "period"]) {
    element(name).addEventListener("change", (event) => {
      select({ ...selection, [name]: event.target.value });
      writeAddress(selection);
    });
  }
  window.addEventListener("hashchange", () => select({ ...selection, ...readAddress() }));
  WIDE.addEventListener("change", show);
  window.addEventListener("DOMContentLoaded", draw);
}

start();
