// @ts-check
/**
 * A table whose cells are typed like those of a spreadsheet: arrows, Enter, Tab, F2, Escape,
 * typing replaces, a block is pasted; one key each for the marks of gold files.
 *
 * A cell is `<input class="cell" readonly data-key data-value>`; `data-value` is what is saved.
 * It is read-only until it is edited: then letters are keys, also with a Chinese input method on.
 */
import { isSwapping, keyName, say, shortcuts, word } from "./core.js";

/**
 * @typedef {HTMLInputElement | HTMLTextAreaElement} Cell
 * @typedef {{error?: string, value?: string} | void} Saved  `value`: as the server writes it
 * @typedef {object} GridOptions
 * @property {(cell: Cell, value: string) => Saved | Promise<Saved>} save  a mark or what was typed; "" is not mentioned
 * @property {(cell: Cell) => void} [select]  a cell got the focus
 * @property {(cell: Cell, event: KeyboardEvent) => boolean | void} [key]  asked first, while the cell is not edited; true: done
 */

export const BLANK = "_";
export const NOT_APPLICABLE = "/";
export const ZERO_IN_WORDS = "无";
export const ILLEGIBLE = "?";
export const ABSENT = "";

/** @type {Record<string, string>} */
const MARK_KEYS = {
  _: BLANK, b: BLANK, "＿": BLANK,
  "/": NOT_APPLICABLE, "／": NOT_APPLICABLE,
  w: ZERO_IN_WORDS, "无": ZERO_IN_WORDS,
  "?": ILLEGIBLE, "？": ILLEGIBLE,
  x: ABSENT, Delete: ABSENT, Backspace: ABSENT,
};
/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
// What a figure begins with: letters are keys.
const FIGURE = /^[-+−－.0-9０-９〇零一二两三四五六七八九十百千约近余]$/;

let isListed = false;

/**
 * Make the cells of `table` a spreadsheet. Cells that are put in later belong to it too.
 * @param {HTMLElement} table
 * @param {GridOptions} options
 */
export function makeGrid(table, options) {
  listKeys();
  table.addEventListener("focusin", (event) => {
    const cell = cellOf(event.target);
    if (!cell) return;
    setStop(table, cell);
    if (!cell.classList.contains("editing")) cell.select();
    options.select?.(cell);
  });
  table.addEventListener("focusout", (event) => {
    const cell = cellOf(event.target);
    if (cell && !isSwapping()) leave(cell, options);
  });
  table.addEventListener("keydown", (event) => {
    const cell = cellOf(event.target);
    if (cell && !event.isComposing && !event.defaultPrevented) onKey(table, cell, event, options);
  });
  table.addEventListener("dblclick", (event) => {
    const cell = cellOf(event.target);
    if (cell) edit(cell, cell.value);
  });
  table.addEventListener("pointerup", (event) => {
    const cell = cellOf(event.target);
    // A finger has no F2: what is touched is edited.
    if (cell && event.pointerType === "touch") edit(cell, cell.value);
  });
  table.addEventListener("paste", (event) => {
    const cell = cellOf(event.target);
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!cell || (cell.classList.contains("editing") && !/[\t\n]/.test(text.trim()))) return;
    event.preventDefault();
    void paste(table, cell, text, options);
  });
  keepStop(table);
  document.addEventListener("swapped", () => keepStop(table));
}

/**
 * There is always a cell that Tab comes to, also when others were put in.
 * @param {HTMLElement} table
 */
function keepStop(table) {
  const cells = rowsOf(table).flat();
  const focused = cellOf(document.activeElement);
  if (focused && table.contains(focused)) setStop(table, focused);
  else if (cells.length && !cells.some((each) => each.tabIndex === 0)) setStop(table, cells[0]);
}

function listKeys() {
  if (isListed) return;
  isListed = true;
  shortcuts([
    { key: "ArrowLeft ArrowRight ArrowUp ArrowDown", label: word("core.move_keys") },
    { key: "F2", label: word("core.edit_key") },
    { key: "Escape", label: word("core.restore_key") },
    { key: "_ b", label: word("core.blank_key") },
    { key: "/", label: word("core.not_applicable_key") },
    { key: "w", label: word("core.zero_in_words_key") },
    { key: "?", label: word("core.illegible_key") },
    { key: "x", label: word("core.absent_key") },
    { key: "Ctrl+v", label: word("core.paste_key") },
  ]);
}

