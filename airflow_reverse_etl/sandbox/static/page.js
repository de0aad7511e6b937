// The page asks for everything every two seconds and redraws what changed. Values from outside become text nodes only:
// nothing here parses markup, so a record that holds a script or a formula is shown as it is.

const EVERY = 2000;
const PAGE = 50;
const REQUESTS = 60;

const shown = { destination: "", object: "", offset: 0, paused: false };
const drawn = new Map();
const unfolded = new Set();
let total = 0;
let asked = 0;

const byId = (id) => document.getElementById(id);
const count = (number) => Number(number).toLocaleString("en-US");

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

// Redraws only what changed, so that focus, selection and scroll position survive a refresh.
function draw(id, data, build) {
  const text = JSON.stringify(data);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  const home = byId(id);
  const focused = home.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  home.replaceChildren(...[build(data)].flat());
  if (focused) home.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function table(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map((column) =>
    element("th", { scope: "col", class: column.number ? "number" : null }, column.title)));
  const body = rows.map((row) => element("tr", {}, ...columns.map((column) => cell(column, row))));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}

function cell(column, row) {
  const value = column.of(row);
  const kind = column.number ? "number" : column.kind ?? null;
  if (value instanceof Node) return element("td", { class: kind }, value);
  const text = readable(value);
  return text === null
    ? element("td", { class: "nothing" }, value === undefined ? "" : value === "" ? "empty" : "null")
    : element("td", { class: kind, title: text.length > 30 ? text : null }, text);
}

function readable(value) {
  if (value === null || value === undefined || value === "") return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// --- the parts of the page -------------------------------------------------------------------------------------------

function destinations(data) {
  return data.list.map((destination) => {
    const objects = Object.entries(destination.objects);
    const filled = objects.filter(([name, held]) => held > 0 || isShown(destination.name, name));
    const empty = objects.filter(([name, held]) => !(held > 0 || isShown(destination.name, name)));
    return element("div", { class: "destination" },
      element("header", {},
        element("h3", {}, destination.name),
        element("span", { class: "calls quiet" }, `${count(destination.calls)} ${destination.calls === 1 ? "call" : "calls"}`)),
      element("ul", {}, ...filled.map((entry) => objectLink(destination.name, entry))),
      emptyObjects(destination.name, empty, filled.length));
  });
}

function emptyObjects(destination, empty, filled) {
  if (!empty.length) return filled ? null : element("p", { class: "quiet" }, "No objects yet");
  const list = element("ul", { class: "none" }, ...empty.map((entry) => objectLink(destination, entry)));
  if (empty.length <= 4) return list;
  const summary = element("summary", { "data-key": `empty/${destination}` }, `${empty.length} empty objects`);
  const details = element("details", {}, summary, list);
  details.open = unfolded.has(destination);
  details.addEventListener("toggle", () => details.open ? unfolded.add(destination) : unfolded.delete(destination));
  return details;
}

function objectLink(destination, [object, held]) {
  const key = `${encodeURIComponent(destination)}/${encodeURIComponent(object)}`;
  const link = element("a", {
    href: `#${key}`,
    "data-key": key,
    "aria-current": isShown(destination, object) ? "true" : null,
  }, element("span", {}, object), element("span", { class: "count" }, count(held)));
  return element("li", {}, link);
}

const isShown = (destination, object) => shown.destination === destination && shown.object === object;

function totals(data) {
  const tile = (title, value, kind) => element("div", { class: value ? kind : null },
    element("dt", {}, title), element("dd", {}, count(value)));
  return [
    tile("Records", data.records),
    tile("Requests", data.calls),
    tile("Violations", data.violations, "bad"),
    tile("Active faults", data.faults, "warn"),
  ];
}

function records(rows) {
  if (!rows.length) return element("p", { class: "empty" }, "Nothing here yet. Run a sync, and its records appear.");
  const flat = rows.map(flattened);
  const names = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => ({
    title: name,
    number: flat.every((row) => typeof row[name] === "number" || row[name] == null) && flat.some((row) => row[name] != null),
    of: (row) => row[name],
  }));
  return table(`Records of ${shown.object}`, columns, flat);
}

