// @ts-check
/** One document of a run: its figures beside the source, checked and corrected. */
import { byId, confirmDialog, get, keyName, pending, post, say, settled, shortcuts, swap, word } from "./core.js";
import { makeAdding } from "./adding.js";
import { edit, makeGrid, neighbour, setFault } from "./grid.js";
import { addMark, clearSpan, onPick, paintMarks, selectionSpan, showSpan } from "./source.js";

/** @typedef {import("./grid.js").Cell} Cell */
/** @typedef {"unchecked" | "flagged" | "sample"} Kind */
/** @typedef {{action: string, typed?: string, bound?: string, scope?: string, path?: string, span?: [number, number], label?: string, reason?: string}} Asked */

const main = byId("main");
const figures = byId("figures");
const number = main.dataset.number;
const address = `/documents/${number}`;
const reasonField = /** @type {HTMLInputElement} */ (byId("detail-reason"));
/** Slot of the figure that is selected. */
let current = "";
/** Keys of the figures that were changed in this window, an entry a change, the last one last. @type {string[][]} */
const changed = [];
/** The newest change of a figure that this window made itself. @type {Map<string, number>} */
const own = new Map();

// ---- cells ----

/** @returns {Cell[]} */
function cells() {
  return /** @type {Cell[]} */ ([...figures.querySelectorAll(".cell")]);
}

/**
 * @param {string} slot
 * @returns {Cell | null}
 */
function cellAt(slot) {
  return /** @type {Cell | null} */ (document.getElementById(`in:${slot}`));
}

/**
 * @param {string} key
 * @returns {Cell | null}
 */
function cellOf(key) {
  return key ? figures.querySelector(`.cell[data-key="${CSS.escape(key)}"]`) : null;
}

function since() {
  return Number(document.getElementById("progress")?.dataset.since || 0);
}

/** @param {Cell} cell */
function span(cell) {
  return cell.dataset.from === undefined ? null : { start: Number(cell.dataset.from), end: Number(cell.dataset.to) };
}

// ---- selecting ----

let asked = 0;

/**
 * Select a figure: its place in the source, all that is known of it.
 * @param {Cell} cell
 */
function select(cell) {
  const slot = cell.dataset.slot || "";
  figures.querySelector(".selected")?.classList.remove("selected");
  cell.closest("td")?.classList.add("selected");
  if (slot === current) return;
  current = slot;
  reasonField.value = "";
  byId("reason-row").hidden = false;
  const place = span(cell);
  if (place) showSpan(place.start, place.end);
  else if (!selectionSpan()) clearSpan();
  void showDetail(60);
  if (cell.dataset.key) history.replaceState(history.state, "", `#figure-${encodeURIComponent(cell.dataset.key)}`);
}

/**
 * @param {Cell} cell
 * @param {boolean} [stay] whether the focus stays where it is
 */
