// @ts-check
/**
 * What every page needs: sending entries so that none is lost, putting in what the server
 * answers, speaking to screen readers, keys and their list, questions.
 */

/** @typedef {{id: string, html: string, into?: string}} Fragment */
/** @typedef {{fragments?: Fragment[], say?: string, error?: string, field?: string, conflict?: any, [key: string]: any}} Answer */
/** @typedef {{key: string, label: string, run?: (event: KeyboardEvent) => void, inText?: boolean}} Binding */

const root = document.documentElement;
/** @type {Record<string, string>} */
const words = JSON.parse(root.dataset.words || "{}");

/**
 * A word in the language of the page, with its places filled in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function word(key, values = {}) {
  const text = words[key];
  if (text === undefined) throw new Error(`no word ${key} for the browser: it needs js: true`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * The element with `id`, which is there.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

// ---- speaking ----

/**
 * Say `text` to screen readers; the same text twice is said twice.
 * @param {string} text
 */
export function say(text) {
  const live = byId("live");
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

/**
 * Show `text` above the page; null takes it away.
 * @param {string | null} text
 */
export function banner(text) {
  const shown = byId("banner");
  shown.hidden = text === null;
  if (text !== null && shown.textContent !== text) shown.textContent = text;
}

// ---- sending ----

let unsent = 0;
/** @type {Promise<unknown>} */
let former = Promise.resolve();

/** Resolves once every entry so far has arrived. */
export async function settled() {
  await former;
}

/** How many entries have not arrived yet. */
export function pending() {
  return unsent;
}

/**
 * Send an entry, after those before it, until the server has answered.
 * `body` may be a function: it is asked at the moment of sending, so that it knows what the answers before brought.
 * @param {string} path
 * @param {unknown | (() => unknown)} body
 * @returns {Promise<{status: number, data: Answer}>}
 */
export function post(path, body) {
  unsent += 1;
  const sent = former.then(() => send(path, body)).finally(() => {
    unsent -= 1;
  });
  former = sent.catch(() => undefined);
  return sent;
}

/**
 * @param {string} path
 * @param {unknown | (() => unknown)} body
 */
async function send(path, body) {
  const text = JSON.stringify(typeof body === "function" ? body() : body);
  let failed = false;
  for (let wait = 500; ; wait = Math.min(2 * wait, 5000)) {
    const answer = await attempt(path, text);
    if (answer && answer.status !== 403) {
      if (failed) {
        banner(null);
        say(word("core.answers_again"));
      }
      return answer;
    }
    failed = true;
    banner(word(answer ? "core.refused" : "core.no_answer"));
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (answer) await renewCsrf();
  }
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Promise<{status: number, data: Answer} | null>} null where the server does not answer
 */
async function attempt(path, text) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Gongkai-CSRF": root.dataset.csrf || "" },
      body: text,
      credentials: "same-origin",
    });
  } catch {
    return null;
  }
  return { status: response.status, data: await dataOf(response) };
}

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
async function dataOf(response) {
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  try {
    return isJson ? await response.json() : { error: word("core.server_error", { status: response.status }) };
  } catch {
    return { error: word("core.server_error", { status: response.status }) };
  }
}

/** A server that was started again has another token: once this browser knows it, so does this page. */
async function renewCsrf() {
  try {
    const response = await fetch(location.pathname, { credentials: "same-origin" });
    const found = response.ok ? /data-csrf="([^"]+)"/.exec(await response.text()) : null;
    if (found) root.dataset.csrf = found[1];
  } catch {
    // Asked again at the next attempt.
  }
}

/**
 * What the server has at `path`, as JSON; null where it does not answer or refuses.
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function get(path) {
  try {
    const response = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

addEventListener("beforeunload", (event) => {
  if (unsent > 0 || document.querySelector(".editing, .invalid")) event.preventDefault();
});

// ---- putting in what the server answers ----

/** @type {{createHTML(html: string): any}} */
const policy = /** @type {any} */ (window).trustedTypes?.createPolicy("fragments", {
  createHTML: (/** @type {string} */ html) => html,
}) ?? { createHTML: (html) => html };

let swapping = false;

/** Whether elements are being replaced: what loses the focus then was not left by anyone. */
export function isSwapping() {
  return swapping;
}

/**
 * Put each fragment in the place of the element with its id; without one at the end of `into`.
 * An empty fragment takes the element away. The focus stays where it was, and so does what is being typed.
 * @param {Fragment[] | undefined} fragments
 */
export function swap(fragments) {
  if (!fragments || !fragments.length) return;
  const kept = focusKept();
  swapping = true;
  for (const { id, html, into } of fragments) {
    const old = document.getElementById(id);
    const made = elementOf(html);
    if (old && made) old.replaceWith(made);
    else if (old) old.remove();
    else if (made && into) document.getElementById(into)?.append(made);
  }
  kept();
  swapping = false;
  document.dispatchEvent(new CustomEvent("swapped", { detail: fragments.map((each) => each.id) }));
}

/**
 * @param {string} html
 * @returns {Element | null}
 */
function elementOf(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html.trim());
  return template.content.firstElementChild;
}

