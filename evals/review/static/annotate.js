// @ts-check
/** The annotation form: each place is saved when it is left, everything by keyboard. */
import { byId, confirmDialog, get, keyName, post, say, shortcuts, swap, word } from "./core.js";
import { following, makeGrid, neighbour, setFault } from "./grid.js";
import { clearSpan, findText, selectionSpan, showSpan } from "./source.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */
/** @typedef {{key: string, old: any, new: any}} Change */
/** @typedef {{path: string, label: string, meaning: string, unit?: string, hasLabel?: boolean, text: string}} Offered  `text`: what is searched in */

const form = byId("form");
const address = `/annotate/${form.dataset.number}`;
/** @type {{paths: Offered[], statistics: Offered[]}} */
const offered = { paths: [], statistics: [] };

// ---- changes ----

/** @typedef {{error?: string, values: Record<string, any>, answer: any}} Result */

/**
 * Send a change; what it brings about is put in. A conflict is asked about: theirs stays, or mine is put there.
 * @param {() => any} body asked when it is sent: an answer before it may have changed what is seen
 * @param {boolean} [again] whether it is sent on the state that another window has made
 * @returns {Promise<Result>}
 */
async function change(body, again = false) {
  const { status, data } = await post(`${address}/changes`, body);
  if (status === 200) {
    take(data);
    return { values: data.values || {}, answer: data };
  }
  if (status === 409 && data.conflict && data.conflict.whole && !again) {
    // A list in which the other window has put or moved something else: both are right.
    take(data);
    return change(body, true);
  }
  if (status === 409 && data.conflict) return resolve(body(), data);
  return { error: data.error || String(status), values: {}, answer: data };
}

/**
 * @param {any} asked
 * @param {import("./core.js").Answer} data
 * @returns {Promise<Result>}
 */
async function resolve(asked, data) {
  const { conflict } = data;
  const chosen = await confirmDialog({
    title: word("annotate.conflict_title"),
    body: word("annotate.conflict", { place: conflict.label, mine: conflict.mine, theirs: conflict.theirs }),
    choices: [
      { value: "theirs", label: word("annotate.keep_theirs", { value: conflict.theirs }) },
      { value: "mine", label: word("annotate.put_mine", { value: conflict.mine }) },
    ],
  });
  /** @type {any[]} */
  const changes = asked.changes || [asked];
  if (chosen === "mine") {
    const mine = changes.find((each) => each.key === conflict.key);
    if (mine.field && conflict.current === null) {
      // It was removed there: it comes back as it was, then what was typed is put in.
      const { key, old } = mine;
      const back = await change(() => ({ key, old: null, new: old }));
      return back.error === undefined ? change(() => mine) : back;
    }
    const put = changes.map((each) => (each === mine ? { ...each, old: conflict.current } : each));
    return change(() => (asked.changes ? { changes: put } : put[0]));
  }
  take(data);
  putValue(conflict.key, conflict.current);
  const rest = changes.filter((each) => each.key !== conflict.key);
  if (rest.length) return change(() => ({ changes: rest }));
  return { values: {}, answer: { conflict } };
}

/** @param {any} data */
function take(data) {
  if (data.say) say(data.say);
  const putBack = typedSoFar();
  swap(data.fragments);
  putBack();
  // At once: what is sent next says what it has seen.
  for (const [key, value] of Object.entries(data.values || {})) putValue(key, value);
  if (data.row) takeRow(data.row);
}

/**
 * Remember what is being typed and what was refused; the function returned puts it into the form that took its place.
 * @returns {() => void}
 */
function typedSoFar() {
  const fields = /** @type {Field[]} */ ([...form.querySelectorAll(".f.draft, .f.invalid, input.cell.invalid")]);
  const kept = fields.map((field) => ({ field, value: field.value, fault: faultOf(field) }));
  return () => {
    for (const { field, value, fault } of kept) {
      const live = document.getElementById(field.id);
      if (field.isConnected || !isField(live) || !form.contains(live)) continue;
      live.value = value;
      if (live.classList.contains("cell")) setFault(/** @type {import("./grid.js").Cell} */ (live), fault);
      else if (fault !== null) tellFault(live, fault);
      else live.classList.add("draft");
    }
  };
}

/**
 * Why a field was refused; null where it was not.
 * @param {Field} field
 */
function faultOf(field) {
  if (!field.classList.contains("invalid")) return null;
  const place = document.getElementById(field.getAttribute("aria-errormessage") || "") || faultPlace(field);
  return place?.textContent ?? "";
}

