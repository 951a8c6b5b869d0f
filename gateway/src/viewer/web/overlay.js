// What was found, drawn over a picture in the image's own pixels.
import { words } from '/viewer/texts.js';

const SVG = 'http://www.w3.org/2000/svg';

const svg = (name, attributes = {}, ...inside) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
};

const isIn = (image, instance, frame) => image.instance === instance && (image.frame ?? 1) === frame;

/** The pixels of a mask as one outline-less path: a bar for each run within a row. */
const barsOf = (runs, columns) => {
  const bars = [];
  let at = 0;
  runs.forEach((length, turn) => {
    let [begin, left] = [at, turn % 2 ? length : 0];
    at += length;
    while (left > 0) {
      const [x, y] = [begin % columns, Math.floor(begin / columns)];
      const bar = Math.min(left, columns - x);
      bars.push(`M${x} ${y}h${bar}v1h${-bar}z`);
      begin += bar;
      left -= bar;
    }
  });
  return bars.join('');
};

const points = all => all.map(([x, y]) => `${x},${y}`).join(' ');

const circle = ([x, y], columns) => svg('circle', { cx: x, cy: y, r: columns / 100 });

/** What an image shows of a place in the patient. What lies off its plane is dashed, and its label says how far that may be. */
const tracedIn = (traces, instance, columns) => {
  const trace = traces.find(one => one.instance === instance);
  if (!trace) return null;
  const parts = trace.lines.map(line =>
    line.length > 1 ? svg('polyline', { points: points(line) }) : circle(line[0], columns),
  );
  const isLine = trace.lines.some(line => line.length > 1);
  const shape = svg('g', { class: trace.distance ? 'off-plane' : 'in-plane' }, ...parts);
  const [x, y] = trace.lines[0][0];
  const off = trace.distance ? words.offPlane(trace.distance) : '';
  return { shape, label: isLine ? [x, y] : [x, y - columns / 100], off };
};

/** The shape of a place in one image, and where its label begins; nothing where there is none in it. */
const shapeOf = ({ place, traces }, instance, frame, columns) => {
  if (traces) return frame === 1 ? tracedIn(traces, instance, columns) : null;
  if (place.type === 'mask') {
    const here = place.frames.find(({ image }) => isIn(image, instance, frame));
    if (!here) return null;
    const first = here.runs[0] ?? 0;
    const label = [first % columns, Math.floor(first / columns)];
    return { shape: svg('path', { d: barsOf(here.runs, columns), class: 'filled' }), label };
  }
  if (!place.image || !isIn(place.image, instance, frame)) return null;
  if (place.type === 'box') {
    const [[left, top], [right, bottom]] = [place.from, place.to];
    const rect = { x: left, y: top, width: right - left, height: bottom - top };
    return { shape: svg('rect', rect), label: [left, top] };
  }
  if (place.type === 'point') {
    const [x, y] = place.at;
    return { shape: circle([x, y], columns), label: [x, y - columns / 100] };
  }
  if (place.type === 'polyline') return { shape: svg('polyline', { points: points(place.points) }), label: place.points[0] };
  return null;
};

/** Over a picture that fills its place as `object-fit: contain` does. */
export const makeOverlay = () => {
  const element = svg('svg', { class: 'overlay', 'aria-hidden': 'true', preserveAspectRatio: 'xMidYMid meet' });
  const clear = () => element.replaceChildren();
  /** Marks have a place, a colour, a number, and whether they are chosen; a place in the patient has traces in images. */
  const draw = (marks, { instance, frame, rows, columns }) => {
    element.setAttribute('viewBox', `0 0 ${columns} ${rows}`);
    const drawn = marks.flatMap(mark => {
      const { colour, label, isChosen } = mark;
      const found = shapeOf(mark, instance, frame, columns);
      if (!found) return [];
      const [x, y] = found.label;
      const size = Math.max(columns / 45, 4);
      const at = { x, y: Math.max(y - size / 4, size), 'font-size': size, fill: colour };
      const group = svg('g', { class: isChosen ? 'mark chosen' : 'mark' }, found.shape, svg('text', at, `${label}${found.off ?? ''}`));
      group.style.setProperty('--colour', colour);
      return [group];
    });
    element.replaceChildren(...drawn);
  };
  return { element, draw, clear };
};
