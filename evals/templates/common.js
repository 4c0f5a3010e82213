"use strict";

// Every table with class "sortable": a press on a head sorts by that column.
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => compareCells(a.cells[column], b.cells[column]));
      if (falling) rows.reverse();
      body.append(...rows);
    });
  });
}

function compareCells(a, b) {
  const [one, other] = [a, b].map((cell) => cell.textContent.trim());
  const [x, y] = [one, other].map((text) => parseFloat(text.replace(/[,+]/g, "")));
  if (Number.isNaN(x) || Number.isNaN(y)) {
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? -1 : 1;
    return one.localeCompare(other, "zh");
  }
  return x - y;
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fillSelect(select, options) {
  for (const [value, text] of options) {
    const option = element("option", text);
    option.value = value;
    select.append(option);
  }
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
