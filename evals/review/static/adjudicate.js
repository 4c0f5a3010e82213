// @ts-check
/** The pages of the adjudication: one disagreement after another, decided by keys. */
import { banner, byId, post, say, shortcuts, swap, word } from "./core.js";
import { clearSpan, onPick, showSpan } from "./source.js";

/** @typedef {{key: string, base: number}} Aim */

const work = document.getElementById("work");
const number = work?.dataset.number || "";
/** What is chosen by key. @type {[string, string][]} */
const CHOICES = [["1", "a"], ["2", "b"], ["3", "other"], ["4", "both"], ["0", "neither"]];
/** Reasons that were typed but not sent yet, by the key of what they are for. */
const drafts = new Map();
let current = "";
let place = 0;
let lastReason = "";
/** Keys whose reason is on its way: a field that is left then has nothing to send. */
const sending = new Set();

/** @returns {HTMLElement[]} */
const all = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("article.asked")]);

/** @param {string} key */
const find = (key) => all().find((card) => card.dataset.key === key) || null;

const now = () => find(current);

/**
 * @param {HTMLElement} card
 * @returns {[number, number, string][]} places, with the side: A's first, then those that B alone has
 */
function placesOf(card) {
  /** @type {[number, number, string][]} */
  const found = [];
  for (const side of ["a", "b"]) {
    for (const each of (card.dataset[side] || "").split(" ").filter(Boolean)) {
      const [start, end] = each.split("-").map(Number);
      if (!found.some((known) => known[0] === start && known[1] === end)) found.push([start, end, side]);
    }
  }
  return found;
}

/** @param {HTMLElement} card */
function showPlace(card) {
  const places = placesOf(card);
  if (!places.length) {
    clearSpan();
    return;
  }
  const [start, end] = places[place % places.length];
  showSpan(start, end);
}

/** @param {HTMLElement} card */
function markPlaces(card) {
  const id = card.id.replace("asked-", "");
  for (const mark of document.querySelectorAll("#source mark[data-keys]")) {
    const keys = (mark.getAttribute("data-keys") || "").split(" ");
    mark.classList.toggle("current", keys.some((each) => each.startsWith(`${id}~`)));
  }
}

/**
 * Go to a disagreement: the focus, the source, what a screen reader says.
 * @param {HTMLElement | null} card
 * @param {boolean} [focus]
 */
function goTo(card, focus = true) {
  for (const each of all()) each.removeAttribute("aria-current");
  if (!card) return;
  if (current !== card.dataset.key) place = 0;
  current = card.dataset.key || "";
  card.setAttribute("aria-current", "true");
  markPlaces(card);
  showPlace(card);
  if (!focus) return;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

/**
 * The next in `step` direction that `wanted` accepts, round the end.
 * @param {1 | -1} step
 * @param {(card: HTMLElement) => boolean} [wanted]
 */
function move(step, wanted = () => true) {
  const cards = all();
  const at = cards.findIndex((card) => card.dataset.key === current);
  for (let by = 1; by <= cards.length; by += 1) {
    const card = cards[(at + step * by + cards.length * 2) % cards.length];
    if (wanted(card)) {
      goTo(card);
      return;
    }
  }
  if (wanted === isOpen) endReached();
}

/** @param {HTMLElement} card */
const isOpen = (card) => card.dataset.state !== "decided";

/** Nothing is left here: the way on has the focus. */
function endReached() {
  say(word(byId("standing").dataset.status === "adjudicated" ? "adjudicate.all_done" : "adjudicate.no_open"));
  // A key that comes late decides nothing.
  current = "";
  for (const card of all()) card.removeAttribute("aria-current");
  document.getElementById("next-open")?.focus();
}

// ---- deciding ----

/** Which state of the document the page shows: the answer holds what became different from it. */
function version() {
  return Number(byId("standing").dataset.version);
}

/**
 * @param {HTMLElement} card
 * @returns {Aim[]}
 */
function aimsOf(card) {
  const withAlike = /** @type {HTMLInputElement | null} */ (card.querySelector("[data-with-alike]"));
  const meant = withAlike?.checked
    ? all().filter((each) => each === card || (each.dataset.group === card.dataset.group && isOpen(each)))
    : [card];
  return meant.map((each) => ({ key: each.dataset.key || "", base: Number(each.dataset.base) }));
}

/**
 * Choose: sent at once, pending until there is a reason.
 * @param {HTMLElement} card
 * @param {string} choice
 * @param {unknown} value
 */
async function choose(card, choice, value) {
  const typed = drafts.get(card.dataset.key || "")?.trim() || "";
  card.dataset.choice = choice;
  chosenValues.set(card.dataset.key || "", value);
  await decide(card, choice, value, typed);
}

/** What was typed in place of both values, by key. @type {Map<string, unknown>} */
const chosenValues = new Map();

/**
 * @param {HTMLElement} card
 * @param {string} choice
 * @param {unknown} value
 * @param {string} reason
 */
async function decide(card, choice, value, reason) {
  const key = card.dataset.key || "";
  const checked = !!(/** @type {HTMLInputElement | null} */ (card.querySelector("[data-with-alike]"))?.checked);
  const body = () => ({ aims: aimsOf(find(key) || card), choice, value: value ?? null, reason, version: version() });
  const { status, data } = await post(`/adjudicate/${number}/decide`, body);
  if (status === 422 || status >= 500 || status === 400 || status === 413) {
    fault(key, data.error || word("core.server_error", { status }));
    return;
  }
  if (reason) {
    drafts.delete(key);
    lastReason = reason;
  }
  put(data.fragments);
  if (data.say) say(data.say);
  if (status === 409) {
    fault(key, data.say || "");
    goTo(find(key));
    return;
  }
  const after = find(key);
  if (reason) move(1, isOpen);
  else if (after) {
    const alike = /** @type {HTMLInputElement | null} */ (after.querySelector("[data-with-alike]"));
    if (alike) alike.checked = checked;
    goTo(after, false);
    askReason(after);
  }
}

/** @param {HTMLElement} card */
function askReason(card) {
  const field = /** @type {HTMLInputElement | null} */ (card.querySelector(".reason"));
  card.querySelector(".reasoning")?.removeAttribute("hidden");
  field?.focus({ preventScroll: true });
  field?.select();
  card.scrollIntoView({ block: "nearest" });
}

/**
 * The reason makes it a decision.
 * @param {HTMLElement} card
 * @param {string} reason
 */
async function giveReason(card, reason) {
  const choice = card.dataset.choice;
  if (!choice || !reason.trim()) {
    fault(card.dataset.key || "", word("adjudicate.reason_missing"));
    return;
  }
  const key = card.dataset.key || "";
  if (sending.has(key)) return;
  sending.add(key);
  drafts.set(key, reason);
  try {
    await decide(card, choice, valueOf(card), reason.trim());
  } finally {
    sending.delete(key);
  }
}

/** @param {HTMLElement} card */
function valueOf(card) {
  if (card.dataset.choice !== "other") return null;
  const key = card.dataset.key || "";
  if (chosenValues.has(key)) return chosenValues.get(key);
  const button = card.querySelector('[data-choose="other"]');
  return button?.getAttribute("data-value") ?? typedIn(card);
}

/** @param {HTMLElement} card */
function typedIn(card) {
  const form = /** @type {HTMLFormElement | null} */ (card.querySelector("form.other"));
  if (!form) return null;
  const values = Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name, value === "null" && name !== "value" ? "" : String(value)]),
  );
  return Object.keys(values).length === 1 && "value" in values ? values.value : values;
}

