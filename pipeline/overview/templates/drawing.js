const HEIGHT = 250, LEFT = 52, TOP = 12, BOTTOM = 40, RIGHT = 6;

// An empty chart as wide as its box, with axis, years below and room for a mark in each year.
function frame(name, title, most, show, least = 0) {
  const box = document.getElementById(name);
  const width = Math.max(280, box.clientWidth);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "group", "aria-label": title });
  const step = (width - LEFT - RIGHT) / Math.max(1, years.length);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - least) / (most - least);
  for (const tick of ticks(least, most)) {
    svg.append(drawn("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      drawn("text", { class: "faint", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, show(tick)));
  }
  const every = Math.ceil(34 / step);
  years.forEach((year, place) => {
    if ((years.length - 1 - place) % every) return;
    svg.append(drawn("text", { class: "faint", x: LEFT + step * (place + 0.5), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, String(year)));
  });
  box.replaceChildren(svg);
  return { svg, step, y, every, x: (place) => LEFT + step * place, bar: Math.min(46, step * 0.72) };
}

function ticks(least, most) {
  const rough = (most - least) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough);
  const first = Math.ceil(least / step - 1e-9);
  return Array.from({ length: Math.floor(most / step + 1e-9) - first + 1 }, (_, count) => (first + count) * step);
}

function short(value) {
  if (value >= 1e6) return `${+(value / 1e6).toFixed(1)}M`;
  return value >= 1e4 ? `${+(value / 1e3).toFixed(1)}k` : number(value);
}

// Under each year on how many reports its mark rests.
function countBelow(chart, place, count) {
  if ((years.length - 1 - place) % chart.every) return;
  const text = `${place === years.length - 1 ? "n " : ""}${short(count)}`;
  chart.svg.append(drawn("text", { class: "faint", x: chart.x(place + 0.5), y: HEIGHT - 8, "text-anchor": "middle" }, text));
}

function emptyChart(name) {
  document.getElementById(name).replaceChildren(element("p", say("noData"), "soft"));
}

function drawOutcomes(points) {
  const most = Math.max(0, ...points.map((point) => Math.max(point.total, point.received?.sum ?? 0)));
  showOutcomeLegend();
  if (!most) return emptyChart("outcomes");
  const chart = frame("outcomes", say("outcomes"), most * 1.05, short);
  points.forEach((point, place) => {
    let below = 0;
    point.parts.forEach((part, line) => {
      if (part.sum) chart.svg.append(segment(chart, part, place, line, below, point.year));
      below += part.sum;
    });
    countBelow(chart, place, point.printing);
  });
  if (points.some((point) => point.received?.rows.length)) drawReceived(chart, points);
  rove(chart.svg);
}

function segment(chart, part, place, line, below, year) {
  const bottom = chart.y(below), top = chart.y(below + part.sum);
  const shape = drawn("rect", { class: `segment c${line % 6}`, x: chart.x(place + 0.5) - chart.bar / 2, width: chart.bar, y: top, height: Math.max(0.5, bottom - top) });
  // Upwards on the screen is upwards for the arrow keys.
  return mark(shape, `${year} ${nameOf(part.variable)}: ${number(part.sum)}`, place, -line, () => openSum(part, year));
}

function drawReceived(chart, points) {
  const there = points.map((point, place) => [point, place]).filter(([point]) => point.received.rows.length);
  const spot = ([point, place]) => [chart.x(place + 0.5), chart.y(point.received.sum)];
  chart.svg.append(drawn("polyline", { class: "line", points: there.map((each) => spot(each).join(",")).join(" ") }));
  for (const each of there) {
    const [[point, place], [cx, cy]] = [each, spot(each)];
    chart.svg.append(mark(drawn("circle", { class: "dot", cx, cy, r: 5 }), `${point.year} ${nameOf(point.received.variable)}: ${number(point.received.sum)}`,
      place, -99, () => openSum(point.received, point.year)));
  }
}

function showOutcomeLegend() {
  const items = variablesOf("outcome").map((variable, line) => element("li", [element("span", null, `swatch c${line % 6}`), nameOf(variable)]));
  for (const variable of variablesOf("received").slice(0, 1)) items.push(element("li", [element("span", null, "swatch as-line"), nameOf(variable)]));
  document.getElementById("outcomes-legend").replaceChildren(...items);
}

function drawRates(variable, points) {
  const most = Math.max(0, ...points.map((point) => point.high ?? 0)), least = Math.min(0, ...points.map((point) => point.low ?? 0));
  if (!points.some((point) => point.rows.length)) return emptyChart("rates");
  const show = (value) => (variable[4] === "rate" ? `${+(100 * value / index.rate_scale).toFixed(1)} %` : number(value));
  const chart = frame("rates", `${say("rates")}: ${nameOf(variable)}`, most > least ? most : least + 1, show, least);
  points.forEach((point, place) => {
    countBelow(chart, place, point.rows.length);
    if (point.rows.length) chart.svg.append(boxPlot(chart, variable, point, place));
  });
  rove(chart.svg);
}

function boxPlot(chart, variable, point, place) {
  const { x, y, bar } = chart, middle = x(place + 0.5), left = middle - bar * 0.35, width = bar * 0.7;
  const box = drawn("g", {});
  box.append(
    drawn("rect", { class: "area", x: x(place), width: chart.step, y: TOP, height: HEIGHT - TOP - BOTTOM }),
    drawn("line", { class: "whisker", x1: middle, x2: middle, y1: y(point.low), y2: y(point.high) }),
    drawn("rect", { class: "box", x: left, width, y: y(point.quartile3), height: Math.max(1, y(point.quartile1) - y(point.quartile3)) }),
    drawn("line", { class: "median", x1: left, x2: left + width, y1: y(point.median), y2: y(point.median) }),
  );
  return mark(box, `${point.year} ${nameOf(variable)}: ${say("median")} ${inUnit(variable, point.median)}, ${inUnit(variable, point.quartile1)} – ${inUnit(variable, point.quartile3)}, n ${point.rows.length}`,
    place, 0, () => openRates(variable, point));
}

function drawFlagged(points) {
  const most = Math.max(0, ...points.map((point) => point.share ?? 0));
  if (!points.some((point) => point.figures)) return emptyChart("flagged");
  const chart = frame("flagged", say("flaggedShare"), most ? most * 1.05 : 0.01, (value) => `${+(100 * value).toFixed(2)} %`);
  points.forEach((point, place) => {
    countBelow(chart, place, point.rows.length);
    if (point.share === null) return;
    const bar = drawn("g", {});
    bar.append(drawn("rect", { class: "area", x: chart.x(place), width: chart.step, y: TOP, height: HEIGHT - TOP - BOTTOM }),
      drawn("rect", { class: "share", x: chart.x(place + 0.5) - chart.bar / 2, width: chart.bar, y: chart.y(point.share), height: HEIGHT - BOTTOM - chart.y(point.share) }));
    chart.svg.append(mark(bar, `${point.year}: ${number(point.flagged)} / ${number(point.figures)} = ${percent(point.share)}`, place, 0, () => openFlagged(point)));
  });
  rove(chart.svg);
}
