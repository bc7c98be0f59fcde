/* The scorecard: how each figure stands, what it is held against, and what needs somebody.

   Everything is written once; only the breakdown follows what is selected. Lines are drawn here, in plain SVG. */

const data = readJson("data");
const kpis = data.kpis.map((one) => ({
  ...asObjects(data.columns.definition, [one.definition])[0],
  now: one.now && asObjects(data.columns.figure, [one.now])[0],
  trend: one.trend.map(([day, value, low = null, high = null]) => ({ day, value, low, high })),
}));
const byName = new Map(kpis.map((kpi) => [kpi.kpi, kpi]));
// What figures are broken down by, in the order of the choice.
const dimensions = new Map(asObjects(data.columns.dimension, data.dimensions).map((one) => [one.dimension, one]));
const leftOut = asObjects(data.columns.left_out, data.left_out);
const HEALTH_SHOWN = 12;
// From this share on, what a figure leaves out is marked beside it.
const LEFT_OUT_SHARE = 0.01;

const CAUSES = {
  waits: "Waiting",
  transfers_and_repeats: "Being passed on, asking again",
  automation: "Machines instead of people",
  individual_attention: "Not treated as one likes",
  unanswered: "No answer at all",
};
const METHODS = {
  adjusted_wald: "net share with an adjusted Wald interval",
  wilson: "share with a Wilson interval",
  mean: "mean with a normal interval",
  order_statistics: "order statistic, its interval too",
  per_hundred: "count per hundred with a Poisson interval",
  count: "count, no interval",
  sum: "sum, no interval",
};
// What the records behind a figure are, by the fact they come from.
const RECORDS = {
  dim_customer: "customer",
  fct_closed_loop_case: "failure",
  fct_feedback: "item",
  fct_journey: "journey",
  fct_journey_event: "contact",
  fct_order: "order",
  fct_sla: "target",
  fct_survey_answer: "answer",
  fct_survey_invitation: "invitation",
  fct_ticket: "ticket",
};
const TRIGGERS = { low_score: "low score", complaint: "complaint", unanswered: "unanswered question" };

/* Figures in words. */

const numbered = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const shortDay = (day) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
const monthName = (day) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", month: "long", year: "numeric" });
const daysBetween = (one, other) => Math.round((Date.parse(other) - Date.parse(one)) / 86_400_000);

/** A number with a real minus sign, and none before what rounds to nothing. */
const number = (value, digits) => `${value < 0 && Number(value.toFixed(digits)) !== 0 ? "−" : ""}${plain(Math.abs(value), digits)}`;

/** A value without its unit, for where the unit was just said; minutes always have theirs. */
function bare(kpi, value) {
  if (!known(value)) return NONE;
  return kpi.unit === "minutes" ? duration(value) : number(value, kpi.decimals);
}

/** A value in its unit. */
function said(kpi, value) {
  if (!known(value)) return NONE;
  const text = bare(kpi, value);
  if (kpi.unit === "percent") return `${text}\u00a0%`;
  if (kpi.unit === "percent of the scale") return `${text} of 100`;
  if (kpi.unit === "currency") return `${data.currency}\u00a0${text}`;
  if (kpi.unit.endsWith(" per 100 customers")) return `${text} per 100`;
  return text;
}

const isShare = (kpi) => kpi.unit.startsWith("percent") || kpi.unit === "points";

/** A difference in its unit: of shares in points. */
function changed(kpi, value) {
  if (!known(value)) return NONE;
  if (kpi.unit === "minutes") return signed(value, duration);
  const digits = kpi.decimals;
  const text = Number(value.toFixed(digits)) === 0 ? `±${plain(0, digits)}` : signed(value, (size) => plain(size, digits));
  return isShare(kpi) ? `${text} points` : text;
}

const interval = (kpi, low, high) => (known(low) && known(high) ? `${bare(kpi, low)} to ${bare(kpi, high)}` : null);

/** A difference's interval; its unit was just said. */
function span(kpi, low, high) {
  if (!known(low) || !known(high)) return null;
  const say = (value) => (kpi.unit === "minutes" ? signed(value, duration) : number(value, kpi.decimals));
  return `${say(low)} to ${say(high)}`;
}

function records(kpi, n) {
  if (kpi.basis === "stock" && kpi.source_fact === "fct_order") return numbered(n, "customer");
  return numbered(n, RECORDS[kpi.source_fact] || "record");
}

const sense = { higher_is_better: 1, lower_is_better: -1 };

/** Whether a difference is good news: better, worse, or other where the KPI has no good side. */
const goodness = (kpi, difference) => ({ 1: "better", [-1]: "worse" })[Math.sign(difference) * (sense[kpi.direction] || 0)] || "other";

/** What a KPI's newest change is: better, worse, other, chance, untested; null without one. */
function verdict(kpi) {
  const now = kpi.now;
  if (!now || !known(now.difference)) return null;
  if (!known(now.is_changed)) return "untested";
  return now.is_changed ? goodness(kpi, now.difference) : "chance";
}

const LOOKS = { better: "main-text", worse: "warm-text" };

const targetText = (kpi, target) => `${{ higher_is_better: "at least ", lower_is_better: "at most " }[kpi.direction] || ""}${said(kpi, target)}`;