function choose(cell, stay = false) {
  cell.closest("details")?.setAttribute("open", "");
  if (stay) {
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    select(cell);
    return;
  }
  cell.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** @param {number} [wait] milliseconds: keys that are held down ask once */
async function showDetail(wait = 0) {
  const turn = (asked += 1);
  if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
  if (turn !== asked || !current) return;
  const answer = await get(`${address}/figure?slot=${encodeURIComponent(current)}`);
  if (turn === asked && answer) swap(answer.fragments);
}

// ---- going on ----

const KINDS = /** @type {Kind[]} */ (["unchecked", "flagged", "sample"]);
/** What Enter goes on with: the way that was taken last; none in a document that was opened by itself. */
let way = KINDS.find((each) => each === sessionStorage.getItem("way")) || null;
let isGoing = false;

/** @param {Kind | null} kind */
function take(kind) {
  way = kind;
  if (kind) sessionStorage.setItem("way", kind);
  else sessionStorage.removeItem("way");
  for (const each of KINDS) byId(`next-${each}`).setAttribute("aria-pressed", String(each === kind));
}

/**
 * To the next figure of the queue, which may be in another document.
 * @param {Kind} kind
 */
async function goOn(kind) {
  if (isGoing) return; // pressed again before the figure was seen
  isGoing = true;
  take(kind);
  try {
    await follow(kind);
  } finally {
    isGoing = false;
  }
}

/** @param {Kind} kind */
async function follow(kind) {
  const here = kind === "flagged" ? behind().find((each) => isOpen(each, kind)) : null;
  if (here) {
    choose(here);
    return;
  }
  let found = await askNext(kind);
  if (found?.key && cellOf(found.key)?.dataset.kind === "pending") {
    // What was just said of it had not arrived.
    await settled();
    found = await askNext(kind);
  }
  if (!found) {
    say(word("review.no_next"));
    return;
  }
  const cell = found.number === Number(number) ? cellOf(found.key || "") : null;
  if (cell) {
    choose(cell);
    return;
  }
  await settled();
  location.assign(found.address);
  // Another place on this page: a figure that the record has only now.
  if (found.number === Number(number)) location.reload();
}

/**
 * @param {Kind} kind
 * @returns {Promise<{number: number | null, key: string | null, address: string} | null>}
 */
async function askNext(kind) {
  const key = lastPrinted();
  if (key) return get(`/next?kind=${kind}&after=${number}&key=${encodeURIComponent(key)}`);
  const inside = kind === "sample" ? null : await get(`/next?kind=${kind}&in=${number}`);
  return inside?.key ? inside : get(`/next?kind=${kind}`);
}

/** The figures that the machine read, in the order of print: that of the queue. */
function inPrint() {
  const read = cells().filter((each) => each.dataset.key && each.dataset.verdict !== "added" && span(each));
  return read.sort((a, b) => Number(a.dataset.from) - Number(b.dataset.from) || Number(a.dataset.to) - Number(b.dataset.to));
}

/** Those behind the figure that is selected. */
function behind() {
  const all = inPrint();
  return all.slice(all.findIndex((each) => each.dataset.key === lastPrinted()) + 1);
}

/** The key of the selected figure; where the machine did not read it, that of the one printed before. */
function lastPrinted() {
  const cell = cellAt(current);
  const place = cell && span(cell);
  if (!place) return "";
  if (cell.dataset.verdict !== "added") return cell.dataset.key || "";
  return inPrint().filter((each) => Number(each.dataset.from) <= place.start).at(-1)?.dataset.key || "";
}

/** To the next in the way that was taken; without one to what is unchecked in this document. */
function advance() {
  const all = cells();
  const at = all.findIndex((each) => each.dataset.slot === current);
  const next = way ? null : [...all.slice(at + 1), ...all.slice(0, at)].find((each) => isOpen(each, "unchecked"));
  if (next) choose(next);
  else void goOn(way || "unchecked");
}

/**
 * @param {Cell} cell
 * @param {Kind} kind
 */
function isOpen(cell, kind) {
  return cell.dataset.kind === "flagged" || (kind === "unchecked" && cell.dataset.kind === "unchecked");
}

// ---- changing ----

/**
 * Send a change; null where all went well, else what is wrong. What others changed comes with the answer.
 * @param {Asked} wanted
 * @param {string[]} [keys] figures that it is about
 * @returns {Promise<string | null>}
 */
async function change(wanted, keys = []) {
  const about = keys.map((key) => ({ key, base: Number(cellOf(key)?.dataset.base || 0) }));
  const reason = wanted.reason ?? reasonFor(keys);
  const { status, data } = await post(`${address}/figures`, () => ({
    ...wanted,
    reason,
    figures: about.map(({ key, base }) => ({ key, base: Math.max(base, own.get(key) || 0) })),
    since: since(),
    record: Number(main.dataset.record),
  }));
  if (status === 409) return settle(wanted, keys, data);
  if (status === 422 && data.field === "record") return startAnew(data.error || "");
  if (status !== 200) return data.error || String(status);
  if (reason && reasonField.value.trim() === reason) reasonField.value = "";
  for (const [key, base] of Object.entries(data.bases || {})) own.set(key, Number(base));
  if (data.bases) changed.push(Object.keys(data.bases));
  apply(data);
  return null;
}

let isOver = false;

/**
 * The document was extracted anew: what this page shows is of the record before, and so is what was said of it.
 * @param {string} said
 * @returns {Promise<never>}
 */
async function startAnew(said) {
  if (!isOver) {
    isOver = true;
    const choices = [{ value: "ok", label: word("review.load_again") }];
    await confirmDialog({ title: word("review.remade_title"), body: said, choices });
    await settled();
    location.reload();
  }
  return new Promise(() => undefined);
}

/** @param {any} data */
function apply(data) {
  const before = current;
  const at = cells().findIndex((each) => each.dataset.slot === current);
  swap(data.fragments);
  repaint();
  if (at >= 0 && !cellAt(current)) leaveGone(at);
  if (data.say) say(data.say);
  if (data.gone) flash();
  const cell = cellAt(current);
  cell?.closest("td")?.classList.add("selected");
  if (data.slot && data.slot === before) void showDetail();
}

/**
 * The selected figure was taken back: the one that stands there now is selected.
 * @param {number} at its place among the cells
 */
function leaveGone(at) {
  const left = cells();
  const next = left[Math.min(at, left.length - 1)];
  if (next) choose(next, document.activeElement !== document.body);
}

/** A finding that holds no longer is seen to go. */
function flash() {
  const findings = byId("findings");
  findings.classList.remove("settled");
  void findings.offsetWidth;
  findings.classList.add("settled");
}

/**
 * Another window was first: both values, and which one is to stand.
 * @param {Asked} wanted
 * @param {string[]} keys
 * @param {any} data
 */
async function settle(wanted, keys, data) {
  apply(data);
  const { key, base, mine, theirs, said } = data.conflict;
  const kept = await confirmDialog({
    title: word("review.conflict_title"),
    body: said,
    choices: [
      { value: "theirs", label: word("review.keep_theirs", { value: theirs }) },
      { value: "mine", label: word("review.keep_mine", { value: mine }) },
    ],
  });
  if (key) own.set(key, base);
  // Those before it are saved.
  if (kept === "mine") return change(wanted, keys.slice(Math.max(0, keys.indexOf(key))));
  const cell = cellOf(key);
  if (cell) setFault(cell, null);
  void showDetail();
  return null;
}

/**
 * The reason that stands in the panel, if these are the figure that is selected.
 * @param {string[]} keys
 */
function reasonFor(keys) {
  const isIts = keys.length === 1 && keys[0] === cellAt(current)?.dataset.key;
  return isIts ? reasonField.value.trim() : "";
}

function repaint() {
  /** @type {Map<string, string>} */
  const kinds = new Map();
  for (const cell of cells()) {
    const key = cell.dataset.key;
    if (!key || cell.dataset.verdict === "removed") continue;
    kinds.set(key, cell.dataset.kind || "");
    const place = span(cell);
    if (place) addMark(key, place.start, place.end);
  }
  paintMarks((key) => kinds.get(key) || "");
}

/**
 * What was typed into a cell, or a mark.
 * @param {Cell} cell
 * @param {string} value
 */
async function save(cell, value) {
  const key = cell.dataset.key || "";
  let fault;
  if (key) {
    fault = await change(value === "" ? { action: "remove" } : { action: "correct", typed: value }, [key]);
  } else if (value === "") {
    fault = null;
  } else {
    const picked = selectionSpan();
    fault = await change({
      action: "add",
      path: cell.dataset.path || "",
      typed: value,
      ...(picked ? { span: /** @type {[number, number]} */ ([picked.start, picked.end]) } : {}),
    });
  }
  if (fault !== null) return { error: fault };
  return { value: cellAt(cell.dataset.slot || "")?.dataset.value ?? "" };
}

/**
 * Right as read, and on to the next that nobody has looked at.
 * @param {Cell} cell
 */
function confirmAndGoOn(cell) {
  const key = cell.dataset.key;
  if (key && isOpen(cell, "unchecked")) {
    cell.dataset.kind = "pending";
    void change({ action: "confirm" }, [key]).then((fault) => {
      if (fault !== null) setFault(cell, fault);
    });
  }
  advance();
}

/**
 * The whole row is right as read, and on to the row below.
 * @param {Cell} cell
 */
function confirmRowAndGoOn(cell) {
  void confirmAll(rowOf(cell));
  const below = neighbour(figures, cell, 1, 0);
  if (below) choose(below);
}

/** @param {Iterable<Cell>} some */
async function confirmAll(some) {
  const open = [...some].filter((each) => each.dataset.key && isOpen(each, "unchecked"));
  if (!open.length) {
    say(word("review.none_unchecked"));
    return;
  }
  const keys = open.map((each) => each.dataset.key || "");
  for (const each of open) each.dataset.kind = "pending";
  const fault = await change({ action: "confirm" }, keys);
  if (fault !== null) setFault(open[0], fault);
}

/**
 * Undo the last change of the selected figure, with all that was changed by the same key; without one the
 * last change that was made in this window.
 * @param {boolean} [isAlone] whether it is about this figure only
 */
async function undo(isAlone = false) {
  await settled();
  const keys = isAlone ? [cellAt(current)?.dataset.key || ""].filter(isChanged) : toUndo();
  if (!keys.length) {
    say(word("review.nothing_to_undo"));
    return;
  }
  const fault = await change({ action: "undo" }, keys);
  const cell = cellOf(keys[0]);
  if (fault !== null && cell) setFault(cell, fault);
  else if (cell && !keys.includes(cellAt(current)?.dataset.key || "")) choose(cell);
}

/** @returns {string[]} */
function toUndo() {
  const key = cellAt(current)?.dataset.key || "";
  if (isChanged(key) && !changed.at(-1)?.includes(key)) return [key];
  while (changed.length) {
    const keys = (changed.pop() || []).filter(isChanged);
    if (keys.length) return keys;
  }
  return isChanged(key) ? [key] : [];
}

/** @param {string} key */
function isChanged(key) {
  return !["unchecked", "absent", undefined].includes(cellOf(key)?.dataset.verdict);
}

makeGrid(figures, {
  save,
  select,
  key(cell, event) {
    const name = keyName(event);
    if (name === "Enter") confirmAndGoOn(cell);
    else if (name === "Shift+Enter") confirmRowAndGoOn(cell);
    else if (name === "Escape" && way && !cell.classList.contains("invalid")) take(null);
    else return false;
    return true;
  },
});

/**
 * @param {Cell} cell
 * @returns {Cell[]}
 */
function rowOf(cell) {
  return /** @type {Cell[]} */ ([...(cell.closest("tr")?.querySelectorAll(".cell") || [])]);
}

figures.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const link = target?.closest("button.to-place");
  const all = target?.closest("button.confirm-all");
  const row = target?.closest("td.place-cell") || target?.closest("table.list tr");
  if (link) {
    const cell = cellAt(link.getAttribute("data-slot") || "");
    if (cell) choose(cell);
  } else if (all) {
    void askForAll(all.getAttribute("data-section") || "");
  } else if (row && !target?.closest(".cell")) {
    const cell = row.querySelector(".cell");
    if (cell instanceof HTMLElement) choose(/** @type {Cell} */ (cell));
  }
});

