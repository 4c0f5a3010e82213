// @ts-check
/**
 * The source pane: text with marked places, or pages with outlines. Positions are code points of
 * the canonical text, as in evidence.
 *
 * Text stands in elements with `data-start`; marks are `<mark data-start data-keys="key key">`.
 */
import { get, say, word } from "./core.js";

/** @typedef {{start: number, end: number, text: string}} PickedSpan */
/** @typedef {{page: number, boxes: [number, number, number, number][]}} PlaceOnPage */

const pane = document.getElementById("source");
// Points around a print, so that its outline does not cut into it.
const MARGIN = 1.5;
const SVG = "http://www.w3.org/2000/svg";
/** @type {((key: string, stay: boolean) => void)[]} */
const listeners = [];
/** @type {{start: number, end: number} | null} */
let shown = null;
/** @type {PickedSpan | null} */
let selected = null;

/** @param {string} text */
const codePoints = (text) => [...text].length;

/**
 * The UTF-16 place of code point `count` in `text`.
 * @param {string} text
 * @param {number} count
 */
function unitsOf(text, count) {
  let units = 0;
  for (const sign of text) {
    if (count-- <= 0) break;
    units += sign.length;
  }
  return units;
}

/**
 * Elements that hold text of the source, in its order.
 * @returns {HTMLElement[]}
 */
function holders() {
  return pane ? /** @type {HTMLElement[]} */ ([...pane.querySelectorAll("[data-start]")]) : [];
}

/**
 * Parts of the document that show `start` to `end` of the canonical text.
 * @param {number} start
 * @param {number} end
 * @returns {Range[]}
 */
function rangesOf(start, end) {
  const ranges = [];
  for (const holder of holders()) {
    const node = holder.firstChild;
    if (!(node instanceof Text)) continue;
    const begins = Number(holder.dataset.start);
    const text = node.data;
    if (begins >= end || begins + codePoints(text) <= start) continue;
    const range = document.createRange();
    range.setStart(node, unitsOf(text, Math.max(0, start - begins)));
    range.setEnd(node, unitsOf(text, end - begins));
    ranges.push(range);
  }
  return ranges;
}

/**
 * Show a place: scroll to it and paint it, in the text or on the page, whichever is open.
 * @param {number} start
 * @param {number} end
 */
export function showSpan(start, end) {
  if (!pane) return;
  shown = { start, end };
  keepSelection(null);
  const ranges = rangesOf(start, end);
  paint(ranges);
  const empty = start === end ? emptyCell(start) : null;
  empty?.classList.add("chosen");
  if (empty && !isPages()) {
    scrollTo(empty);
  } else if (isPages()) {
    void showOnPage(start, end);
  } else if (ranges.length) {
    scrollTo(ranges[0]);
  }
}

/** Take the paint away. */
export function clearSpan() {
  shown = null;
  paint([]);
  for (const each of pane?.querySelectorAll(".place.chosen") || []) each.remove();
}

/**
 * A cell without print, by its place.
 * @param {number} at
 */
function emptyCell(at) {
  return pane?.querySelector(`td[data-at="${at}"]`) || null;
}

/** @param {Range[]} ranges */
function paint(ranges) {
  for (const each of pane?.querySelectorAll("mark.chosen, td.chosen") || []) each.classList.remove("chosen");
  const registry = CSS.highlights;
  if (registry) {
    if (ranges.length) registry.set("chosen", new Highlight(...ranges));
    else registry.delete("chosen");
  }
  for (const range of ranges) {
    const mark = range.startContainer.parentElement?.closest("mark");
    if (mark) mark.classList.add("chosen");
  }
}

/**
 * Into the middle of the pane; sideways too, in wide tables.
 * @param {Range | Element} what
 */
function scrollTo(what) {
  const box = scroller();
  if (!box) return;
  const place = what.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (place.top < frame.top + 40 || place.bottom > frame.bottom - 40) {
    const top = box.scrollTop + place.top - frame.top - frame.height / 2 + place.height / 2;
    box.scrollTo({ top, behavior: smooth });
  }
  const element = what instanceof Element ? what : what.startContainer.parentElement;
  const wide = element?.closest(".wide");
  if (wide) {
    const edge = wide.getBoundingClientRect();
    if (place.left < edge.left || place.right > edge.right) wide.scrollLeft += place.left - edge.left - edge.width / 3;
  }
}

