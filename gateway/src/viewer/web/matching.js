// Which AI services get which series of a study, and why the others not.
import { address as path, ask } from '/viewer/work.js';
import { head, make, notice, show } from '/viewer/dom.js';
import { language, words } from '/viewer/texts.js';

const told = words.matching;

const moment = text => new Date(text).toLocaleString(language);

const reasons = refusals => make('ul', { class: 'reasons' }, refusals.map(refusal => make('li', {}, refusal[language])));

/** What one series is for one need. */
const verdict = (need, one) => {
  if (one.series === need.chosen) return make('span', { class: 'chip state-done' }, told.taken);
  if (one.refusals.length) return reasons(one.refusals);
  return one.taken ? told.takenByAnother : told.notNeeded;
};

const needTable = need => {
  const row = one =>
    make(
      'tr',
      { class: one.series === need.chosen ? 'chosen' : null },
      make(
        'td',
        {},
        make('span', { class: 'chip' }, one.modality || '–'),
        one.description,
        make('span', { class: 'faint block uid' }, one.series),
      ),
      make('td', { class: 'count' }, `${one.images}`),
      make('td', { class: 'count' }, `${one.score} %`),
      make('td', {}, verdict(need, one)),
    );
  return [
    make('h3', {}, told.need(need.need), need.optional ? make('span', { class: 'faint' }, ` ${told.optional}`) : null),
    make(
      'div',
      { class: 'wide' },
      make(
        'table',
        {},
        make('thead', {}, make('tr', {}, told.columns.map(name => make('th', { scope: 'col' }, name)))),
        make('tbody', {}, need.series.map(row)),
      ),
    ),
  ];
};

/** An earlier study that would be given too. */
const priorOf = prior => {
  if (!prior) return null;
  const chosen = prior.chosen ? told.prior(prior.chosen) : told.noPrior;
  return make('p', { class: 'uid' }, chosen);
};

const service = (one, jobs) => {
  const states = jobs.filter(job => job.service === one.service).map(job => words.jobs.states[job.state] ?? job.state);
  return make(
    'section',
    { class: 'match' },
    make(
      'h2',
      {},
      one.service,
      ' ',
      make('span', { class: 'faint' }, `${one.version} · ${one.entry} · ${words.jobs.modes[one.mode] ?? one.mode}`),
      ' ',
      make('span', { class: `chip ${one.fits ? 'state-done' : 'state-dead'}` }, one.fits ? told.fits : told.fitsNot),
      states.length ? make('span', { class: 'faint' }, ` ${told.job}: ${states.join(', ')}`) : null,
    ),
    one.refusals?.length ? reasons(one.refusals) : null,
    priorOf(one.prior),
    one.needs.flatMap(needTable),
  );
};

const evidence = found => {
  const judgement = found.evidence?.judgement;
  if (!judgement) return told.notJudged;
  const because = judgement.because.map(({ evidence: kind, ...facts }) => (told.because[kind] ?? (() => kind))(facts));
  const verdictText = told.verdicts[judgement.verdict.is] ?? judgement.verdict.is;
  return `${verdictText}: ${because.join(told.and)}`;
};

const completeness = found =>
  make(
    'dl',
    { class: 'facts' },
    make('dt', {}, told.completeness),
    make('dd', {}, evidence(found)),
    found.judgedAt ? [make('dt', {}, told.judgedAt), make('dd', {}, moment(found.judgedAt))] : null,
    found.lookedAtNext ? [make('dt', {}, told.lookedAtNext), make('dd', {}, moment(found.lookedAtNext))] : null,
  );

export const showMatching = async ({ hospital, study, address, otherLanguage }) => {
  const way = [
    { name: words.hospitals, address: address({}) },
    { name: hospital.name[language], address: address({ hospital: hospital.id }) },
    { name: words.study, address: address({ hospital: hospital.id, study }) },
    { name: told.title },
  ];
  head(told.title, way, otherLanguage());
  try {
    const found = await ask(path(hospital.id, `studies/${encodeURIComponent(study)}/matching`));
    const services = found.services.length
      ? found.services.map(one => service(one, found.jobs))
      : [make('p', {}, told.noService)];
    show(make('h1', {}, told.title), make('p', { class: 'faint uid' }, study), completeness(found), ...services);
  } catch (error) {
    console.error(error);
    show(make('h1', {}, told.title), notice(words.failed, ' ', error.message));
  }
};