/** @param {Field} field */
function faultPlace(field) {
  return (rowOf(field) || field.closest(".field-row, .row, .part"))?.querySelector(".fault");
}

/**
 * Show what is saved at a place, unless something else is being typed there.
 * @param {string} key
 * @param {any} value
 */
function putValue(key, value) {
  const field = fieldOf(key);
  if (!field) return;
  field.dataset.value = value;
  if (!field.classList.contains("editing") && !field.classList.contains("draft")) show(field, value);
  const said = field.parentElement?.querySelector(".mark-said");
  if (said instanceof HTMLElement) said.hidden = value !== "x";
}

/**
 * @param {string} key
 * @returns {Field | null}
 */
function fieldOf(key) {
  return /** @type {Field | null} */ (form.querySelector(`[data-key="${CSS.escape(key)}"]`));
}

// ---- fields that are left ----

/**
 * The row of a line or an item that a field belongs to.
 * @param {Element} field
 * @returns {HTMLElement | null}
 */
function rowOf(field) {
  return field.closest("[data-item-key]");
}

/**
 * @param {Field} field
 * @param {string | null} fault
 */
function tellFault(field, fault) {
  const place = faultPlace(field);
  field.classList.toggle("invalid", fault !== null);
  if (fault === null) field.removeAttribute("aria-invalid");
  else field.setAttribute("aria-invalid", "true");
  if (place) place.textContent = fault ?? "";
}

/**
 * Save a field that is left, if something else stands in it than is saved.
 * @param {Field} field
 */
async function saveField(field) {
  const isMoved = field.dataset.moved === "yes";
  if (field.value === (field.dataset.value ?? "") && !isMoved) {
    field.classList.remove("draft");
    if (field.classList.contains("invalid")) tellFault(field, null);
    return;
  }
  const typed = field.value;
  delete field.dataset.moved;
  field.classList.remove("draft");
  const row = rowOf(field);
  const result = row ? await saveInRow(row, field, typed) : await saveAlone(field, typed);
  const now = document.getElementById(field.id);
  const live = /** @type {Field} */ (now && form.contains(now) ? now : field);
  if (result.error !== undefined) {
    live.value = typed;
    tellFault(live, result.error);
    say(result.error);
    return;
  }
  tellFault(live, null);
  for (const [key, value] of Object.entries(result.values)) putValue(key, value);
}

/**
 * @param {Field} field
 * @param {string} typed
 */
function saveAlone(field, typed) {
  const key = field.dataset.key || "";
  return change(() => ({ key, old: fieldOf(key)?.dataset.value ?? "", new: typed }));
}

/**
 * @param {HTMLElement} row
 * @param {Field} field
 * @param {string} typed
 */
function saveInRow(row, field, typed) {
  const name = field.dataset.field;
  const place = name === "raw" ? chosenPlace(row) : null;
  return change(() => {
    const live = byId(row.id);
    return { key: live.dataset.itemKey, old: JSON.parse(live.dataset.item || "{}"), field: name, new: typed, place };
  });
}

/**
 * Show a line or an item as it was saved; a field that is typed in meanwhile stays.
 * @param {any} saved
 */
function takeRow(saved) {
  const row = form.querySelector(`[data-item-key="${CSS.escape(saved.key)}"]`);
  if (!(row instanceof HTMLElement)) return;
  row.dataset.item = JSON.stringify(saved.item);
  row.dataset.span = saved.spans[0];
  row.dataset.endsSpan = saved.spans[1] ?? "";
  if (saved.hasLabel !== undefined) {
    const [label, meaning] = row.querySelectorAll(".sense span");
    label.textContent = saved.label;
    meaning.textContent = saved.meaning;
    reveal(row, ".of-label", saved.hasLabel);
    reveal(row, ".of-near", Boolean(saved.shown.near));
  }
  for (const [name, value] of Object.entries(saved.shown)) {
    const other = row.querySelector(`[data-field="${name}"]`);
    if (!isField(other)) continue;
    other.dataset.value = String(value);
    // What is being typed there is saved when it is left.
    if (!other.classList.contains("draft") && !other.classList.contains("invalid")) show(other, String(value));
  }
  tellWhich(row);
}

/**
 * Show what is saved. Where the focus is already what is typed takes its place.
 * @param {Field} field
 * @param {string} value
 */
function show(field, value) {
  if (field.value === value) return;
  field.value = value;
  if (field === document.activeElement && !(field instanceof HTMLSelectElement)) field.select();
}

/**
 * @param {HTMLElement} row
 * @param {string} part
 * @param {boolean} isShown
 */
