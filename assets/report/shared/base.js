/* What every page's script uses: reading the data, writing text, numbers, tables and charts.

   What lives here: nothing that knows a page. Whatever comes from the data is written as text, never as HTML. */
"use strict";

/* Data and elements. */

const readJson = (id) => JSON.parse(document.getElementById(id).textContent);

const element = (id) => document.getElementById(id);

/** A new element; children are elements or text. */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Rows that travelled as lists, as objects; what a list does not hold is null. */
const asObjects = (columns, rows) =>
  (rows || []).map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));

/* Numbers. What is not known is an en dash. */

const NONE = "–";
const known = (value) => value !== null && value !== undefined;
const plain = (value, digits) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const count = (value) => (known(value) ? plain(value, 0) : NONE);
const score = (value) => (known(value) ? plain(value, 2) : NONE);
const percent = (ratio) => (known(ratio) ? `${plain(100 * ratio, 0)}\u00a0%` : NONE);
const signed = (value, say) => (known(value) ? `${value > 0 ? "+" : value < 0 ? "−" : "±"}${say(Math.abs(value))}` : NONE);

/** Minutes in the unit a person would say. */
function duration(minutes) {
  if (!known(minutes)) return NONE;
  if (minutes < 1) return "under 1 min";
  if (minutes < 100) return `${plain(minutes, 0)}\u00a0min`;
  if (minutes < 48 * 60) return `${plain(minutes / 60, 1)}\u00a0h`;
  return `${plain(minutes / 1440, 1)}\u00a0days`;
}

/** A date as people say it. */
const dayName = (date) =>
  new Date(`${date}T00:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A name that arrived as an identifier, in words. */
const words = (name) => sentence(String(name).replaceAll("_", " "));

/** Text in lines of about so many characters, for labels of charts. */
function lines(text, width) {
  const found = [""];
  for (const word of String(text).split(" ")) {
    const line = found[found.length - 1];
    if (line && line.length + word.length + 1 > width) found.push(word);
    else found[found.length - 1] = line ? `${line} ${word}` : word;
  }
  return found.join("\n");
}

/* Tables. */

/** A table whose first column names its rows. Columns: [title, row => text, is it a number]. */
function table(caption, columns, rows) {
  const head = make("tr", {}, columns.map(([title, , isNumber]) => make("th", { scope: "col", class: isNumber && "number" }, title)));
  const body = rows.map((row) =>
    make(
      "tr",
      {},
      columns.map(([, say, isNumber], at) =>
        at ? make("td", { class: isNumber && "number" }, say(row)) : make("th", { scope: "row" }, say(row)),
      ),
    ),
  );
  const whole = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, body));
  return make("div", { class: "scroll", role: "region", "aria-label": `Table: ${caption}`, tabindex: "0" }, whole);
}

/** Put a table in a place that keeps its `<details>` as open as the reader left it. */
function showTable(place, caption, columns, rows) {
  let details = place.querySelector("details");
  if (!details) {
    details = make("details", {}, make("summary", {}, "The same figures as a table"));
    place.append(details);
  }
  details.querySelector(".scroll")?.remove();
  details.append(table(caption, columns, rows));
}

/** A legend: [sign, meaning]; the signs are classes of base.css. */
const legend = (entries) => make("ul", { class: "legend" }, entries.map(([sign, text]) => make("li", { class: sign }, text)));

/* Charts: Vega, drawn as SVG. Expressions are interpreted, so that the page needs no leave to evaluate code. */

const WIDE = window.matchMedia("(min-width: 60rem)");
const specs = readJson("charts");

class Chart {
  constructor(place, name) {
    this.place = place;
    this.spec = specs[name];
    this.view = null;
  }

  /** Draw these rows (named data of the chart), or redraw with them. */
  async show(data, description) {
    const width = WIDE.matches ? "wide" : "narrow";
    if (this.view && this.width === width) {
      for (const [name, rows] of Object.entries(data)) this.view.data(name, rows);
      this.view.description(description);
      await this.view.runAsync();
      return;
    }
    this.close();
    const embedded = await window.vegaEmbed(
      this.place,
      {
        ...this.spec[width],
        description,
        data: this.spec[width].data.map((each) => (each.name in data ? { ...each, values: data[each.name] } : each)),
      },
      {
        mode: "vega",
        renderer: "svg",
        ast: true,
        actions: false,
        defaultStyle: false,
        tooltip: tell,
        // Errors only: it warns of every field that is empty in one selection and not in another.
        logLevel: 1,
      },
    );
    this.view = embedded.view;
    this.width = width;
  }

  close() {
    this.view?.finalize();
    this.view = null;
    this.place.replaceChildren();
  }
}

/** Show what a mark says beside the pointer. */
function tell(_, event, __, said) {
  let tip = element("tip");
  if (!tip) {
    tip = make("div", { id: "tip", "aria-hidden": "true" });
    document.body.append(tip);
  }
  tip.hidden = !said;
  if (!said) return;
  tip.textContent = String(said);
  tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(8, Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8))}px`;
}

/** Draw one chart after the other, so that the page stays usable meanwhile; a later call takes over. */
let drawing = 0;
async function drawAll(jobs) {
  const mine = ++drawing;
  delete document.documentElement.dataset.drawn;
  for (const job of jobs) {
    if (mine !== drawing) return;
    await job();
    await new Promise((done) => setTimeout(done));
  }
  if (mine === drawing) document.documentElement.dataset.drawn = "yes";
}

/* What is selected: native selects, kept in the address so that it can be sent to somebody. */

/** Options of a select: [value, text]. */
const fillSelect = (select, options) =>
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));

function readAddress() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

function writeAddress(selection) {
  history.replaceState(null, "", `#${new URLSearchParams(selection)}`);
}

/* On paper every table is open. */

window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    details.dataset.shut = "yes";
  }
});
window.addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-shut]")) {
    details.open = false;
    delete details.dataset.shut;
  }
});
