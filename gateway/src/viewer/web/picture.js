// The place where one rendered picture is shown. Whoever pulls a slider asks for many: only the latest is loaded, and the
// last picture stays until it is there.
import { make } from '/viewer/dom.js';
import { words } from '/viewer/texts.js';

/** Pictures that are kept, so that going back and forth asks for nothing. */
const KEPT = 64;

/** Why there is no picture, and the way to what there is instead: a report, a document. */
const absent = async address => {
  const told = [make('p', {}, words.noPicture)];
  try {
    const response = await fetch(address, { headers: { Accept: 'image/*, text/html;q=0.9, */*;q=0.5' } });
    const type = response.headers.get('Content-Type') ?? '';
    if (response.ok && !type.startsWith('image/')) {
      told.push(make('a', { href: address, target: '_blank', rel: 'noopener', class: 'button' }, words.openRendered));
      await response.body?.cancel();
    } else if (!response.ok && ![404, 406].includes(response.status)) {
      // What it is not is said above; anything else is worth telling.
      told.push(make('p', { class: 'faint' }, `${response.status} ${(await response.text()).slice(0, 300)}`));
    }
  } catch {
    told.push(make('p', { class: 'faint' }, words.failed));
  }
  return make('div', { class: 'absent', role: 'alert' }, told);
};

/** A place for pictures: `show(address, alternative, next)` shows one and then fetches those that may be wanted next. `onshown`
    is called with the address of the picture that is seen, or with null where there is none. */
export const makePicture = (onshown = () => {}) => {
  const element = make('div', { class: 'picture' });
  const kept = new Map();
  let wanted = null;
  let isBusy = false;

  const load = address => {
    const known = kept.get(address);
    kept.delete(address);
    const image = known ?? make('img', { src: address, alt: '', draggable: 'false' });
    kept.set(address, image);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    return image.decode().then(() => image);
  };

  const showOne = async ({ address, alternative }) => {
    try {
      const image = await load(address);
      image.alt = alternative;
      element.replaceChildren(image);
      onshown(address);
    } catch {
      kept.delete(address);
      onshown(null);
      const told = await absent(address);
      if (!wanted) element.replaceChildren(told);
    }
  };

  const work = async () => {
    if (isBusy) return;
    isBusy = true;
    element.setAttribute('aria-busy', 'true');
    let last = null;
    while (wanted) {
      last = wanted;
      wanted = null;
      await showOne(last);
    }
    isBusy = false;
    element.removeAttribute('aria-busy');
    for (const address of last?.next ?? []) load(address).catch(() => kept.delete(address));
  };

  const show = (address, alternative, next = []) => {
    wanted = { address, alternative, next };
    return work();
  };

  return { element, show };
};