function reveal(row, part, isShown) {
  const found = row.querySelector(part);
  if (found instanceof HTMLElement) found.hidden = !isShown && !found.contains(document.activeElement);
}

/**
 * @param {any} element
 * @returns {element is Field}
 */
function isField(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
}

form.addEventListener("input", (event) => {
  const field = event.target;
  if (!isField(field) || !field.classList.contains("f")) return;
  field.classList.add("draft");
  const name = field.dataset.field;
  if (name === "raw" || name === "starts" || name === "ends") search(field);
});
form.addEventListener("focusout", (event) => {
  const field = event.target;
  if (!isField(field) || !field.classList.contains("f")) return;
  delete field.dataset.keys;
  if (field.classList.contains("combo-field")) leaveCombo(/** @type {HTMLInputElement} */ (field));
  else void saveField(field);
});
form.addEventListener("change", (event) => {
  const field = event.target;
  // Keys walk through the choices; a choice by mouse is made at once.
  if (field instanceof HTMLSelectElement && field.classList.contains("f") && !field.dataset.keys) void saveField(field);
});
form.addEventListener("focusin", (event) => {
  const field = event.target;
  if (!isField(field)) return;
  const row = rowOf(field);
  if (row) showRow(row, field);
  if (field.classList.contains("combo-field")) openCombo(/** @type {HTMLInputElement} */ (field));
});

// ---- places in the source ----

/** @type {{row: HTMLElement | null, spans: [number, number][], at: number}} */
let searched = { row: null, spans: [], at: -1 };

/**
 * Show where what is typed stands.
 * @param {Field} field
 */
function search(field) {
  const row = rowOf(field);
  if (!row) return;
  searched = { row, spans: findText(field.value), at: 0 };
  tellFound(row, field.value);
}

/**
 * @param {HTMLElement} row
 * @param {string} text
 */
function tellFound(row, text) {
  const told = row.querySelector(".which");
  const count = searched.spans.length;
  if (count) showSpan(...searched.spans[searched.at]);
  else clearSpan();
  if (!(told instanceof HTMLElement)) return;
  told.classList.toggle("none", !count && text.trim() !== "");
  if (!text.trim()) told.textContent = "";
  else if (!count) told.textContent = word("source.find_none", { text });
  else told.textContent = word(count > 1 ? "annotate.which_of" : "annotate.one_place", { n: searched.at + 1, count });
}

/**
 * Another of the places where the print stands.
 * @param {HTMLInputElement} field
 * @param {1 | -1} by
 */
function otherPlace(field, by) {
  const row = rowOf(field);
  if (!row) return;
  if (searched.row !== row) startSearch(row, field);
  const count = searched.spans.length;
  if (count < 2) return;
  searched.at = (searched.at + by + count) % count;
  field.dataset.moved = "yes";
  tellFound(row, field.value);
}

/**
 * Search for what is saved, from the place that was chosen.
 * @param {HTMLElement} row
 * @param {Field} field
 */
function startSearch(row, field) {
  const spans = findText(field.value);
  const start = Number((row.dataset.span || "").split(",")[0]);
  searched = { row, spans, at: Math.max(0, spans.findIndex(([from]) => from === start)) };
}

/** @param {HTMLElement} row */
function chosenPlace(row) {
  return searched.row?.id === row.id && searched.spans.length ? searched.spans[searched.at][0] : null;
}

/**
 * @param {HTMLElement} row
 * @param {Field} field
 */
function showRow(row, field) {
  const name = field.dataset.field;
  if (name === "raw") {
    startSearch(row, field);
    tellFound(row, field.value);
    return;
  }
  const span = name === "ends" ? row.dataset.endsSpan || row.dataset.span : row.dataset.span;
  if (span) showSpan(...spanOf(span));
}

/**
 * @param {string} text
 * @returns {[number, number]}
 */
function spanOf(text) {
  const [start, end] = text.split(",").map(Number);
  return [start, end];
}

/** @param {HTMLElement} row */
function tellWhich(row) {
  const field = document.activeElement;
  if (isField(field) && rowOf(field) === row && !field.classList.contains("draft")) showRow(row, field);
  const told = row.querySelector(".which");
  if (told instanceof HTMLElement && row.dataset.span) told.classList.remove("none");
  if (told instanceof HTMLElement && row.dataset.span && searched.row !== row) told.textContent = "";
}

// ---- lines and items ----

