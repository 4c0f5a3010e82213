
const data = JSON.parse(document.getElementById("data").textContent);
const SHOWN_AT_ONCE = 400;
const control = Object.fromEntries(
  ["verdict", "group", "template", "finding", "document"].map((name) => [name, document.getElementById(`by-${name}`)]),
);
const factBody = document.querySelector("#facts tbody");
const sourceBox = document.getElementById("source");
const viewButtons = { pages: document.getElementById("view-pages"), text: document.getElementById("view-text") };
let shownDocument = null;
let view = "pages";
let limit = SHOWN_AT_ONCE;

function readRow(list, documentIndex, rowIndex) {
  const path = data.paths[list[0]];
  return {
    documentIndex, rowIndex, path, label: data.labels[list[0]], group: path.split(".")[0],
    source: data.sources[list[1]], template: data.templates[list[2]], verdict: data.verdicts[list[3]],
    expected: list[4] ?? null, given: list[5] ?? null, start: list[6] ?? null, end: list[7] ?? null,
    goldStart: list[8] ?? null, goldEnd: list[9] ?? null, more: list[10] ?? {},
  };
}

function setUpFilters() {
  const count = {};
  const groups = new Set(), rules = new Set();
  data.paths.forEach((path) => groups.add(path.split(".")[0]));
  for (const doc of data.documents) {
    doc.rows.forEach((list) => { count[data.verdicts[list[3]]] = (count[data.verdicts[list[3]]] ?? 0) + 1; });
    doc.findings.forEach((finding) => rules.add(finding[0]));
  }
  const verdicts = data.verdicts.filter((verdict) => count[verdict]);
  const wrongs = ["wrong", "omitted", "invented"].reduce((sum, verdict) => sum + (count[verdict] ?? 0), 0);
  fillSelect(control.verdict, [["errors", `错漏 all errors (${wrongs})`], ["", "全部 all"],
    ...verdicts.map((verdict) => [verdict, `${data.names.verdicts[verdict]} (${count[verdict]})`])]);
  fillSelect(control.group, [["", "全部 all"], ...[...groups].map((group) => [group, data.names.groups[group] ?? group])]);
  fillSelect(control.template, [["", "全部 all"], ...data.templates.map((name) => [name, name])]);
  fillSelect(control.finding, [["", "全部 all"], ...[...rules].sort().map((rule) => [rule, rule])]);
  fillSelect(control.document, [["", "全部 all"], ...data.documents.map((doc, index) => [String(index), doc.id])]);
  Object.values(control).forEach((select) => select.addEventListener("change", () => { limit = SHOWN_AT_ONCE; showFacts(); }));
  control.document.addEventListener("change", () => {
    if (control.document.value !== "") showSource(Number(control.document.value));
  });
}

function passes(row, touched) {
  const verdict = control.verdict.value;
  if (verdict === "errors" ? !["wrong", "omitted", "invented"].includes(row.verdict) : verdict && row.verdict !== verdict) return false;
  if (control.group.value && row.group !== control.group.value) return false;
  if (control.template.value && row.template !== control.template.value) return false;
  return !touched || touched.has(row.path);
}

function pathsOfFinding(doc) {
  if (!control.finding.value) return null;
  return new Set(doc.findings.filter((finding) => finding[0] === control.finding.value).flatMap((finding) => finding[4]));
}

function showFacts() {
  const rows = [];
  data.documents.forEach((doc, documentIndex) => {
    if (control.document.value !== "" && String(documentIndex) !== control.document.value) return;
    const touched = pathsOfFinding(doc);
    doc.rows.forEach((list, rowIndex) => {
      const row = readRow(list, documentIndex, rowIndex);
      if (passes(row, touched)) rows.push(row);
    });
  });
  factBody.replaceChildren(...rows.slice(0, limit).map(factRow));
  document.getElementById("count").textContent = `${rows.length} 项 facts`;
  document.getElementById("more").hidden = rows.length <= limit;
}