/** @param {HTMLElement} card */
function openForm(card) {
  const form = /** @type {HTMLFormElement | null} */ (card.querySelector("form.other"));
  if (!form) return;
  form.hidden = false;
  const field = /** @type {HTMLInputElement | HTMLSelectElement | null} */ (form.querySelector("input, select"));
  field?.focus({ preventScroll: true });
  if (field instanceof HTMLInputElement) field.select();
  form.scrollIntoView({ block: "nearest" });
}

/**
 * @param {HTMLElement | null} card
 * @param {string} choice
 */
function pressed(card, choice) {
  const button = card?.querySelector(`[data-choose="${choice}"]`);
  if (!card || !button) {
    say(word("adjudicate.not_offered"));
    return;
  }
  const value = button.getAttribute("data-value");
  const isSame = card.dataset.choice === choice && card.dataset.state !== "open";
  if (choice === "other" && value === null) openForm(card);
  // Chosen already: the decision stands, only its reason can be another.
  else if (isSame) askReason(card);
  else void choose(card, choice, value);
}

async function undo() {
  const seen = () => ({ seen: Number(byId("standing").dataset.seen), version: version() });
  if (!seen().seen) {
    say(word("adjudicate.nothing_to_undo"));
    return;
  }
  const { status, data } = await post(`/adjudicate/${number}/undo`, seen);
  if (status !== 200 && status !== 409) {
    banner(data.error || word("core.server_error", { status }));
    return;
  }
  for (const key of data.undone || []) chosenValues.delete(key);
  put(data.fragments);
  if (data.say) say(data.say);
  goTo(find((data.undone || [])[0] || current) || all()[0] || null);
}

/**
 * @param {string} key
 * @param {string} text
 */
function fault(key, text) {
  const told = find(key)?.querySelector(".fault");
  if (told) told.textContent = text;
  say(text);
}

/**
 * Put in what the server says, with the reasons that are still being typed elsewhere.
 * @param {import("./core.js").Fragment[] | undefined} fragments
 */
function put(fragments) {
  swap(fragments);
  for (const card of all()) {
    const field = /** @type {HTMLInputElement | null} */ (card.querySelector(".reason"));
    const draft = drafts.get(card.dataset.key);
    if (field && draft && !field.value) field.value = draft;
  }
  const card = now();
  if (card) {
    card.setAttribute("aria-current", "true");
    markPlaces(card);
  }
}

