// What AI services do with a hospital's images: what waits, what runs and how far it is, what failed and why.
import { address as path, ask } from '/viewer/work.js';
import { head, make, notice, show } from '/viewer/dom.js';
import { language, words } from '/viewer/texts.js';

const told = words.jobs;
const MOST = 50;
/** Milliseconds between two looks while nobody asks for another. */
const AGAIN = 5_000;

/** Choices of states; the words are in `told.choices`. */
const CHOICES = {
  all: {},
  open: { state: 'waiting,running,answered,offered,taken' },
  overdue: { overdue: true },
  failed: { state: 'dead' },
  stopped: { state: 'canceled,superseded' },
  done: { state: 'done' },
};

const moment = text => new Date(text).toLocaleString(language);

const stateOf = job =>
  make(
    'td',
    {},
    make('span', { class: `chip state-${job.state}` }, told.states[job.state] ?? job.state),
    job.isOverdue ? make('span', { class: 'chip state-dead' }, told.overdue) : null,
    job.progress
      ? make(
          'span',
          { class: 'block' },
          job.progress.percent === undefined ? '' : `${job.progress.percent} % `,
          job.progress.description ?? '',
        )
      : null,
  );

/** When something happens next, where something does. */
const next = job => {
  if (job.state === 'waiting' && job.attempts > 0) return told.triedAgain(moment(job.dueAt));
  if (CHOICES.open.state.split(',').includes(job.state)) return told.deadline(moment(job.deadlineAt));
  return '';
};

const row = (job, hospital, address) =>
  make(
    'tr',
    {},
    stateOf(job),
    make(
      'td',
      {},
      job.service,
      make('span', { class: 'faint block' }, `${job.version} · ${job.entry} · ${told.modes[job.mode] ?? job.mode}`),
    ),
    make(
      'td',
      {},
      make('a', { href: address({ hospital, study: job.study }) }, told.openStudy),
      ' · ',
      make('a', { href: address({ hospital, study: job.study, view: 'matching' }) }, told.openMatching),
      make('span', { class: 'faint block uid' }, job.study),
    ),
    make('td', { class: 'count' }, `${job.images}`),
    make('td', {}, told.priorities[job.priority] ?? `${job.priority}`),
    make('td', { class: 'count' }, `${job.attempts}`),
    make(
      'td',
      { class: 'time' },
      moment(job.changedAt),
      make('span', { class: 'faint block' }, next(job)),
    ),
    make(
      'td',
      {},
      job.fault ? make('span', { class: 'fault' }, job.fault) : null,
      job.refused?.length
        ? make('ul', { class: 'reasons fault' }, job.refused.map(({ at, reason }) => make('li', {}, told.refused(moment(at), reason))))
        : null,
      make('span', { class: 'faint block uid' }, job.id),
    ),
  );

const table = (jobs, hospital, address) =>
  make(
    'div',
    { class: 'wide' },
    make(
      'table',
      {},
      make('thead', {}, make('tr', {}, told.columns.map(name => make('th', { scope: 'col' }, name)))),
      make('tbody', {}, jobs.map(job => row(job, hospital, address))),
    ),
  );

const counts = summary => {
  const line = ({ state, jobs, overdue }) =>
    make('li', {}, told.states[state] ?? state, ' ', make('strong', {}, `${jobs}`), overdue ? ` (${told.overdue} ${overdue})` : '');
  return summary.length ? make('ul', { class: 'counts' }, summary.map(line)) : make('p', { class: 'faint' }, told.nothingOpen);
};

const form = (wish, onchange) => {
  const states = make(
    'select',
    { id: 'state' },
    Object.keys(CHOICES).map(name => make('option', { value: name, selected: name === wish.state }, told.choices[name])),
  );
  const service = make('input', {
    id: 'service',
    type: 'search',
    value: wish.service,
    placeholder: 'vendor.service',
    maxlength: 130,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const element = make(
    'form',
    { role: 'search', class: 'search' },
    make('div', { class: 'field' }, make('label', { for: 'state' }, told.state), states),
    make('div', { class: 'field' }, make('label', { for: 'service' }, told.service), service),
    make('button', { type: 'submit', class: 'main' }, told.look),
  );
  const changed = () => onchange({ state: states.value, service: service.value.trim() });
  states.addEventListener('change', changed);
  element.addEventListener('submit', event => {
    event.preventDefault();
    changed();
  });
  return element;
};

export const showJobs = async ({ hospital, address, otherLanguage, asked }) => {
  const name = hospital.name[language];
  const way = [
    { name: words.hospitals, address: address({}) },
    { name, address: address({ hospital: hospital.id }) },
    { name: told.title },
  ];
  head(told.title, way, otherLanguage());
  const results = make('div', {});
  const status = make('p', { class: 'faint', role: 'status' });
  const state = asked.get('state') in CHOICES ? asked.get('state') : 'all';
  let wish = { state, service: asked.get('service') ?? '' };
  /** Where each page begins, from the first to the one that is shown. */
  let pages = [''];
  let looks = 0;

  const pager = next => {
    const turn = to => {
      pages = to;
      return look();
    };
    const back = make('button', { type: 'button', disabled: pages.length === 1 }, told.newer);
    back.addEventListener('click', () => turn(pages.slice(0, -1)));
    const on = make('button', { type: 'button', disabled: !next }, told.older);
    on.addEventListener('click', () => turn([...pages, next]));
    return make('p', { class: 'pager' }, back, on);
  };
  const look = async () => {
    looks += 1;
    const mine = looks;
    const query = { order: 'newest', limit: MOST, ...CHOICES[wish.state] };
    if (wish.service) query.service = wish.service;
    if (pages.at(-1)) query.cursor = pages.at(-1);
    try {
      const [summary, found] = await Promise.all([
        ask(path(hospital.id, 'jobs/summary')),
        ask(path(hospital.id, 'jobs'), query),
      ]);
      if (mine !== looks) return;
      status.replaceChildren(told.asOf(new Date().toLocaleTimeString(language)));
      const list = found.items.length ? table(found.items, hospital.id, address) : make('p', {}, told.nothing);
      results.replaceChildren(counts(summary), list, pager(found.next));
    } catch (error) {
      if (mine !== looks) return;
      console.error(error);
      status.replaceChildren();
      results.replaceChildren(notice(words.failed, ' ', error.message));
    }
  };
  const changed = wanted => {
    wish = wanted;
    pages = [''];
    const parameters = { hospital: hospital.id, view: 'jobs', state: wish.state };
    if (wish.service) parameters.service = wish.service;
    history.replaceState(null, '', address(parameters));
    return look();
  };
  show(make('h1', {}, told.title), form(wish, changed), status, results);
  await look();
  // Nobody who reads further down, or has a link in focus, has it taken away.
  const isAtRest = () => pages.length === 1 && !results.contains(document.activeElement);
  setInterval(() => document.visibilityState === 'visible' && isAtRest() && look(), AGAIN);
};