/** Whether a target lies inside the interval: then missing or meeting it may be chance. */
const isOnTarget = (figure) => known(figure.ci_low) && figure.ci_low <= figure.target && figure.target <= figure.ci_high;

const WINDOWS = { flow: "28 days", latest: "90 days", stock: "end of the day", employee: "quarter" };

/** The window of a figure. */
const windowOf = (kpi) => (kpi.now && kpi.now.date_day !== data.as_of ? `${WINDOWS[kpi.basis]} to ${dayName(kpi.now.date_day)}` : WINDOWS[kpi.basis]);

/** The same where it is not what most figures are of. */
const otherWindow = (kpi) => (kpi.basis === "flow" && kpi.now?.date_day === data.as_of ? null : windowOf(kpi));

/* What a figure leaves out because it is not known. */

/** The reasons of a KPI, each with the records it leaves out and those it counts in the same months. */
const reasonsOf = (kpi) =>
  leftOut.flatMap((reason) => reason.kpis.filter(([name]) => name === kpi.kpi).map(([, records, counted]) => ({ ...reason, records, counted })));

/** All records a KPI leaves out, and those it counts. */
const leftOutOf = (kpi) => {
  const reasons = reasonsOf(kpi);
  return { records: reasons.reduce((sum, reason) => sum + reason.records, 0), counted: Math.max(0, ...reasons.map((reason) => reason.counted)) };
};

/* Marks: what one must know before believing a figure. */

function marks(kpi) {
  const now = kpi.now;
  if (!now) return [];
  const found = [];
  if (now.is_low_n && !now.is_suppressed) found.push(["few", `fewer than ${kpi.min_n} records`]);
  if (!now.is_complete_window && !now.is_suppressed) found.push(["window not full", kpi.lookback_days ? `the history is shorter than the ${kpi.lookback_days} days it needs` : "records do not reach back over all of it"]);
  if (now.is_stale) found.push(["stale", "a source was missing", "warm"]);
  const { records: left, counted } = leftOutOf(kpi);
  if (left && left >= LEFT_OUT_SHARE * (left + counted)) found.push([`leaves out ${count(left)}`, "because something is not known: see what it means", "warm"]);
  return found.map(([name, why, look]) => make("span", { class: `mark ${look || ""}`, title: why }, name));
}

/* Lines. */