// ---- keys and clicks ----

if (work) {
  work.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const card = /** @type {HTMLElement | null} */ (target?.closest("article.asked") || null);
    if (target?.closest("#undo")) void undo();
    if (!card) return;
    const choice = target?.closest("[data-choose]")?.getAttribute("data-choose");
    const reason = target?.closest("[data-reason]")?.getAttribute("data-reason");
    if (current !== card.dataset.key) goTo(card, false);
    if (choice) pressed(card, choice);
    else if (reason) void giveReason(card, reason);
  });
  work.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element ? event.target.closest("article.asked") : null;
    if (card instanceof HTMLElement && card.dataset.key !== current) goTo(card, false);
  });
  work.addEventListener("submit", (event) => {
    event.preventDefault();
    const card = event.target instanceof Element ? event.target.closest("article.asked") : null;
    if (card instanceof HTMLElement) void choose(card, "other", typedIn(card));
  });
  work.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.classList.contains("reason")) return;
    const card = /** @type {HTMLElement | null} */ (field.closest("article.asked"));
    if (field.value === field.defaultValue) drafts.delete(card?.dataset.key);
    else if (card) drafts.set(card.dataset.key, field.value);
  });
  // A reason is on disk when its field is left.
  work.addEventListener("change", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.classList.contains("reason")) return;
    const card = /** @type {HTMLElement | null} */ (field.closest("article.asked"));
    if (card && field.value.trim() && drafts.has(card.dataset.key)) void giveReason(card, field.value);
  });
  work.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLElement) || event.isComposing) return;
    const card = /** @type {HTMLElement | null} */ (field.closest("article.asked"));
    if (!card) return;
    if (event.key === "Escape") {
      card.querySelector("form.other")?.setAttribute("hidden", "");
      card.focus({ preventScroll: true });
      event.preventDefault();
      return;
    }
    if (!(field instanceof HTMLInputElement) || !field.classList.contains("reason")) return;
    if (event.key === "Enter") {
      event.preventDefault();
      void giveReason(card, field.value);
    } else if (!field.value && !event.ctrlKey && !event.metaKey && !event.altKey) {
      // In an empty field a digit is one of the reasons, = the one before.
      const quick = card.querySelectorAll("[data-reason]")[Number(event.key) - 1]?.getAttribute("data-reason");
      const reason = event.key === "=" ? lastReason : /^[1-9]$/.test(event.key) ? quick : null;
      if (!reason) return;
      event.preventDefault();
      void giveReason(card, reason);
    }
  });

  const isHere = () => all().length > 0;
  shortcuts(
    [
      ...CHOICES.map(([key, choice]) => ({
        key,
        label: word(`adjudicate.choose_${choice}`),
        run: () => pressed(now(), choice),
      })),
      {
        key: "a",
        label: word("adjudicate.alike_key"),
        run: () => /** @type {HTMLElement | null} */ (now()?.querySelector("[data-with-alike]"))?.click(),
      },
      { key: "n", label: word("adjudicate.next_open"), run: () => move(1, isOpen) },
      { key: "j", label: word("adjudicate.next"), run: () => move(1) },
      { key: "k", label: word("adjudicate.previous"), run: () => move(-1) },
      {
        key: "s",
        label: word("adjudicate.next_place"),
        run: () => {
          const card = now();
          place += 1;
          if (card) showPlace(card);
        },
      },
      {
        key: "r",
        label: word("adjudicate.reason_key"),
        run: () => {
          const card = now();
          if (card?.dataset.choice) askReason(card);
        },
      },
      { key: "Escape", label: word("adjudicate.leave_field") },
    ],
    isHere,
  );
  shortcuts([
    { key: "u", label: word("adjudicate.undo"), run: () => void undo() },
    { key: "]", label: word("adjudicate.next_document"), run: () => follow("a[rel=next]") },
    { key: "[", label: word("adjudicate.previous_document"), run: () => follow("a[rel=prev]") },
    { key: "o", label: word("adjudicate.next_open_document"), run: () => follow("#next-open") },
  ]);

  onPick((key) => {
    const [id, side] = key.split("~");
    const card = document.getElementById(`asked-${id}`);
    if (!card) return;
    goTo(card);
    const at = placesOf(card).findIndex((each) => each[2] === side);
    place = Math.max(0, at);
    showPlace(card);
  });

  // Reasons that were typed for something that nobody chose anything for are kept on this page alone.
  addEventListener("beforeunload", (event) => {
    if ([...drafts.values()].some((text) => text.trim())) event.preventDefault();
  });

  goTo(all().find(isOpen) || all()[0] || null);
} else {
  const first = /** @type {HTMLElement | null} */ (
    document.querySelector("#documents tr:has(.state-open) a, #documents a")
  );
  shortcuts([
    { key: "n", label: word("adjudicate.next_open_document"), run: () => first?.click() },
    { key: "o", label: word("adjudicate.next_open_document"), run: () => first?.click() },
  ]);
}

/** @param {string} selector */
function follow(selector) {
  /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();
}
