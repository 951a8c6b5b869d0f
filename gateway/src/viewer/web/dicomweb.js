// What the hospital's DICOMweb root is asked (PS3.18 §10.6 and §8.3.5), and how its DICOM JSON is read (annex F).
import { language, words } from '/viewer/texts.js';

/** More results than this are not asked for at once. */
export const MOST = 500;

/** Keywords of what is read here. */
const TAGS = {
  SOPClassUID: '00080016',
  SOPInstanceUID: '00080018',
  StudyDate: '00080020',
  StudyTime: '00080030',
  AccessionNumber: '00080050',
  Modality: '00080060',
  ModalitiesInStudy: '00080061',
  StudyDescription: '00081030',
  SeriesDescription: '0008103E',
  PatientName: '00100010',
  PatientID: '00100020',
  PatientBirthDate: '00100030',
  PatientSex: '00100040',
  StudyInstanceUID: '0020000D',
  SeriesInstanceUID: '0020000E',
  SeriesNumber: '00200011',
  InstanceNumber: '00200013',
  NumberOfStudyRelatedSeries: '00201206',
  NumberOfStudyRelatedInstances: '00201208',
  NumberOfSeriesRelatedInstances: '00201209',
  NumberOfFrames: '00280008',
  Rows: '00280010',
  Columns: '00280011',
};

/** The server refused or did not answer. */
export class Refused extends Error {}

/** A hospital's root. */
export const root = hospital => `/hospitals/${encodeURIComponent(hospital)}/dicom-web`;

/** Searches; the results are data sets. Resource: what follows the root. */
export const search = async (hospital, resource, parameters = {}) => {
  const query = new URLSearchParams(parameters);
  const response = await fetch(`${root(hospital)}${resource}?${query}`, {
    headers: { Accept: 'application/dicom+json' },
  });
  if (response.status === 204) return [];
  if (!response.ok) throw new Refused(await response.text());
  return response.json();
};

/** All results, page by page. */
export const searchAll = async (hospital, resource, parameters = {}) => {
  const page = 2000;
  const found = [];
  for (;;) {
    const next = await search(hospital, resource, { ...parameters, limit: page, offset: found.length });
    found.push(...next);
    if (next.length < page) return found;
  }
};

const values = (dataset, keyword) => dataset[TAGS[keyword]]?.Value ?? [];

/** The first value as text; '' where there is none. */
export const text = (dataset, keyword) => String(values(dataset, keyword)[0] ?? '').trim();

/** All values, as text. */
export const texts = (dataset, keyword) =>
  values(dataset, keyword)
    .filter(value => value !== null)
    .map(String);

/** The first value as a number; the fallback where there is none. */
export const number = (dataset, keyword, fallback = 0) => {
  const value = Number.parseFloat(text(dataset, keyword));
  return Number.isFinite(value) ? value : fallback;
};

/** Puts data sets in the order of a number. */
export const byNumber = keyword => (one, other) => number(one, keyword) - number(other, keyword);

const group = name =>
  (name ?? '')
    .split('^')
    .map(part => part.trim())
    .filter(Boolean)
    .join(' ');

/** A name's groups as they are read in Japan: the kanji first, then how they are said and written in Latin letters. */
export const names = (dataset, keyword) => {
  const name = values(dataset, keyword)[0] ?? {};
  const groups = [name.Ideographic, name.Phonetic, name.Alphabetic].map(group);
  const told = groups.filter((one, index) => one && groups.indexOf(one) === index);
  return told.length ? told : [words.noName];
};

const DATE = new Intl.DateTimeFormat(language === 'ja' ? 'ja-JP' : 'en-GB', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  timeZone: 'UTC',
});

/** A DA value (PS3.5 §6.2) for people; what is none stays as it is. */
export const date = value => {
  const parts = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(value);
  return parts ? DATE.format(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]))) : value;
};

/** The hours and minutes of a TM value. */
export const time = value => value.replace(/^(\d{2}):?(\d{2}).*$/, '$1:$2');

/** A study's or patient's line of details. */
export const born = dataset => {
  const sex = text(dataset, 'PatientSex');
  return [date(text(dataset, 'PatientBirthDate')), words.sexes[sex] ?? sex].filter(Boolean).join(' ');
};

/** Parts of an address. */
const path = (...steps) => steps.map(([kind, uid]) => `/${kind}/${encodeURIComponent(uid)}`).join('');

/** Addresses of a study's resources. */
export const addresses = (hospital, study) => {
  const at = (...steps) => `${root(hospital)}${path(['studies', study], ...steps)}`;
  return {
    study: path(['studies', study]),
    seriesOf: series => path(['studies', study], ['series', series]),
    // As JSON that a browser shows, whatever else it accepts.
    metadata: (series, instance) =>
      `${at(['series', series], ['instances', instance])}/metadata?accept=application/json`,
    thumbnail: series => `${at(['series', series])}/thumbnail?viewport=160,160`,
    rendered: (series, instance, frame, parameters) => {
      const steps = [['series', series], ['instances', instance], ...(frame ? [['frames', frame]] : [])];
      const query = Object.entries(parameters)
        .map(([name, value]) => `${name}=${value}`)
        .join('&');
      return `${at(...steps)}/rendered${query ? `?${query}` : ''}`;
    },
  };
};