/** @param {string} section */
async function askForAll(section) {
  const inside = /** @type {Cell[]} */ ([...byId(section).querySelectorAll(".cell")]);
  const n = inside.filter((each) => each.dataset.key && isOpen(each, "unchecked")).length;
  if (!n) {
    say(word("review.none_unchecked"));
    return;
  }
  const kept = await confirmDialog({
    title: word("review.all_right_title", { n }),
    body: word("review.all_right_body"),
  });
  if (kept === "ok") await confirmAll(inside);
}

onPick((key, stay) => {
  const cell = cellOf(key);
  if (cell) choose(cell, stay);
});

// ---- the panel ----

const detail = byId("detail");

function detailKey() {
  return document.getElementById("detail-body")?.dataset.key || "";
}

/** @param {string | null} fault */
function showFault(fault) {
  const place = document.getElementById("detail-fault");
  if (place) place.textContent = fault || "";
}

detail.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target instanceof HTMLFormElement) void submitDetail(event.target);
});

/** @param {HTMLFormElement} form */
async function submitDetail(form) {
  const key = detailKey();
  const given = new FormData(form);
  /** @type {Asked} */
  const wanted = { action: key ? "correct" : "add", typed: String(given.get("typed") ?? "") };
  if (given.has("bound")) wanted.bound = String(given.get("bound"));
  if (given.has("scope")) wanted.scope = String(given.get("scope"));
  if (!key) {
    const picked = selectionSpan();
    wanted.path = form.dataset.path || "";
    if (picked) wanted.span = [picked.start, picked.end];
  }
  showFault(await change(wanted, key ? [key] : []));
}

