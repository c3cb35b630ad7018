// What Streamlit sends with every figure: it finds the rest, which a browser loads once and keeps.
// MODULE and PLOTLY are addresses below the app's own; PART is the function to call.
const found = document.querySelector('script[src*="/static/js/"], link[href*="/static/"]');
const root = found ? new URL(".", found.src || found.href).href.replace(/static\/(js|css|media)?\/?$/, "") : document.baseURI;
const shared = (window.kronosCharts ??= { charts: new Map(), patches: new Map() });

function library() {
  shared.library ??= new Promise((done, failed) => {
    if (window.Plotly) return done();
    const script = Object.assign(document.createElement("script"), { src: root + "PLOTLY", onload: done, onerror: failed });
    document.head.append(script);
  });
  return shared.library;
}

export default function (component) {
  let cleanUp = null, left = false;
  shared.turn ??= new WeakMap();
  const turn = (shared.turn.get(component.parentElement) ?? 0) + 1;
  shared.turn.set(component.parentElement, turn);
  Promise.all([import(root + "MODULE"), library()]).then(
    ([part]) => {
      if (!left && shared.turn.get(component.parentElement) === turn) cleanUp = part.PART(component);
    },
    () => {
      const box = component.parentElement.querySelector(".kd-chart");
      if (box) Object.assign(box, { className: "kd-chart kd-failed", textContent: component.data.failed });
    },
  );
  return () => {
    left = true;
    cleanUp?.();
  };
}
