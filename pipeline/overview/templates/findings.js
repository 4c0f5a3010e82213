const FINDINGS_A_PAGE = 50;
const SEVERITIES = ["error", "warning", "note"];
const listed = { page: 0, sort: "year", falling: true };
// A finding of the list: [row, its number there, rule, severity, expected, printed, cause, message, prints].
const FINDING = { row: 0, number: 1, rule: 2, severity: 3, expected: 4, printed: 5, cause: 6, message: 7, prints: 8 };

function findingsShown() {
  const severity = document.getElementById("by-severity").value, rule = document.getElementById("by-rule").value;
  return index.findings.filter((finding) => isSelected[columns.issuer[finding[FINDING.row]]]
    && (severity === "" || String(finding[FINDING.severity]) === severity) && (rule === "" || String(finding[FINDING.rule]) === rule));
}

const FINDING_KEYS = {
  year: (finding) => columns.year[finding[FINDING.row]],
  issuer: (finding) => issuerName(columns.issuer[finding[FINDING.row]]),
  severity: (finding) => -finding[FINDING.severity],
  rule: (finding) => names.rules[finding[FINDING.rule]],
  expected: (finding) => finding[FINDING.expected],
  printed: (finding) => finding[FINDING.printed],
};

function compareFindings(a, b) {
  const [one, other] = [a, b].map(FINDING_KEYS[listed.sort]);
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one ?? "").localeCompare(String(other ?? ""), "zh", { numeric: true });
}

function showFindings() {
  // Among equals the gravest first, whichever way it is sorted.
  const found = findingsShown().sort((a, b) => compareFindings(a, b) * (listed.falling ? -1 : 1) || a[FINDING.severity] - b[FINDING.severity]);
  const pages = Math.max(1, Math.ceil(found.length / FINDINGS_A_PAGE));
  listed.page = Math.min(listed.page, pages - 1);
  const shown = found.slice(listed.page * FINDINGS_A_PAGE, (listed.page + 1) * FINDINGS_A_PAGE);
  document.getElementById("findings").replaceChildren(findingsHead(), element("tbody", shown.map(findingLine)));
  showPages("findings", listed.page, pages, found.length);
  const left = index.findings_in_all - index.findings.length;
  document.getElementById("findings-left-out").textContent = left ? `${number(left)} ${say("leftOut")}` : "";
}

function findingsHead() {
  const heads = ["year", "issuer", "severity", "rule", "finding", "expected", "printed", "prints"].map((key) => {
    const head = element("th", key in FINDING_KEYS ? button(say(key), "", () => sortFindings(key)) : say(key));
    head.scope = "col";
    if (key === listed.sort) head.setAttribute("aria-sort", listed.falling ? "descending" : "ascending");
    return head;
  });
  return element("thead", element("tr", heads));
}

function sortFindings(key) {
  listed.falling = listed.sort === key ? !listed.falling : key === "year" || key === "severity";
  Object.assign(listed, { sort: key, page: 0 });
  showFindings();
}

function findingLine(finding) {
  const row = finding[FINDING.row];
  const severity = SEVERITIES[finding[FINDING.severity]];
  const open = button(issuerName(columns.issuer[row]), "link", () => openRow(row, finding[FINDING.number]));
  const prints = finding[FINDING.prints].flatMap((print) => [print === "…" ? "…" : element("span", print, "print"), " "]);
  return element("tr", [
    element("td", String(columns.year[row])), element("td", open), element("td", say(severity), severityClass(severity)),
    element("td", names.rules[finding[FINDING.rule]], "rule"),
    element("td", [finding[FINDING.message], element("div", `${say("cause")}: ${say(finding[FINDING.cause])}`, "soft")], "long"),
    element("td", number(finding[FINDING.expected])), element("td", number(finding[FINDING.printed])), element("td", prints),
  ]);
}

function severityClass(severity) {
  return { error: "error", warning: "warning-word", note: "soft" }[severity];
}

function showUnplaced() {
  document.getElementById("unplaced-part").hidden = index.unplaced_in_all === 0;
  document.getElementById("unplaced-count").textContent = `${number(index.unplaced_in_all)} ${say("documents")}`;
  const head = element("tr", ["document", "run", "reason"].map((key) => element("th", say(key))));
  const lines = index.unplaced.map((each) => element("tr", each.map((text) => element("td", text))));
  document.getElementById("unplaced").replaceChildren(element("table", [element("thead", head), element("tbody", lines)]));
  const left = index.unplaced_in_all - index.unplaced.length;
  if (left) document.getElementById("unplaced").append(element("p", say("more", number(left)), "soft"));
}