const draw = (tag, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const place = (value) => value.toFixed(1);

/** Points that follow each other without a gap. */
function runs(points, farthest) {
  const found = [];
  for (const point of points) {
    const run = found[found.length - 1];
    if (run && daysBetween(run[run.length - 1].day, point.day) <= farthest) run.push(point);
    else found.push([point]);
  }
  return found;
}

/** A KPI's year as a line with its interval; null where there is no line to draw. */
function spark(kpi) {
  const points = kpi.trend.filter((point) => known(point.value));
  if (points.length < 2) return null;
  const [width, height, edge] = [240, 52, 5];
  const end = points[points.length - 1];
  const isQuarters = kpi.basis === "employee";
  const days = isQuarters ? daysBetween(points[0].day, end.day) : 364;
  // The line decides the scale, with the newest interval and the target; earlier, wider intervals are cut off.
  const levels = [...points.map((point) => point.value), end.low, end.high, kpi.now.target].filter(known);
  const [low, high] = [Math.min(...levels), Math.max(...levels)];
  const x = (day) => edge + (width - 2 * edge) * (1 - daysBetween(day, end.day) / days);
  const y = (value) => height - edge - (height - 2 * edge) * (high > low ? Math.min(1.04, Math.max(-0.04, (value - low) / (high - low))) : 0.5);
  const at = (day, value) => `${place(x(day))},${place(y(value))}`;
  const farthest = isQuarters ? 100 : 10;
  const bands = runs(points.filter((point) => known(point.low) && known(point.high)), farthest).map((run) =>
    draw("path", {
      class: "band",
      d: `M${[...run.map((point) => at(point.day, point.high)), ...run.toReversed().map((point) => at(point.day, point.low))].join("L")}Z`,
    }),
  );
  const lines = runs(points, farthest).map((run) => draw("path", { class: "line", d: `M${run.map((point) => at(point.day, point.value)).join("L")}` }));
  const target = known(kpi.now.target)
    ? [draw("line", { class: "target", x1: edge, x2: width - edge, y1: place(y(kpi.now.target)), y2: place(y(kpi.now.target)) })]
    : [];
  const values = points.map((point) => point.value);
  const label =
    `${kpi.name} from ${dayName(points[0].day)} to ${dayName(end.day)}: from ${said(kpi, points[0].value)} to ${said(kpi, end.value)}, ` +
    `between ${said(kpi, Math.min(...values))} and ${said(kpi, Math.max(...values))}`;
  return draw(
    "svg",
    { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...bands,
    ...target,
    ...lines,
    draw("circle", { class: "now", cx: place(x(end.day)), cy: place(y(end.value)), r: 4 }),
  );
}

/** A member's interval on the scale of its table, with all customers as a dashed line. */
function intervalMark(row, whole, [low, high], look) {
  const x = (value) => `${place(2 + 96 * (high > low ? (value - low) / (high - low) : 0.5))}%`;
  const parts = [];
  if (known(whole)) parts.push(draw("line", { class: "whole", x1: x(whole), x2: x(whole), y1: "-20%", y2: "120%" }));
  if (known(row.ci_low) && known(row.ci_high)) parts.push(draw("line", { class: "band", x1: x(row.ci_low), x2: x(row.ci_high), y1: "50%", y2: "50%" }));
  parts.push(draw("circle", { class: "point", cx: x(row.value), cy: "50%", r: 4.5 }));
  return draw("svg", { class: `interval ${look}`, "aria-hidden": "true" }, ...parts);
}

/* Headline. */

const targeted = kpis.filter((kpi) => kpi.now && known(kpi.now.is_target_met));
const missed = targeted.filter((kpi) => !kpi.now.is_target_met);
const judged = (wanted) => kpis.filter((kpi) => verdict(kpi) === wanted);
const tested = kpis.filter((kpi) => kpi.now && known(kpi.now.is_changed));
const waiting = (outcome) => data.cases.counts.filter((row) => !outcome || row[1] === outcome).reduce((sum, row) => sum + row[2], 0);
const unhealthy = (status) => data.health.counts.filter((row) => row[1] === status).reduce((sum, row) => sum + row[2], 0);

function showHead() {
  const age = daysBetween(data.as_of, new Date().toISOString().slice(0, 10));
  element("as-of").replaceChildren(
    `As of ${dayName(data.as_of)}`,
    age > 2 ? make("strong", {}, `, ${count(age)} days ago`) : "",
    ` · version ${data.version}`,
  );
  if (data.is_stale) {
    element("stale").hidden = false;
    element("stale").textContent = `Extracts have been missing since ${dayName(data.stale_since)}, so what they would have told is missing from these figures. Figures of today are marked as stale; see the health of the data below.`;
  }
}

function showSummary() {
  const [worse, better] = [judged("worse").length, judged("better").length];
  const parts = [
    targeted.length ? `${count(targeted.length - missed.length)} of ${numbered(targeted.length, "target")} ${targeted.length - missed.length === 1 ? "is" : "are"} met.` : "No targets are set.",
    tested.length ? `Against the time before, ${count(better)} of ${numbered(tested.length, "figure")} became better and ${count(worse)} worse by more than chance.` : "",
  ];
  element("summary").textContent = parts.join(" ");
  element("summary").hidden = false;
  const [fails, warns] = [unhealthy("fail"), unhealthy("warn")];
  element("tiles").replaceChildren(
    tile("Targets missed", count(missed.length), targeted.length ? `of ${count(targeted.length)}` : "none is set", missed.length && "warm"),
    tile("Worse than before", count(worse), `of ${count(tested.length)} compared`, worse && "warm"),
    tile("Better than before", count(better), `of ${count(tested.length)} compared`, better && "main"),
    tile("Failures unanswered", count(waiting()), `${count(waiting("overdue"))} of them overdue`, waiting("overdue") && "warm"),
    tile("Data to look after", count(fails + warns), !data.health.counts.length ? "nothing measured yet" : fails + warns ? `${count(fails)} not as it should be` : "all as it should be", fails && "warm"),
  );
}

const tile = (title, value, detail, look) =>
  make("div", { class: `tile ${look || ""}` }, make("dt", {}, title), make("dd", { class: "figure" }, value), make("dd", {}, detail));

const link = (kpi, text) => make("a", { href: `#kpi-${kpi.kpi}` }, text || kpi.name);

/** A list under a heading; empty lists are not shown. */
const list = (look, title, items) =>
  items.length ? make("div", { class: look }, make("h3", {}, title), make("ol", {}, items.map((item) => make("li", {}, ...item)))) : null;

function showAttention() {
  const value = (kpi) => {
    const found = interval(kpi, kpi.now.ci_low, kpi.now.ci_high);
    return `${said(kpi, kpi.now.value)}${found ? ` (${found})` : ""}`;
  };
  const target = (kpi) => [
    link(kpi),
    make("span", { class: "detail" }, `${value(kpi)}, target ${targetText(kpi, kpi.now.target)}${isOnTarget(kpi.now) ? "; may be chance" : ""}`),
  ];
  const change = (kpi) => [
    link(kpi),
    make("span", { class: "detail" }, `${changed(kpi, kpi.now.difference)}, from ${said(kpi, kpi.now.previous_value)} to ${said(kpi, kpi.now.value)}`),
  ];
  const lists = [
    list("warm", "Missed targets", missed.map(target)),
    list("warm", "Worse than before", judged("worse").map(change)),
    list("main", "Better than before", judged("better").map(change)),
  ].filter(Boolean);
  element("attention-lists").replaceChildren(...lists);
  const expected = Math.round(tested.length / 20);
  element("attention-lead").textContent = lists.length
    ? "Targets that are missed, and changes larger than chance explains." +
      (expected ? ` Of ${numbered(tested.length, "comparison")} about ${count(expected)} would stand out by chance alone.` : "")
    : "No target is missed, and nothing changed by more than chance explains.";
}

function showCauses() {
  const of = (cause) => kpis.filter((kpi) => kpi.cause === cause);
  const found = [...new Set([...Object.keys(CAUSES), ...kpis.map((kpi) => kpi.cause).filter(known)])].filter((cause) => of(cause).length);
  element("causes").hidden = !found.length;
  element("causes-list").replaceChildren(
    ...found.map((cause) =>
      make(
        "div",
        {},
        make("h3", {}, CAUSES[cause] || words(cause)),
        make("ul", {}, of(cause).map((kpi) => make("li", {}, link(kpi), make("span", { class: "figure" }, figure(kpi)), changeNote(kpi)))),
      ),
    ),
  );
}

/** A KPI's newest value in words. */
function figure(kpi) {
  if (!kpi.now) return NONE;
  return kpi.now.is_suppressed ? "hidden" : said(kpi, kpi.now.value);
}

function changeNote(kpi) {
  const found = verdict(kpi);
  if (!found) return make("span", { class: "note" }, kpi.now ? "" : "nothing measured");
  const text = found === "chance" ? "no change beyond chance" : `${changed(kpi, kpi.now.difference)}${found in LOOKS ? `, ${found}` : ""}`;
  return make("span", { class: `note ${LOOKS[found] || ""}` }, text);
}

/* Every KPI. */

const departments = [...new Set(kpis.map((kpi) => kpi.owner_department))];
const HEADS = ["Figure", "Now", "Over a year", "Change", "Target"];

function showKpis() {
  element("kpis-lead").textContent =
    `What happens is told of the 28 days up to ${dayName(data.as_of)} (the relationship NPS of 90) against as many days before them; ` +
    "what stands on a day against the end of the month before. Below each value its 95\u00a0% interval.";
  element("kpis-signs").replaceChildren(
    legend([
      ["main", "value, week by week"],
      ["main-soft band", "95 % interval"],
      ["dashed", "target"],
    ]),
  );
  element("departments").replaceChildren(
    ...departments.map((department) => {
      const own = kpis.filter((kpi) => kpi.owner_department === department);
      const objectives = [...new Set(own.map((kpi) => kpi.objective))];
      return make(
        "div",
        { class: "department", id: `owner-${department}` },
        make("h3", {}, words(department)),
        make("div", { class: "heads", "aria-hidden": "true" }, HEADS.map((head) => make("span", {}, head))),
        objectives.flatMap((objective) => [make("h4", { class: "objective" }, objective), ...own.filter((kpi) => kpi.objective === objective).map(row)]),
      );
    }),
  );
}

function row(kpi) {
  const other = kpi.now && otherWindow(kpi);
  const name = make("div", { class: "name" }, make("h5", {}, kpi.name), other ? make("p", { class: "note" }, other) : null);
  const cells = kpi.now ? [value(kpi), trend(kpi), change(kpi), target(kpi)] : [make("p", { class: "note cell" }, "Nothing measured yet.")];
  return make("article", { class: "kpi", id: `kpi-${kpi.kpi}`, "aria-label": kpi.name }, name, ...cells, meaning(kpi));
}

const labelled = (title, name, ...children) => make("div", { class: `cell ${name}` }, make("p", { class: "label" }, title), ...children);

function value(kpi) {
  const now = kpi.now;
  const found = interval(kpi, now.ci_low, now.ci_high);
  // What is counted is its own number of records.
  const behind = [found, kpi.method !== "count" && known(now.n) ? records(kpi, now.n) : null].filter(Boolean);
  return labelled(
    "Now",
    "value",
    make("p", { class: "figure" }, figure(kpi)),
    ...(now.is_suppressed ? ["too few to show"] : behind).map((text) => make("p", { class: "note" }, text)),
    ...marks(kpi),
  );
}

const trend = (kpi) => labelled("Over a year", "trend", spark(kpi) || make("p", { class: "note" }, "no line yet"));

function change(kpi) {
  const now = kpi.now;
  const found = verdict(kpi);
  if (!found) return labelled("Change", "change", make("p", { class: "note" }, now.is_suppressed ? NONE : "nothing to compare with"));
  const by = span(kpi, now.difference_low, now.difference_high);
  return labelled(
    "Change",
    "change",
    make("p", {}, changed(kpi, now.difference), found in LOOKS ? [", ", make("strong", { class: LOOKS[found] }, found)] : []),
    make("p", { class: "note" }, `before ${said(kpi, now.previous_value)}`),
    by ? make("p", { class: "note" }, `by ${by}${found === "chance" ? ": may be chance" : ""}`) : null,
  );
}

function target(kpi) {
  const now = kpi.now;
  const lines = [];
  if (known(now.target)) {
    lines.push(make("p", {}, targetText(kpi, now.target)));
    if (known(now.is_target_met)) {
      const where = isOnTarget(now) ? "; may be chance" : "";
      lines.push(make("p", { class: "note" }, make("strong", { class: now.is_target_met ? "main-text" : "warm-text" }, now.is_target_met ? "✓ met" : "✗ missed"), where));
    }
  }
  if (known(now.benchmark)) lines.push(make("p", { class: "note" }, `others ${said(kpi, now.benchmark)} (${now.benchmark_source || "source unknown"})`));
  return labelled("Target", "target-cell", ...(lines.length ? lines : [make("p", { class: "note" }, "none set")]));
}

/** What a KPI means, and its line as figures: written when somebody wants to know. */
function meaning(kpi) {
  const details = make("details", {}, make("summary", { "aria-label": `What ${kpi.name} means` }, "What it means"));
  details.addEventListener("toggle", () => details.open && explain(kpi, details));
  return details;
}

function explain(kpi, details) {
  if (details.querySelector(".meaning")) return;
  const terms = [
    ["Formula", kpi.formula],
    ["Good is", { higher_is_better: "higher", lower_is_better: "lower" }[kpi.direction] || "neither more nor less"],
    ["Counted on", kpi.timestamp_basis],
    ["Method", METHODS[kpi.method] || words(kpi.method)],
    ["Unit", kpi.unit === "currency" ? data.currency : kpi.unit],
    ["Made from", kpi.source_fact],
    ["Owner", words(kpi.owner_department)],
    ["In the marts", kpi.kpi],
  ];
  const canBreak = [...dimensions.keys()].find((dimension) => data.breakdowns[dimension]?.[kpi.kpi]);
  details.append(
    make(
      "div",
      { class: "meaning" },
      make("p", {}, kpi.definition),
      make("dl", {}, terms.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)])),
      without(kpi),
      canBreak ? make("p", {}, make("a", { href: `#by=${canBreak}&kpi=${kpi.kpi}` }, "Break it down")) : null,
      lineAsTable(kpi),
    ),
  );
}