function scroller() {
  return document.getElementById("source-body");
}

/**
 * What is selected in the text, or was last: it stays painted until another place is shown. Without
 * white space around it; null where that is nothing.
 * @returns {PickedSpan | null}
 */
export function selectionSpan() {
  return liveSelection() || selected;
}

/**
 * The selection is lost to the field that gets the focus: it is kept, and painted.
 * @param {PickedSpan | null} span
 */
function keepSelection(span) {
  selected = span;
  const ranges = span ? rangesOf(span.start, span.end) : [];
  if (ranges.length) CSS.highlights?.set("picked", new Highlight(...ranges));
  else CSS.highlights?.delete("picked");
}

/** @returns {PickedSpan | null} */
function liveSelection() {
  const selection = getSelection();
  if (!pane || !selection || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  let start = null;
  let end = 0;
  let text = "";
  for (const holder of holders()) {
    const node = holder.firstChild;
    if (!(node instanceof Text) || !range.intersectsNode(node)) continue;
    const from = range.startContainer === node ? range.startOffset : 0;
    const to = range.endContainer === node ? range.endOffset : node.data.length;
    if (from >= to) continue;
    const begins = Number(holder.dataset.start);
    const at = begins + codePoints(node.data.slice(0, from));
    if (start === null) start = at;
    else text += " ".repeat(Math.max(0, at - end));
    const part = node.data.slice(from, to);
    text += part;
    end = at + codePoints(part);
  }
  if (start === null || !text.trim()) return null;
  const before = codePoints(text) - codePoints(text.trimStart());
  const after = codePoints(text) - codePoints(text.trimEnd());
  return { start: start + before, end: end - after, text: text.trim() };
}

/**
 * Call back with the key of a figure whose mark or outline is picked; `stay`: by keys, the focus stays.
 * @param {(key: string, stay: boolean) => void} callback
 */
export function onPick(callback) {
  listeners.push(callback);
}

/** @param {Event} event */
function pick(event) {
  const marked = event.target instanceof Element ? event.target.closest("[data-keys]") : null;
  const selection = getSelection();
  if (!marked || (selection && !selection.isCollapsed)) return;
  const keys = (marked.getAttribute("data-keys") || "").split(" ");
  // Picked again, a print that carries several figures gives the next of them.
  const last = keys.indexOf(marked.getAttribute("data-picked") || "");
  const key = keys[(last + 1) % keys.length];
  marked.setAttribute("data-picked", key);
  for (const callback of listeners) callback(key, false);
}

/**
 * The mark before or behind the one that is chosen, picked.
 * @param {1 | -1} by
 */
function pickBeside(by) {
  const marks = [...(pane?.querySelectorAll(isPages() ? ".place[data-keys]" : "mark[data-keys], td[data-keys]") || [])];
  if (!marks.length) return;
  const at = marks.findIndex((each) => each.classList.contains("chosen") || each.classList.contains("at"));
  for (const each of marks) each.classList.remove("at");
  const next = marks[at < 0 ? (by > 0 ? 0 : marks.length - 1) : (at + by + marks.length) % marks.length];
  next.classList.add("at");
  for (const callback of listeners) callback((next.getAttribute("data-keys") || "").split(" ")[0], true);
}

/**
 * Give every mark the kind that its figures have now; of several the gravest.
 * @param {(key: string) => string} kindOf "flagged", "unchecked", "checked", or "" for one that is gone
 */
export function paintMarks(kindOf) {
  for (const marked of pane?.querySelectorAll("[data-keys]") || []) {
    const kinds = (marked.getAttribute("data-keys") || "").split(" ").map(kindOf);
    const kind = ["flagged", "unchecked", "checked"].find((each) => kinds.includes(each)) || "";
    for (const each of ["flagged", "unchecked", "checked"]) marked.classList.toggle(each, each === kind);
  }
}

/**
 * Mark a place for a figure, if it is not marked yet.
 * @param {string} key
 * @param {number} start
 * @param {number} end
 */
export function addMark(key, start, end) {
  if (pane?.querySelector(`[data-keys~="${CSS.escape(key)}"]`)) return;
  if (start === end) emptyCell(start)?.setAttribute("data-keys", key);
  for (const range of rangesOf(start, end)) {
    const holder = range.startContainer.parentElement;
    const node = range.startContainer;
    if (!holder || !(node instanceof Text)) continue;
    const begins = Number(holder.dataset.start);
    const cuts = [0, range.startOffset, range.endOffset, node.data.length];
    const parts = [];
    for (let part = 0; part < 3; part += 1) {
      const text = node.data.slice(cuts[part], cuts[part + 1]);
      if (!text) continue;
      const keys = [holder.dataset.keys, part === 1 ? key : ""].filter(Boolean).join(" ");
      const made = document.createElement(keys ? "mark" : "span");
      made.className = holder.className;
      made.dataset.start = String(begins + codePoints(node.data.slice(0, cuts[part])));
      if (keys) made.dataset.keys = keys;
      made.textContent = text;
      parts.push(made);
    }
    holder.replaceWith(...parts);
  }
  if (isPages()) void outlineAll();
}

// ---- find ----

/** @type {{text: string, spans: [number, number][], at: number}} */
let search = { text: "", spans: [], at: -1 };

/**
 * Places in the source that read `text`, white space aside.
 * @param {string} text
 * @returns {[number, number][]}
 */
export function findText(text) {
  const wanted = text.replace(/\s+/g, "");
  if (!wanted) return [];
  let packed = "";
  /** @type {number[]} */
  const places = [];
  for (const holder of holders()) {
    let at = Number(holder.dataset.start);
    for (const sign of holder.textContent || "") {
      if (!/\s/.test(sign)) {
        packed += sign;
        for (let unit = 0; unit < sign.length; unit += 1) places.push(at);
      }
      at += 1;
    }
  }
  /** @type {[number, number][]} */
  const found = [];
  for (let from = packed.indexOf(wanted); from >= 0; from = packed.indexOf(wanted, from + 1)) {
    found.push([places[from], places[from + wanted.length - 1] + 1]);
  }
  return found;
}

/**
 * @param {HTMLInputElement} field
 * @param {1 | -1} by
 */
function findNext(field, by) {
  const text = field.value.trim();
  if (search.text !== text) search = { text, spans: findText(text), at: by > 0 ? -1 : 0 };
  const count = search.spans.length;
  const told = document.getElementById("source-found");
  if (!count) {
    if (told) told.textContent = text ? word("source.find_none", { text }) : "";
    return null;
  }
  search.at = (search.at + by + count) % count;
  const [start, end] = search.spans[search.at];
  setPages(false);
  showSpan(start, end);
  const some = word("source.find_some", { n: search.at + 1, count });
  if (told) told.textContent = some;
  document.dispatchEvent(new CustomEvent("found", { detail: { start, end, text } }));
  return [start, end];
}

/** The place found last by the find field; null where there is none. */
export function foundSpan() {
  if (search.at < 0 || !search.spans.length) return null;
  const [start, end] = search.spans[search.at];
  return { start, end, text: search.text };
}

// ---- pages ----

/** @type {Map<string, PlaceOnPage | null>} */
const places = new Map();

function isPages() {
  return pane?.dataset.view === "pages";
}

/** @param {boolean} wanted */
function setPages(wanted) {
  if (!pane || wanted === isPages()) return;
  pane.dataset.view = wanted ? "pages" : "text";
  for (const button of pane.querySelectorAll("button[data-view]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-view") === pane.dataset.view));
  }
  for (const view of pane.querySelectorAll("[data-for-view]")) {
    if (view instanceof HTMLElement) view.hidden = view.dataset.forView !== pane.dataset.view;
  }
  if (wanted) void outlineAll();
  if (shown) showSpan(shown.start, shown.end);
}

