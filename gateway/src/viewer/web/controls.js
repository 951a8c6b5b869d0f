// What stands below a picture: sliders, and the choice of a window.
import { make } from '/viewer/dom.js';
import { words } from '/viewer/texts.js';

/** Usual windows of CT in Hounsfield units: center, width. */
const WINDOWS = [
  ['lung', -600, 1500],
  ['mediastinum', 40, 400],
  ['abdomen', 50, 350],
  ['bone', 400, 2000],
  ['brain', 35, 80],
];

/** A slider with its name and, after it, where it stands. It is gone where there is nothing to choose. */
export const slider = (name, id, told, onmove) => {
  const input = make('input', { type: 'range', id, min: 1, max: 1, value: 1 });
  const output = make('output', { for: id });
  const element = make('div', { class: 'slider' }, make('label', { for: id }, name), input, output);
  const tell = () => {
    output.value = words.of(input.value, input.max);
    input.setAttribute('aria-valuetext', told(input.value, input.max));
  };
  input.addEventListener('input', () => {
    tell();
    onmove();
  });
  const place = () => Number(input.value);
  const move = to => {
    input.value = Math.min(Math.max(to, 1), Number(input.max));
    tell();
  };
  const reach = most => {
    input.max = most;
    element.hidden = most < 2;
    move(1);
  };
  return { element, place, move, reach, most: () => Number(input.max) };
};

/** The choice of a window: center and width, or nothing for what the image itself has. */
export const windows = onchange => {
  const select = make('select', { id: 'window' });
  const center = make('input', { type: 'number', id: 'center', step: 'any' });
  const width = make('input', { type: 'number', id: 'width', step: 'any', min: 1 });
  const inputs = make(
    'span',
    { class: 'own' },
    make('label', { for: 'center' }, words.center),
    center,
    make('label', { for: 'width' }, words.width),
    width,
  );
  const element = make('div', { class: 'windows' }, make('label', { for: 'window' }, words.window), select, inputs);
  const chosen = () => WINDOWS.find(([name]) => name === select.value);
  const values = () => {
    const own = [center.value, width.value].map(Number);
    if (select.value === 'own') return center.value && own[1] >= 1 ? own : null;
    return chosen()?.slice(1) ?? null;
  };
  select.addEventListener('change', () => {
    const preset = chosen();
    if (preset) [center.value, width.value] = preset.slice(1);
    onchange();
  });
  for (const input of [center, width]) {
    input.addEventListener('change', () => {
      select.value = 'own';
      onchange();
    });
  }
  /** For a series of this modality, whose images say this window themselves. */
  const offer = (modality, stored) => {
    const presets = modality === 'CT' ? WINDOWS : [];
    const options = [
      ['stored', words.asStored],
      ...presets.map(([name, c, w]) => [name, `${words[name]} (${c} / ${w})`]),
      ['own', words.own],
    ];
    select.replaceChildren(...options.map(([value, label]) => make('option', { value }, label)));
    [center.value, width.value] = stored ?? ['', ''];
    element.hidden = false;
  };
  /** For a series that has no use of windows. */
  const withdraw = () => {
    select.replaceChildren();
    element.hidden = true;
  };
  return { element, values, offer, withdraw };
};
