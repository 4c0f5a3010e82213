const index = JSON.parse(document.getElementById("index").textContent);
const packed = JSON.parse(document.getElementById("details").textContent);
const { columns, issuers, names } = index;
const STATUS = ["ok", "flagged", "failed"];
const years = listYears();
const ISSUER = { id: 0, name: 1, level: 2, type: 3, province: 4, prefecture: 5, code: 6 };
// Rows are sorted by issuer: where the rows of each begin, and one more for the end.
const firstRow = new Int32Array(issuers.length + 1).fill(columns.issuer.length);
for (let row = columns.issuer.length - 1; row >= 0; row--) firstRow[columns.issuer[row]] = row;
const chosen = { name: "", province: "", prefecture: "", level: "", type: "", status: "" };

function listYears() {
  let [first, last] = [Infinity, -Infinity];
  for (const year of columns.year) { first = Math.min(first, year); last = Math.max(last, year); }
  return first > last ? [] : Array.from({ length: last - first + 1 }, (_, step) => first + step);
}

function variablesOf(role) { return index.variables.filter((variable) => variable[4] === role); }
function nameOf(variable) { return variable[1 + language]; }
function issuerName(issuer) { return issuers[issuer][ISSUER.name]; }

function placeName(issuer, key) {
  const position = issuers[issuer][ISSUER[key]];
  return position === null ? say("none") : names[key][position];
}

function placeOf(issuer) {
  return ["province", "prefecture"].filter((key) => issuers[issuer][ISSUER[key]] !== null).map((key) => placeName(issuer, key)).join(" · ");
}

function rowAt(issuer, year) {
  for (let row = firstRow[issuer]; row < firstRow[issuer + 1]; row++) if (columns.year[row] === year) return row;
  return -1;
}

// How often each status, and missing, occurs in an issuer's years.
function countsOf(issuer) {
  const counts = { ok: 0, flagged: 0, failed: 0, missing: 0, versions: 0 };
  for (let row = firstRow[issuer]; row < firstRow[issuer + 1]; row++) {
    counts[STATUS[columns.status[row]]]++;
    if (columns.versions[row] > 1) counts.versions++;
  }
  counts.missing = years.length - (firstRow[issuer + 1] - firstRow[issuer]);
  return counts;
}

function passes(issuer) {
  const values = issuers[issuer];
  for (const key of ["province", "prefecture", "level", "type"]) {
    if (chosen[key] !== "" && String(values[ISSUER[key]]) !== chosen[key]) return false;
  }
  if (chosen.name && !`${values[ISSUER.name]} ${values[ISSUER.id]} ${values[ISSUER.code] ?? ""}`.toLowerCase().includes(chosen.name)) return false;
  return !chosen.status || countsOf(issuer)[chosen.status] > 0;
}

let selected = [];
let isSelected = new Uint8Array(issuers.length);

function select() {
  selected = [];
  isSelected = new Uint8Array(issuers.length);
  for (let issuer = 0; issuer < issuers.length; issuer++) {
    if (passes(issuer)) { selected.push(issuer); isSelected[issuer] = 1; }
  }
}

// Rows of the chosen issuers, by year.
function rowsByYear() {
  const found = new Map(years.map((year) => [year, []]));
  for (const issuer of selected) for (let row = firstRow[issuer]; row < firstRow[issuer + 1]; row++) found.get(columns.year[row]).push(row);
  return found;
}

const unpacked = new Map();

async function detailOf(row) {
  let part = index.starts.length - 1;
  while (index.starts[part] > row) part--;
  if (!unpacked.has(part)) unpacked.set(part, unpack(packed[part]));
  return (await unpacked.get(part))[row - index.starts[part]];
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}
