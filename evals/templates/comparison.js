
// Only-differences by default: the list holds what one run has right and the other not.
document.querySelectorAll("[data-changes]").forEach((box) => {
  const rows = [...box.querySelectorAll("tbody tr")];
  const selects = [...box.querySelectorAll("select")];
  for (const select of selects) {
    const key = select.dataset.key;
    const values = [...new Set(rows.map((row) => row.dataset[key]))].sort();
    fillSelect(select, [["", "全部 all"], ...values.map((value) => [value, value])]);
    select.addEventListener("change", show);
  }
  function show() {
    let count = 0;
    for (const row of rows) {
      row.hidden = selects.some((select) => select.value && row.dataset[select.dataset.key] !== select.value);
      count += row.hidden ? 0 : 1;
    }
    box.querySelector("[role=status]").textContent = `${count} 项 facts`;
  }
  show();
});
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
