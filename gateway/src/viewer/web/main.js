// Which page it is: the address says which hospital and which study.
import { head, make, notice, show } from '/viewer/dom.js';
import { showHospitals } from '/viewer/hospitals.js';
import { showJobs } from '/viewer/jobs.js';
import { showMatching } from '/viewer/matching.js';
import { showStudies } from '/viewer/studies.js';
import { showStudy } from '/viewer/study.js';
import { language, words } from '/viewer/texts.js';

const asked = new URLSearchParams(location.search);

/** The address of a page in the language that was chosen. */
const address = parameters => {
  const chosen = asked.get('lang');
  const query = new URLSearchParams({ ...parameters, ...(chosen ? { lang: chosen } : {}) });
  return query.size ? `/viewer?${query}` : '/viewer';
};

/** The same page in the other language. */
const otherLanguage = () => {
  const other = language === 'ja' ? 'en' : 'ja';
  const query = new URLSearchParams(asked);
  query.set('lang', other);
  return make('a', { href: `/viewer?${query}`, lang: other, hreflang: other, class: 'language' }, words.otherLanguage);
};

const open = async () => {
  const response = await fetch('/viewer/hospitals.json');
  if (!response.ok) throw new Error(`${response.status}`);
  const { hospitals, ohif } = await response.json();
  const hospital = hospitals.find(({ id }) => id === asked.get('hospital'));
  const page = { hospital, hospitals, ohif, address, otherLanguage };
  if (!asked.get('hospital')) return showHospitals(page);
  if (!hospital) {
    head(words.hospitals, [{ name: words.hospitals, address: address({}) }], otherLanguage());
    return show(notice(words.unknownHospital));
  }
  const study = asked.get('study');
  const finding = asked.get('finding');
  if (study) return asked.get('view') === 'matching' ? showMatching({ ...page, study }) : showStudy({ ...page, study, finding });
  return asked.get('view') === 'jobs' ? showJobs({ ...page, asked }) : showStudies(page);
};

const openOrSay = async () => {
  try {
    await open();
  } catch (error) {
    console.error(error);
    head(words.hospitals, [{ name: words.hospitals, address: address({}) }], otherLanguage());
    const again = make('button', { type: 'button', onclick: openOrSay }, words.failedAgain);
    show(notice(words.failed, ' ', again));
  }
};

await openOrSay();