/**
 * @param {EventTarget | null} target
 * @returns {Cell | null}
 */
function cellOf(target) {
  const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
  return isField && target.classList.contains("cell") ? target : null;
}

/**
 * @param {HTMLElement} table
 * @returns {Cell[][]}
 */
function rowsOf(table) {
  return [...table.querySelectorAll("tr")]
    .map((row) => /** @type {Cell[]} */ ([...row.querySelectorAll(".cell")]))
    .filter((row) => row.length);
}

/**
 * Tab comes into a table once; arrows go on within.
 * @param {HTMLElement} table
 * @param {Cell} cell
 */
function setStop(table, cell) {
  for (const each of rowsOf(table).flat()) each.tabIndex = each === cell ? 0 : -1;
}

/**
 * The cell `down` rows and `right` columns from `cell`; null beyond the edge.
 * @param {HTMLElement} table
 * @param {Cell} cell
 * @param {number} down
 * @param {number} right
 */
export function neighbour(table, cell, down, right) {
  const rows = rowsOf(table);
  const row = rows.findIndex((each) => each.includes(cell));
  if (row < 0) return null;
  const column = rows[row].indexOf(cell) + right;
  const there = rows[row + down];
  if (!there || column < 0) return null;
  return down && column >= there.length ? there[there.length - 1] : there[column] || null;
}

/**
 * The next cell in reading order; null behind the last.
 * @param {HTMLElement} table
 * @param {Cell} cell
 * @param {1 | -1} by
 */
export function following(table, cell, by = 1) {
  const cells = rowsOf(table).flat();
  return cells[cells.indexOf(cell) + by] || null;
}

/**
 * @param {HTMLElement} table
 * @param {Cell} cell
 * @param {KeyboardEvent} event
 * @param {GridOptions} options
 */
function onKey(table, cell, event, options) {
  const editing = cell.classList.contains("editing");
  const done = editing ? whileEditing(table, cell, event) : whileMoving(table, cell, event, options);
  if (done) event.preventDefault();
}

/**
 * @param {HTMLElement} table
 * @param {Cell} cell
 * @param {KeyboardEvent} event
 */
function whileEditing(table, cell, event) {
  const name = keyName(event);
  if (name === "Escape") {
    restore(cell);
    return true;
  }
  if (name === "Enter") return go(neighbour(table, cell, 1, 0) || following(table, cell), cell);
  // In text of several lines these move within it.
  if (name === "ArrowDown" && cell.localName === "input") return go(neighbour(table, cell, 1, 0), cell);
  if (name === "ArrowUp" && cell.localName === "input") return go(neighbour(table, cell, -1, 0), cell);
  if (name === "Tab") return go(following(table, cell), cell, false);
  if (name === "Shift+Tab") return go(following(table, cell, -1), cell, false);
  return false;
}

/**
 * @param {HTMLElement} table
 * @param {Cell} cell
 * @param {KeyboardEvent} event
 * @param {GridOptions} options
 */
function whileMoving(table, cell, event, options) {
  const name = keyName(event);
  if (name === "Enter" && cell.classList.contains("invalid")) {
    // What was refused is not what is saved: nothing else is done before it is right.
    edit(cell, cell.value);
    return true;
  }
  if (options.key?.(cell, event)) return true;
  if (name in STEPS) return go(neighbour(table, cell, ...STEPS[name]), cell);
  if (name === "Enter") return go(neighbour(table, cell, 1, 0) || following(table, cell), cell);
  if (name === "Shift+Enter") return go(neighbour(table, cell, -1, 0), cell);
  if (name === "Home") return go(rowsOf(table).find((row) => row.includes(cell))?.[0] || null, cell);
  if (name === "End") return go(rowsOf(table).find((row) => row.includes(cell))?.at(-1) || null, cell);
  if (name === "F2") {
    edit(cell, cell.value);
    return true;
  }
  if (name === "Escape" && cell.classList.contains("invalid")) {
    restore(cell);
    return true;
  }
  if (name in MARK_KEYS) {
    put(cell, MARK_KEYS[name]);
    void commit(cell, options);
    return true;
  }
  if (!event.ctrlKey && !event.metaKey && !event.altKey && FIGURE.test(event.key)) {
    // The sign itself is typed by the browser, into the cell that can now be written.
    edit(cell, "");
  }
  return false;
}