/** Remember what has the focus and what is typed there; the function returned puts it back. */
function focusKept() {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || focused === document.body) return () => undefined;
  const { id } = focused;
  const key = focused.dataset.key;
  const field = focused instanceof HTMLInputElement || focused instanceof HTMLTextAreaElement ? focused : null;
  const typed = field && (field.classList.contains("editing") || field.classList.contains("draft")) ? field.value : null;
  const at = field && typed !== null ? [field.selectionStart, field.selectionEnd] : null;
  const classes = typed === null ? [] : ["editing", "draft"].filter((name) => focused.classList.contains(name));
  return () => {
    if (focused.isConnected) return;
    const again =
      (id && document.getElementById(id)) ||
      (key && document.querySelector(`${focused.localName}[data-key="${CSS.escape(key)}"]`));
    if (!(again instanceof HTMLElement)) return;
    again.focus({ preventScroll: true });
    if (typed !== null && (again instanceof HTMLInputElement || again instanceof HTMLTextAreaElement)) {
      again.value = typed;
      again.readOnly = false;
      again.classList.add(...classes);
      // What is typed belongs to the state that was seen when it was begun.
      again.dataset.base = focused.dataset.base;
      if (at) again.setSelectionRange(at[0], at[1]);
    }
  };
}

// ---- keys ----

/** @type {{bindings: Binding[], isActive: () => boolean}[]} */
const registered = [];

/**
 * Keys and what they do, while `isActive`; not while someone types in a field, unless `inText`.
 * A binding without `run` is only listed. `key` is as in KeyboardEvent, with "Shift+", "Ctrl+", "Alt+" before it;
 * several are parted by spaces.
 * @param {Binding[]} bindings
 * @param {() => boolean} [isActive]
 */
export function shortcuts(bindings, isActive = () => true) {
  registered.push({ bindings, isActive });
}

/**
 * A field in which letters are text. A cell of a table is one only while it is edited.
 * @param {EventTarget | null} target
 */
export function isTyping(target) {
  if (target instanceof HTMLInputElement) {
    return !target.readOnly && !["checkbox", "radio", "button", "submit"].includes(target.type);
  }
  if (target instanceof HTMLTextAreaElement) return !target.readOnly;
  return target instanceof HTMLSelectElement;
}

/**
 * @param {KeyboardEvent} event
 * @returns {string}
 */
export function keyName(event) {
  const modifiers = [];
  if (event.ctrlKey || event.metaKey) modifiers.push("Ctrl");
  if (event.altKey) modifiers.push("Alt");
  // Shift is part of a sign such as ?; it counts with keys that have names, such as Enter.
  if (event.shiftKey && (event.key.length > 1 || modifiers.length)) modifiers.push("Shift");
  return [...modifiers, event.key.length === 1 ? event.key.toLowerCase() : event.key].join("+");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = keyName(event);
  if (name === "F1" || (name === "?" && !isTyping(event.target))) {
    event.preventDefault();
    showHelp();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const typing = isTyping(event.target);
  for (const { bindings, isActive } of registered) {
    const found = bindings.find(
      (each) => each.run && each.key.split(" ").includes(name) && (each.inText || !typing),
    );
    if (found && found.run && isActive()) {
      event.preventDefault();
      found.run(event);
      return;
    }
  }
});

/** The list of keys that are registered. */
export function showHelp() {
  const body = byId("help-body");
  body.querySelector(".keys")?.remove();
  const list = document.createElement("dl");
  list.className = "keys";
  for (const { key, label } of registered.flatMap((each) => each.bindings)) {
    const name = document.createElement("dt");
    for (const each of key.split(" ")) {
      const shown = document.createElement("kbd");
      shown.textContent = KEY_SIGNS[each] || each;
      name.append(shown, " ");
    }
    const sense = document.createElement("dd");
    sense.textContent = label;
    list.append(name, sense);
  }
  body.append(list);
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  if (!dialog.open) dialog.showModal();
}

/** @type {Record<string, string>} */
const KEY_SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

document.getElementById("help-button")?.addEventListener("click", showHelp);
shortcuts([{ key: "F1", label: word("core.help_key") }]);

// ---- questions ----

/**
 * Ask something; resolves to the value of the button pressed, "" where the question was left.
 * @param {{title: string, body?: string | Node, choices?: {value: string, label: string}[]}} question
 * @returns {Promise<string>}
 */
export function confirmDialog({ title, body = "", choices }) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "question-title");
  const heading = document.createElement("h2");
  heading.id = "question-title";
  heading.textContent = title;
  const said = document.createElement("div");
  said.append(body);
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "choices";
  const offered = choices || [
    { value: "ok", label: word("core.ok") },
    { value: "", label: word("core.cancel") },
  ];
  for (const { value, label } of offered) {
    const button = document.createElement("button");
    button.className = "plain";
    button.value = value;
    button.textContent = label;
    form.append(button);
  }
  dialog.append(heading, said, form);
  document.body.append(dialog);
  const focused = document.activeElement;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
      resolve(dialog.returnValue);
    });
  });
}
