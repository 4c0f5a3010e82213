const LIST_SHOWN = 300;
const panel = document.getElementById("panel");
const panelBody = document.getElementById("panel-body");
// The views opened one out of another; the last is the one shown.
const views = [];
let returnTo = null;

function openView(view) {
  if (panel.hidden) returnTo = document.activeElement;
  views.push(view);
  showView();
}

// A detail as the views use it: each print an object, each figure [value, status, prints].
async function readDetail(row) {
  const packed = await detailOf(row);
  const names = Object.keys(packed.prints);
  let start = 0;
  const prints = (packed.prints.path ?? []).map((_, place) => {
    const print = Object.fromEntries(names.map((name) => [name, packed.prints[name][place]]));
    start += print.start;
    return { ...print, start };
  });
  const figures = packed.figures.map((figure) => readFigure(figure, prints));
  index.variables.forEach((variable, place) => {
    const [value, status] = figures[place];
    if (variable[5].length && value !== null) figures[place] = [value, status, [...new Set(variable[5].flatMap((part) => figures[part][2]))]];
  });
  return { ...packed, prints, figures };
}

function readFigure(figure, prints) {
  if (Array.isArray(figure)) return figure;
  if (figure >= 0) return [null, figure, []];
  return [prints[-1 - figure].value, prints[-1 - figure].status, [-1 - figure]];
}

async function showView() {
  const view = views.at(-1);
  document.getElementById("panel-title").textContent = view.title();
  document.getElementById("panel-back").hidden = views.length < 2;
  panelBody.replaceChildren(element("p", say("loading"), "soft"));
  panel.hidden = false;
  panel.focus({ preventScroll: true });
  const content = typeof DecompressionStream === "undefined" ? [element("p", say("tooOld"), "warning")] : await view.fill();
  if (views.at(-1) !== view) return;
  panelBody.replaceChildren(...content);
  panelBody.scrollTop = 0;
  panelBody.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  const series = panelBody.querySelector(".series");
  if (series) series.parentElement.scrollLeft = series.scrollWidth; // the latest years
}

function closePanel() {
  panel.hidden = true;
  views.length = 0;
  returnTo?.focus();
}

function openList(title, entries, compare) {
  const sorted = compare ? [...entries].sort(compare) : entries;
  openView({ title: () => title, fill: () => {
    const lines = sorted.slice(0, LIST_SHOWN).map((entry) => {
      const act = entry.row === undefined ? () => openIssuer(entry.issuer) : entry.row < 0 ? null : () => openRow(entry.row);
      const name = issuerName(entry.issuer);
      return element("tr", [element("td", [act ? button(name, "link", act) : name, element("div", placeOf(entry.issuer), "soft")]), element("td", entry.text, "n")]);
    });
    const left = sorted.length - lines.length;
    return [element("table", element("tbody", lines)), left > 0 ? element("p", say("more", number(left)), "soft") : ""];
  } });
}

function openMissing(issuer, year) {
  openView({ title: () => `${issuerName(issuer)} · ${year}`, fill: () => [element("p", say("noReport")), button(issuerName(issuer), "link", () => openIssuer(issuer))] });
}

// All years of an issuer: each value opens the year with its evidence.
function openIssuer(issuer) {
  openView({ title: () => issuerName(issuer), fill: async () => {
    const rows = Array.from({ length: firstRow[issuer + 1] - firstRow[issuer] }, (_, step) => firstRow[issuer] + step);
    const details = await Promise.all(rows.map(readDetail));
    const head = element("tr", [element("th", say("variable")), ...rows.map((row) => element("th", button(String(columns.year[row]), "", () => openRow(row)), "n"))]);
    const state = element("tr", [element("th", say("status")), ...rows.map((row) => element("td", say(STATUS[columns.status[row]]), "n"))]);
    const lines = index.variables.map((variable, place) => [variable, place]).filter(([, place]) => details.some((each) => each.figures[place]?.[0] !== null))
      .map(([variable, place]) => element("tr", [element("th", nameOf(variable)), ...details.map((each, step) => seriesCell(variable, each.figures[place], rows[step]))]));
    return [element("p", [placeOf(issuer), " · ", issuers[issuer][ISSUER.id]], "soft"), element("div", element("table", [element("thead", head), element("tbody", [state, ...lines])], "series"), "wide")];
  } });
}

// A value, or in words what is printed in place of one; both open the year.
function seriesCell(variable, figure, row) {
  if (figure[0] === null && !figure[2].length) return element("td", "–", "n soft");
  const text = figure[0] === null ? say(names.statuses[figure[1]]) : figureText(variable, figure);
  return element("td", button(text, "link", () => openRow(row)), figure[0] === null ? "" : "n");
}

function figureText(variable, figure) {
  if (!figure || figure[0] === null) return "–";
  return variable[4] === "rate" && typeof figure[0] === "number" ? percent(figure[0]) : number(figure[0]);
}