/** What a KPI leaves out of the last twelve months, reason by reason; null where it counts all there is. */
function without(kpi) {
  const reasons = reasonsOf(kpi);
  if (!reasons.length) return null;
  return make(
    "div",
    { class: "left-out" },
    make("p", {}, "Left out of the last twelve months:"),
    make("ul", {}, reasons.map((reason) =>
      make("li", {}, `${numbered(reason.records, "record")} of ${reason.where}, beside ${count(reason.counted)} that count, because ${reason.because}. ${sentence(reason.remedy)}.`),
    )),
  );
}

/** The line of a KPI as figures: windows that follow each other, the newest first. */
function lineAsTable(kpi) {
  const isQuarters = kpi.basis === "employee";
  const points = kpi.trend.toReversed().filter((_, at) => isQuarters || at % 4 === 0);
  if (!points.length) return null;
  const columns = [
    [kpi.basis === "stock" ? "On" : `${sentence(WINDOWS[kpi.basis])} to`, (point) => shortDay(point.day)],
    ["Value", (point) => said(kpi, point.value), true],
    ["95 % interval", (point) => interval(kpi, point.low, point.high) || NONE, true],
  ];
  return table(`${kpi.name}, ${isQuarters ? "by quarter" : "every four weeks"}`, columns, points);
}

