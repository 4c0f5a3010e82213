// What the charts draw, counted over the chosen issuers; each mark keeps the rows behind it.

function sumOf(name, rows) {
  const values = columns.values[name];
  const behind = rows.filter((row) => values[row] !== null);
  return { rows: behind, sum: behind.reduce((total, row) => total + values[row], 0) };
}

function outcomesByYear(byYear) {
  const outcomes = variablesOf("outcome"), received = variablesOf("received")[0];
  return years.map((year) => {
    const rows = byYear.get(year);
    // Forms before 2019 print some outcomes only: a column of those would look like all there is.
    const complete = outcomes.length ? rows.filter((row) => outcomes.every((variable) => columns.values[variable[0]][row] !== null)) : [];
    const parts = outcomes.map((variable) => ({ variable, ...sumOf(variable[0], complete) }));
    return {
      year, parts, total: parts.reduce((total, part) => total + part.sum, 0), printing: complete.length,
      received: received ? { variable: received, ...sumOf(received[0], rows) } : null,
    };
  });
}

function ratesByYear(byYear, name) {
  const values = columns.values[name];
  return years.map((year) => {
    const rows = byYear.get(year).filter((row) => values[row] !== null).sort((a, b) => values[a] - values[b]);
    const at = (share) => quantile(rows, share, (row) => values[row]);
    return { year, rows, low: at(0.05), quartile1: at(0.25), median: at(0.5), quartile3: at(0.75), high: at(0.95) };
  });
}

function quantile(sorted, share, read) {
  if (!sorted.length) return null;
  const place = share * (sorted.length - 1), below = Math.floor(place);
  const [low, high] = [read(sorted[below]), read(sorted[Math.ceil(place)])];
  return low + (high - low) * (place - below);
}

function flaggedByYear(byYear) {
  return years.map((year) => {
    const rows = byYear.get(year).filter((row) => columns.figures[row] > 0);
    const figures = rows.reduce((total, row) => total + columns.figures[row], 0);
    const flagged = rows.reduce((total, row) => total + columns.flagged[row], 0);
    return { year, rows, figures, flagged, share: figures ? flagged / figures : null };
  });
}

// A rate is kept as a whole number of ten-thousandths, days as they are.
function inUnit(variable, value) {
  return variable[4] === "rate" ? percent(value / index.rate_scale) : `${number(value)}${variable[3] ? ` ${variable[3]}` : ""}`;
}

// The rows behind a mark, the largest first.
function openValues(title, rows, value, show) {
  const entries = rows.map((row) => ({ issuer: columns.issuer[row], row, text: show(row), value: value(row) }));
  openList(title, entries, (a, b) => b.value - a.value);
}

function openSum(part, year) {
  const values = columns.values[part.variable[0]];
  openValues(`${nameOf(part.variable)} · ${year} · ${number(part.sum)}`, part.rows, (row) => values[row], (row) => number(values[row]));
}

function openRates(variable, point) {
  const values = columns.values[variable[0]];
  openValues(`${nameOf(variable)} · ${point.year}`, point.rows, (row) => values[row], (row) => inUnit(variable, values[row]));
}

function openFlagged(point) {
  openValues(`${say("flaggedShare")} · ${point.year}`, point.rows.filter((row) => columns.flagged[row]), (row) => columns.flagged[row] / columns.figures[row],
    (row) => `${columns.flagged[row]} / ${columns.figures[row]}`);
}

// Each chart as a table too; its figures open the same evidence.
function showTable(name, heads, lines) {
  const head = element("tr", heads.map((text, place) => element("th", text, place ? "n" : "")));
  [...head.cells].forEach((cell) => { cell.scope = "col"; });
  const body = lines.map(([year, ...cells]) => {
    const first = element("th", String(year));
    first.scope = "row";
    return element("tr", [first, ...cells.map(([text, act]) => element("td", act ? button(text, "link", act) : text, "n"))]);
  });
  document.getElementById(`${name}-table`).replaceChildren(element("table", [element("thead", head), element("tbody", body)]));
}

function showCharts() {
  const byYear = rowsByYear();
  showOutcomes(outcomesByYear(byYear));
  const rate = index.variables.find((variable) => variable[0] === document.getElementById("rate").value);
  if (rate) showRates(rate, ratesByYear(byYear, rate[0]));
  showFlagged(flaggedByYear(byYear));
}

function showOutcomes(points) {
  drawOutcomes(points);
  const variables = [...variablesOf("outcome"), ...variablesOf("received").slice(0, 1)];
  showTable("outcomes", [say("year"), ...variables.map(nameOf), "n"], points.map((point) => [point.year,
    ...[...point.parts, ...(point.received ? [point.received] : [])].map((part) => (part.rows.length ? [number(part.sum), () => openSum(part, point.year)] : ["–"])), [number(point.printing)]]));
}

function showRates(variable, points) {
  drawRates(variable, points);
  const keys = ["low", "quartile1", "median", "quartile3", "high"];
  showTable("rates", [say("year"), ...keys.map((key) => say(key)), "n"], points.map((point) => [point.year,
    ...keys.map((key) => [point[key] === null ? "–" : inUnit(variable, point[key])]), point.rows.length ? [number(point.rows.length), () => openRates(variable, point)] : ["0"]]));
}

function showFlagged(points) {
  drawFlagged(points);
  showTable("flagged", [say("year"), say("flagged"), say("figures"), "%"], points.map((point) => [point.year,
    point.flagged ? [number(point.flagged), () => openFlagged(point)] : ["0"], [number(point.figures)], [point.share === null ? "–" : percent(point.share)]]));
}
