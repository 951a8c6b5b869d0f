// One study: its series at the left, and the stage with the pictures of one of them.
import { addresses, byNumber, names, number, search, searchAll, text } from '/viewer/dicomweb.js';
import { head, make, notice, show } from '/viewer/dom.js';
import { Stage } from '/viewer/stage.js';
import { language, words } from '/viewer/texts.js';

/** The series as buttons with their thumbnails. */
const seriesList = (series, at, onchoose) => {
  const buttons = series.map(one => {
    const uid = text(one, 'SeriesInstanceUID');
    const modality = text(one, 'Modality') || '–';
    const image = make('img', { src: at.thumbnail(uid), alt: '', width: 80, height: 80, loading: 'lazy' });
    image.addEventListener('error', () =>
      image.replaceWith(make('span', { class: 'thumbless', 'aria-hidden': 'true' }, modality)),
    );
    const lines = [
      make('strong', {}, words.seriesNumber(text(one, 'SeriesNumber') || '–')),
      make('span', {}, text(one, 'SeriesDescription')),
      make('span', { class: 'faint' }, `${modality} · ${words.images(number(one, 'NumberOfSeriesRelatedInstances'))}`),
    ];
    const button = make(
      'button',
      { type: 'button', 'aria-pressed': 'false' },
      image,
      make('span', { class: 'lines' }, lines),
    );
    button.addEventListener('click', () => choose(one, button));
    return button;
  });
  const choose = (one, chosen) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button === chosen));
    onchoose(one);
  };
  const element = make(
    'nav',
    { class: 'series', 'aria-label': words.series },
    make(
      'ul',
      {},
      buttons.map(button => make('li', {}, button)),
    ),
  );
  return { element, first: () => buttons[0].click() };
};

export const showStudy = async ({ hospital, study: uid, address, otherLanguage, ohif }) => {
  const at = addresses(hospital.id, uid);
  const parameters = { StudyInstanceUID: uid, includefield: 'StudyDescription' };
  const [[study], series] = await Promise.all([
    search(hospital.id, '/studies', parameters),
    searchAll(hospital.id, `${at.study}/series`),
  ]);
  const name = study ? names(study, 'PatientName')[0] : words.notFound;
  const way = [
    { name: words.hospitals, address: address({}) },
    { name: hospital.name[language], address: address({ hospital: hospital.id }) },
    { name },
  ];
  const target = `/ohif/viewer/${encodeURIComponent(hospital.id)}?StudyInstanceUIDs=${encodeURIComponent(uid)}`;
  head(name, way, ohif && study ? make('a', { href: target, class: 'button' }, words.openOhif) : null, otherLanguage());
  if (!study) return show(notice(words.notFound));
  if (!series.length) return show(notice(words.noSeries));
  const stage = new Stage(hospital, at, study);
  const list = seriesList(series.sort(byNumber('SeriesNumber')), at, one => stage.open(one));
  show(make('h1', { class: 'unseen' }, name), make('div', { class: 'study' }, list.element, stage.element));
  list.first();
};
