// A chart as a part of a Streamlit page: a legend and buttons above it, arrow keys that move the window, the view
// reported back, and patches from other parts of the page. Python's side is kronos_dashboard/ui/widgets/chart.py.

import { Chart } from "./core.js";

const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -1e9, End: 1e9 };
const PATIENCE_MS = 1500; // after which a step that was not answered no longer holds back the next
const VIEW_MS = 180; // of rest before the view is reported
const ICONS = {
  log: "M4 20V4M4 20h16M4 9h4M4 13h7M4 16h12",
  reset: "M4 9V4h5M20 15v5h-5M4 4l6 6M20 20l-6-6",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  drawing: "M12 4v10m0 0l-4-4m4 4l4-4M4 19h16",
  larger: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};

const states = new WeakMap();
const shared = (window.kronosCharts ??= { charts: new Map(), patches: new Map() });

export function mount(component) {
  const { parentElement, data } = component;
  let state = states.get(parentElement);
  if (!state) states.set(parentElement, (state = build(parentElement)));
  Object.assign(state, { component, data });
  shared.charts.set(data.name, state);
  state.root.setAttribute("aria-label", data.alt);
  if (data.steps) state.root.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight");
  settle(state);
  const dark = isDark(state.root);
  if (data.figure !== state.figure) {
    state.figure = data.figure;
    state.chart.show(data.figure, { themes: data.themes, painted: data.painted, dark, base: data.base });
    const patch = shared.patches.get(data.name);
    if (patch?.base === data.base && !state.chart.patch && !patch.done) state.chart.grow(patch.figure);
    buttons(state);
  } else {
    state.chart.theme(dark);
  }
  return () => leave(parentElement, state);
}

// The traces of a forecast that is being decoded, for a chart elsewhere on the page.
export function patch({ data }) {
  const entry = { base: data.base, figure: data.figure };
  shared.patches.set(data.chart, entry);
  const state = shared.charts.get(data.chart);
  if (state && state.data.base === data.base) state.chart.grow(data.figure);
  return () => {
    entry.done = true;
    // What takes its place is on its way; a run that was cancelled leaves nothing, and the fan must go.
    setTimeout(() => shared.charts.get(data.chart)?.chart.patch === data.figure && shared.charts.get(data.chart).chart.grow(null), 1000);
  };
}

function build(parentElement) {
  const root = parentElement.querySelector(".kd-chart");
  const [head, title, legend, tools, plot] = ["head", "title", "legend", "tools", "plot"].map((part) => Object.assign(document.createElement("div"), { className: `kd-${part}` }));
  head.append(title, legend, tools);
  root.append(head, plot);
  Object.assign(root, { tabIndex: 0 });
  root.setAttribute("role", "figure");
  const state = { root, head, title, legend, tools, plot, waiting: 0, sent: 0 };
  const chart = new Chart(plot, {
    drawn: () => drawn(state),
    view: (view) => report(state, view),
  });
  chart.headed = true;
  state.chart = chart;
  root.onkeydown = (event) => press(state, event);
  state.watch = new ResizeObserver(() => resized(state));
  state.watch.observe(root);
  root.onfullscreenchange = () => enlarge(state);
  return state;
}

function leave(parentElement, state) {
  state.watch.disconnect();
  state.chart.destroy();
  states.delete(parentElement);
  if (shared.charts.get(state.data.name) === state) shared.charts.delete(state.data.name);
}

