// @ts-check
/** The dialog in which a figure that the machine missed is added: its print, its field, its value. */
import { byId, get, say, word } from "./core.js";
import { findText, selectionSpan, showSpan } from "./source.js";

/**
 * @typedef {{path: string, span: [number, number], typed: string, bound: string, scope: string, label: string, reason: string}} Added
 * @typedef {object} AddingOptions
 * @property {string} address  of the document
 * @property {(added: Added) => Promise<string | null>} send  null where it is saved, else what is wrong
 * @property {() => void} added  called when it is saved
 */

/** @type {AddingOptions} */
let options;

const adding = /** @type {HTMLDialogElement} */ (byId("add"));
const print = /** @type {HTMLInputElement} */ (byId("add-print"));
const fieldName = /** @type {HTMLInputElement} */ (byId("add-field"));
const listed = byId("add-options");
/** @type {{spans: [number, number][], at: number}} */
let printed = { spans: [], at: 0 };
let path = "";

function openAdd() {
  const picked = selectionSpan();
  for (const field of adding.querySelectorAll("input")) field.value = "";
  for (const field of adding.querySelectorAll("select")) field.selectedIndex = 0;
  byId("add-fault").textContent = "";
  path = "";
  printed = picked ? { spans: [[picked.start, picked.end]], at: 0 } : { spans: [], at: 0 };
  print.value = picked ? picked.text : "";
  showPrint();
  filterFields();
  listFields(false);
  adding.showModal();
  (picked ? fieldName : print).focus();
}

/** @returns {[number, number] | null} */
function printedSpan() {
  return printed.spans[printed.at] || null;
}

function showPrint() {
  const place = printedSpan();
  const told = byId("add-context");
  const text = print.value.trim();
  if (place) showSpan(...place);
  if (!place) told.textContent = text ? word("review.add_not_found", { text }) : "";
  else told.textContent = printed.spans.length > 1 ? word("review.add_several", { n: printed.spans.length }) : "";
}

print.addEventListener("input", () => {
  printed = { spans: findText(print.value), at: 0 };
  showPrint();
  void propose();
});
print.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  if (printed.spans.length > 1) printed.at = (printed.at + 1) % printed.spans.length;
  else fieldName.focus();
  showPrint();
});

/** @returns {HTMLElement[]} */
function choices() {
  return /** @type {HTMLElement[]} */ ([...listed.children]);
}

/** Options that have every word that was typed, in label, meaning or path. */
function filterFields() {
  const wanted = fieldName.value.toLowerCase().split(/[\s/]+/).filter(Boolean);
  let count = 0;
  for (const option of choices()) {
    const text = (option.textContent || "").toLowerCase();
    option.hidden = !wanted.every((each) => text.includes(each));
    if (!option.hidden) count += 1;
  }
  point(choices().find((each) => !each.hidden) || null);
  return count;
}

/** @param {boolean} isOpenNow */
function listFields(isOpenNow) {
  listed.hidden = !isOpenNow;
  fieldName.setAttribute("aria-expanded", String(isOpenNow));
}

/** @param {HTMLElement | null} option */
function point(option) {
  for (const each of choices()) each.setAttribute("aria-selected", String(each === option));
  if (option) {
    fieldName.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    fieldName.removeAttribute("aria-activedescendant");
  }
}

/** @param {HTMLElement} option */
function take(option) {
  path = option.dataset.path || "";
  fieldName.value = `${option.dataset.label} · ${path}`;
  byId("add-label-field").hidden = path !== "proactive.category";
  listFields(false);
  void propose();
  /** @type {HTMLInputElement} */ (byId("add-typed")).focus();
}

fieldName.addEventListener("input", () => {
  path = "";
  listFields(true);
  say(word("review.add_options", { n: filterFields() }));
});
fieldName.addEventListener("click", () => listFields(true));
fieldName.addEventListener("blur", () => setTimeout(() => listFields(false), 150));
fieldName.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const seen = choices().filter((each) => !each.hidden);
  const at = seen.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    listFields(true);
    point(seen[(at + (event.key === "ArrowDown" ? 1 : -1) + seen.length) % seen.length] || null);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (!listed.hidden && seen[at]) take(seen[at]);
    else listFields(true);
  } else if (event.key === "Escape" && !listed.hidden) {
    event.preventDefault();
    event.stopPropagation();
    listFields(false);
  }
});
listed.addEventListener("pointerdown", (event) => {
  const option = event.target instanceof Element ? event.target.closest("li") : null;
  if (!option) return;
  event.preventDefault();
  take(option);
});

/** The value that the print has in the field; what was typed already stays. */
async function propose() {
  const place = printedSpan();
  const typed = /** @type {HTMLInputElement} */ (byId("add-typed"));
  if (!place || !path || typed.value) return;
  const answer = await get(`${options.address}/proposal?path=${encodeURIComponent(path)}&span=${place[0]}-${place[1]}`);
  if (!answer?.typed || typed.value) return;
  typed.value = answer.typed;
  /** @type {HTMLSelectElement} */ (byId("add-bound")).value = answer.bound;
  typed.select();
}

byId("add-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void submitAdd();
});

async function submitAdd() {
  const value = (/** @type {string} */ id) => /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(id)).value;
  const place = printedSpan();
  if (!place) {
    byId("add-fault").textContent = word("review.add_not_found", { text: print.value });
    print.focus();
    return;
  }
  const fault = await options.send({
    path: path || fieldName.value.trim(),
    span: place,
    typed: value("add-typed"),
    bound: value("add-bound"),
    scope: value("add-scope"),
    label: value("add-label"),
    reason: value("add-reason"),
  });
  byId("add-fault").textContent = fault || "";
  if (fault !== null) return;
  adding.close();
  options.added();
}

/**
 * @param {AddingOptions} given
 * @returns {() => void} opens the dialog
 */
export function makeAdding(given) {
  options = given;
  byId("add-open").addEventListener("click", openAdd);
  byId("add-close").addEventListener("click", () => adding.close());
  return openAdd;
}