/** @param {string} list */
async function add(list) {
  const span = selectionSpan();
  getSelection()?.removeAllRanges();
  const id = [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(36).padStart(2, "0")).join("");
  const rows = [...byId(`list-${list}`).children];
  const last = /** @type {HTMLElement | undefined} */ (rows.at(-1));
  // Lines of one paragraph mostly have one scope.
  const begun = list === "narrative" && last ? { scope: JSON.parse(last.dataset.item || "{}").scope } : {};
  const made = span ? { span: [span.start, span.end] } : begun;
  const result = await change(() => ({ key: `${list}/${id}`, old: null, new: made }));
  if (result.error !== undefined) {
    say(result.error);
    return;
  }
  const row = form.querySelector(`[data-item-key="${CSS.escape(`${list}/${id}`)}"]`);
  const field = row?.querySelector(span && list === "narrative" ? '[data-field="path"]' : ".f");
  if (field instanceof HTMLElement) {
    field.focus();
    field.scrollIntoView({ block: "nearest" });
  }
}

/** @param {HTMLElement} row */
async function removeRow(row) {
  const next = row.nextElementSibling || row.previousElementSibling || row.parentElement?.parentElement?.querySelector(".add");
  const list = (row.dataset.itemKey || "").split("/")[0];
  const result = await change(() => {
    const live = byId(row.id);
    return { key: live.dataset.itemKey, old: JSON.parse(live.dataset.item || "{}"), new: null };
  });
  if (result.error !== undefined) {
    say(result.error);
    return;
  }
  // The other window's line stays.
  if (result.answer.conflict) return;
  say(word("annotate.removed"));
  const target = next instanceof HTMLElement && next.isConnected ? next : byId(`list-${list}`).parentElement;
  const field = target?.matches(".line") ? target.querySelector(".f") : target?.querySelector(".add") || target;
  if (field instanceof HTMLElement) field.focus();
}

/**
 * @param {HTMLElement} row
 * @param {1 | -1} by
 */
async function moveRow(row, by) {
  const [list, id] = (row.dataset.itemKey || "").split("/");
  await change(() => {
    const old = [...byId(`list-${list}`).children].map((each) => (/** @type {HTMLElement} */ (each).dataset.itemKey || "").split("/")[1]);
    const at = old.indexOf(id);
    const moved = [...old];
    if (at >= 0 && at + by >= 0 && at + by < old.length) [moved[at], moved[at + by]] = [moved[at + by], moved[at]];
    return { key: list, old, new: moved };
  });
}

// ---- choosing from a list ----

/** @type {{field: HTMLInputElement | null, options: Offered[], at: number}} */
let open = { field: null, options: [], at: 0 };
const MOST_OPTIONS = 15;

/**
 * Options that have every word typed, in label, meaning or path; totals and beginnings first.
 * @param {HTMLInputElement} field
 * @returns {Offered[]}
 */
function matching(field) {
  const typed = field.value.trim().toLowerCase();
  const terms = typed.split(/\s+/).filter(Boolean);
  const all = field.dataset.options === "statistics" ? offered.statistics : offered.paths;
  const found = all.filter((each) => terms.every((term) => each.text.includes(term)));
  /** @param {Offered} each */
  const rank = (each) =>
    (each.path === typed ? -8 : 0) + (each.path.startsWith(typed) ? -4 : 0) +
    (each.label.split(" / ").some((part) => part === typed) ? -2 : 0) + (each.path.endsWith(".total") ? -1 : 0);
  return found.map((each) => ({ each, by: rank(each) })).sort((a, b) => a.by - b.by).map(({ each }) => each).slice(0, MOST_OPTIONS);
}

/** @param {HTMLInputElement} field */
function listOf(field) {
  return byId(field.getAttribute("aria-controls") || "");
}

/** @param {HTMLInputElement} field */
function openCombo(field) {
  open = { field, options: matching(field), at: 0 };
  const list = listOf(field);
  list.replaceChildren(...open.options.map((each, at) => optionOf(list.id, each, at)));
  const isShown = open.options.length > 0 && field.value !== (field.dataset.value || "\u0000");
  list.hidden = !isShown;
  field.setAttribute("aria-expanded", String(isShown));
  choose(0);
}

/**
 * @param {string} id
 * @param {Offered} each
 * @param {number} at
 */
function optionOf(id, each, at) {
  const option = document.createElement("li");
  option.id = `${id}-${at}`;
  option.setAttribute("role", "option");
  const label = document.createElement("span");
  label.lang = "zh-CN";
  label.textContent = each.label;
  const meaning = document.createElement("span");
  meaning.className = "soft";
  meaning.lang = "en";
  meaning.textContent = ` ${each.meaning}${each.unit ? `（${each.unit}）` : ""}`;
  const path = document.createElement("code");
  path.textContent = each.path;
  option.append(label, meaning, path);
  option.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    open.at = at;
    pick();
  });
  return option;
}