function isDark(element) {
  const paint = document.createElement("canvas").getContext("2d");
  paint.fillStyle = getComputedStyle(element).getPropertyValue("--st-background-color").trim() || "#ffffff";
  paint.fillRect(0, 0, 1, 1);
  const [red, green, blue] = paint.getImageData(0, 0, 1, 1).data;
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

// ------------------------------------------------------------------------------------------------ back to Python

// Steps that are pressed faster than charts come are added up, so that none waits in a queue.
function press(state, event) {
  const by = KEYS[event.key];
  if (!by || !state.data.steps || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  state.waiting += event.shiftKey ? by * 10 : by;
  send(state);
}

function send(state) {
  if (!state.waiting || performance.now() - state.sent < PATIENCE_MS) return;
  const by = Math.max(-1e9, Math.min(1e9, state.waiting));
  [state.waiting, state.sent] = [0, performance.now()];
  state.component.setTriggerValue("stepped", by);
}

function report(state, view) {
  if (!state.data.refines) return;
  clearTimeout(state.later);
  state.later = setTimeout(() => state.component.setStateValue("view", view), VIEW_MS);
}

function drawn(state) {
  state.sent = 0;
  legend(state);
  send(state);
}

// ------------------------------------------------------------------------------------------------ above the chart

function legend(state) {
  const { chart } = state, groups = new Map();
  for (const trace of chart.data) {
    if (trace.showlegend !== false && trace.name) groups.set(trace.legendgroup ?? trace.meta, trace);
  }
  const text = JSON.stringify([[...groups.keys()], [...chart.hidden], chart.dark, [...groups.values()].map((trace) => trace.name)]);
  state.head.hidden = !groups.size && !state.tools.childElementCount && !chart.figure.layout.meta?.title;
  if (text === state.legendText) return;
  state.legendText = text;
  state.title.textContent = chart.figure.layout.meta?.title ?? "";
  const inside = []; // bands lie over each other, and their marks are as dark as that makes them
  state.legend.replaceChildren(
    ...[...groups].map(([group, trace]) => {
      if (group.startsWith("band-")) inside.push(trace.fillcolor);
      return chip(state, group, trace, group.startsWith("band-") ? inside : [trace.fillcolor]);
    }),
  );
}

function chip(state, group, trace, fills) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "kd-chip" });
  const mark = Object.assign(document.createElement("i"), { className: trace.fill ? "kd-area" : trace.low ? "kd-candle" : "kd-line" });
  const own = trace.increasing?.line.color ?? trace.line?.color;
  const colour = own ?? (trace.type === "bar" ? trace.marker?.color : trace.marker?.line?.color ?? trace.marker?.color);
  mark.style.setProperty("--kd-colour", colour);
  if (trace.fill) mark.style.backgroundImage = fills.map((fill) => `linear-gradient(${fill}, ${fill})`).join(", ");
  mark.style.setProperty("--kd-edge", trace.fill ? colour : "transparent");
  button.append(mark, trace.name);
  button.setAttribute("aria-pressed", String(!state.chart.hidden.has(group)));
  button.onclick = () => state.chart.toggle(group);
  return button;
}

function buttons(state) {
  const { chart, data } = state, words = chart.figure.layout.meta?.words ?? {};
  const text = JSON.stringify(words);
  if (text === state.buttonText) return;
  state.buttonText = text;
  const ground = () => getComputedStyle(state.root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const acts = {
    log: () => chart.logarithmic(!chart.isLog),
    reset: () => chart.reset(),
    picture: () => chart.save("png", data.file, ground()),
    drawing: () => chart.save("svg", data.file, ground()),
    larger: () => (document.fullscreenElement ? document.exitFullscreen() : state.root.requestFullscreen()),
  };
  state.tools.replaceChildren(...Object.keys(acts).filter((name) => words[name]).map((name) => tool(name, words[name], acts[name])));
}

function tool(name, title, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "kd-tool", title, onclick: act });
  button.setAttribute("aria-label", title);
  button.dataset.tool = name;
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
  return button;
}

// ------------------------------------------------------------------------------------------------ size

function resized(state) {
  const width = state.plot.clientWidth, known = state.width;
  if (width === known) return;
  state.width = width; // 0 while out of sight, where nothing is drawn: all is drawn once it is back
  if (!width) return;
  settle(state);
  if ((known !== undefined || !state.chart.frames) && state.chart.figure) state.chart.redraw();
}

function enlarge(state) {
  state.full = document.fullscreenElement === state.root;
  settle(state);
  state.chart.redraw();
}

// On a narrow screen a chart leaves room for a thumb to scroll the page by; else it takes what others leave of the
// screen's height where it is told what they need.
function settle(state) {
  const { plot, data, chart, head } = state, narrow = plot.clientWidth && plot.clientWidth < 560;
  const most = Math.max(320, window.innerHeight * 0.55);
  const wanted = data.room ? Math.max(0.8 * data.height, Math.min(1.6 * data.height, window.innerHeight - data.room)) : data.height;
  chart.height = state.full ? window.innerHeight - head.offsetHeight - 24 : Math.min(wanted, narrow ? most : Infinity);
  plot.style.height = `${chart.height}px`;
}

// Nothing to show: the page that mounts this only wants the files to be there when a chart is.
export function preload() {}
