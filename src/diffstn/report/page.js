"use strict";
// Curves with hover values, a legend that switches them, and sliders over validations.
const data = JSON.parse(document.getElementById("data").textContent);
const state = { axis: data.axes[0], log: false, bands: data.bands, offGroups: new Set(), offRuns: new Set() };
const SVG = "http://www.w3.org/2000/svg";
const PAD = { left: 52, right: 14, top: 10, bottom: 34 };

function svg(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (parent) parent.append(node);
  return node;
}

function html(name, className, text, parent) {
  const node = document.createElement(name);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

function shown(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 1000 ? 6 : 4)));
}

function ticks(low, high, count, log) {
  if (log) {
    const found = [], decades = Math.log10(high / low);
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      for (const m of decades > 3 ? [1] : decades > 1 ? [1, 3] : [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
        const value = Number((m * 10 ** power).toPrecision(6));
        if (value >= low * 0.9999 && value <= high * 1.0001) found.push(value);
      }
    if (found.length >= 2) return found;
  }
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    found.push(Number((i * step).toPrecision(12)));
  return found;
}

// The points of a series on the axis that is chosen; `step` is kept, by which seeds are averaged.
function points(series) {
  const axes = data.runs[series.run].axes, xs = axes[state.axis] || axes.step;
  const found = [];
  series.y.forEach((y, i) => {
    if (y !== null && xs[i] !== null && (!state.log || y > 0)) found.push({ x: xs[i], y, step: axes.step[i] });
  });
  return found;
}

function averaged(members) {
  const at = new Map();
  for (const member of members)
    for (const p of member.points) (at.get(p.step) || at.set(p.step, []).get(p.step)).push(p);
  return [...at.entries()].sort((a, b) => a[0] - b[0]).map(([, ps]) => {
    const mean = ps.reduce((sum, p) => sum + p.y, 0) / ps.length;
    const sd = ps.length > 1 ? Math.sqrt(ps.reduce((sum, p) => sum + (p.y - mean) ** 2, 0) / (ps.length - 1)) : 0;
    return { x: ps.reduce((sum, p) => sum + p.x, 0) / ps.length, y: mean, sd, count: ps.length };
  }).sort((a, b) => a.x - b.x);
}

// What is drawn in a panel: single curves, or one mean with its spread for each group.
function lines(panel) {
  const on = panel.series.filter(s => !state.offGroups.has(s.group) && !state.offRuns.has(s.run));
  const single = on.map(s => ({ label: s.label, group: s.group, points: points(s) })).filter(l => l.points.length);
  if (!state.bands) return single;
  const groups = new Map();
  for (const line of single) (groups.get(line.group) || groups.set(line.group, []).get(line.group)).push(line);
  return [...groups.values()].map(members => members.length === 1 ? members[0] : {
    label: data.groups[members[0].group], group: members[0].group, points: averaged(members), band: true,
  });
}

function draw(box, panel) {
  const root = box.querySelector(".plot"), tip = box.querySelector(".tip");
  root.replaceChildren();
  tip.hidden = true;
  const all = lines(panel);
  const width = Math.max(240, root.clientWidth), height = 240;
  const page = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": panel.title }, root);
  if (!all.length) {
    svg("text", { x: width / 2, y: height / 2, class: "none", "text-anchor": "middle" }, page).textContent =
      state.log ? "no positive values" : "switched off";
    return;
  }
  const every = all.flatMap(l => l.points);
  const lowest = p => state.log ? (p.y - (p.sd || 0) > 0 ? p.y - (p.sd || 0) : p.y) : p.y - (p.sd || 0);
  let [x0, x1] = [Infinity, -Infinity], [y0, y1] = [Infinity, -Infinity];
  for (const p of every) {
    x0 = Math.min(x0, p.x); x1 = Math.max(x1, p.x);
    y0 = Math.min(y0, lowest(p)); y1 = Math.max(y1, p.y + (p.sd || 0));
  }
  if (x0 === x1) { x0 = Math.min(0, x0); x1 = 2 * x1 || 1; }
  if (y0 === y1) { const by = Math.abs(y0) * 0.1 || 1; y0 -= by; y1 += by; }
  else if (!state.log) { const by = (y1 - y0) * 0.06; y0 -= by; y1 += by; }
  const scale = state.log ? Math.log : v => v;
  const X = v => PAD.left + (v - x0) / (x1 - x0) * (width - PAD.left - PAD.right);
  const Y = v => height - PAD.bottom - (scale(v) - scale(y0)) / (scale(y1) - scale(y0)) * (height - PAD.top - PAD.bottom);
  for (const value of ticks(y0, y1, 5, state.log)) {
    svg("line", { x1: PAD.left, x2: width - PAD.right, y1: Y(value), y2: Y(value), class: "grid" }, page);
    svg("text", { x: PAD.left - 7, y: Y(value) + 3.5, "text-anchor": "end" }, page).textContent = shown(value);
  }
  for (const value of ticks(x0, x1, width < 400 ? 4 : 6, false)) {
    svg("line", { x1: X(value), x2: X(value), y1: height - PAD.bottom, y2: height - PAD.bottom + 4, class: "axis" }, page);
    svg("text", { x: X(value), y: height - PAD.bottom + 16, "text-anchor": "middle" }, page).textContent = shown(value);
  }
  svg("line", { x1: PAD.left, x2: width - PAD.right, y1: height - PAD.bottom, y2: height - PAD.bottom, class: "axis" }, page);
  svg("text", { x: width - PAD.right, y: height - 3, "text-anchor": "end", class: "name" }, page).textContent = state.axis;
  for (const line of all) {
    const colour = `c${line.group % 6} d${Math.floor(line.group / 6) % 4}`;
    const at = p => `${X(p.x).toFixed(1)},${Y(p.y).toFixed(1)}`;
    if (line.band) {
      const up = line.points.map(p => `${X(p.x).toFixed(1)},${Y(p.y + p.sd).toFixed(1)}`);
      const down = line.points.map(p => `${X(p.x).toFixed(1)},${Y(lowest(p)).toFixed(1)}`).reverse();
      svg("polygon", { points: [...up, ...down].join(" "), class: `band ${colour}` }, page);
    }
    svg("polyline", { points: line.points.map(at).join(" "), class: `curve ${colour}` }, page);
    if (line.points.length <= 14)
      for (const p of line.points) svg("circle", { cx: X(p.x), cy: Y(p.y), r: 2.6, class: `dot ${colour}` }, page);
  }
  const cross = svg("g", { class: "cross" }, page);
  const places = [...new Set(every.map(p => p.x))].sort((a, b) => a - b);
  const hover = event => {
    const bounds = page.getBoundingClientRect();
    const wanted = x0 + (event.clientX - bounds.left - PAD.left) / (width - PAD.left - PAD.right) * (x1 - x0);
    const x = places.reduce((best, one) => Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best);
    cross.replaceChildren();
    svg("line", { x1: X(x), x2: X(x), y1: PAD.top, y2: height - PAD.bottom }, cross);
    const near = all.map(line => ({ line, p: line.points.reduce((b, p) => Math.abs(p.x - x) < Math.abs(b.x - x) ? p : b) }))
      .filter(({ p }) => Math.abs(X(p.x) - X(x)) < 12).sort((a, b) => b.p.y - a.p.y);
    tip.replaceChildren();
    html("div", "at", `${state.axis} ${shown(x)}`, tip);
    for (const { line, p } of near) svg("circle", { cx: X(p.x), cy: Y(p.y), r: 4, class: `dot ${`c${line.group % 6}`}` }, cross);
    for (const { line, p } of near.slice(0, 14)) {
      const row = html("div", "row", undefined, tip);
      html("i", `swatch c${line.group % 6}`, "", row);
      html("span", "what", line.label, row);
      html("b", "", line.band && p.count > 1 ? `${shown(p.y)} ± ${shown(Number(p.sd.toPrecision(2)))}` : shown(p.y), row);
    }
    if (near.length > 14) html("div", "at", `and ${near.length - 14} more`, tip);
    tip.hidden = false;
    const right = X(x) + 14 + tip.offsetWidth > width;
    tip.style.left = `${Math.max(0, right ? X(x) - 14 - tip.offsetWidth : X(x) + 14)}px`;
  };
  page.addEventListener("pointermove", hover);
  page.addEventListener("pointerdown", hover);
  page.addEventListener("pointerleave", () => { tip.hidden = true; cross.replaceChildren(); });
}

const boxes = [...document.querySelectorAll("[data-panel]")];
const redraw = () => boxes.forEach(box => draw(box, data.panels[Number(box.dataset.panel)]));

for (const button of document.querySelectorAll("[data-group]"))
  button.addEventListener("click", () => {
    const group = Number(button.dataset.group), off = !state.offGroups.delete(group);
    if (off) state.offGroups.add(group);
    button.setAttribute("aria-pressed", String(!off));
    redraw();
  });
for (const box of document.querySelectorAll("[data-run]"))
  box.addEventListener("change", () => {
    state.offRuns[box.checked ? "delete" : "add"](Number(box.dataset.run));
    redraw();
  });
for (const choice of document.querySelectorAll("[data-option]"))
  choice.addEventListener("change", () => {
    const name = choice.dataset.option;
    state[name] = name === "axis" ? choice.value : choice.checked;
    redraw();
  });

for (const film of document.querySelectorAll(".film")) {
  const range = film.querySelector("input[type=range]"), said = film.querySelector("output");
  const play = film.querySelector("button"), steps = JSON.parse(film.dataset.steps);
  let timer = null;
  const show = () => {
    const step = steps[Number(range.value)];
    said.textContent = `step ${step.toLocaleString("en")}`;
    for (const reel of film.querySelectorAll(".reel")) {
      const frames = [...reel.querySelectorAll("img")];
      const past = frames.filter(frame => Number(frame.dataset.step) <= step);
      const now = past.length ? past[past.length - 1] : frames[0];
      for (const frame of frames) frame.hidden = frame !== now;
    }
  };
  const stop = () => { clearInterval(timer); timer = null; play.textContent = "▶"; };
  range.addEventListener("input", () => { stop(); show(); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (Number(range.value) === steps.length - 1) range.value = 0;
    show();
    play.textContent = "❚❚";
    timer = setInterval(() => {
      range.value = Number(range.value) + 1;
      show();
      if (Number(range.value) === steps.length - 1) stop();
    }, 400);
  });
  show();
}

for (const image of document.querySelectorAll("figure.large img"))
  image.addEventListener("click", () => image.closest("figure").classList.toggle("whole"));

let wide = 0;
new ResizeObserver(() => {
  const now = document.documentElement.clientWidth;
  if (now !== wide) { wide = now; redraw(); }
}).observe(document.documentElement);
