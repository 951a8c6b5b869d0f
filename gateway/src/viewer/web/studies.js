// A hospital's studies, newest first, and the search among them.
import { MOST, Refused, born, date, names, number, search, text, texts, time } from '/viewer/dicomweb.js';
import { head, make, notice, show } from '/viewer/dom.js';
import { language, words } from '/viewer/texts.js';

/** Days that are looked back, one after the other, until something is found: an archive has no order but that of arrival. */
const SPANS = [0, 2, 30, 365, 3650];

const DETAILS = { includefield: 'StudyDescription', limit: MOST + 1 };

/** A day as DA writes it. */
const day = moment => moment.toISOString().slice(0, 10).replaceAll('-', '');

/** A date that somebody typed: 2026-11-01, 2026/11/1, 20261101. */
const typedDate = typed => {
  const parts = /^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?$/.exec(typed);
  return parts ? parts[1] + parts[2].padStart(2, '0') + parts[3].padStart(2, '0') : null;
};

/** The keys of each question that a wish makes: what was typed may be a name, an ID or a date. */
const questions = ({ typed, from, to }) => {
  const range = from || to ? { StudyDate: `${from.replaceAll('-', '')}-${to.replaceAll('-', '')}` } : {};
  if (!typed) return [range];
  const found = [
    { ...range, PatientName: `*${typed}*`, fuzzymatching: 'true' },
    { ...range, PatientID: `*${typed}*` },
  ];
  const wanted = typedDate(typed);
  if (wanted && !range.StudyDate) found.push({ StudyDate: wanted });
  return found;
};

/** Asks every question at once; a study that answers two of them comes once. */
const ask = async (hospital, wish) => {
  const answers = await Promise.all(questions(wish).map(keys => search(hospital, '/studies', { ...DETAILS, ...keys })));
  const studies = new Map(answers.flat().map(study => [text(study, 'StudyInstanceUID'), study]));
  return { studies: [...studies.values()], isWhole: answers.every(answer => answer.length <= MOST) };
};

/** Where there are more than can be shown, the newest are found by looking back further and further. */
const newest = async hospital => {
  let found = null;
  for (const days of SPANS) {
    const since = day(new Date(Date.now() - days * 86_400_000));
    const studies = await search(hospital, '/studies', { ...DETAILS, StudyDate: `${since}-` });
    if (studies.length > MOST) return found?.studies.length ? found : some(studies);
    found = { studies, note: words.since(studies.length, date(since)) };
  }
  return found;
};

/** As many as are shown at once. */
const some = studies => ({ studies: studies.slice(0, MOST), note: words.first(MOST) });

const find = async (hospital, wish) => {
  const found = await ask(hospital, wish);
  if (found.isWhole) return { ...found, note: '' };
  return wish.typed || wish.from || wish.to ? some(found.studies) : newest(hospital);
};

const moment = study => text(study, 'StudyDate') + text(study, 'StudyTime').padEnd(6, '0');

const byMoment = (one, other) => moment(other).localeCompare(moment(one));

/** One row. The link is the name; the whole row follows it. */
const row = (study, hospital, address) => {
  const [first, ...others] = names(study, 'PatientName');
  const target = address({ hospital, study: text(study, 'StudyInstanceUID') });
  const day = date(text(study, 'StudyDate')) || words.noDate;
  return make(
    'tr',
    {},
    make('td', { class: 'time' }, day, ' ', make('span', { class: 'faint' }, time(text(study, 'StudyTime')))),
    make(
      'td',
      {},
      make('a', { href: target, class: 'row' }, first),
      others.length ? make('span', { class: 'faint block' }, others.join(' · ')) : null,
    ),
    make('td', {}, text(study, 'PatientID'), make('span', { class: 'faint block' }, born(study))),
    make(
      'td',
      {},
      texts(study, 'ModalitiesInStudy').map(modality => make('span', { class: 'chip' }, modality)),
    ),
    make(
      'td',
      {},
      text(study, 'StudyDescription'),
      make('span', { class: 'faint block' }, text(study, 'AccessionNumber')),
    ),
    make(
      'td',
      { class: 'count' },
      `${number(study, 'NumberOfStudyRelatedSeries')} / ${number(study, 'NumberOfStudyRelatedInstances')}`,
    ),
  );
};

const table = (studies, hospital, address) => {
  const columns = [words.studyDate, words.patient, words.patientId, words.modalities, words.description, words.size];
  const heads = columns.map((name, index) => make('th', { scope: 'col', class: index === 5 ? 'count' : null }, name));
  return make(
    'div',
    { class: 'wide' },
    make(
      'table',
      {},
      make('thead', {}, make('tr', {}, heads)),
      make(
        'tbody',
        {},
        studies.map(study => row(study, hospital, address)),
      ),
    ),
  );
};

const field = (name, id, attributes) =>
  make('div', { class: 'field' }, make('label', { for: id }, name), make('input', { id, ...attributes }));

const form = (wish, onsubmit) => {
  const element = make(
    'form',
    { role: 'search', class: 'search' },
    field(words.searchFor, 'typed', {
      type: 'search',
      value: wish.typed,
      placeholder: words.searchExample,
      maxlength: 64,
      autocomplete: 'off',
      spellcheck: 'false',
    }),
    field(words.from, 'from', { type: 'date', value: wish.from }),
    field(words.to, 'to', { type: 'date', value: wish.to }),
    make('button', { type: 'submit', class: 'main' }, words.search),
    make('button', { type: 'reset' }, words.clear),
  );
  const now = () =>
    Object.fromEntries(['typed', 'from', 'to'].map(id => [id, element.querySelector(`#${id}`).value.trim()]));
  element.addEventListener('submit', event => {
    event.preventDefault();
    onsubmit(now());
  });
  element.addEventListener('reset', event => {
    event.preventDefault();
    for (const input of element.querySelectorAll('input')) input.value = '';
    onsubmit(now());
  });
  return element;
};

export const showStudies = async ({ hospital, address, otherLanguage, ohif }) => {
  const name = hospital.name[language];
  const inOhif = ohif
    ? make('a', { href: `/ohif/?datasources=${encodeURIComponent(hospital.id)}`, class: 'button' }, words.openOhif)
    : null;
  const work = make('a', { href: address({ hospital: hospital.id, view: 'jobs' }), class: 'button' }, words.jobs.title);
  head(name, [{ name: words.hospitals, address: address({}) }, { name }], work, inOhif, otherLanguage());
  const results = make('div', {});
  const told = make('p', { class: 'faint', role: 'status' });
  let asked = 0;
  const look = async wish => {
    // What was looked for is kept with the page's place in the history and not in its address, which others may log.
    history.replaceState(wish, '');
    asked += 1;
    const mine = asked;
    told.replaceChildren(words.loading);
    try {
      const { studies, note } = await find(hospital.id, wish);
      if (mine !== asked) return;
      told.replaceChildren(note || (studies.length ? words.found(studies.length) : words.nothing));
      results.replaceChildren(...(studies.length ? [table(studies.sort(byMoment), hospital.id, address)] : []));
    } catch (error) {
      if (mine !== asked) return;
      console.error(error);
      told.replaceChildren();
      results.replaceChildren(notice(words.failed, ' ', error instanceof Refused ? error.message : ''));
    }
  };
  const wish = { typed: '', from: '', to: '', ...history.state };
  show(make('h1', {}, words.studies), form(wish, look), told, results);
  await look(wish);
};