/**
 * Where spans are on pages, asked of the server once each.
 * @param {[number, number][]} spans
 */
async function placesOf(spans) {
  const unknown = [...new Set(spans.map(([start, end]) => `${start}-${end}`))].filter((each) => !places.has(each));
  for (let from = 0; from < unknown.length; from += 100) {
    const asked = unknown.slice(from, from + 100);
    const answer = await get(`/documents/${pane?.dataset.document}/places?spans=${asked.join(",")}`);
    if (!answer) return;
    for (const each of asked) places.set(each, null);
    for (const place of answer.places) places.set(place.span.join("-"), place);
  }
}

/**
 * @param {number} page
 * @returns {SVGElement | null}
 */
function overlay(page) {
  return pane?.querySelector(`.sheet[data-page="${page}"] svg`) || null;
}

/**
 * @param {PlaceOnPage} place
 * @param {string} className
 * @param {string} [keys]
 */
function outline(place, className, keys) {
  const sheet = overlay(place.page);
  const made = [];
  for (const [x0, top, x1, bottom] of sheet ? place.boxes : []) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", className);
    rect.setAttribute("x", String(x0 - MARGIN));
    rect.setAttribute("y", String(top - MARGIN));
    rect.setAttribute("width", String(x1 - x0 + 2 * MARGIN));
    rect.setAttribute("height", String(bottom - top + 2 * MARGIN));
    if (keys) rect.setAttribute("data-keys", keys);
    sheet?.append(rect);
    made.push(rect);
  }
  return made;
}

