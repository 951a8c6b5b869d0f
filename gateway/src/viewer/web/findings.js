// What AI services found in the study: each service by itself, side by side, and where they do not say the same.
import { make } from '/viewer/dom.js';
import { imageOf } from '/viewer/overlay.js';
import { language, words } from '/viewer/texts.js';

/** Bright on grey, and told apart by those who see no red or green; the same as in pictures that are stored. */
const COLOURS = ['#ffb000', '#56b4ff', '#00dc96', '#ff78c8', '#f0e442', '#ff6428'];
/** Findings of a service that are listed. */
const LISTED = 500;

/** What was found; null where the hospital has no such thing. */
export const loadFindings = async (hospital, study) => {
  const query = new URLSearchParams({ study });
  const response = await fetch(`/hospitals/${encodeURIComponent(hospital)}/findings?${query}`, {
    headers: { Accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`${response.status}`);
  const told = await response.json();
  return told.services.length ? told : null;
};

const rounded = value => Number(value.toPrecision(4));

/** What is said of a finding, line by line. */
const linesOf = finding => {
  const lines = [];
  if (finding.presence && finding.presence !== 'present') lines.push(words.presence[finding.presence] ?? finding.presence);
  const where = [finding.site, finding.laterality].filter(Boolean).map(({ meaning }) => meaning);
  if (where.length) lines.push(where.join(', '));
  for (const { question, answer } of finding.evaluations ?? [])
    lines.push(`${question.meaning}: ${answer.code?.meaning ?? answer.text}`);
  for (const { code, value, unit } of finding.measurements ?? [])
    lines.push(`${code.meaning} ${rounded(value)}${unit === '1' ? '' : ` ${unit}`}`);
  if (finding.confidence !== undefined) lines.push(words.confidence(Math.round(finding.confidence * 100)));
  if (finding.text) lines.push(finding.text[language]);
  return lines;
};

/** The panel; `onchoose` is called with a finding's image, `onchange` when something else is to be drawn. */
export const makeFindings = (told, { onchoose, onchange }) => {
  const shown = told.services.map(() => true);
  const buttons = new Map();
  let chosen = null;

  const choose = (service, finding) => {
    chosen = finding;
    for (const [other, button] of buttons) button.setAttribute('aria-pressed', String(other === finding));
    shown[service] = true;
    boxes[service].checked = true;
    const image = imageOf(finding.place);
    const series = image && told.services[service].inputs.find(({ instances }) => instances.includes(image.instance));
    if (series) onchoose({ series: series.uid, instance: image.instance, frame: image.frame ?? 1 });
    else onchange();
  };

  const item = (service, finding, number) => {
    const lines = linesOf(finding).map(line => make('span', {}, line));
    const inside = [make('strong', {}, `${number} ${finding.code.meaning}`), ...lines];
    const button = make('button', { type: 'button', 'aria-pressed': 'false' }, make('span', { class: 'lines' }, inside));
    button.addEventListener('click', () => choose(service, finding));
    buttons.set(finding, button);
    return make('li', {}, button);
  };

  const boxes = told.services.map((_, service) => {
    const box = make('input', { type: 'checkbox', id: `shown-${service}`, checked: true });
    box.addEventListener('change', () => {
      shown[service] = box.checked;
      onchange();
    });
    return box;
  });

  const section = (analysis, service) => {
    const { findings, summary, limitations = [] } = analysis.findings;
    const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.background = COLOURS[service % COLOURS.length];
    const label = make('label', { for: `shown-${service}` }, swatch, ` ${analysis.name[language]} ${analysis.version}`);
    const from = `${analysis.maker[language]}${analysis.mode === 'trial' ? ` · ${words.onTrial}` : ''}`;
    const listed = findings.slice(0, LISTED);
    const more = findings.length - listed.length;
    return make(
      'section',
      { class: 'service' },
      make('h2', {}, boxes[service], label),
      make('p', { class: 'faint' }, from),
      summary ? make('p', {}, summary[language]) : null,
      findings.length ? null : make('p', {}, words.nothingFound),
      make(
        'ol',
        {},
        listed.map((finding, at) => item(service, finding, at + 1)),
      ),
      more ? make('p', { class: 'faint' }, words.more(more)) : null,
      limitations.map(limitation => make('p', { class: 'faint' }, `${words.limitation}: ${limitation[language]}`)),
    );
  };

  const disagreement = ({ about, question, says }) => {
    const title = question ? `${about.meaning} – ${question.meaning}` : about.meaning;
    const each = says.map(({ service, answers }) => {
      const translated = answers.map(answer => (question ? answer : (words.presence[answer] ?? answer)));
      return make('li', {}, `${told.services[service].name[language]}: ${translated.join(', ')}`);
    });
    return make('div', {}, make('strong', {}, title), make('ul', {}, each));
  };

  const element = make(
    'aside',
    { class: 'findings', 'aria-label': words.findings },
    make('p', { class: 'warning' }, told.warning, make('span', { class: 'block' }, words.notByPeople)),
    told.disagreements.length
      ? make(
          'section',
          { class: 'disagreements' },
          make('h2', {}, words.disagreements),
          told.disagreements.map(disagreement),
        )
      : null,
    told.services.map(section),
    told.omitted ? make('p', { class: 'notice' }, words.omitted(told.omitted)) : null,
  );

  /** What is to be drawn of the services that are shown. */
  const marks = () =>
    told.services.flatMap((analysis, service) => {
      if (!shown[service]) return [];
      return analysis.findings.findings.flatMap((finding, at) => {
        const isThere = (finding.presence ?? 'present') === 'present';
        if (!finding.place || !isThere) return [];
        const colour = COLOURS[service % COLOURS.length];
        return [{ place: finding.place, colour, label: String(at + 1), isChosen: finding === chosen }];
      });
    });

  /** Chooses the finding with a tracking UID; whether there is such a one. */
  const open = tracked => {
    for (const [service, { findings }] of told.services.entries()) {
      const finding = findings.findings.find(({ trackingUid }) => trackingUid === tracked);
      if (!finding) continue;
      choose(service, finding);
      buttons.get(finding)?.scrollIntoView({ block: 'nearest' });
      return true;
    }
    return false;
  };

  return { element, marks, open };
};
