function element(name, content, className) {
  const made = document.createElement(name);
  if (content !== undefined && content !== null) made.append(...[content].flat());
  if (className) made.className = className;
  return made;
}

function button(content, className, act) {
  const made = element("button", content, className);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// A mark of a chart: a press, Enter or blank acts; the arrow keys move between marks (`rove`).
function mark(shape, label, column, line, act) {
  shape.setAttribute("role", "button");
  shape.setAttribute("aria-label", label);
  Object.assign(shape.dataset, { column, line });
  shape.append(drawn("title", {}, label));
  shape.addEventListener("click", act);
  shape.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  });
  return shape;
}

// One stop of the tab key for many marks or cells; within, the arrow keys move by data-column and data-line.
function rove(box) {
  const items = [...box.querySelectorAll("[data-column]")];
  items.forEach((item, position) => { item.tabIndex = position === 0 ? 0 : -1; });
  box.onkeydown = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const from = event.target.closest("[data-column]");
    if (!step || !from) return;
    event.preventDefault();
    const to = nearest(items, from, step);
    if (to) to.focus();
  };
  box.onfocusin = (event) => {
    const to = event.target.closest("[data-column]");
    if (to) items.forEach((item) => { item.tabIndex = item === to ? 0 : -1; });
  };
}

function nearest(items, from, [across, down]) {
  const [column, line] = [Number(from.dataset.column), Number(from.dataset.line)];
  const distance = (item) => {
    const [x, y] = [Number(item.dataset.column) - column, Number(item.dataset.line) - line];
    const [along, aside] = across ? [x * across, Math.abs(y)] : [y * down, Math.abs(x)];
    return along > 0 ? along + 100 * aside : Infinity;
  };
  const best = items.reduce((one, other) => (distance(other) < distance(one) ? other : one), from);
  return distance(best) === Infinity ? null : best;
}

function fillSelect(select, options) {
  const kept = select.value;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === kept)) select.value = kept;
}

function number(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 4 }) : String(value);
}

function percent(share) { return `${(100 * share).toFixed(1)} %`; }

function clip(text, most) { return text.length > most ? `${text.slice(0, most - 1)}…` : text; }