// On paper everything is open, and so has to be written.
window.addEventListener("beforeprint", () => {
  for (const kpi of kpis) explain(kpi, element(`kpi-${kpi.kpi}`).querySelector("details"));
});

/* Breakdowns. */

const selection = {};
const ALL = "all";
const regions = new Intl.DisplayNames(["en"], { type: "region" });

const dimensionName = (dimension) => dimensions.get(dimension).name.toLowerCase();

function memberName(dimension, member) {
  if (member === "unknown") return "Unknown";
  if (member === "none") return `No ${dimensionName(dimension)}`;
  if (dimensions.get(dimension).members === "countries" && /^[A-Z]{2}$/.test(member)) return regions.of(member);
  return data.names[dimension]?.[member] || words(member);
}

/** How a member stands against all: better, worse, or near where its interval reaches the value of all. */
function against(kpi, row, whole) {
  if (row.is_suppressed || !known(whole) || !known(row.ci_low) || !known(row.ci_high)) return null;
  if (row.is_low_n) return "few";
  if (row.ci_low <= whole && whole <= row.ci_high) return "near";
  return goodness(kpi, row.value - whole);
}

const AGAINST = { better: "better", worse: "worse", other: "apart", near: "about the same", few: "too few to say" };

function memberTable(kpi, dimension) {
  const of = (rows) => asObjects(data.columns.member, rows);
  const [whole] = of(data.whole[kpi.kpi] ? [data.whole[kpi.kpi]] : []);
  const rows = of(data.breakdowns[dimension][kpi.kpi]);
  const isRelative = kpi.method !== "count" && kpi.method !== "sum";
  const allValue = isRelative && whole && !whole.is_suppressed ? whole.value : null;
  const shown = [...(whole ? [whole] : []), ...rows].filter((row) => !row.is_suppressed && known(row.value));
  const levels = shown.flatMap((row) => [row.value, row.ci_low, row.ci_high]).filter(known);
  const scale = levels.length ? [Math.min(...levels, ...(isRelative ? [] : [0])), Math.max(...levels)] : [0, 1];
  const few = (row, text) => (row.is_suppressed ? "hidden (too few)" : text + (row.is_low_n ? " (few)" : ""));
  const moved = (row) => {
    if (row.is_suppressed || !known(row.difference)) return NONE;
    const word = known(row.is_changed) ? (row.is_changed ? `, ${goodness(kpi, row.difference)}` : "") : "";
    return `${changed(kpi, row.difference)}${word}`;
  };
  const cells = (row, isWhole) => {
    const stands = isWhole ? null : against(kpi, row, allValue);
    const mark = row.is_suppressed || !known(row.value) ? "" : intervalMark(row, allValue, scale, stands || "");
    return make(
      "tr",
      { class: isWhole ? "whole" : null },
      make("th", { scope: "row" }, isWhole ? "All" : memberName(dimension, row.member)),
      make("td", { class: "place" }, mark),
      make("td", { class: "number" }, few(row, said(kpi, row.value))),
      make("td", { class: "number" }, row.is_suppressed ? NONE : interval(kpi, row.ci_low, row.ci_high) || NONE),
      make("td", { class: "number" }, row.is_suppressed ? NONE : count(row.n)),
      make("td", { class: LOOKS[stands] || null }, stands ? AGAINST[stands] : NONE),
      make("td", {}, moved(row)),
    );
  };
  const caption = `${kpi.name} by ${dimensionName(dimension)}, ${monthName(data.month)}`;
  const before = monthName(new Date(Date.parse(`${data.month.slice(0, 7)}-01`) - 86_400_000).toISOString().slice(0, 10));
  const heads = [["Member", ""], ["Place", "place"], ["Value", "number"], ["95 % interval", "number"], [sentence(records(kpi, 2).replace(/^\S+ /, "")), "number"], ["Against all", ""], [`Against ${before.split(" ")[0]}`, ""]];
  return make(
    "div",
    { class: "members" },
    make(
      "div",
      { class: "scroll", role: "region", "aria-label": `Table: ${caption}`, tabindex: "0" },
      make(
        "table",
        {},
        make("caption", {}, make("a", { href: `#kpi-${kpi.kpi}` }, kpi.name), ` by ${dimensionName(dimension)}, ${monthName(data.month)}`),
        make("thead", {}, make("tr", {}, heads.map(([title, look]) => make("th", { scope: "col", class: look || null }, title)))),
        make("tbody", {}, whole ? cells(whole, true) : null, rows.map((row) => cells(row, false))),
      ),
    ),
  );
}

