// The hospitals that this machine may see.
import { head, make, show } from '/viewer/dom.js';
import { language, words } from '/viewer/texts.js';

export const showHospitals = ({ hospitals, address, otherLanguage }) => {
  head(words.hospitals, [{ name: words.hospitals }], otherLanguage());
  const line = ({ id, name }) =>
    make(
      'li',
      {},
      make(
        'a',
        { href: address({ hospital: id }) },
        make('strong', {}, name[language]),
        make('span', { class: 'faint' }, id),
      ),
    );
  const list = hospitals.length
    ? [make('p', {}, words.chooseHospital), make('ul', { class: 'cards' }, hospitals.map(line))]
    : [make('p', {}, words.noHospital), make('p', { class: 'faint' }, words.noHospitalMend)];
  show(
    make(
      'div',
      { class: 'narrow' },
      make('h1', {}, words.hospitals),
      ...list,
      make('p', { class: 'faint aside' }, words.signIn),
    ),
  );
};
