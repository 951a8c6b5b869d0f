// What AI services found in the study: each service by itself, side by side, and where they do not say the same.
import { make } from '/viewer/dom.js';
import { makeHeatChoice } from '/viewer/heat.js';
import { language, words } from '/viewer/texts.js';
import { measured } from '/viewer/units.js';

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

const isThere = finding => (finding.presence ?? 'present') === 'present';

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
    lines.push(`${code.meaning} ${measured(rounded(value), unit)}`);
  if (finding.confidence !== undefined) lines.push(words.confidence(Math.round(finding.confidence * 100)));
  if (finding.text) lines.push(finding.text[language]);
  return lines;
};

const isInPatient = place => place?.type.startsWith('patient-') ?? false;

const middle = list => list[Math.floor(list.length / 2)] ?? null;

/** Of the images that show a place in the patient one that the service was given if there is one, and that is nearest. */
const nearest = (traces, inputs) => {
  const given = new Set(inputs.flatMap(({ instances }) => instances));
  const own = traces.filter(({ instance }) => given.has(instance));
  const among = own.length ? own : traces;
  const least = among.reduce((so, { distance = 0 }) => Math.min(so, distance), Infinity);
  return middle(among.filter(({ distance = 0 }) => distance === least));
};

/** The image to look at for a place, with its series: of several the middle one; null where it is in none. */
const imageOf = (place, traces, { inputs, findings }) => {
  if (!place) return null;
  if (traces) return nearest(traces, inputs);
  const map = place.type === 'heat-map' ? findings.heatMaps?.find(({ id }) => id === place.heatMap) : null;
  const image = place.image ?? middle(place.frames ?? map?.frames ?? [])?.image;
  const series = image && inputs.find(({ instances }) => instances.includes(image.instance));
  return series ? { ...image, series: series.uid } : null;
};

/** What is said of where a place in the patient is seen. */
const tracesLine = traces => {
  if (!traces) return words.notPlaced;
  return traces.length ? words.inImages(traces.length) : words.inNoImage;
};

/** The panel; `onchoose` is called with a finding's image, `onchange` when something else is to be drawn. */
export const makeFindings = (told, { onchoose, onchange }) => {
  const shown = told.services.map(() => true);
  const traces = told.services.map(({ projections }) => new Map(projections.map(one => [one.finding, one.images])));
  const heat = makeHeatChoice(told.services, onchange);
  const buttons = new Map();
  let chosen = null;

  /** The image of a finding as the stage turns to it, or null. */
  const shownIn = (service, finding, at) => {
    const image = imageOf(finding.place, traces[service].get(at), told.services[service]);
    return image && { series: image.series, instance: image.instance, frame: image.frame ?? 1 };
  };

  const choose = (service, finding, at) => {
    chosen = finding;
    for (const [other, button] of buttons) button.setAttribute('aria-pressed', String(other === finding));
    shown[service] = true;
    boxes[service].checked = true;
    if (finding.place?.type === 'heat-map') heat.choose(service, finding.place.heatMap);
    const image = shownIn(service, finding, at);
    if (image) onchoose(image);
    else onchange();
  };

  const item = (service, finding, at) => {
    const lines = linesOf(finding).map(line => make('span', {}, line));
    if (isThere(finding) && isInPatient(finding.place))
      lines.push(make('span', { class: 'faint' }, tracesLine(traces[service].get(at))));
    const inside = [make('strong', {}, `${at + 1} ${finding.code.meaning}`), ...lines];
    const button = make('button', { type: 'button', 'aria-pressed': 'false' }, make('span', { class: 'lines' }, inside));
    button.addEventListener('click', () => choose(service, finding, at));
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
        listed.map((finding, at) => item(service, finding, at)),
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
    heat.element,
    told.services.map(section),
    told.omitted ? make('p', { class: 'notice' }, words.omitted(told.omitted)) : null,
    told.omittedPlaces ? make('p', { class: 'notice' }, words.omittedPlaces(told.omittedPlaces)) : null,
    told.moreImages ? make('p', { class: 'notice' }, words.moreImages) : null,
  );

  /** What is to be drawn of the services that are shown. */
  const marks = () =>
    told.services.flatMap((analysis, service) => {
      if (!shown[service]) return [];
      return analysis.findings.findings.flatMap((finding, at) => {
        const { place } = finding;
        if (!place || !isThere(finding) || (isInPatient(place) && !traces[service].has(at))) return [];
        const colour = COLOURS[service % COLOURS.length];
        const mark = { place, traces: traces[service].get(at), colour, label: String(at + 1) };
        return [{ ...mark, isChosen: finding === chosen }];
      });
    });

  /** The heat map that is to be drawn: of a service that is shown; or null. */
  const heatMap = () => {
    const one = heat.chosen();
    return one && shown[one.of] ? one : null;
  };

  /** Chooses the finding with a tracking UID; whether there is such a one. */
  const open = tracked => {
    for (const [service, { findings }] of told.services.entries()) {
      const at = findings.findings.findIndex(({ trackingUid }) => trackingUid === tracked);
      if (at < 0) continue;
      const finding = findings.findings[at];
      choose(service, finding, at);
      buttons.get(finding)?.scrollIntoView({ block: 'nearest' });
      return true;
    }
    return false;
  };

  /** The image of the first finding that is in one; null where none is. */
  const firstImage = () => {
    for (const [service, { findings }] of told.services.entries())
      for (const [at, finding] of findings.findings.entries()) {
        const image = isThere(finding) ? shownIn(service, finding, at) : null;
        if (image) return image;
      }
    return null;
  };

  return { element, marks, heatMap, open, firstImage };
};