/** @param {number} at */
function choose(at) {
  const { field, options } = open;
  if (!field || !options.length) {
    field?.removeAttribute("aria-activedescendant");
    return;
  }
  open.at = (at + options.length) % options.length;
  const list = listOf(field);
  [...list.children].forEach((each, number) => each.setAttribute("aria-selected", String(number === open.at)));
  const active = list.children[open.at];
  if (!list.hidden) {
    field.setAttribute("aria-activedescendant", active.id);
    active.scrollIntoView({ block: "nearest" });
  }
}

/** @param {HTMLInputElement} field */
function closeCombo(field) {
  listOf(field).hidden = true;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
  if (open.field === field) open = { field: null, options: [], at: 0 };
}

/** Take the option that is marked. */
function pick() {
  const { field, options, at } = open;
  if (!field || !options[at]) return;
  field.value = options[at].path;
  field.classList.add("draft");
  closeCombo(field);
  if (field.id === "add-statistics") void addStatistics(field);
  else if (field === document.activeElement) nextField(field);
}

/** @param {HTMLInputElement} field */
function leaveCombo(field) {
  const typed = field.value.trim();
  const options = matching(field);
  closeCombo(field);
  const isKnown = options.some((each) => each.path === typed);
  if (typed && !isKnown && options.length === 1) field.value = options[0].path;
  const row = rowOf(field);
  // At once: the label is the next field but two.
  if (row) reveal(row, ".of-label", offered.paths.some((each) => each.hasLabel && each.path === field.value));
  if (field.id !== "add-statistics") void saveField(field);
}

/** @param {HTMLInputElement} field */
async function addStatistics(field) {
  const key = `statistics.${field.value.trim()}`;
  const result = await change(() => ({ key, old: "x", new: "" }));
  if (result.error !== undefined) {
    tellFault(field, result.error);
    return;
  }
  fieldOf(key)?.focus();
}

form.addEventListener("input", (event) => {
  const field = event.target;
  if (field instanceof HTMLInputElement && field.classList.contains("combo-field")) openCombo(field);
});

/** @param {Field} field */
function nextField(field) {
  const all = /** @type {HTMLElement[]} */ ([...form.querySelectorAll(".f, .add, button, input.cell")]).filter(
    (each) => each.tabIndex >= 0 && each.offsetParent !== null,
  );
  all[all.indexOf(field) + 1]?.focus();
}

// ---- keys in fields ----

form.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.isComposing || event.defaultPrevented || !isField(field)) return;
  const name = keyName(event);
  const row = rowOf(field);
  if (field instanceof HTMLSelectElement && !["Tab", "Shift+Tab", "Enter"].includes(name)) field.dataset.keys = "yes";
  const done = (field.classList.contains("combo-field") && comboKey(/** @type {HTMLInputElement} */ (field), name))
    || (row && rowKey(row, field, name)) || fieldKey(field, name);
  if (done) event.preventDefault();
});

/**
 * @param {HTMLInputElement} field
 * @param {string} name
 */
function comboKey(field, name) {
  const isOpen = !listOf(field).hidden && open.field === field;
  if (name === "ArrowDown" || name === "ArrowUp") {
    if (isOpen) choose(open.at + (name === "ArrowDown" ? 1 : -1));
    else {
      openCombo(field);
      listOf(field).hidden = !open.options.length;
      choose(0);
    }
    return true;
  }
  if (name === "Escape" && isOpen) {
    closeCombo(field);
    return true;
  }
  if (name === "Enter" && isOpen) {
    pick();
    return true;
  }
  if (name === "Enter" && field.id === "add-statistics" && field.value.trim()) {
    void addStatistics(field);
    return true;
  }
  if (name === "Tab" && isOpen && field.value.trim()) {
    // Taken as it is marked; the focus goes on by itself.
    field.value = open.options[open.at].path;
  }
  return false;
}

/**
 * @param {HTMLElement} row
 * @param {Field} field
 * @param {string} name
 */
