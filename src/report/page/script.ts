/**
 * The page's own script: replaces each drawing, when it comes into view, with a live Vega view of the same spec, so that points
 * answer the pointer. Without it, or when anything fails, the drawing stays as it is. It loads nothing.
 */
export const SCRIPT = `
(() => {
  'use strict';
  if (!window.vega || !window.IntersectionObserver) return;
  const refuse = () => Promise.reject(new Error('this page loads nothing'));
  const loader = () => Object.assign(vega.loader(), { load: refuse, http: refuse, file: refuse });
  const tooltip = (chart) => {
    const tip = document.createElement('div');
    tip.className = 'tip';
    tip.hidden = true;
    chart.append(tip);
    const cell = (text, one) => {
      const span = document.createElement('span');
      span.textContent = text;
      if (one) span.className = 'one';
      tip.append(span);
    };
    return (handler, event, item, value) => {
      if (value === null || value === undefined || value === '') { tip.hidden = true; return; }
      tip.replaceChildren();
      if (typeof value === 'object') for (const [name, text] of Object.entries(value)) { cell(name); cell(String(text)); }
      else cell(String(value), true);
      tip.hidden = false;
      const box = chart.getBoundingClientRect();
      const x = event.clientX - box.left, y = event.clientY - box.top;
      tip.style.left = Math.max(0, Math.min(x + 14, box.width - tip.offsetWidth)) + 'px';
      tip.style.top = (y + 18 + tip.offsetHeight > box.height ? Math.max(0, y - tip.offsetHeight - 10) : y + 18) + 'px';
    };
  };
  const enliven = async (drawing) => {
    const still = [...drawing.childNodes];
    const stage = document.createElement('div');
    try {
      const spec = JSON.parse(document.getElementById(drawing.dataset.spec).textContent);
      const view = new vega.View(vega.parse(spec, null, { ast: true }), {
        expr: vega.expressionInterpreter, renderer: 'svg', loader: loader(), hover: true, logLevel: vega.Error,
      });
      view.tooltip(tooltip(drawing.closest('.chart')));
      await view.initialize(stage).runAsync();
      for (const name of ['role', 'aria-label', 'aria-roledescription', 'tabindex']) stage.removeAttribute(name);
      drawing.replaceChildren(stage);
      drawing.dataset.live = 'true';
    } catch (error) {
      drawing.replaceChildren(...still);
      drawing.dataset.live = 'false';
      console.warn('perflaw: the chart stays a still picture', error);
    }
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries)
      if (entry.isIntersecting) { seen.unobserve(entry.target); enliven(entry.target); }
  }, { rootMargin: '300px' });
  for (const drawing of document.querySelectorAll('.drawing[data-spec]')) seen.observe(drawing);
})();
`;