function openRow(row, finding) {
  const issuer = columns.issuer[row];
  openView({ title: () => `${issuerName(issuer)} · ${columns.year[row]}`, fill: async () => {
    const detail = await readDetail(row);
    const flagged = new Set(detail.findings.filter((each) => each.severity !== "note").flatMap((each) => each.prints));
    return [
      otherYears(row), about(row, detail),
      ...(detail.findings.length ? [element("h3", say("findingsHere")), ...detail.findings.map((each, place) => findingBox(each, detail, place === finding))] : []),
      element("h3", say("evidence")), ...figures(detail, flagged),
    ];
  } });
}

function otherYears(row) {
  const issuer = columns.issuer[row];
  const near = [row - 1, row + 1].filter((each) => each >= firstRow[issuer] && each < firstRow[issuer + 1]);
  const step = (each) => button(`${each < row ? "‹ " : ""}${columns.year[each]}${each > row ? " ›" : ""}`, "plain", () => { views.pop(); openRow(each); });
  return element("p", [button(issuerName(issuer), "link", () => openIssuer(issuer)), " ", ...near.flatMap((each) => [step(each), " "])]);
}

function about(row, detail) {
  const issuer = columns.issuer[row];
  const lines = [["document", detail.doc], ["status", say(STATUS[columns.status[row]])], ["asPrinted", detail.issuer], ["place", placeOf(issuer)],
    ["run", detail.run], ["file", detail.file], ["templates", [...new Set(detail.templates.filter(Boolean))].join(", ")], ["reason", detail.error]];
  if (detail.versions.length > 1) lines.push(["versions", detail.versions.map(([doc, run, role, reason]) => element("div", `${doc} (${run}): ${say(role)}${reason ? ` – ${reason}` : ""}`))]);
  return element("dl", lines.filter(([, text]) => text).flatMap(([key, text]) => [element("dt", say(key)), element("dd", text)]));
}

function findingBox(finding, detail, isChosen) {
  const box = element("div", [element("b", say(finding.severity), severityClass(finding.severity)), ` · ${names.rules[finding.rule]}${finding.at ? ` @ ${finding.at}` : ""}`,
    element("p", finding.message)], `finding is-${finding.severity}${isChosen ? " chosen" : ""}`);
  if (finding.expected !== null || finding.printed !== null) {
    box.append(element("p", [`${say("expected")} `, element("b", number(finding.expected)), ` · ${say("printed")} `, element("b", number(finding.printed)), ` · ${say("cause")}: ${say(finding.cause)}`]));
  }
  box.append(...folded(finding.prints.map((place) => printLine(detail.prints[place], true)), isChosen));
  return box;
}

function figures(detail, flagged) {
  const there = [], absent = [];
  index.variables.forEach((variable, place) => {
    const figure = detail.figures[place];
    if (!figure) return;
    if (!figure[2].length && figure[0] === null) absent.push(`${nameOf(variable)} (${say(names.statuses[figure[1]])})`);
    else there.push(figureLine(variable, figure, detail, flagged));
  });
  const found = there.length ? [element("table", element("tbody", there))] : [element("p", say("noData"), "soft")];
  if (absent.length) found.push(element("details", [element("summary", `${say("notMentioned")}: ${absent.length}`), element("p", absent.join("; "), "soft")]));
  return found;
}

function figureLine(variable, figure, detail, flagged) {
  const [value, status, prints] = figure;
  const name = element("td", nameOf(variable));
  const shown = element("td", [figureText(variable, figure)], "n");
  if (prints.some((place) => flagged.has(place))) shown.prepend(element("span", "! ", "figure-flag"));
  if (names.statuses[status] !== "value") shown.append(element("div", say(names.statuses[status]), "soft"));
  const lines = prints.map((place) => printLine(detail.prints[place], prints.length > 1));
  name.append(...folded(lines));
  return element("tr", [name, shown]);
}

// Many prints are folded, so that the next figure is in sight.
function folded(lines, isOpen = false) {
  if (lines.length < 3) return lines;
  const made = element("details", [element("summary", `${lines.length} ${say("printsOf")}`), ...lines]);
  made.open = isOpen;
  return [made];
}

// A print: what stands there, where it stands, and a few words around it.
function printLine(print, withName) {
  const raw = print.raw ?? String(print.value);
  const line = element("div", null, "place");
  if (withName) line.append(element("span", pathLabel(print.path)), ": ");
  line.append(element("span", clip(raw, 80), "print"), ` ${placeText(print)}`);
  if (print.document) line.append(` · ${print.document}`);
  const excerpt = print.excerpt;
  if (excerpt) line.append(element("div", [excerpt[0], element("mark", excerpt[1]), excerpt[2]], "excerpt"));
  return line;
}

function pathLabel(path) {
  const name = names.paths[path];
  return index.labels[name][language];
}

function placeText(print) {
  const parts = [say(names.sources[print.source])];
  const status = names.statuses[print.status], bound = names.bounds[print.bound ?? -1];
  if (status !== "value") parts.unshift(say(status));
  if (bound) parts.unshift(say(bound));
  if (print.page) parts.push(say("page", print.page));
  if ((print.table ?? null) !== null) parts.push(say("cellPlace", print.table + 1, (print.row ?? 0) + 1, (print.column ?? 0) + 1));
  parts.push(say("characters", print.start, print.start + print.length));
  return parts.join(" · ");
}