function rowKey(row, field, name) {
  const list = (row.dataset.itemKey || "").split("/")[0];
  if (field.dataset.field === "raw" && field instanceof HTMLInputElement && (name === "ArrowDown" || name === "ArrowUp")) {
    otherPlace(field, name === "ArrowDown" ? 1 : -1);
    return true;
  }
  if (name === "Ctrl+Enter") {
    field.blur();
    void add(list);
    return true;
  }
  if (name === "Ctrl+Delete" || name === "Ctrl+Backspace") {
    field.value = field.dataset.value ?? "";
    field.classList.remove("draft");
    void removeRow(row);
    return true;
  }
  if (name === "Alt+ArrowUp" || name === "Alt+ArrowDown") {
    void moveRow(row, name === "Alt+ArrowUp" ? -1 : 1);
    return true;
  }
  return false;
}

/**
 * @param {Field} field
 * @param {string} name
 */
function fieldKey(field, name) {
  if (field.id === "add-finding" && name === "Enter") {
    void addFinding(/** @type {HTMLInputElement} */ (field));
    return true;
  }
  if (!field.classList.contains("f")) return false;
  if (name === "Enter" && !(field instanceof HTMLTextAreaElement)) {
    nextField(field);
    return true;
  }
  if (name === "Escape") {
    field.value = field.dataset.value ?? "";
    field.classList.remove("draft");
    tellFault(field, null);
    return true;
  }
  return false;
}

// ---- findings ----

/** @returns {string[]} */
function listedFindings() {
  return JSON.parse(byId("findings").dataset.findings || "[]");
}

/** @param {HTMLInputElement} field */
async function addFinding(field) {
  const typed = field.value.trim();
  if (!typed) return;
  const result = await change(() => ({ key: "findings", old: listedFindings(), new: [...new Set([...listedFindings(), typed])] }));
  if (result.error !== undefined) {
    tellFault(field, result.error);
    return;
  }
  field.value = "";
  tellFault(field, null);
}

form.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (!button) return;
  const row = rowOf(button);
  const finding = button.dataset.finding;
  if (button.classList.contains("add")) void add(button.dataset.list || "narrative");
  else if (button.classList.contains("remove") && row) void removeRow(row);
  else if (button.classList.contains("goto")) goTo(button.dataset.goto || "");
  else if (button.classList.contains("list-finding") && finding) {
    void change(() => ({ key: "findings", old: listedFindings(), new: [...new Set([...listedFindings(), finding])] }));
  } else if (button.classList.contains("drop-finding") && finding) {
    void change(() => ({ key: "findings", old: listedFindings(), new: listedFindings().filter((each) => each !== finding) }));
  } else if (button.id === "undo" || button.id === "redo") void walk(button.id);
  else if (button.id === "finish") void finish();
});

/** @param {string} key */
function goTo(key) {
  const row = form.querySelector(`[data-item-key="${CSS.escape(key)}"]`);
  const field = fieldOf(key) || row?.querySelector(".f") || (key === "findings" ? byId("add-finding") : null);
  if (!(field instanceof HTMLElement)) return;
  field.focus();
  field.scrollIntoView({ block: "center" });
}

// ---- tables ----

function makeGrids() {
  for (const table of form.querySelectorAll("table.grid")) {
    if (!(table instanceof HTMLElement) || table.dataset.made) continue;
    table.dataset.made = "yes";
    table.addEventListener("keydown", (event) => gridKey(table, event), true);
    table.addEventListener("paste", (event) => pasteBlock(table, event), true);
    makeGrid(table, { save: saveCell, key: (cell, event) => tabKey(table, cell, event) || absentKey(cell, event) });
  }
}

/**
 * @param {import("./grid.js").Cell} cell
 * @param {string} value
 */
async function saveCell(cell, value) {
  const key = cell.dataset.key || "";
  const result = await change(() => ({ key, old: fieldOf(key)?.dataset.value ?? "", new: value }));
  return result.error === undefined ? { value: result.values[key] ?? fieldOf(key)?.dataset.value ?? value } : { error: result.error };
}

/**
 * @param {import("./grid.js").Cell} cell
 * @param {KeyboardEvent} event
 */
function absentKey(cell, event) {
  if (keyName(event) !== "x") return false;
  cell.value = "x";
  void saveCell(cell, "x").then((saved) => {
    if (saved.error !== undefined) setFault(cell, saved.error);
  });
  return true;
}

/**
 * From cell to cell, also behind a mark; from the last one on to what follows the table.
 * @param {HTMLElement} table
 * @param {import("./grid.js").Cell} cell
 * @param {KeyboardEvent} event
 */
function tabKey(table, cell, event) {
  const name = keyName(event);
  if (name !== "Tab" && name !== "Shift+Tab") return false;
  const next = following(table, cell, name === "Tab" ? 1 : -1);
  next?.focus();
  return next !== null;
}