/**
 * @param {Cell | null} cell
 * @param {Cell} from
 * @param {boolean} [stay] whether the keys do nothing at the edge of the table
 */
function go(cell, from, stay = true) {
  if (cell) cell.focus();
  else if (stay) from.blur(), from.focus();
  return cell !== null || stay;
}

/**
 * Begin to edit a cell, from `text`.
 * @param {Cell} cell
 * @param {string} text
 */
export function edit(cell, text) {
  if (cell.classList.contains("editing") || cell.disabled) return;
  cell.readOnly = false;
  cell.classList.add("editing");
  cell.value = text;
  cell.setSelectionRange(text.length, text.length);
}

/** @param {Cell} cell */
function restore(cell) {
  stopEditing(cell);
  cell.value = cell.dataset.value ?? "";
  setFault(cell, null);
  cell.select();
}

/** @param {Cell} cell */
function stopEditing(cell) {
  cell.classList.remove("editing");
  cell.readOnly = true;
}

/**
 * @param {Cell} cell
 * @param {string} value
 */
function put(cell, value) {
  stopEditing(cell);
  cell.value = value;
}

/**
 * @param {Cell} cell
 * @param {GridOptions} options
 */
function leave(cell, options) {
  if (!cell.classList.contains("editing")) return;
  stopEditing(cell);
  void commit(cell, options);
}

/**
 * Save what stands in the cell if it is not what is saved. What is refused stays, with the reason.
 * @param {Cell} cell
 * @param {GridOptions} options
 */
async function commit(cell, options) {
  const typed = cell.value.trim();
  const value = MARK_KEYS[typed] ?? typed;
  if (value === (cell.dataset.value ?? "") && !cell.classList.contains("invalid")) {
    cell.value = value;
    setFault(cell, null);
    return;
  }
  cell.classList.add("saving");
  const saved = (await options.save(cell, value)) || {};
  cell.classList.remove("saving");
  if (saved.error !== undefined) {
    setFault(cell, saved.error);
    return;
  }
  setFault(cell, null);
  cell.dataset.value = saved.value ?? value;
  if (!cell.classList.contains("editing")) cell.value = cell.dataset.value;
}

/**
 * Say what is wrong with a cell, beside the table and to screen readers.
 * @param {Cell} cell
 * @param {string | null} fault
 */
export function setFault(cell, fault) {
  const place = faultPlace(cell);
  cell.classList.toggle("invalid", fault !== null);
  if (fault === null) {
    cell.removeAttribute("aria-invalid");
    cell.removeAttribute("aria-errormessage");
    if (place.dataset.of === cell.dataset.key) place.textContent = "";
    return;
  }
  cell.setAttribute("aria-invalid", "true");
  cell.setAttribute("aria-errormessage", place.id);
  place.dataset.of = cell.dataset.key;
  place.textContent = fault;
  say(fault);
}

let faults = 0;

/**
 * Where faults of the cells of a table are shown: one line below it.
 * @param {Cell} cell
 * @returns {HTMLElement}
 */
function faultPlace(cell) {
  const table = cell.closest("table") || cell;
  const frame = table.closest(".wide") || table;
  const next = frame.nextElementSibling;
  if (next instanceof HTMLElement && next.classList.contains("fault")) return next;
  const made = document.createElement("p");
  made.className = "fault";
  made.id = `fault-${(faults += 1)}`;
  frame.after(made);
  return made;
}

/**
 * Fill cells from a block of text: a tab parts cells, a line break rows; as far as the table goes.
 * @param {HTMLElement} table
 * @param {Cell} first
 * @param {string} text
 * @param {GridOptions} options
 */
async function paste(table, first, text, options) {
  const rows = rowsOf(table);
  const top = rows.findIndex((row) => row.includes(first));
  const left = rows[top].indexOf(first);
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
  for (const [down, line] of lines.entries()) {
    for (const [right, entry] of line.split("\t").entries()) {
      const cell = rows[top + down]?.[left + right];
      if (!cell) continue;
      // A cell may have been put in anew by the answer to the one before.
      const there = cell.isConnected ? cell : document.querySelector(`.cell[data-key="${CSS.escape(cell.dataset.key || "")}"]`);
      if (!(there instanceof HTMLInputElement || there instanceof HTMLTextAreaElement)) continue;
      put(there, entry.trim());
      await commit(there, options);
    }
  }
}