/** Outlines of everything that is marked in the text. */
async function outlineAll() {
  /** @type {Map<string, {span: [number, number], keys: string, kind: string}>} */
  const spans = new Map();
  for (const mark of pane?.querySelectorAll("mark[data-keys]") || []) {
    for (const key of (mark.getAttribute("data-keys") || "").split(" ")) {
      const [, , start, end] = key.split("~");
      const known = spans.get(`${start}-${end}`);
      const keys = known ? `${known.keys} ${key}` : key;
      spans.set(`${start}-${end}`, { span: [Number(start), Number(end)], keys, kind: mark.className });
    }
  }
  await placesOf([...spans.values()].map((each) => each.span));
  for (const each of pane?.querySelectorAll(".place:not(.chosen)") || []) each.remove();
  for (const [name, { keys, kind }] of spans) {
    const place = places.get(name);
    if (place) outline(place, `place ${kind.replace("chosen", "")}`, keys);
  }
}

/**
 * @param {number} start
 * @param {number} end
 */
async function showOnPage(start, end) {
  await placesOf([[start, end]]);
  if (!shown || shown.start !== start || shown.end !== end) return;
  for (const each of pane?.querySelectorAll(".place.chosen") || []) each.remove();
  const place = places.get(`${start}-${end}`);
  const made = place ? outline(place, "place chosen") : [];
  const told = document.getElementById("source-found");
  if (made.length) {
    if (told) told.textContent = "";
    scrollTo(made[0]);
  } else {
    if (told) told.textContent = word("source.place_unknown");
    say(word("source.place_unknown"));
  }
}

// ---- start ----

if (pane) {
  pane.addEventListener("click", (event) => {
    const clicked = event.target instanceof Element ? event.target : null;
    const toggle = clicked?.closest(".source-toggle");
    if (toggle) {
      const isClosed = pane.classList.toggle("closed");
      toggle.setAttribute("aria-expanded", String(!isClosed));
      return;
    }
    const button = clicked?.closest("button[data-view]");
    if (button) setPages(button.getAttribute("data-view") === "pages");
    else pick(event);
  });
  document.addEventListener("selectionchange", () => {
    const span = liveSelection();
    if (span) keepSelection(span);
  });
  scroller()?.addEventListener("keydown", (event) => {
    if (event.target !== scroller() || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    event.preventDefault();
    pickBeside(event.key === "ArrowRight" ? 1 : -1);
  });
  const field = document.getElementById("source-find");
  if (field instanceof HTMLInputElement) {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      findNext(field, event.shiftKey ? -1 : 1);
    });
  }
  document.addEventListener("swapped", () => {
    search = { text: "", spans: [], at: -1 };
    if (shown) paint(rangesOf(shown.start, shown.end));
    if (isPages()) void outlineAll();
  });
}
