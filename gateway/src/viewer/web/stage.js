// The picture with its sliders and windows, for one series at a time.
import { slider, windows } from '/viewer/controls.js';
import { born, byNumber, date, names, number, search, searchAll, text, texts, time } from '/viewer/dicomweb.js';
import { make, notice } from '/viewer/dom.js';
import { makeHeat } from '/viewer/heat.js';
import { makeOverlay } from '/viewer/overlay.js';
import { makePicture } from '/viewer/picture.js';
import { language, words } from '/viewer/texts.js';

/** Larger pictures than the screen can show are not asked for. */
const viewport = (instance, pane) => {
  const pixels = Math.max(pane.clientWidth, pane.clientHeight) * window.devicePixelRatio;
  const limit = Math.min(Math.max(Math.ceil(pixels / 512) * 512, 512), 4096);
  const isLarger = number(instance, 'Rows') > limit || number(instance, 'Columns') > limit;
  return isLarger ? { viewport: `${limit},${limit}` } : {};
};

const framesOf = instance => Math.max(number(instance, 'NumberOfFrames', 1), 1);

/** What a series' first image says about windows: nothing is asked of colour images. */
const windowOf = async (hospital, resource) => {
  const parameters = { limit: 1, includefield: 'SamplesPerPixel,WindowCenter,WindowWidth' };
  const [image] = await search(hospital, resource, parameters);
  const value = tag => Number.parseFloat(image?.[tag]?.Value?.[0]);
  const stored = [value('00281050'), value('00281051')];
  return { isGrey: value('00280002') === 1, stored: stored.every(Number.isFinite) ? stored : null };
};

/** What lies over the picture's corners. */
const makeCorners = () => {
  const corner = place => make('div', { class: `corner ${place}` });
  const all = {
    patient: corner('top left'),
    study: corner('top right'),
    image: corner('bottom left'),
    window: corner('bottom right'),
  };
  const write = (which, ...lines) =>
    all[which].replaceChildren(...lines.filter(Boolean).map(line => make('div', {}, line)));
  return { elements: Object.values(all), write };
};

/** Pixels that a wheel turns for one image; touch pads send them one by one. */
const NOTCH = 40;

export class Stage {
  #at;
  #hospital;
  #picture = makePicture(address => this.#seen(address));
  #overlay = makeOverlay();
  #heat = makeHeat();
  /** What is drawn over pictures: the marks, and the heat map or null. */
  #marks = () => [];
  #heatMap = () => null;
  /** The picture that was asked for last, and which image it shows. */
  #drawn = { address: null, image: null };
  #isSeen = false;
  #corners = makeCorners();
  #images;
  #frames;
  #windows;
  #pane;
  #metadata = make('a', { class: 'button', target: '_blank', rel: 'noopener' }, words.metadata);
  /** The series that is shown: its UID, number, description and instances. */
  #shown = null;
  /** How often a series was asked for: an answer that comes too late is left aside. */
  #asked = 0;

