// @ts-check
/** The pages of the comparison of two runs: the list while it is counted, and one difference after another. */
import { get, say, shortcuts, swap, word } from "./core.js";
import { clearSpan, onPick, showSpan } from "./source.js";

const compared = document.getElementById("compared");
let place = 0;
let current = "";

/** @returns {HTMLElement[]} */
const all = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("article.difference")]);

/**
 * Places of the text that is shown.
 * @param {HTMLElement} card
 * @returns {[number, number][]}
 */
function placesOf(card) {
  const isSame = compared?.dataset.sameText === "yes";
  const sides = isSame ? ["a", "b"] : [compared?.dataset.text || "a"];
  const found = [...new Set(sides.map((side) => card.dataset[side] || "").filter(Boolean))];
  return found.map((each) => /** @type {[number, number]} */ (each.split("-").map(Number)));
}

/** @param {HTMLElement} card */
function showPlace(card) {
  const places = placesOf(card);
  if (places.length) showSpan(...places[place % places.length]);
  else clearSpan();
}

/**
 * @param {HTMLElement | null | undefined} card
 * @param {boolean} [focus]
 */
function goTo(card, focus = true) {
  if (!card) return;
  for (const each of all()) each.removeAttribute("aria-current");
  if (card.id !== current) place = 0;
  current = card.id;
  card.setAttribute("aria-current", "true");
  const id = card.id.replace("difference-", "");
  for (const mark of document.querySelectorAll("#source mark[data-keys]")) {
    const keys = (mark.getAttribute("data-keys") || "").split(" ");
    mark.classList.toggle("current", keys.some((each) => each.startsWith(`${id}~`)));
  }
  showPlace(card);
  if (!focus) return;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

/** @param {1 | -1} step */
function move(step) {
  const cards = all();
  if (!cards.length) return;
  const at = cards.findIndex((card) => card.id === current);
  goTo(cards[(at + step + cards.length) % cards.length]);
}

/** @param {string} selector */
function follow(selector) {
  /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();
}

if (compared) {
  compared.addEventListener("click", (event) => {
    const card = event.target instanceof Element ? event.target.closest("article.difference") : null;
    if (card instanceof HTMLElement) goTo(card);
  });
  onPick((key) => goTo(document.getElementById(`difference-${key.split("~")[0]}`)));
  shortcuts([
    { key: "j", label: word("compare.next"), run: () => move(1) },
    { key: "n", label: word("compare.next"), run: () => move(1) },
    { key: "k", label: word("compare.previous"), run: () => move(-1) },
    {
      key: "s",
      label: word("compare.next_place"),
      run: () => {
        const card = document.getElementById(current);
        place += 1;
        if (card) showPlace(card);
      },
    },
    { key: "t", label: word("compare.other_text_key"), run: () => follow("#other-text") },
    { key: "o", label: word("compare.next_document"), run: () => follow("#next-differing") },
  ]);
  goTo(all()[0], false);
} else {
  shortcuts([
    { key: "n", label: word("compare.first_document"), run: () => follow("#documents tbody a") },
    { key: "]", label: word("compare.next_page"), run: () => follow("a[rel=next]") },
    { key: "[", label: word("compare.previous_page"), run: () => follow("a[rel=prev]") },
  ]);
  void watch();
}

/** Ask how far the counting is, until it is done. */
async function watch() {
  for (let wait = 300; ; wait = 1000) {
    const counting = document.getElementById("counting");
    if (!counting || counting.dataset.done === counting.dataset.count) return;
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (document.hidden) continue;
    const answer = await get(`/compare/progress${location.search}`);
    if (!answer) continue;
    swap(answer.fragments);
    if (answer.done === answer.count) say(word("compare.all_counted"));
  }
}