// A record that keeps its fields in an inner object ("properties") is shown with the fields as columns.
function flattened(record) {
  const flat = {};
  for (const [name, value] of Object.entries(record)) {
    const inner = value !== null && typeof value === "object" && !Array.isArray(value);
    if (!inner) flat[name] = value;
    else for (const [part, held] of Object.entries(value)) flat[part in record ? `${name}.${part}` : part] = held;
  }
  return flat;
}

function requests(entries) {
  if (!entries.length) return element("p", { class: "empty" }, "No requests yet.");
  const counted = entries.some((entry) => entry.records !== null);
  const columns = [
    { title: "Time", kind: "mono", of: (entry) => clock(entry.time) },
    { title: "Destination", of: (entry) => entry.destination },
    { title: "Method", kind: "mono", of: (entry) => entry.method },
    { title: "Path", kind: "mono path", of: (entry) => entry.path },
    { title: "Status", of: (entry) => statusPill(entry.status) },
    { title: "Fault", of: (entry) => entry.fault ? pill(entry.fault, "warn") : document.createTextNode("") },
    { title: "Time taken", number: true, of: (entry) => `${entry.milliseconds.toFixed(1)} ms` },
    { title: "Request", number: true, of: (entry) => entry.request_bytes === null ? "chunked" : bytes(entry.request_bytes) },
    counted && { title: "Records", number: true, of: (entry) => entry.records === null ? document.createTextNode("") : count(entry.records) },
  ];
  return table("Last requests", columns.filter(Boolean), entries);
}

function faults(list) {
  const columns = [
    { title: "Destination", of: (fault) => fault.destination },
    { title: "Mode", of: (fault) => pill(fault.mode, "warn") },
    { title: "Where", kind: "mono", of: (fault) => [fault.method, fault.path].filter(Boolean).join(" ") || "every request" },
    { title: "When", of: when },
    { title: "Arguments", kind: "mono", of: (fault) => Object.keys(fault.arguments).length ? JSON.stringify(fault.arguments) : document.createTextNode("") },
    { title: "Seen", number: true, of: (fault) => count(fault.seen) },
    { title: "Struck", number: true, of: (fault) => count(fault.hits) },
  ];
  return table("Active faults", columns, list);
}

function when(fault) {
  const parts = [];
  if (fault.nth) parts.push(`request ${fault.nth.join(", ")}`);
  if (fault.probability !== null) parts.push(`${fault.probability * 100} % of them`);
  if (fault.times !== null) parts.push(`at most ${count(fault.times)} times`);
  return parts.join(", ") || "always";
}

function violations(list) {
  const columns = [
    { title: "Destination", of: (violation) => violation.destination },
    { title: "Method", kind: "mono", of: (violation) => violation.method },
    { title: "Path", kind: "mono path", of: (violation) => violation.path },
    { title: "Status", of: (violation) => statusPill(violation.status) },
    { title: "Reason", kind: "long", of: (violation) => violation.reason },
  ];
  return table("Violations", columns, list);
}

const pill = (text, kind) => element("span", { class: `pill ${kind}` }, String(text));

function statusPill(status) {
  if (status === null || status === undefined) return pill("closed", "gone");
  return pill(status, { 2: "good", 3: "notice", 4: "warn" }[Math.floor(status / 100)] ?? "bad");
}

