// @ts-check
/** The list of documents: counts while the records are read, keys, moving between rows. */

import { byId, get, say, shortcuts, swap, word } from "./core.js";

const BETWEEN_MS = 1500;

/** Whether the server has read every record. */
function isComplete() {
  return byId("queue-state").dataset.complete === "true";
}

/** Ask for the counts; the list itself stays while someone is in it. */
async function update() {
  const open = /** @type {HTMLDetailsElement} */ (byId("queue-how")).open;
  const answer = await get(`/progress${location.search}`);
  if (answer === null) return;
  const isInList = byId("documents").contains(document.activeElement);
  swap(answer.fragments.filter((/** @type {{id: string}} */ each) => each.id !== "documents" || !isInList));
  /** @type {HTMLDetailsElement} */ (byId("queue-how")).open = open;
  const select = document.querySelector("select[name=sort]");
  const sort = byId("documents").dataset.sort;
  if (select instanceof HTMLSelectElement && sort && document.activeElement !== select) select.value = sort;
}

async function watch() {
  while (!isComplete()) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    await update();
    if (isComplete()) say(word("documents.complete"));
  }
}

/** @param {string} id */
function follow(id) {
  return () => byId(id).click();
}

// A document that is opened by itself is gone through from its first figure; on a way through the run Enter
// stays on that way (review.js).
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const address = link && new URL(link.href);
  if (address?.pathname === "/next") sessionStorage.setItem("way", address.searchParams.get("kind") || "unchecked");
  else if (link) sessionStorage.removeItem("way");
});

/** @param {number} by */
function move(by) {
  const links = [...document.querySelectorAll("table.documents a.name")];
  const row = document.activeElement?.closest("tr");
  const at = links.findIndex((link) => link.closest("tr") === row);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
  if (next instanceof HTMLElement) next.focus();
}

shortcuts([
  { key: "n", label: word("queue.next_unchecked"), run: follow("next-unchecked") },
  { key: "f", label: word("queue.next_flagged"), run: follow("next-flagged") },
  { key: "d r", label: word("queue.next_sample"), run: follow("next-sample") },
  { key: "ArrowDown", label: word("documents.rows_key"), run: () => move(1) },
  { key: "ArrowUp", label: word("documents.rows_back_key"), run: () => move(-1) },
  { key: "/", label: word("documents.search_key"), run: () => byId("search").focus() },
]);

// Back from a document: what was checked there counts, though the browser kept the page.
addEventListener("pageshow", (event) => {
  if (event.persisted) void update();
});
void watch();
