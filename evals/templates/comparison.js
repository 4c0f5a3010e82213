
const data = JSON.parse(document.getElementById("data").textContent);
const SHOWN_AT_ONCE = 100;
const KINDS = { fix: "改正 fix", regression: "退步 regression" };

// Only-differences by default: the list holds what one run has right and the other not.
document.querySelectorAll("[data-changes]").forEach((box) => {
  const number = Number(box.dataset.changes);
  const changes = data.pairs[number].map(readChange);
  const body = box.querySelector("tbody"), more = box.querySelector("[data-more]");
  const selects = [...box.querySelectorAll("select")];
  const names = { kind: KINDS, group: data.names.groups, source: data.names.sources, document: {} };
  let limit = SHOWN_AT_ONCE;
  for (const select of selects) {
    const key = select.dataset.key;
    const values = [...new Set(changes.map((change) => change[key]))].sort();
    fillSelect(select, [["", "全部 all"], ...values.map((value) => [value, names[key][value] ?? value])]);
    select.addEventListener("change", () => { limit = SHOWN_AT_ONCE; show(); });
  }
  more.addEventListener("click", () => { limit += 5 * SHOWN_AT_ONCE; show(); });

  function show() {
    const kept = changes.filter((change) => selects.every((select) => !select.value || change[select.dataset.key] === select.value));
    body.replaceChildren(...kept.slice(0, limit).map(changeRow));
    more.hidden = kept.length <= limit;
    const left = data.left_out[number];
    box.querySelector("[role=status]").textContent = `${kept.length} 项 facts` + (left ? ` · 另有 ${left} 项见 comparison.json, more there` : "");
  }
  show();
});

function readChange(list) {
  const [kind, document, path, source, label, verdictA, verdictB, expected, valueA, valueB, excerpt] = list;
  return { kind, document, path, source, label, verdictA, verdictB, expected, valueA, valueB, excerpt, group: path.split(".")[0] };
}

function changeRow(change) {
  const line = element("tr");
  const field = element("td", data.labels[change.path] + (change.label ? ` (${change.label})` : ""), "long");
  field.append(element("div", `${change.path} · ${data.names.sources[change.source]}`, "soft"));
  const said = [[change.valueA, change.verdictA], [change.valueB, change.verdictB]].map(([value, verdict]) => {
    const cell = element("td", value, "long");
    cell.append(element("div", data.names.verdicts[verdict] ?? "–", `soft ${verdict}`));
    return cell;
  });
  const source = element("td", null, "excerpt");
  if (change.excerpt) {
    const [before, at, after] = change.excerpt;
    source.append(`…${before}`, element("b", at), `${after}…`);
  }
  line.append(element("td", KINDS[change.kind], `verdict ${change.kind}`), element("td", change.document), field,
    element("td", change.expected, "long"), ...said, source);
  return line;
}

document.querySelectorAll("[data-differing]").forEach((button) => {
  const rows = [...document.getElementById(button.dataset.differing).tBodies[0].rows];
  const same = rows.filter((row) => row.dataset.same === "yes");
  same.forEach((row) => { row.hidden = true; });
  button.hidden = same.length === 0;
  button.addEventListener("click", () => {
    same.forEach((row) => { row.hidden = false; });
    button.hidden = true;
  });
});