function clock(seconds) {
  const moment = new Date(seconds * 1000);
  return `${moment.toTimeString().slice(0, 8)}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
}

function bytes(length) {
  if (length < 1000) return `${length} B`;
  return length < 1e6 ? `${(length / 1e3).toFixed(1)} kB` : `${(length / 1e6).toFixed(1)} MB`;
}

// --- the refresh -----------------------------------------------------------------------------------------------------

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error((await answer.json()).error ?? answer.statusText);
  return answer.json();
}

async function refresh() {
  const mine = ++asked;
  try {
    const overview = await ask(`/_sandbox/overview?requests=${REQUESTS}`);
    if (mine !== asked) return;
    chooseFrom(overview.destinations);
    drawOverview(overview);
    await drawRecords(overview.destinations);
    say(`Updated ${clock(Date.now() / 1000).slice(0, 8)}`, "live");
  } catch (error) {
    say(error instanceof TypeError || error.name === "TimeoutError" ? "The sandbox does not answer" : error.message, "lost");
  }
}

function drawOverview(overview) {
  byId("address").textContent = overview.url;
  byId("fault-section").hidden = !overview.faults.length;
  byId("violation-section").hidden = !overview.violations.length;
  draw("destinations", { list: overview.destinations, shown: [shown.destination, shown.object] }, destinations);
  draw("totals", summed(overview), totals);
  draw("fault-table", overview.faults, faults);
  draw("violation-table", overview.violations, violations);
  draw("request-table", overview.requests, requests);
}

function summed(overview) {
  const sum = (of) => overview.destinations.reduce((so_far, destination) => so_far + of(destination), 0);
  return {
    records: sum((destination) => Object.values(destination.objects).reduce((a, b) => a + b, 0)),
    calls: sum((destination) => destination.calls),
    violations: sum((destination) => destination.violations),
    faults: overview.faults.length,
  };
}

async function drawRecords(list) {
  total = list.find((destination) => destination.name === shown.destination)?.objects[shown.object] ?? 0;
  shown.offset = Math.min(shown.offset, Math.max(0, Math.ceil(total / PAGE) - 1) * PAGE);
  const query = new URLSearchParams({ destination: shown.destination, object: shown.object, limit: PAGE, offset: shown.offset });
  const mine = asked;
  const rows = shown.object ? await ask(`/_sandbox/records?${query}`) : [];
  if (mine !== asked) return;
  byId("records").textContent = shown.object ? `${shown.destination} / ${shown.object}` : "Records";
  byId("range").textContent = rows.length ? `${count(shown.offset + 1)} to ${count(shown.offset + rows.length)} of ${count(total)}` : "";
  byId("earlier").disabled = shown.offset === 0;
  byId("later").disabled = shown.offset + PAGE >= total;
  document.querySelector(".pager").hidden = total <= PAGE;
  draw("record-table", rows, records);
}

// Without a choice, the object with the most records is the one that a visitor came for.
function chooseFrom(list) {
  if (list.some((destination) => destination.name === shown.destination && shown.object in destination.objects)) return;
  const all = list.flatMap((destination) =>
    Object.entries(destination.objects).map(([object, held]) => ({ destination: destination.name, object, held })));
  const best = all.sort((a, b) => b.held - a.held)[0] ?? { destination: "", object: "" };
  show(best.destination, best.object);
}

function show(destination, object) {
  Object.assign(shown, { destination, object, offset: 0 });
  byId("record-table").scrollTo(0, 0);
}

// The time ticks for the eye only; a screen reader is told when something changes.
function say(text, kind) {
  const state = shown.paused ? { text: "Paused", kind: "" } : { text, kind };
  byId("state").textContent = state.text;
  byId("state").className = state.kind;
  const announced = state.kind === "live" ? "Refreshing every two seconds" : state.text;
  if (byId("announced").textContent !== announced) byId("announced").textContent = announced;
}

function followHash() {
  const [destination, object] = location.hash.slice(1).split("/").map(decodeURIComponent);
  if (object !== undefined) show(destination, object);
}

function turn(by) {
  shown.offset = Math.max(0, shown.offset + by * PAGE);
  byId("record-table").scrollTo(0, 0);
  return refresh();
}

async function refreshForever() {
  if (!shown.paused && !document.hidden) await refresh();
  setTimeout(refreshForever, EVERY);
}

byId("earlier").addEventListener("click", () => turn(-1));
byId("later").addEventListener("click", () => turn(1));
byId("pause").addEventListener("click", () => {
  shown.paused = !shown.paused;
  byId("pause").textContent = shown.paused ? "Resume" : "Pause";
  byId("pause").setAttribute("aria-pressed", String(shown.paused));
  return shown.paused ? say("", "") : refresh();
});
window.addEventListener("hashchange", () => { followHash(); return refresh(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && !shown.paused) refresh(); });
followHash();
refreshForever();