/**
 * Cells of a spreadsheet into those to the right and below, as one change that one undo takes back.
 * @param {HTMLElement} table
 * @param {ClipboardEvent} event
 */
function pasteBlock(table, event) {
  const first = event.target;
  const text = (event.clipboardData?.getData("text/plain") ?? "").replace(/\r\n?/g, "\n").replace(/\n$/, "");
  if (!(first instanceof HTMLInputElement) || !first.classList.contains("cell") || !/[\t\n]/.test(text)) return;
  event.preventDefault();
  event.stopPropagation();
  const rows = [...table.querySelectorAll("tr")]
    .map((row) => /** @type {HTMLInputElement[]} */ ([...row.querySelectorAll("input.cell")]))
    .filter((row) => row.length);
  const top = rows.findIndex((row) => row.includes(first));
  const left = rows[top].indexOf(first);
  /** @type {Map<string, string>} */
  const values = new Map();
  let beyond = 0;
  for (const [down, line] of text.split("\n").entries()) {
    for (const [right, entry] of line.split("\t").entries()) {
      const cell = rows[top + down]?.[left + right];
      if (cell) values.set(cell.dataset.key || "", entry.trim());
      else beyond += 1;
    }
  }
  void putAll(values, beyond);
}

/**
 * Several cells as one change. What is refused stays as it was typed, with the reason; the others are saved.
 * @param {Map<string, string>} values
 * @param {number} beyond how many found no cell
 */
async function putAll(values, beyond) {
  for (const [key, value] of values) {
    const cell = fieldOf(key);
    if (!(cell instanceof HTMLInputElement)) continue;
    cell.classList.remove("editing");
    cell.readOnly = true;
    cell.value = value;
    setFault(cell, null);
  }
  const left = new Map(values);
  /** @type {[string, string][]} */
  const refused = [];
  while (left.size) {
    const result = await change(() => ({
      changes: [...left].map(([key, value]) => ({ key, old: fieldOf(key)?.dataset.value ?? "", new: value })),
    }));
    if (result.error === undefined) break;
    const field = String(result.answer.field);
    if (!left.delete(field)) {
      say(result.error);
      return;
    }
    refused.push([field, result.error]);
  }
  for (const key of left.keys()) putValue(key, fieldOf(key)?.dataset.value);
  const told = [word("annotate.pasted", { n: left.size })];
  if (beyond) told.push(word("annotate.pasted_beyond", { n: beyond }));
  say(told.join(" "));
  for (const [key, fault] of refused) {
    const cell = fieldOf(key);
    if (cell instanceof HTMLInputElement) setFault(cell, fault);
  }
}

/**
 * Filling to the right and down, also from the cell that is being typed in.
 * @param {HTMLElement} table
 * @param {KeyboardEvent} event
 */
function gridKey(table, event) {
  const cell = event.target;
  if (!(cell instanceof HTMLInputElement) || !cell.classList.contains("cell") || event.isComposing) return;
  const name = keyName(event);
  if (name !== "Shift+Enter" && name !== "Ctrl+d") return;
  event.preventDefault();
  event.stopPropagation();
  if (name === "Shift+Enter") void fillRight(table, cell);
  else void fillDown(table, cell);
}

/**
 * What stands in a cell into those to its right, as one change; on to the next row.
 * @param {HTMLElement} table
 * @param {import("./grid.js").Cell} cell
 */
async function fillRight(table, cell) {
  const cells = [cell];
  for (let next = neighbour(table, cell, 0, 1); next; next = neighbour(table, next, 0, 1)) cells.push(next);
  const value = cell.value.trim();
  for (const each of cells) {
    each.classList.remove("editing");
    each.readOnly = true;
    each.value = value;
  }
  const keys = cells.map((each) => each.dataset.key || "");
  following(table, cells[cells.length - 1])?.focus();
  const result = await change(() => ({
    changes: keys.map((key) => ({ key, old: fieldOf(key)?.dataset.value ?? "", new: value })),
  }));
  for (const key of keys) {
    const live = fieldOf(key);
    if (!(live instanceof HTMLInputElement)) continue;
    if (result.error !== undefined) live.value = live.dataset.value ?? "";
    else putValue(key, live.dataset.value);
  }
  if (result.error !== undefined) {
    setFault(cell, result.error);
    say(result.error);
  }
}

/**
 * What stands above into the cell; on to the one below.
 * @param {HTMLElement} table
 * @param {import("./grid.js").Cell} cell
 */
