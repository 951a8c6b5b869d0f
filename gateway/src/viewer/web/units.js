// Units as people write them. Services say them as UCUM codes.
import { language } from '/viewer/texts.js';

const UNITS = {
  1: '',
  '[hnsf\'U]': 'HU',
  '%': '%',
  mm: 'mm',
  mm2: 'mm²',
  mm3: 'mm³',
  cm: 'cm',
  cm2: 'cm²',
  cm3: 'cm³',
  ml: 'mL',
  mL: 'mL',
  um: 'µm',
  um2: 'µm²',
  deg: '°',
  '/mm2': '/mm²',
  'mm2/s': 'mm²/s',
};

/** A value with its unit. One that is not known here stays as it was said; what is counted has its words in braces. */
export const measured = (value, unit) => {
  if (/^\{[^}]*\}$/.test(unit)) return language === 'ja' ? `${value} 個` : `${value}`;
  const word = UNITS[unit] ?? unit;
  return word ? `${value} ${word}` : `${value}`;
};