function showBreakdown() {
  const kpisHere = kpis.filter((kpi) => data.breakdowns[selection.by]?.[kpi.kpi]);
  fillSelect(element("kpi"), [[ALL, "All figures"], ...kpisHere.map((kpi) => [kpi.kpi, kpi.name])]);
  const wanted = selection.kpi === ALL || kpisHere.some((kpi) => kpi.kpi === selection.kpi) ? selection.kpi : kpisHere[0].kpi;
  selection.kpi = wanted;
  element("kpi").value = wanted;
  element("by").value = selection.by;
  const chosen = wanted === ALL ? kpisHere : kpisHere.filter((kpi) => kpi.kpi === wanted);
  const rows = chosen.flatMap((kpi) => asObjects(data.columns.member, data.breakdowns[selection.by][kpi.kpi]));
  const hidden = rows.filter((row) => row.is_suppressed).length;
  const few = rows.filter((row) => row.is_low_n && !row.is_suppressed).length;
  element("breakdown-note").textContent =
    `${numbered(chosen.length, "figure")} by ${dimensionName(selection.by)}. ` +
    [hidden ? `${numbered(hidden, "value")} hidden for privacy.` : "", few ? `${numbered(few, "value")} marked as few.` : ""].join(" ");
  element("members").replaceChildren(...chosen.map((kpi) => memberTable(kpi, selection.by)));
}

function startBreakdown() {
  const told = [...dimensions.keys()].filter((dimension) => data.breakdowns[dimension]);
  element("breakdown-lead").textContent = told.length
    ? `${monthName(data.month)}, the last whole month. The dashed line is all of them together; better or worse than all is said where it is more than chance.`
    : `There is no whole month up to ${dayName(data.as_of)} yet.`;
  element("choose").hidden = !told.length;
  if (!told.length) return;
  fillSelect(element("by"), told.map((dimension) => [dimension, dimensions.get(dimension).name]));
  const select = (wanted) => {
    selection.by = told.includes(wanted.by) ? wanted.by : told[0];
    selection.kpi = wanted.kpi || "csat";
    showBreakdown();
  };
  select(readAddress());
  for (const name of ["by", "kpi"]) {
    element(name).addEventListener("change", (event) => {
      select({ ...selection, [name]: event.target.value });
      writeAddress(selection);
    });
  }
  window.addEventListener("hashchange", () => {
    if (!readAddress().by) return;
    select({ ...selection, ...readAddress() });
    element("breakdown").scrollIntoView();
  });
}

/* Highs and lows. */

function showMoments() {
  const found = asObjects(data.columns.moment, data.moments);
  const item = (moment) => [
    make("a", { href: `journey.html#${new URLSearchParams({ journey: moment.journey, segment: ALL, period: "last_365_days" })}` }, moment.touchpoint_name),
    make(
      "span",
      { class: "detail" },
      `${score(moment.score_mean)} on ${moment.score_scale.replace(/^\w+/, (metric) => metric.toUpperCase())} (${score(moment.score_ci_low)} to ${score(moment.score_ci_high)}), ` +
        `mean of the ${moment.journey === "customer" ? "whole journey" : `journey ${moment.journey_name}`} ${score(moment.journey_score_mean)}; ` +
        `${numbered(moment.scores, "answer")}, ${numbered(moment.customers, "customer")}; ${words(moment.owner_department)}`,
    ),
  ];
  const lists = [
    list("warm", "▼ Remedy", found.filter((moment) => !moment.is_peak).map(item)),
    list("main", "▲ Build on", found.filter((moment) => moment.is_peak).map(item)),
  ].filter(Boolean);
  element("moments-lists").replaceChildren(...lists);
  element("moments-lead").textContent = lists.length
    ? "Touchpoints of the last 365 days whose scores, from 0 (worst) to 1 (best), differ from the mean of their journey by more than chance."
    : "No touchpoint of the last 365 days differs from the mean of its journey by more than chance.";
}

