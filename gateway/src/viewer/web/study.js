// One study: its series at the left, and the stage with the pictures of one of them.
import { addresses, byNumber, names, number, search, searchAll, text } from '/viewer/dicomweb.js';
import { head, make, notice, show } from '/viewer/dom.js';
import { loadFindings, makeFindings } from '/viewer/findings.js';
import { Stage } from '/viewer/stage.js';
import { language, words } from '/viewer/texts.js';

/** Modalities of what has no pixels: there is nothing to draw small. */
const PIXELLESS = new Set(['SR', 'PR', 'KO', 'DOC']);

/** The series as buttons with their thumbnails. */
const seriesList = (series, at, onchoose) => {
  const buttons = series.map(one => {
    const uid = text(one, 'SeriesInstanceUID');
    const modality = text(one, 'Modality') || '–';
    const sign = make('span', { class: 'thumbless', 'aria-hidden': 'true' }, modality);
    const image = make('img', { src: at.thumbnail(uid), alt: '', width: 80, height: 80, loading: 'lazy' });
    image.addEventListener('error', () => image.replaceWith(sign));
    const kind = words.objects[modality] ?? words.images;
    const lines = [
      make('strong', {}, words.seriesNumber(text(one, 'SeriesNumber') || '–')),
      make('span', {}, text(one, 'SeriesDescription')),
      make('span', { class: 'faint' }, `${modality} · ${kind(number(one, 'NumberOfSeriesRelatedInstances'))}`),
    ];
    const button = make(
      'button',
      { type: 'button', 'aria-pressed': 'false' },
      PIXELLESS.has(modality) ? sign : image,
      make('span', { class: 'lines' }, lines),
    );
    button.addEventListener('click', () => choose(one, button));
    return button;
  });
  const choose = (one, chosen) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button === chosen));
    return onchoose(one);
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
  /** Opens the series with a UID, where there is one. */
  const open = uid => {
    const at = series.findIndex(one => text(one, 'SeriesInstanceUID') === uid);
    return at < 0 ? null : choose(series[at], buttons[at]);
  };
  return { element, open, first: () => choose(series[0], buttons[0]) };
};

/** The findings beside the stage, which draws them; nothing where none were made. */
const findingsOf = (told, list, stage) => {
  if (!told) return null;
  const onchoose = async image => {
    if (!stage.turnTo(image)) await list.open(image.series);
    stage.turnTo(image);
    stage.refresh();
  };
  const findings = makeFindings(told, { onchoose, onchange: () => stage.refresh() });
  stage.marked(findings.marks, findings.heatMap);
  return findings;
};

export const showStudy = async ({ hospital, study: uid, finding, address, otherLanguage, ohif }) => {
  const at = addresses(hospital.id, uid);
  const parameters = { StudyInstanceUID: uid, includefield: 'StudyDescription' };
  const failed = error => console.error(error);
  const [[study], series, told] = await Promise.all([
    search(hospital.id, '/studies', parameters),
    searchAll(hospital.id, `${at.study}/series`),
    // Images are shown also where findings cannot be read.
    loadFindings(hospital.id, uid).catch(failed),
  ]);
  const name = study ? names(study, 'PatientName')[0] : words.notFound;
  const way = [
    { name: words.hospitals, address: address({}) },
    { name: hospital.name[language], address: address({ hospital: hospital.id }) },
    { name },
  ];
  const target = `/ohif/viewer/${encodeURIComponent(hospital.id)}?StudyInstanceUIDs=${encodeURIComponent(uid)}`;
  const inOhif = ohif && study ? make('a', { href: target, class: 'button' }, words.openOhif) : null;
  const why = address({ hospital: hospital.id, study: uid, view: 'matching' });
  const matching = study ? make('a', { href: why, class: 'button' }, words.matching.title) : null;
  head(name, way, matching, inOhif, otherLanguage());
  if (!study) return show(notice(words.notFound));
  if (!series.length) return show(notice(words.noSeries));
  const stage = new Stage(hospital, at, study);
  const list = seriesList(series.sort(byNumber('SeriesNumber')), at, one => stage.open(one));
  const findings = findingsOf(told, list, stage);
  const parts = [list.element, stage.element, findings?.element ?? null];
  show(make('h1', { class: 'unseen' }, name), make('div', { class: findings ? 'study with-findings' : 'study' }, parts));
  if (finding && findings?.open(finding)) return;
  // Where something is marked is looked at first.
  const marked = findings?.firstImage();
  const opened = marked && list.open(marked.series);
  await (opened ?? list.first());
  // Nothing where somebody has chosen another series meanwhile.
  if (opened) stage.turnTo(marked);
};
