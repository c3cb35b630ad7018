// A chart as a Streamlit component: legend and buttons above it, arrow keys that move the window, the view reported to
// Python, and patches from other components of the page. Python's side is kronos_dashboard/ui/widgets/chart.py.

import { Chart } from "./core.js";

const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -1e9, End: 1e9 };
const STEP_TIMEOUT_MS = 1500; // after which the next step is sent although the last one has not led to a new chart
const VIEW_DELAY_MS = 180; // without a movement before the view is reported
const ICONS = {
  log_scale: "M4 20V4M4 20h16M4 9h4M4 13h7M4 16h12",
  reset_view: "M4 9V4h5M20 15v5h-5M4 4l6 6M20 20l-6-6",
  save_png: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  save_svg: "M12 4v10m0 0l-4-4m4 4l4-4M4 19h16",
  full_screen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
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
  setHeight(state);
  const dark = isDark(state.root);
  if (data.figure !== state.figure) {
    state.figure = data.figure;
    state.chart.show(data.figure, { themes: data.themes, theme: data.theme, dark, base: data.base });
    const patch = shared.patches.get(data.name);
    if (patch?.base === data.base && !state.chart.patch && !patch.isDone) state.chart.grow(patch.figure);
    drawButtons(state);
  } else {
    state.chart.setTheme(dark);
  }
  return () => unmount(parentElement, state);
}

// A component that draws the traces of an unfinished forecast over a chart elsewhere on the page.
export function patch({ data }) {
  const entry = { base: data.base, figure: data.figure };
  shared.patches.set(data.chart, entry);
  const state = shared.charts.get(data.chart);
  if (state && state.data.base === data.base) state.chart.grow(data.figure);
  return () => {
    entry.isDone = true;
    // The finished chart usually replaces the patch; after a cancelled run there is none, and the patch is removed.
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
  const state = { root, head, title, legend, tools, plot, unsentSteps: 0, sentAt: 0 };
  const chart = new Chart(plot, {
    draw: () => onDraw(state),
    view: (view) => reportView(state, view),
  });
  chart.hasHeader = true;
  state.chart = chart;
  root.onkeydown = (event) => onKey(state, event);
  state.observer = new ResizeObserver(() => onResize(state));
  state.observer.observe(root);
  root.onfullscreenchange = () => onFullscreen(state);
  return state;
}

function unmount(parentElement, state) {
  state.observer.disconnect();
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

// Steps are added up while a chart is on its way, so that they do not form a queue.
function onKey(state, event) {
  const by = KEYS[event.key];
  if (!by || !state.data.steps || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  state.unsentSteps += event.shiftKey ? by * 10 : by;
  sendSteps(state);
}

function sendSteps(state) {
  if (!state.unsentSteps || performance.now() - state.sentAt < STEP_TIMEOUT_MS) return;
  const by = Math.max(-1e9, Math.min(1e9, state.unsentSteps));
  [state.unsentSteps, state.sentAt] = [0, performance.now()];
  state.component.setTriggerValue("stepped", by);
}

function reportView(state, view) {
  if (!state.data.refines) return;
  clearTimeout(state.viewTimer);
  state.viewTimer = setTimeout(() => state.component.setStateValue("view", view), VIEW_DELAY_MS);
}

function onDraw(state) {
  state.sentAt = 0;
  drawLegend(state);
  sendSteps(state);
}

// ------------------------------------------------------------------------------------------------ above the chart

function drawLegend(state) {
  const { chart } = state, groups = new Map();
  for (const trace of chart.data) {
    if (trace.showlegend !== false && trace.name) groups.set(trace.legendgroup ?? trace.meta, trace);
  }
  const text = JSON.stringify([[...groups.keys()], [...chart.hidden], chart.dark, [...groups.values()].map((trace) => trace.name)]);
  state.head.hidden = !groups.size && !state.tools.childElementCount && !chart.figure.layout.meta?.title;
  if (text === state.legendText) return;
  state.legendText = text;
  state.title.textContent = chart.figure.layout.meta?.title ?? "";
  const inside = []; // bands overlap: the mark of each has the fills of all wider ones
  state.legend.replaceChildren(
    ...[...groups].map(([group, trace]) => {
      if (group.startsWith("band-")) inside.push(trace.fillcolor);
      return legendEntry(state, group, trace, group.startsWith("band-") ? inside : [trace.fillcolor]);
    }),
  );
}

function legendEntry(state, group, trace, fills) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "kd-chip" });
  const mark = Object.assign(document.createElement("i"), { className: trace.fill ? "kd-area" : trace.low ? "kd-candle" : "kd-line" });
  const lineColor = trace.increasing?.line.color ?? trace.line?.color;
  const color = lineColor ?? (trace.type === "bar" ? trace.marker?.color : trace.marker?.line?.color ?? trace.marker?.color);
  mark.style.setProperty("--kd-color", color);
  if (trace.fill) mark.style.backgroundImage = fills.map((fill) => `linear-gradient(${fill}, ${fill})`).join(", ");
  mark.style.setProperty("--kd-edge", trace.fill ? color : "transparent");
  button.append(mark, trace.name);
  button.setAttribute("aria-pressed", String(!state.chart.hidden.has(group)));
  button.onclick = () => state.chart.toggle(group);
  return button;
}

function drawButtons(state) {
  const { chart, data } = state, labels = chart.figure.layout.meta?.labels ?? {};
  const text = JSON.stringify(labels);
  if (text === state.buttonText) return;
  state.buttonText = text;
  const background = () => getComputedStyle(state.root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const actions = {
    log_scale: () => chart.setLogScale(!chart.isLog),
    reset_view: () => chart.reset(),
    save_png: () => chart.save("png", data.file, background()),
    save_svg: () => chart.save("svg", data.file, background()),
    full_screen: () => (document.fullscreenElement ? document.exitFullscreen() : state.root.requestFullscreen()),
  };
  state.tools.replaceChildren(...Object.keys(actions).filter((name) => labels[name]).map((name) => toolButton(name, labels[name], actions[name])));
}

function toolButton(name, title, action) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "kd-tool", title, onclick: action });
  button.setAttribute("aria-label", title);
  button.dataset.tool = name;
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
  return button;
}

// ------------------------------------------------------------------------------------------------ size

function onResize(state) {
  const width = state.plot.clientWidth, previous = state.width;
  if (width === previous) return;
  state.width = width; // 0 while hidden: the chart is drawn when it is visible again
  if (!width) return;
  setHeight(state);
  if ((previous !== undefined || !state.chart.frames) && state.chart.figure) state.chart.redraw();
}

function onFullscreen(state) {
  state.isFullscreen = document.fullscreenElement === state.root;
  setHeight(state);
  state.chart.redraw();
}

// Set the height of the chart. If Python says how many pixels the other elements need (`room`), the chart takes the rest of
// the window. On a narrow screen it leaves space beside it for scrolling the page.
function setHeight(state) {
  const { plot, data, chart, head } = state, narrow = plot.clientWidth && plot.clientWidth < 560;
  const maxHeight = Math.max(320, window.innerHeight * 0.55);
  const height = data.room ? Math.max(0.8 * data.height, Math.min(1.6 * data.height, window.innerHeight - data.room)) : data.height;
  chart.height = state.isFullscreen ? window.innerHeight - head.offsetHeight - 24 : Math.min(height, narrow ? maxHeight : Infinity);
  plot.style.height = `${chart.height}px`;
}

// A component without content: mounting it loads the files that charts need.
export function preload() {}