/* Open failures. */

function showCases() {
  const rows = asObjects(data.columns.case, data.cases.rows);
  const by = new Map();
  for (const [trigger, , number] of data.cases.counts) by.set(trigger, (by.get(trigger) || 0) + number);
  const kinds = [...by].sort((one, other) => other[1] - one[1]).map(([trigger, number]) => numbered(number, TRIGGERS[trigger] || words(trigger).toLowerCase()));
  element("cases-lead").textContent = waiting()
    ? `${numbered(waiting(), "failure")} ${waiting() === 1 ? "waits" : "wait"} for an answer, ${count(waiting("overdue"))} of them overdue: ${kinds.join(", ")}. ` +
      (waiting() > rows.length ? `These ${count(rows.length)} are of the most valuable customers; the others are in the mart fct_closed_loop_case.` : "The most valuable customers come first.") +
      " Ranks are among customers who pay in the same currency."
    : "No failure waits for an answer.";
  const late = (row) => (row.outcome === "overdue" ? numbered(daysBetween(row.due, data.as_of), "day") : NONE);
  const amount = (row) => (known(row.value_amount) ? `${row.value_currency}\u00a0${plain(row.value_amount, 0)}` : NONE);
  const columns = [
    ["Rank", (row) => count(row.value_rank)],
    ["Value", amount, true],
    ["What happened", (row) => sentence(TRIGGERS[row.trigger] || words(row.trigger))],
    ["Reason", (row) => words(row.reason || "unthemed")],
    ["Channel", (row) => words(row.channel || "unknown")],
    ["Opened", (row) => shortDay(row.opened)],
    ["Due", (row) => (row.due ? shortDay(row.due) : NONE)],
    ["Overdue for", late, true],
    ["Customer", (row) => row.customer_key || "unknown", true],
    ["Case", (row) => row.case_key, true],
  ];
  element("cases-table").replaceChildren(...(rows.length ? [make("div", { class: "wide" }, table("Failures without an answer, the most valuable customers first", columns, rows))] : []));
  showLoop();
}

/** How many failures were answered in time and made good, beside those nobody touched. */
function showLoop() {
  const names = ["closed_loop_rate", "loop_response_minutes_median", "recovery_rate"].filter((name) => byName.get(name)?.now);
  element("loop").replaceChildren(
    make("dl", { class: "tiles" }, names.map((name) => byName.get(name)).map((kpi) =>
      make("div", { class: "tile" }, make("dt", {}, link(kpi)), make("dd", { class: "figure" }, figure(kpi)), make("dd", {}, [interval(kpi, kpi.now.ci_low, kpi.now.ci_high), windowOf(kpi)].filter(Boolean).join("; "))),
    )),
  );
  const found = asObjects(data.columns.recovery, data.recovery);
  const months = [...new Set(found.map((row) => row.month))].map((month) => ({ month, ...Object.fromEntries(found.filter((row) => row.month === month).map((row) => [row.member, row])) }));
  const newest = months.find(({ difference }) => difference && !difference.is_suppressed && known(difference.value));
  const percents = (row) => `${plain(row.value, 0)}\u00a0%`;
  if (newest) {
    const { touched, untouched, difference } = newest;
    const isApart = difference.ci_low > 0 || difference.ci_high < 0;
    element("recovery").textContent =
      `Of the failures of ${monthName(newest.month)}, ${percents(touched)} of the ${count(touched.n)} somebody took care of were made good within 60 days, and ${percents(untouched)} of the ` +
      `${count(untouched.n)} nobody touched: ${changed({ unit: "points", decimals: 0 }, difference.value)} (${number(difference.ci_low, 0)} to ${number(difference.ci_high, 0)}), ` +
      `${isApart ? "more than chance, though care need not be its cause" : "no more than chance"}.${difference.is_low_n ? " Few failures stand behind it." : ""}`;
  } else {
    element("recovery").textContent = "There are too few failures yet to compare those somebody took care of with those nobody touched.";
  }
  const cell = (member) => ({ [member]: row }) => {
    if (!row) return NONE;
    if (row.is_suppressed) return "hidden (too few)";
    return known(row.value) ? `${number(row.value, 0)}${member === "difference" ? " points" : "\u00a0%"} (${number(row.ci_low, 0)} to ${number(row.ci_high, 0)})${row.is_low_n ? " few" : ""}` : NONE;
  };
  if (!months.length) return;
  const columns = [
    ["Month of the failure", ({ month }) => monthName(month)],
    ["Taken care of", cell("touched"), true],
    ["Nobody touched", cell("untouched"), true],
    ["Difference", cell("difference"), true],
  ];
  const caption = "Failures made good within 60 days, with 95 % intervals";
  element("recovery-table").append(make("details", {}, make("summary", {}, "Month by month"), table(caption, columns, months)));
}

/* Health of the data. */