detail.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const action = button?.getAttribute("data-do");
  const reason = button?.getAttribute("data-reason");
  if (action === "undo") void undo(true);
  else if (action) void change({ action }, [detailKey()]).then(showFault);
  if (reason) {
    reasonField.value = reason;
    void giveReason();
  }
});

reasonField.addEventListener("change", () => void giveReason());

detail.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key !== "Escape" && !(event.key === "Enter" && event.target === reasonField)) return;
  event.preventDefault();
  cellAt(current)?.focus();
});

/** A reason goes with the change that was made; without one it waits for it in the field. */
async function giveReason() {
  const key = cellAt(current)?.dataset.key || "";
  const verdict = cellOf(key)?.dataset.verdict || "unchecked";
  const action = { confirmed: "confirm", corrected: "correct", added: "correct", removed: "remove" }[verdict];
  if (action && reasonFor([key])) showFault(await change({ action }, [key]));
}

const openAdd = makeAdding({
  address,
  send: (wanted) => change({ action: "add", ...wanted }),
  added() {
    const cell = cellOf(changed.at(-1)?.[0] || "");
    if (cell) choose(cell);
  },
});

// ---- other windows ----

async function takeUp() {
  const answer = await get(`${address}/changes?since=${since()}&record=${main.dataset.record}`);
  // The document was extracted anew: what stands here is of the record before.
  if (answer?.remade && !pending() && !document.querySelector(".editing, .invalid")) location.reload();
  if (!answer || !answer.fragments.length) return;
  apply(answer);
  void showDetail();
}
addEventListener("focus", () => void takeUp());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void takeUp();
});

