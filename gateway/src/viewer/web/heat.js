// Heat maps: numbers over an image as colours, one map at a time, with a legend that says what they are.
import { make } from '/viewer/dom.js';
import { language, words } from '/viewer/texts.js';

/** Dark to bright, so that the order is seen without colours too. */
const STOPS = [
  [13, 8, 135],
  [126, 3, 168],
  [204, 71, 120],
  [248, 149, 64],
  [240, 249, 33],
];
/** From this number on colours cover; below they fade, and 0 is clear: the lowest numbers are no veil over the image. */
const COVERS = 64;
/** Pixels of a side that are painted. Of a larger image some are passed over. */
const LONGEST = 2048;

/** Red, green, blue and opacity of a number from 0 to 255. */
const colourOf = value => {
  const along = (value / 255) * (STOPS.length - 1);
  const below = Math.min(Math.floor(along), STOPS.length - 2);
  const part = along - below;
  const mixed = STOPS[below].map((channel, at) => Math.round(channel + (STOPS[below + 1][at] - channel) * part));
  return [...mixed, Math.round(Math.min(value / COVERS, 1) * 255)];
};

const COLOURS = Array.from({ length: 256 }, (_, value) => colourOf(value));

/** The numbers of all pixels, row by row. */
const numbersOf = (runs, pixels) => {
  const numbers = new Uint8Array(pixels);
  let at = 0;
  for (let turn = 0; turn + 1 < runs.length; turn += 2) {
    numbers.fill(runs[turn], at, at + runs[turn + 1]);
    at += runs[turn + 1];
  }
  return numbers;
};

/** Paints so many columns and rows; `numberAt` says the number at each. */
const paint = (canvas, width, height, numberAt) => {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  const picture = context.createImageData(width, height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) picture.data.set(COLOURS[numberAt(x, y)], (y * width + x) * 4);
  context.putImageData(picture, 0, 0);
};

const told = value => String(Number(value.toPrecision(3)));

/** Over a picture that fills its place as `object-fit: contain` does, with its legend. */
export const makeHeat = () => {
  const canvas = make('canvas', { class: 'heat', 'aria-hidden': 'true', hidden: true });
  const scale = make('canvas', { class: 'scale', 'aria-hidden': 'true' });
  const [name, from, most, least, here] = ['name', 'faint', 'most', 'least', 'here'].map(kind =>
    make('div', { class: kind }),
  );
  const numbers = make('div', { class: 'numbers' }, scale, make('div', { class: 'ends' }, most, least));
  const legend = make('div', { class: 'legend', hidden: true }, name, from, numbers, here);
  paint(scale, 1, 256, (_, y) => 255 - y);

  /** What is painted: painting again what is there would take long for nothing. */
  let painted = null;
  const clear = () => {
    canvas.hidden = true;
  };
  /** Draws a map with its opacity from 0 to 1; null: none. */
  const draw = (heat, { instance, frame, rows, columns }) => {
    legend.hidden = !heat;
    if (!heat) return clear();
    const { map, service, opacity } = heat;
    const unit = map.unit === '1' ? '' : ` ${map.unit}`;
    name.textContent = map.code.meaning;
    from.textContent = service.name[language];
    [least.textContent, most.textContent] = map.range.map(number => `${told(number)}${unit}`);
    canvas.style.opacity = opacity;
    scale.style.opacity = opacity;
    const found = map.frames.find(({ image }) => image.instance === instance && (image.frame ?? 1) === frame);
    here.textContent = found ? '' : words.noHeatHere;
    canvas.hidden = !found;
    if (!found || found === painted) return;
    painted = found;
    const values = numbersOf(found.runs, rows * columns);
    const step = Math.max(rows, columns) / Math.min(Math.max(rows, columns), LONGEST);
    const at = (place, most) => Math.min(Math.floor((place + 0.5) * step), most - 1);
    const [width, height] = [Math.max(Math.round(columns / step), 1), Math.max(Math.round(rows / step), 1)];
    paint(canvas, width, height, (x, y) => values[at(y, rows) * columns + at(x, columns)]);
  };
  return { elements: [canvas, legend], draw, clear };
};

/** Which heat map lies over the images, and how much of them it covers; `element` is null where there are none. */
export const makeHeatChoice = (services, onchange) => {
  const all = services.flatMap((service, of) =>
    (service.findings.heatMaps ?? []).map(map => ({ map, service, of })),
  );
  if (!all.length) return { element: null, chosen: () => null, choose: () => {} };
  const option = ({ map, service }, value) =>
    make('option', { value: String(value) }, `${service.name[language]}: ${map.code.meaning} (${map.id})`);
  const select = make('select', { id: 'heat-map' }, make('option', { value: '' }, words.noHeatMap), all.map(option));
  const opacity = make('input', { type: 'range', id: 'opacity', min: 10, max: 100, step: 5, value: 50 });
  const output = make('output', { for: 'opacity' });
  const tell = () => {
    output.value = `${opacity.value} %`;
    opacity.disabled = select.value === '';
  };
  for (const input of [select, opacity]) {
    input.addEventListener('input', () => {
      tell();
      onchange();
    });
  }
  tell();
  const element = make(
    'section',
    { class: 'heat-maps' },
    make('label', { for: 'heat-map' }, words.heatMap),
    select,
    make('div', { class: 'opacity' }, make('label', { for: 'opacity' }, words.opacity), opacity, output),
  );
  const chosen = () => {
    const one = select.value === '' ? null : all[Number(select.value)];
    return one && { ...one, opacity: Number(opacity.value) / 100 };
  };
  /** Shows the map of a service with this id. */
  const choose = (of, id) => {
    const at = all.findIndex(one => one.of === of && one.map.id === id);
    if (at >= 0) select.value = String(at);
    tell();
  };
  return { element, chosen, choose };
};