const STATUSES = { fail: "✗ not as it should be", warn: "! worth a look", ok: "✓ as it should be", info: "for information" };
const HEALTH_SAYS = {
  days: (value) => numbered(value, "day"),
  percent: (value) => `${plain(value, 1)}\u00a0%`,
};
// Of these the figure is only how many there are.
const SAID_IN_WORDS = new Set(["approved", "checks_warned"]);
const healthSays = (row, value) => (known(value) ? (HEALTH_SAYS[row.unit] || ((each) => `${plain(each, 0)} ${row.unit}`))(value) : NONE);

function showHealth() {
  const rows = asObjects(data.columns.health, data.health.rows);
  const sources = [...new Set(data.health.counts.map(([source]) => source))].map((source) => ({
    source,
    ...Object.fromEntries(data.health.counts.filter((row) => row[0] === source).map(([, status, number]) => [status, number])),
  }));
  for (const source of sources) source.status = ["fail", "warn", "ok"].find((status) => source[status]) || "info";
  const order = Object.keys(STATUSES);
  sources.sort((one, other) => order.indexOf(one.status) - order.indexOf(other.status) || (other[other.status] || 0) - (one[one.status] || 0));
  const well = sources.filter((source) => !source.fail && !source.warn).length;
  element("health-lead").textContent = !sources.length
    ? "The health of the data has not been measured yet."
    : rows.length
      ? `${count(well)} of ${numbered(sources.length, "source")} ${well === 1 ? "is" : "are"} as ${well === 1 ? "it" : "they"} should be. What is not, worst first:`
      : `All ${numbered(sources.length, "source")} are as they should be: freshness, coverage, quarantine, checks and match rates.`;
  element("health-list").replaceChildren(
    ...(rows.length
      ? [
          make(
            "ol",
            {},
            rows.slice(0, HEALTH_SHOWN).map((row) =>
              make(
                "li",
                { class: row.status },
                make("span", { class: `status ${row.status}` }, STATUSES[row.status]),
                SAID_IN_WORDS.has(row.measure)
                  ? `: ${row.message.replace(/\.$/, "")}`
                  : `: ${row.message.replace(/: [^:]*$/, "")}: ${healthSays(row, row.value)}` +
                      (known(row.threshold) ? `, limit ${healthSays(row, row.threshold)}` : ""),
                row.day === data.as_of ? "." : ` (${shortDay(row.day)}).`,
              ),
            ),
          ),
          rows.length > HEALTH_SHOWN ? make("p", { class: "soft small" }, `and ${count(rows.length - HEALTH_SHOWN)} more, in the mart mart_data_health.`) : "",
        ]
      : []),
  );
  element("health-table").replaceChildren(
    ...(sources.length
      ? [
          make("div", {}, table("Measures of each source by their state, the worst first", [
            ["Source", ({ source }) => source],
            ["State", ({ status }) => STATUSES[status]],
            ["Not as it should be", ({ fail }) => count(fail || 0), true],
            ["Worth a look", ({ warn }) => count(warn || 0), true],
            ["As it should be", ({ ok }) => count(ok || 0), true],
            ["For information", ({ info }) => count(info || 0), true],
          ], sources)),
        ]
      : []),
  );
  element("left-out").hidden = !leftOut.length;
  element("left-out-list").replaceChildren(...leftOut.map((reason) => make("li", {}, reason.sentence)));
  const changes = asObjects(data.columns.change, data.health.definitions);
  element("definitions").replaceChildren();
  if (changes.length)
    element("definitions").append(
      make("details", {}, make("summary", {}, `${numbered(changes.length, "definition")} changed in the last four weeks`), table("Definitions that changed: figures before and after may differ by it alone", [
        ["Definition", (row) => row.name],
        ["Of", (row) => row.kind],
        ["What", (row) => words(row.change.replace("definition_", ""))],
        ["First night", (row) => shortDay(row.day)],
      ], changes)),
    );
}

/* The page. */

function showJumps() {
  const jumps = [
    ["#attention", "What to look at first"],
    ["#causes", "What spoils the experience"],
    ...departments.map((department) => [`#owner-${department}`, words(department)]),
    ["#breakdown", "Broken down"],
    ["#moments", "Highs and lows"],
    ["#cases", "Unanswered failures"],
    ["#health", "Data"],
    ["journey.html", "Customer journey →"],
  ];
  element("jumps").replaceChildren(...jumps.map(([address, text]) => make("li", {}, make("a", { href: address }, text))));
}

/** An address may name a KPI: open what it means, since that is what such links are for. */
function showNamed() {
  const named = /^#kpi-\w+$/.test(location.hash) && element(location.hash.slice(1));
  if (!named) return;
  explain(byName.get(location.hash.slice(5)), named.querySelector("details"));
  named.querySelector("details").open = true;
  named.scrollIntoView();
}

function start() {
  showHead();
  if (!kpis.some((kpi) => kpi.now)) {
    element("nothing").textContent =
      `Nothing has been measured up to ${dayName(data.as_of)}. This page fills by itself as soon as a night brings customers' orders, contacts or answers.`;
    element("nothing").hidden = false;
  } else {
    element("content").hidden = false;
    showSummary();
    showAttention();
    showCauses();
    showKpis();
    startBreakdown();
    showMoments();
    showCases();
    showHealth();
    showJumps();
    showNamed();
    window.addEventListener("hashchange", showNamed);
  }
  document.documentElement.dataset.drawn = "yes";
}

start();
