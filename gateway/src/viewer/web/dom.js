// Elements from words. Every text becomes a text node: nothing that a data set holds is ever read as HTML.

/** An element with its attributes (`on…`: listeners) and what is inside it; what is null or false is left out. */
export const make = (name, attributes = {}, ...inside) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...inside.flat().filter(part => part !== null && part !== undefined && part !== false));
  return element;
};

/** Shows these in place of all that is shown. */
export const show = (...parts) => {
  const main = document.getElementById('main');
  main.replaceChildren(...parts.filter(Boolean));
  main.removeAttribute('aria-busy');
};

/** Shows a page's place above it: the way back, and links at the right. */
export const head = (title, way, ...right) => {
  document.title = `${title} – MedVAN`;
  const steps = way.map(({ name, address }) =>
    make('li', {}, address ? make('a', { href: address }, name) : make('span', { 'aria-current': 'page' }, name)),
  );
  document
    .getElementById('header')
    .replaceChildren(
      make('a', { href: way[0].address ?? location.href, class: 'brand' }, 'MedVAN'),
      make('nav', { 'aria-label': 'MedVAN' }, make('ol', {}, steps)),
      make('div', { class: 'right' }, ...right),
    );
};

/** A message that a screen reader says at once. */
export const notice = (...inside) => make('p', { class: 'notice', role: 'alert' }, ...inside);
