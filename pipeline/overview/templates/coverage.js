const LINES_A_PAGE = 50;
const grid = { rows: "issuer", sort: "place", page: 0 };
const SIGNS = { ok: "", flagged: "!", failed: "×", missing: "·" };

// The lines of the grid: one an issuer, or one a place with all its issuers.
function gridLines() {
  if (grid.rows === "issuer") return selected.map((issuer) => ({ issuers: [issuer], name: issuerName(issuer), place: placeOf(issuer) }));
  const lines = new Map();
  for (const issuer of selected) {
    const name = placeName(issuer, grid.rows);
    const place = grid.rows === "prefecture" ? placeName(issuer, "province") : "";
    const key = `${place} ${name}`;
    if (!lines.has(key)) lines.set(key, { issuers: [], name, place });
    lines.get(key).issuers.push(issuer);
  }
  return [...lines.values()];
}

function sortLines(lines) {
  const key = { fewest: "missing", flagged: "flagged", failed: "failed" }[grid.sort];
  if (grid.sort === "name") return lines.sort((a, b) => a.name.localeCompare(b.name, "zh"));
  if (grid.sort.startsWith("year")) return lines.sort((a, b) => gravity(b, Number(grid.sort.slice(4))) - gravity(a, Number(grid.sort.slice(4))));
  if (!key) return lines; // the order of the data: by place
  const weight = new Map(lines.map((line) => [line, line.issuers.reduce((sum, issuer) => sum + countsOf(issuer)[key], 0) / line.issuers.length]));
  return lines.sort((a, b) => weight.get(b) - weight.get(a));
}

function gravity(line, year) {
  const sum = line.issuers.reduce((total, issuer) => {
    const row = rowAt(issuer, year);
    return total + (row < 0 ? 2 : [0, 1, 3][columns.status[row]]);
  }, 0);
  return sum / line.issuers.length;
}

function showGrid() {
  const lines = sortLines(gridLines());
  const pages = Math.max(1, Math.ceil(lines.length / LINES_A_PAGE));
  grid.page = Math.min(grid.page, pages - 1);
  const shown = lines.slice(grid.page * LINES_A_PAGE, (grid.page + 1) * LINES_A_PAGE);
  const table = document.getElementById("grid");
  table.setAttribute("aria-rowcount", String(lines.length + 1));
  const caption = element("caption", say("coverage"), "soft");
  caption.hidden = true;
  table.replaceChildren(caption, gridHead(), element("tbody", shown.map(gridLine)));
  showPages("grid", grid.page, pages, lines.length);
  showGridLegend();
  rove(table);
  // Where not all years fit, the latest are shown.
  const box = document.getElementById("grid-box");
  if (box.scrollLeft === 0) box.scrollLeft = box.scrollWidth;
}

function gridHead() {
  const head = element("tr", element("th", say(grid.rows === "issuer" ? "issuer" : grid.rows)));
  head.firstChild.scope = "col";
  for (const year of years) {
    const cell = element("th", button(String(year), "", () => { grid.sort = `year${year}`; grid.page = 0; showGrid(); }));
    cell.scope = "col";
    if (grid.sort === `year${year}`) cell.setAttribute("aria-sort", "descending");
    head.append(cell);
  }
  return element("thead", head);
}

function gridLine(line, number) {
  const made = element("tr");
  made.setAttribute("aria-rowindex", String(grid.page * LINES_A_PAGE + number + 2));
  const single = grid.rows === "issuer";
  const open = single
    ? button(line.name, "", () => openIssuer(line.issuers[0]))
    : button(line.name, "", () => openList(line.name, line.issuers.map((issuer) => ({ issuer, text: summaryOf(issuer) }))));
  Object.assign(open.dataset, { column: 0, line: number });
  const under = [line.place, single ? "" : `${line.issuers.length} ${say("issuers")}`].filter(Boolean).join(" · ");
  const head = element("th", [open, element("span", under, "soft")]);
  head.scope = "row";
  made.append(head, ...years.map((year, column) => element("td", single ? issuerCell(line.issuers[0], year, column + 1, number) : placeCell(line, year, column + 1, number))));
  return made;
}

function issuerCell(issuer, year, column, line) {
  const row = rowAt(issuer, year);
  const status = row < 0 ? "missing" : STATUS[columns.status[row]];
  const versions = row < 0 ? 0 : columns.versions[row];
  const cell = button(SIGNS[status], `cell ${status}`, () => (row < 0 ? openMissing(issuer, year) : openRow(row)));
  if (versions > 1) cell.append(element("sup", String(versions)));
  Object.assign(cell.dataset, { column, line });
  cell.title = `${issuerName(issuer)} ${year}: ${say(status)}${versions > 1 ? `, ${versions} ${say("versionsOf")}` : ""}`;
  cell.setAttribute("aria-label", cell.title);
  return cell;
}

function placeCell(group, year, column, line) {
  const rows = group.issuers.map((issuer) => rowAt(issuer, year));
  const there = rows.filter((row) => row >= 0);
  const [, flagged, failed] = [0, 1, 2].map((status) => there.filter((row) => columns.status[row] === status).length);
  const share = there.length / rows.length;
  const cell = button(there.length || "·", there.length ? `cell h${Math.max(1, Math.ceil(share * 5))}` : "cell missing", () => openList(`${group.name} ${year}`, group.issuers.map((issuer, position) => (
    { issuer, row: rows[position], text: say(rows[position] < 0 ? "missing" : STATUS[columns.status[rows[position]]]) })), byTrouble));
  if (flagged + failed) cell.append(element("sup", failed ? "×" : "!"));
  Object.assign(cell.dataset, { column, line });
  cell.title = `${group.name} ${year}: ${there.length} / ${rows.length} ${say("reports")}, ${flagged} ${say("flagged")}, ${failed} ${say("failed")}`;
  cell.setAttribute("aria-label", cell.title);
  return cell;
}

function byTrouble(a, b) {
  const rank = (entry) => (entry.row < 0 ? 2 : [3, 1, 0][columns.status[entry.row]]);
  return rank(a) - rank(b);
}

function summaryOf(issuer) {
  const counts = countsOf(issuer);
  return ["ok", "flagged", "failed", "missing"].filter((key) => counts[key]).map((key) => `${counts[key]} ${say(key)}`).join(", ");
}

function showGridLegend() {
  const item = (className, sign, text, versions) => {
    const sample = element("span", sign, `cell ${className}`);
    sample.setAttribute("aria-hidden", "true");
    if (versions) sample.append(element("sup", versions));
    return element("li", [sample, text]);
  };
  const shown = grid.rows === "issuer"
    ? [...["ok", "flagged", "failed", "missing"].map((key) => item(key, SIGNS[key], say(key))), item("ok", "", say("versions"), "2")]
    : [...[1, 3, 5].map((step) => item(`h${step}`, "", `${say("share")} ≤ ${step * 20} %`)), item("h3", "", say("flagged"), "!"), item("h3", "", say("failed"), "×"), item("missing", "·", say("missing"))];
  document.getElementById("grid-legend").replaceChildren(...shown);
}

function showPages(name, page, pages, count) {
  document.getElementById(`${name}-page`).textContent = `${page + 1} / ${pages} · ${number(count)}`;
  document.getElementById(`${name}-before`).disabled = page === 0;
  document.getElementById(`${name}-after`).disabled = page >= pages - 1;
}