async function fillDown(table, cell) {
  const above = neighbour(table, cell, -1, 0);
  if (!above) return;
  cell.classList.remove("editing");
  cell.readOnly = true;
  cell.value = above.value;
  const below = neighbour(table, cell, 1, 0);
  below?.focus();
  const saved = await saveCell(cell, cell.value);
  if (saved.error !== undefined) setFault(cell, saved.error);
}

// ---- undo, finish, keys of the page ----

/** @param {string} which */
async function walk(which) {
  const { status, data } = await post(`${address}/${which}`, () => ({ number: Number(byId("form-head").dataset.journal) }));
  if (status !== 200) say(data.error || String(status));
  take(data);
  if (data.key) goTo(data.key);
}

async function finish() {
  const field = document.activeElement;
  if (isField(field)) field.blur();
  const { data } = await post(`${address}/finish`, {});
  take(data);
  if (data.error) say(data.error);
  const problems = byId("problems");
  problems.scrollIntoView({ block: "nearest" });
  const first = problems.querySelector(data.done ? "#next-document" : ".goto");
  if (first instanceof HTMLElement) first.focus();
  else problems.focus();
}

/** @param {1 | -1} by */
function toPart(by) {
  const parts = /** @type {HTMLElement[]} */ ([...form.querySelectorAll(".part")]);
  const at = parts.findIndex((part) => part.contains(document.activeElement));
  const next = parts[at < 0 ? 0 : at + by];
  const field = next?.querySelector("input.cell[tabindex='0'], .f, .broken .list-finding, .add, input");
  if (!(field instanceof HTMLElement)) return;
  field.focus();
  next.scrollIntoView({ block: "start" });
}

/**
 * The next place that nobody has annotated yet.
 * @param {1 | -1} by
 */
function toEmpty(by) {
  const all = /** @type {Field[]} */ ([...form.querySelectorAll(".f[data-key], input.cell")]).filter((each) => each.dataset.key !== "notes");
  const at = all.indexOf(/** @type {Field} */ (document.activeElement));
  const order = by > 0 ? [...all.slice(at + 1), ...all.slice(0, at + 1)] : [...all.slice(0, Math.max(0, at)).reverse(), ...all.slice(Math.max(0, at)).reverse()];
  const next = order.find((each) => !each.value && (!each.dataset.key?.startsWith("templates.") || each.dataset.key === "templates.document"));
  if (!next) {
    say(word("annotate.nothing_empty"));
    return;
  }
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function toBroken() {
  const first = form.querySelector(".broken .list-finding");
  if (first instanceof HTMLElement) {
    first.focus();
    first.scrollIntoView({ block: "center" });
  } else say(word("annotate.nothing_broken"));
}

shortcuts([
  { key: "n", label: word("annotate.key_line"), run: () => void add("narrative") },
  { key: "p", label: word("annotate.key_problem"), run: () => void add("text.problems") },
  { key: "i", label: word("annotate.key_improvement"), run: () => void add("text.improvements") },
  { key: "Ctrl+Enter", label: word("annotate.key_another") },
  { key: "Ctrl+Delete", label: word("annotate.key_remove") },
  { key: "Alt+ArrowUp", label: word("annotate.key_move") },
  { key: "F8", label: word("annotate.key_empty"), run: () => toEmpty(1), inText: true },
  { key: "Shift+F8", label: word("annotate.key_empty_back"), run: () => toEmpty(-1), inText: true },
  { key: "F9", label: word("annotate.key_broken"), run: toBroken, inText: true },
  { key: "Ctrl+ArrowDown", label: word("annotate.key_part"), run: () => toPart(1), inText: true },
  { key: "Ctrl+ArrowUp", label: word("annotate.key_part_back"), run: () => toPart(-1), inText: true },
  { key: "Tab", label: word("annotate.key_tab") },
  { key: "Shift+Enter", label: word("annotate.key_fill_right") },
  { key: "Ctrl+d", label: word("annotate.key_fill_down") },
  { key: "Ctrl+z", label: word("annotate.key_undo"), run: () => void walk("undo") },
  { key: "Ctrl+y", label: word("annotate.key_redo"), run: () => void walk("redo") },
  { key: "Ctrl+Shift+Enter", label: word("annotate.key_finish"), run: () => void finish(), inText: true },
]);
document.addEventListener("swapped", makeGrids);
makeGrids();
void get("/annotate/paths").then((found) => {
  if (!found) return;
  /** @param {any} each */
  const searchable = (each) => ({ ...each, text: `${each.path} ${each.label} ${each.meaning}`.toLowerCase() });
  offered.paths = found.paths.map(searchable);
  offered.statistics = found.statistics.map(searchable);
});