  /** For the study whose resources are at these addresses. */
  constructor(hospital, at, study) {
    this.#hospital = hospital;
    this.#at = at;
    const imageText = (place, most) => words.imageText(this.#shown.number, place, most);
    this.#images = slider(words.image, 'image', imageText, () => this.#turn());
    this.#frames = slider(words.frame, 'frame', words.frameText, () => this.#draw());
    this.#windows = windows(() => this.#draw());
    const attributes = { class: 'pane', tabindex: 0, role: 'group', 'aria-label': words.keys };
    const over = [...this.#heat.elements, this.#overlay.element, ...this.#corners.elements];
    this.#pane = make('div', attributes, this.#picture.element, over);
    this.#listen();
    this.#writeStudy(study);
    const last = make('div', { class: 'last' }, this.#windows.element, this.#metadata);
    const controls = make('div', { class: 'controls' }, this.#images.element, this.#frames.element, last);
    this.element = make('section', { class: 'stage', 'aria-label': words.image }, this.#pane, controls);
  }

  /** Says what is drawn over pictures from now on. */
  marked(marks, heatMap) {
    this.#marks = marks;
    this.#heatMap = heatMap;
    this.refresh();
  }

  /** Draws anew over the picture that is seen. */
  refresh() {
    if (this.#isSeen) {
      this.#overlay.draw(this.#marks(), this.#drawn.image);
      this.#heat.draw(this.#heatMap(), this.#drawn.image);
    } else {
      this.#overlay.clear();
      this.#heat.clear();
    }
  }

  /** Turns to an image of the series that is shown; whether it is in it. */
  turnTo({ series, instance, frame }) {
    if (this.#shown?.uid !== series) return false;
    const at = this.#shown.instances.findIndex(one => text(one, 'SOPInstanceUID') === instance);
    if (at < 0) return false;
    this.#images.move(at + 1);
    this.#turn();
    if (frame > 1) {
      this.#frames.move(frame);
      this.#draw();
    }
    return true;
  }

  /** What is drawn belongs to the picture that is seen, and to no other. */
  #seen(address) {
    this.#isSeen = address !== null && address === this.#drawn.address;
    this.refresh();
  }

  /** Shows a series, from its first image on. */
  async open(series) {
    this.#asked += 1;
    const mine = this.#asked;
    const uid = text(series, 'SeriesInstanceUID');
    const resource = `${this.#at.seriesOf(uid)}/instances`;
    try {
      const questions = [searchAll(this.#hospital.id, resource), windowOf(this.#hospital.id, resource)];
      const [instances, window] = await Promise.all(questions);
      if (mine !== this.#asked) return;
      instances.sort(byNumber('InstanceNumber'));
      const label = text(series, 'SeriesNumber') || '–';
      this.#shown = { uid, number: label, description: text(series, 'SeriesDescription'), instances };
      if (window.isGrey) this.#windows.offer(text(series, 'Modality'), window.stored);
      else this.#windows.withdraw();
      this.#images.reach(Math.max(instances.length, 1));
      this.#turn();
    } catch (error) {
      console.error(error);
      if (mine === this.#asked) this.#picture.element.replaceChildren(notice(words.failed, ' ', error.message));
    }
  }

  /** Another image. */
  #turn() {
    const instance = this.#shown.instances[this.#images.place() - 1];
    if (!instance) return this.#picture.element.replaceChildren(notice(words.noImages));
    this.#frames.reach(framesOf(instance));
    this.#draw();
  }

  /** The picture of the image, frame and window that are chosen. */
  #draw() {
    const [place, images] = [this.#images.place(), this.#images.most()];
    const [frame, frames] = [this.#frames.place(), this.#frames.most()];
    const { uid, number: label, description, instances } = this.#shown;
    const lines = [`${words.seriesNumber(label)} ${description}`, `${words.image} ${words.of(place, images)}`];
    const told = [words.imageText(label, place, images)];
    if (frames > 1) {
      lines.push(`${words.frame} ${words.of(frame, frames)}`);
      told.push(words.frameText(frame, frames));
    }
    const values = this.#windows.values();
    this.#corners.write('image', ...lines);
    this.#corners.write('window', values ? words.windowText(...values) : '', words.notDiagnostic);
    this.#metadata.href = this.#at.metadata(uid, text(instances[place - 1], 'SOPInstanceUID'));
    const instance = instances[place - 1];
    const [rows, columns] = [number(instance, 'Rows'), number(instance, 'Columns')];
    const image = { instance: text(instance, 'SOPInstanceUID'), frame: frames > 1 ? frame : 1, rows, columns };
    const address = this.#address(place, frame);
    if (address !== this.#drawn.address) this.#isSeen = false;
    this.#drawn = { address, image };
    this.refresh();
    this.#picture.show(address, told.join(', '), this.#near(place, frame));
  }

  #address(place, frame) {
    const instance = this.#shown.instances[place - 1];
    const values = this.#windows.values();
    const window = values ? { window: `${values.join(',')},linear` } : {};
    const parameters = { ...viewport(instance, this.#pane), ...window };
    const number = framesOf(instance) > 1 ? frame : 0;
    return this.#at.rendered(this.#shown.uid, text(instance, 'SOPInstanceUID'), number, parameters);
  }

  /** The pictures that are likely to be wanted next. */
  #near(place, frame) {
    const [images, frames] = [this.#images.most(), this.#frames.most()];
    const all = [1, 2, -1].map(step => (images > 1 ? [place + step, 1] : [place, frame + step]));
    return all.filter(([p, f]) => p >= 1 && p <= images && f >= 1 && f <= frames).map(at => this.#address(...at));
  }

  #step(which, to) {
    which.move(to);
    if (which === this.#images) this.#turn();
    else this.#draw();
  }

  /** What the wheel turns: images, or the frames of a single one. */
  #main() {
    return this.#images.most() > 1 ? this.#images : this.#frames;
  }

  #moves = {
    ArrowDown: () => this.#step(this.#main(), this.#main().place() + 1),
    ArrowUp: () => this.#step(this.#main(), this.#main().place() - 1),
    PageDown: () => this.#step(this.#main(), this.#main().place() + 10),
    PageUp: () => this.#step(this.#main(), this.#main().place() - 10),
    Home: () => this.#step(this.#main(), 1),
    End: () => this.#step(this.#main(), this.#main().most()),
    ArrowRight: () => this.#step(this.#frames, this.#frames.place() + 1),
    ArrowLeft: () => this.#step(this.#frames, this.#frames.place() - 1),
  };

  #listen() {
    const canMove = event => this.#shown?.instances.length && !event.ctrlKey && !event.altKey && !event.metaKey;
    this.#pane.addEventListener('keydown', event => {
      if (!canMove(event) || !Object.hasOwn(this.#moves, event.key)) return;
      event.preventDefault();
      this.#moves[event.key]();
    });
    let turned = 0;
    const wheel = event => {
      if (!canMove(event)) return;
      event.preventDefault();
      turned += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : Math.sign(event.deltaY) * NOTCH;
      if (Math.abs(turned) < NOTCH) return;
      this.#step(this.#main(), this.#main().place() + Math.sign(turned));
      turned = 0;
    };
    this.#pane.addEventListener('wheel', wheel, { passive: false });
  }

  #writeStudy(study) {
    const [first, ...others] = names(study, 'PatientName');
    const patient = `${text(study, 'PatientID')}  ${born(study)}`;
    const when = `${date(text(study, 'StudyDate'))} ${time(text(study, 'StudyTime'))}`;
    const modalities = texts(study, 'ModalitiesInStudy').join(' ');
    this.#corners.write('patient', make('strong', {}, first), others.join(' · '), patient);
    this.#corners.write('study', this.#hospital.name[language], when, text(study, 'StudyDescription'), modalities);
  }
}