function factRow(row) {
  const line = element("tr");
  line.dataset.row = `${row.documentIndex}:${row.rowIndex}`;
  const name = element("td", null, "long");
  const open = element("button", row.label, "link");
  open.type = "button";
  name.append(open, element("div", `${row.path} · ${data.names.sources[row.source]}`, "soft"));
  if (control.document.value === "") name.append(element("div", data.documents[row.documentIndex].id, "soft"));
  const given = element("td", row.given ?? "–", "long");
  for (const note of notes(row)) given.append(element("div", note, "soft"));
  line.append(name, element("td", data.names.verdicts[row.verdict], `verdict ${row.verdict}`),
    element("td", row.expected ?? "–", "long"), given);
  line.addEventListener("click", () => choose(row));
  return line;
}

function notes(row) {
  const found = [];
  const more = row.more;
  if (more.raw && more.raw !== row.given) found.push(`原文 raw: ${more.raw.length > 60 ? more.raw.slice(0, 60) + "…" : more.raw}`);
  if (more.gold_raw && more.gold_raw !== more.raw) found.push(`标注 gold raw: ${more.gold_raw}`);
  for (const [key, name] of [["scope", "范围 scope"], ["bound", "界限 bound"]]) {
    if (more[key]) found.push(`${name}: ${more[key][0] ?? "–"} ≠ ${more[key][1] ?? "–"}`);
  }
  if (more.confidence !== undefined) found.push(`${more.method} ${more.confidence.toFixed(2)}`);
  return found;
}

function choose(row) {
  showSource(row.documentIndex);
  document.querySelectorAll(".chosen").forEach((old) => old.classList.remove("chosen"));
  factBody.querySelector(`tr[data-row="${row.documentIndex}:${row.rowIndex}"]`)?.classList.add("chosen");
  const marks = [...sourceBox.querySelectorAll("mark, .place")].filter((mark) => mark.rows.includes(row.rowIndex));
  marks.forEach((mark) => mark.classList.add("chosen"));
  document.getElementById("no-place").hidden = marks.length > 0;
  if (marks.length) showInBox(marks[0]);
}

function showInBox(mark) {
  // On a narrow screen the source stands below the facts.
  if (matchMedia("(max-width: 800px)").matches) sourceBox.scrollIntoView({ block: "nearest" });
  const box = sourceBox.getBoundingClientRect(), place = mark.getBoundingClientRect();
  sourceBox.scrollTop += place.top - box.top - box.height / 3;
}

function showSource(documentIndex) {
  if (shownDocument === documentIndex) return;
  shownDocument = documentIndex;
  const doc = data.documents[documentIndex];
  document.getElementById("source-name").textContent = doc.id;
  document.getElementById("views").hidden = !doc.pages || doc.text === null;
  for (const [name, button] of Object.entries(viewButtons)) button.setAttribute("aria-pressed", String(name === view));
  showFindings(doc);
  if (doc.pages && view === "pages") showPages(doc, documentIndex);
  else if (doc.text !== null) showText(doc, documentIndex);
  else sourceBox.textContent = doc.error ? `${doc.status}: ${doc.error}` : "此文件不含原文 No source text is kept in this file.";
  sourceBox.scrollTop = 0;
}

// Pages as pictures; over them a button for every place where facts point.
function showPages(doc, documentIndex) {
  const sheets = doc.pages.map(([uri, width, height], index) => {
    const sheet = element("div", null, "sheet");
    const picture = element("img");
    picture.src = uri;
    picture.alt = `第 ${index + 1} 页 page ${index + 1}`;
    picture.width = Math.round(width);
    picture.height = Math.round(height);
    sheet.append(picture);
    return sheet;
  });
  const places = new Map();
  for (const [row, [page, ...boxes]] of Object.entries(doc.boxes)) {
    for (const box of boxes) {
      const key = `${page}:${box}`;
      if (!places.has(key)) places.set(key, { page, box, rows: [] });
      places.get(key).rows.push(Number(row));
    }
  }
  for (const { page, box, rows } of places.values()) {
    const [, width, height] = doc.pages[page - 1];
    const wrong = rows.some((row) => [1, 2, 3].includes(doc.rows[row][3]));
    const place = element("button", null, wrong ? "place error" : "place");
    place.type = "button";
    Object.assign(place.style, {
      left: `${100 * box[0] / width}%`, top: `${100 * box[1] / height}%`,
      width: `${100 * (box[2] - box[0]) / width}%`, height: `${100 * (box[3] - box[1]) / height}%`,
    });
    openOnClick(place, rows, documentIndex);
    place.setAttribute("aria-label", place.title);
    sheets[page - 1].append(place);
  }
  sourceBox.replaceChildren(...sheets);
}