// ---- keys ----

for (const kind of KINDS) byId(`next-${kind}`).addEventListener("click", () => void goOn(kind));

const find = document.getElementById("source-find");
find?.addEventListener("keydown", (event) => {
  if (event.key === "Escape") cellAt(current)?.focus();
});
document.getElementById("source-body")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") cellAt(current)?.focus();
});

shortcuts([
  { key: "Enter", label: word("review.key_enter") },
  { key: "Shift+Enter", label: word("review.key_row") },
  { key: "n", label: word("review.next_unchecked"), run: () => void goOn("unchecked") },
  { key: "f", label: word("review.next_flagged"), run: () => void goOn("flagged") },
  { key: "d", label: word("review.next_sample"), run: () => void goOn("sample") },
  { key: "u Ctrl+z", label: word("review.key_undo"), run: () => void undo() },
  { key: "r", label: word("review.key_reason"), run: () => reasonField.focus() },
  {
    key: "e",
    label: word("review.key_edit"),
    run: () => {
      const cell = cellAt(current);
      if (cell) {
        cell.focus();
        edit(cell, cell.value);
      }
    },
  },
  { key: "a", label: word("review.key_add"), run: openAdd },
  { key: "s", label: word("review.key_find"), run: () => find?.focus() },
]);

// ---- start ----

take(way);
repaint();
const [, named] = /^#figure-(.*)$/.exec(location.hash) || [];
const chosen = cellOf(named ? decodeURIComponent(named) : main.dataset.chosen || "");
if (chosen) choose(chosen);
