function options(key) {
  const found = names[key].map((name, position) => [String(position), ["level", "type"].includes(key) ? (key === "level" ? sayLevel(name) : say(name)) : name]);
  return [["", say("all")], ...found];
}

// Prefectures of the chosen province alone.
function prefectureOptions() {
  const there = new Set(issuers.filter((each) => chosen.province === "" || String(each[ISSUER.province]) === chosen.province).map((each) => each[ISSUER.prefecture]));
  return options("prefecture").filter(([value]) => value === "" || there.has(Number(value)));
}

function fillControls() {
  const fill = (name, choices) => fillSelect(document.getElementById(name), choices);
  for (const key of ["province", "level", "type"]) fill(`by-${key}`, options(key));
  fill("by-prefecture", prefectureOptions());
  fill("by-status", [["", say("all")], ...["flagged", "failed", "missing", "versions"].map((key) => [key, say(key)])]);
  fill("grid-rows", [["issuer", say("byIssuer")], ["prefecture", say("byPrefecture")], ["province", say("byProvince")]]);
  fill("grid-sort", [["place", say("sortPlace")], ["name", say("sortName")], ["fewest", say("sortFewest")], ["flagged", say("sortFlagged")], ["failed", say("sortFailed")],
    ...[...years].reverse().map((year) => [`year${year}`, String(year)])]);
  fill("rate", [...variablesOf("rate"), ...variablesOf("days")].map((variable) => [variable[0], nameOf(variable)]));
  fill("by-severity", [["", say("all")], ...SEVERITIES.map((key, place) => [String(place), say(key)])]);
  const rules = new Set(index.findings.map((finding) => finding[FINDING.rule]));
  fill("by-rule", [["", say("all")], ...[...rules].map((rule) => [String(rule), names.rules[rule]]).sort((a, b) => a[1].localeCompare(b[1]))]);
}

function showSummary() {
  const counts = { ok: 0, flagged: 0, failed: 0, missing: 0 };
  for (const issuer of selected) for (const [key, count] of Object.entries(countsOf(issuer))) if (key in counts) counts[key] += count;
  const reports = counts.ok + counts.flagged + counts.failed;
  const span = years.length ? `${years[0]}–${years.at(-1)} · ` : "";
  document.getElementById("summary").textContent = `${span}${number(selected.length)} ${say("issuers")} · ${number(reports)} ${say("reports")}: `
    + Object.entries(counts).map(([key, count]) => `${number(count)} ${say(key)}`).join(", ");
}

function showAll() {
  select();
  showSummary();
  showGrid();
  showCharts();
  showFindings();
}

function takeFilters() {
  for (const key of Object.keys(chosen)) chosen[key] = document.getElementById(`by-${key}`).value.trim().toLowerCase();
  fillSelect(document.getElementById("by-prefecture"), prefectureOptions());
  chosen.prefecture = document.getElementById("by-prefecture").value;
  Object.assign(grid, { page: 0 });
  Object.assign(listed, { page: 0 });
  showAll();
}

function onChange(name, act) { document.getElementById(name).addEventListener("change", act); }
function onClick(name, act) { document.getElementById(name).addEventListener("click", act); }

function turn(state, step, show) {
  return () => { state.page += step; show(); };
}

function later(act, milliseconds) {
  let waiting;
  return () => { clearTimeout(waiting); waiting = setTimeout(act, milliseconds); };
}

const filters = document.getElementById("filters");
filters.addEventListener("change", takeFilters);
filters.addEventListener("input", later(takeFilters, 200));
filters.addEventListener("reset", () => setTimeout(takeFilters));
filters.addEventListener("submit", (event) => event.preventDefault());
onChange("grid-rows", () => { Object.assign(grid, { rows: document.getElementById("grid-rows").value, page: 0 }); showGrid(); });
onChange("grid-sort", () => { Object.assign(grid, { sort: document.getElementById("grid-sort").value, page: 0 }); showGrid(); });
onClick("grid-before", turn(grid, -1, showGrid));
onClick("grid-after", turn(grid, 1, showGrid));
onChange("rate", showCharts);
onChange("by-severity", () => { listed.page = 0; showFindings(); });
onChange("by-rule", () => { listed.page = 0; showFindings(); });
onClick("findings-before", turn(listed, -1, showFindings));
onClick("findings-after", turn(listed, 1, showFindings));
onClick("panel-close", closePanel);
onClick("panel-back", () => { views.pop(); showView(); });
onClick("language", () => {
  language = 1 - language;
  labelPage();
  fillControls();
  showUnplaced();
  showAll();
  if (!panel.hidden) showView();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) closePanel(); });
let drawnWidth = innerWidth;
addEventListener("resize", later(() => { if (innerWidth !== drawnWidth) { drawnWidth = innerWidth; showCharts(); } }, 150));

labelPage();
fillControls();
showUnplaced();
showAll();