// The text in pieces: a place where facts point is a <mark>, also where such places overlap.
function showText(doc, documentIndex) {
  const places = [];
  doc.rows.forEach((list, rowIndex) => {
    const row = readRow(list, documentIndex, rowIndex);
    if (row.start !== null && row.end > row.start) places.push({ start: row.start, end: row.end, rowIndex, missed: false });
    else if (row.goldStart !== null) places.push({ start: row.goldStart, end: row.goldEnd, rowIndex, missed: true });
  });
  const cuts = [0, ...places.flatMap((place) => [place.start, place.end])];
  // Evidence counts code points, JavaScript UTF-16 units: go by code points.
  const characters = Array.from(doc.text);
  cuts.push(characters.length);
  const steps = [...new Set(cuts)].sort((a, b) => a - b);
  places.sort((a, b) => a.start - b.start);
  const pieces = [];
  for (let i = 0; i + 1 < steps.length; i++) {
    const text = characters.slice(steps[i], steps[i + 1]).join("");
    const here = places.filter((place) => place.start <= steps[i] && place.end >= steps[i + 1]);
    pieces.push(here.length ? markOf(text, here, documentIndex) : document.createTextNode(text));
  }
  sourceBox.replaceChildren(...pieces);
}

function markOf(text, here, documentIndex) {
  const mark = element("mark", text, here.every((place) => place.missed) ? "missed" : "");
  openOnClick(mark, here.map((place) => place.rowIndex), documentIndex);
  return mark;
}

// A place in the source, in text or on a page: a press shows the fact that points at it.
function openOnClick(mark, rows, documentIndex) {
  mark.rows = rows;
  mark.title = [...new Set(rows.map((row) => data.labels[data.documents[documentIndex].rows[row][0]]))].slice(0, 4).join("\n");
  mark.addEventListener("click", () => {
    if (!factBody.querySelector(`tr[data-row="${documentIndex}:${rows[0]}"]`)) {
      control.document.value = String(documentIndex);
      for (const name of ["verdict", "group", "template", "finding"]) control[name].value = "";
      showFacts();
    }
    choose(readRow(data.documents[documentIndex].rows[rows[0]], documentIndex, rows[0]));
    factBody.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
  });
}

function showFindings(doc) {
  const list = document.getElementById("findings");
  list.replaceChildren(...doc.findings.map((finding) => element("li", `${finding[2]} · ${finding[0]}${finding[1] ? "@" + finding[1] : ""}: ${finding[3]}`)));
}

document.getElementById("more").addEventListener("click", () => { limit += SHOWN_AT_ONCE; showFacts(); });
document.querySelectorAll("button[data-document]").forEach((button) => {
  button.addEventListener("click", () => {
    for (const name of ["verdict", "group", "template", "finding"]) control[name].value = "";
    control.document.value = button.dataset.document;
    showFacts();
    showSource(Number(button.dataset.document));
    document.getElementById("facts-head").scrollIntoView();
  });
});
for (const [name, button] of Object.entries(viewButtons)) {
  button.addEventListener("click", () => {
    view = name;
    const [chosen, open] = [factBody.querySelector("tr.chosen")?.dataset.row.split(":").map(Number), shownDocument];
    shownDocument = null;
    showSource(open);
    if (chosen && chosen[0] === open) choose(readRow(data.documents[open].rows[chosen[1]], ...chosen));
  });
}
setUpFilters();
showFacts();
if (data.documents.length) {
  const errors = data.documents.map((doc) => doc.text === null ? -1 : doc.rows.filter((list) => [1, 2, 3].includes(list[3])).length);
  showSource(errors.indexOf(Math.max(...errors)));
}
