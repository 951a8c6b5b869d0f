//! What the types do not say: that findings are about the images of the job, and that DICOM can hold them.

use std::collections::{HashMap, HashSet};

use medvan_imaging::Uid;
use medvan_profiles::descriptor::Words;

use super::{
    Answer, Code, EXTRAS, Evaluation, FINDINGS, Finding, Findings, HeatMap, ImageName, Measurement, PIXELS, POINTS,
    Place, Refused, text,
};
use crate::inputs::{InputImage, InputSeries, Inputs};

/// More than this are not told: they would not be read.
const MOST: usize = 100;
/// Characters of one sentence, and of a text.
const SENTENCE: usize = 1024;
const TEXT: usize = 4096;
/// Characters of LO and SH (PS3.5 section 6.2), and of a Long Code Value as we take it.
const LO: usize = 64;
const SH: usize = 16;
/// Millimetres from the origin of a frame of reference; scanners are smaller.
const FAR: f64 = 1e5;

/// Everything that is wrong with an answer about these images.
pub(super) fn all(findings: &Findings, inputs: &Inputs) -> Vec<Refused> {
    let mut check = Check::against(inputs);
    check.whole(findings);
    check.refused
}

/// The findings without those that do not hold or are too many, and how many these are. Their ids are different already.
pub(super) fn sound(mut findings: Findings, inputs: &Inputs) -> (Findings, usize) {
    let mut check = Check::against(inputs);
    findings.summary = findings.summary.filter(|summary| {
        check.words("", summary, SENTENCE);
        check.refused.drain(..).count() == 0
    });
    findings.limitations.retain(|limitation| {
        check.words("", limitation, SENTENCE);
        check.refused.drain(..).count() == 0
    });
    findings.limitations.truncate(EXTRAS);
    let before = findings.findings.len();
    findings.findings.retain(|finding| {
        check.finding("", finding);
        check.refused.drain(..).count() == 0 && check.points <= POINTS && check.pixels <= PIXELS
    });
    findings.findings.truncate(FINDINGS);
    let dropped = before - findings.findings.len();
    (findings, dropped)
}

struct Check<'a> {
    images: HashMap<&'a Uid, (&'a InputSeries, &'a InputImage)>,
    frames_of_reference: HashSet<&'a Uid>,
    heat_maps: HashSet<&'a str>,
    points: usize,
    pixels: u64,
    refused: Vec<Refused>,
}

impl<'a> Check<'a> {
    fn against(inputs: &'a Inputs) -> Self {
        let planes = inputs.series.iter().flat_map(|series| &series.images).filter_map(|image| image.plane.as_ref());
        Self {
            images: inputs.images(),
            frames_of_reference: planes.map(|plane| &plane.frame_of_reference).collect(),
            heat_maps: HashSet::new(),
            points: 0,
            pixels: 0,
            refused: Vec::new(),
        }
    }

    fn whole(&mut self, findings: &'a Findings) {
        if findings.format != "1" {
            self.refuse("/format", "the format is another one", "write \"1\"");
        }
        if let Some(summary) = &findings.summary {
            self.words("/summary", summary, SENTENCE);
        }
        for (at, limitation) in findings.limitations.iter().enumerate() {
            self.words(&format!("/limitations/{at}"), limitation, SENTENCE);
        }
        for (at, heat_map) in findings.heat_maps.iter().enumerate() {
            self.heat_map(&format!("/heatMaps/{at}"), heat_map);
        }
        let mut ids = HashSet::new();
        for (at, finding) in findings.findings.iter().enumerate() {
            if self.refused.len() >= MOST {
                return;
            }
            let place = format!("/findings/{at}");
            if !ids.insert(finding.id.as_str()) {
                self.refuse(format!("{place}/id"), "another finding has the same id", "give each finding its own id");
            }
            self.finding(&place, finding);
        }
        if self.points > POINTS {
            let mend = format!("send at most {POINTS} points in all, or masks");
            self.refuse("/findings", "its lines have too many points", mend);
        }
        if self.pixels > PIXELS {
            let mend = format!("send masks and heat maps over at most {PIXELS} pixels in all");
            self.refuse("", "its masks and heat maps lie over too many pixels", mend);
        }
    }

    fn finding(&mut self, place: &str, finding: &Finding) {
        self.text(|| format!("{place}/id"), &finding.id, LO, false);
        if finding.tracking_uid.as_ref().is_some_and(|uid| !is_strict(uid)) {
            let mend = "begin with 0, 1 or 2, and no number with 0 unless it is 0 (PS3.5 section 9.1)";
            self.refuse(format!("{place}/trackingUid"), "it is no UID that may be written", mend);
        }
        self.code(&format!("{place}/code"), &finding.code);
        if let Some(category) = &finding.category {
            self.code(&format!("{place}/category"), category);
        }
        if let Some(site) = &finding.site {
            self.code(&format!("{place}/site"), site);
        }
        if let Some(laterality) = &finding.laterality {
            self.code(&format!("{place}/laterality"), laterality);
            if finding.site.is_none() {
                self.refuse(format!("{place}/laterality"), "there is a side but no site", "add site, or leave it out");
            }
        }
        if finding.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
            self.refuse(format!("{place}/confidence"), "it is outside of 0 to 1", "write a part of 1, not percent");
        }
        for (at, evaluation) in finding.evaluations.iter().enumerate() {
            self.evaluation(&format!("{place}/evaluations/{at}"), evaluation);
        }
        for (at, measurement) in finding.measurements.iter().enumerate() {
            self.measurement(&format!("{place}/measurements/{at}"), measurement);
        }
        if let Some(words) = &finding.text {
            self.words(&format!("{place}/text"), words, TEXT);
        }
        if let Some(found) = &finding.place {
            self.place(&format!("{place}/place"), found);
        }
    }

    fn evaluation(&mut self, place: &str, evaluation: &Evaluation) {
        self.code(&format!("{place}/question"), &evaluation.question);
        match &evaluation.answer {
            Answer::Code(code) => self.code(&format!("{place}/answer/code"), code),
            Answer::Text(text) => self.text(|| format!("{place}/answer/text"), text, SENTENCE, true),
        }
    }

    fn measurement(&mut self, place: &str, measurement: &Measurement) {
        self.code(&format!("{place}/code"), &measurement.code);
        self.finite(|| format!("{place}/value"), &[measurement.value]);
        self.unit(|| format!("{place}/unit"), &measurement.unit);
    }

    fn place(&mut self, place: &str, found: &Place) {
        match found {
            Place::Image { image } => {
                self.image(place, image, true);
            }
            Place::Point { image, at } => self.in_image(place, image, std::slice::from_ref(at), "at"),
            Place::Polyline { image, points } => {
                self.line(place, points.len());
                self.in_image(place, image, points, "points");
            }
            Place::Box { image, from, to } => {
                self.in_image(place, image, &[*from, *to], "to");
                if from[0] >= to[0] || from[1] >= to[1] {
                    let mend = "from is the upper left corner, to the lower right one";
                    self.refuse(format!("{place}/to"), "the rectangle has no area", mend);
                }
            }
            Place::PatientPoint { frame_of_reference, at } => {
                self.in_patient(place, frame_of_reference, std::slice::from_ref(at));
            }
            Place::PatientPolyline { frame_of_reference, points } => {
                self.line(place, points.len());
                self.in_patient(place, frame_of_reference, points);
            }
            Place::Mask { frames } => {
                let images: Vec<(&ImageName, &[u32])> =
                    frames.iter().map(|frame| (&frame.image, frame.runs.as_slice())).collect();
                self.raster(place, &images, mask_fault);
            }
            Place::HeatMap { heat_map } => {
                if !self.heat_maps.contains(heat_map.as_str()) {
                    self.refuse(format!("{place}/heatMap"), "there is no such heat map", "name an id of heatMaps");
                }
            }
        }
    }

    fn heat_map(&mut self, place: &str, heat_map: &'a HeatMap) {
        self.text(|| format!("{place}/id"), &heat_map.id, LO, false);
        if !self.heat_maps.insert(&heat_map.id) {
            self.refuse(format!("{place}/id"), "another heat map has the same id", "give each its own id");
        }
        self.code(&format!("{place}/code"), &heat_map.code);
        self.unit(|| format!("{place}/unit"), &heat_map.unit);
        self.finite(|| format!("{place}/range"), &heat_map.range);
        if heat_map.range[0] >= heat_map.range[1] {
            self.refuse(format!("{place}/range"), "the range does not rise", "write the lower number first");
        }
        let images: Vec<(&ImageName, &[u32])> =
            heat_map.frames.iter().map(|frame| (&frame.image, frame.runs.as_slice())).collect();
        self.raster(place, &images, heat_fault);
    }

    /// Runs over images that belong together: of one series, with the same rows and columns, each named once.
    fn raster(&mut self, place: &str, images: &[(&ImageName, &[u32])], fault: fn(&[u32], u64) -> Option<RunFault>) {
        if images.is_empty() {
            self.refuse(format!("{place}/frames"), "it lies over no image", "name the images, or leave it out");
        }
        let mut seen = HashSet::new();
        let mut first: Option<(&Uid, u32, u32)> = None;
        for (at, (name, runs)) in images.iter().enumerate() {
            let place = format!("{place}/frames/{at}");
            let Some((series, image)) = self.image(&place, name, false) else { continue };
            if !seen.insert((&name.instance, name.frame.unwrap_or(1))) {
                self.refuse(format!("{place}/image"), "the image is named twice", "name each image once");
            }
            let like = (&series.uid, image.rows, image.columns);
            if *first.get_or_insert(like) != like {
                let mend = "make one of each series and size";
                self.refuse(format!("{place}/image"), "it is of another series or size than the first", mend);
            }
            let pixels = u64::from(image.rows) * u64::from(image.columns);
            self.pixels = self.pixels.saturating_add(pixels);
            if let Some((reason, mend)) = fault(runs, pixels) {
                self.refuse(format!("{place}/runs"), reason, mend);
            }
            if self.refused.len() >= MOST {
                return;
            }
        }
    }

    fn line(&mut self, place: &str, points: usize) {
        self.points += points;
        if points < 2 {
            self.refuse(format!("{place}/points"), "a line has at least two points", "use a point, or add points");
        }
    }

    fn in_image(&mut self, place: &str, name: &ImageName, points: &[[f64; 2]], member: &str) {
        let Some((_, image)) = self.image(place, name, false) else { return };
        let [width, height] = [f64::from(image.columns), f64::from(image.rows)];
        let is_outside = |[x, y]: &[f64; 2]| !(0.0..=width).contains(x) || !(0.0..=height).contains(y);
        if points.iter().any(is_outside) {
            let mend = "write column and row in pixels, from 0 to the image's columns and rows";
            self.refuse(format!("{place}/{member}"), "it is outside of the image", mend);
        }
    }

    fn in_patient(&mut self, place: &str, frame_of_reference: &Uid, points: &[[f64; 3]]) {
        if !self.frames_of_reference.contains(frame_of_reference) {
            let mend = "use the Frame of Reference UID of the images";
            self.refuse(format!("{place}/frameOfReference"), "no image of this job has it", mend);
        }
        if points.iter().flatten().any(|number| !number.is_finite() || number.abs() > FAR) {
            self.refuse(place, "it is outside of any scanner", "write millimetres in the frame of reference");
        }
    }

    /// The image, if it is one of the job's. Of several frames one must be named, unless the whole is meant.
    fn image(&mut self, place: &str, name: &ImageName, whole: bool) -> Option<(&'a InputSeries, &'a InputImage)> {
        let Some(found) = self.images.get(&name.instance).copied() else {
            let mend = "name an instance of the study at hand that came with this request; those of a prior are for comparison";
            self.refuse(format!("{place}/image/instance"), "it is none of this job's images", mend);
            return None;
        };
        let frames = found.1.frames;
        match name.frame {
            Some(frame) if frame == 0 || frame > frames => {
                let mend = format!("write a number from 1 to {frames}");
                self.refuse(format!("{place}/image/frame"), "the image has no such frame", mend);
            }
            None if frames > 1 && !whole => {
                self.refuse(format!("{place}/image"), "the image has several frames", "say which frame it is");
            }
            _ => return Some(found),
        }
        None
    }

    fn code(&mut self, place: &str, code: &Code) {
        let own = code.scheme.strip_prefix("99").is_some_and(|rest| !rest.is_empty() && text::is_plain(rest, SH - 2));
        if !own && !matches!(code.scheme.as_str(), "SCT" | "RADLEX" | "LN" | "DCM" | "UCUM") {
            let mend = "use SCT, RADLEX, LN, DCM, UCUM, or one of your own that begins with 99, at most 16 characters";
            self.refuse(format!("{place}/scheme"), "the coding scheme is not taken", mend);
        }
        if !text::is_plain(&code.code, LO) {
            let mend = "write at most 64 printable characters of ASCII without spaces and backslashes";
            self.refuse(format!("{place}/code"), "it is no code value", mend);
        }
        self.text(|| format!("{place}/meaning"), &code.meaning, LO, false);
    }

    fn unit(&mut self, place: impl Fn() -> String, unit: &str) {
        if !text::is_plain(unit, SH) {
            self.refuse(place(), "it is no UCUM unit", "write UCUM, at most 16 characters: mm, mm3, 1, %");
        }
    }

    fn finite(&mut self, place: impl Fn() -> String, numbers: &[f64]) {
        if numbers.iter().any(|number| !number.is_finite()) {
            self.refuse(place(), "it is not finite", "write a finite number");
        }
    }

    fn words(&mut self, place: &str, words: &Words, most: usize) {
        self.text(|| format!("{place}/ja"), &words.ja, most, true);
        self.text(|| format!("{place}/en"), &words.en, most, true);
    }

    fn text(&mut self, place: impl Fn() -> String, text: &str, most: usize, breaks: bool) {
        if let Some((reason, mend)) = text::fault(text, most, breaks) {
            self.refuse(place(), reason, mend);
        }
    }

    fn refuse(&mut self, place: impl Into<String>, reason: &str, mend: impl Into<String>) {
        if self.refused.len() < MOST {
            self.refused.push(Refused::new(place, reason, mend));
        }
    }
}

type RunFault = (&'static str, String);

fn mask_fault(runs: &[u32], pixels: u64) -> Option<RunFault> {
    if runs.iter().skip(1).any(|run| *run == 0) {
        return Some(("a run has no pixels", "only the first run may be 0".into()));
    }
    if runs.len() < 2 {
        return Some(("no pixel is inside", "leave out images without pixels inside".into()));
    }
    sum_fault(runs.iter(), pixels)
}

fn heat_fault(runs: &[u32], pixels: u64) -> Option<RunFault> {
    if runs.len() % 2 == 1 {
        return Some(("a number has no length", "write a number and its length by turns".into()));
    }
    if runs.iter().step_by(2).any(|number| *number > 255) {
        return Some(("a number is above 255", "write numbers from 0 to 255".into()));
    }
    sum_fault(runs.iter().skip(1).step_by(2), pixels)
}

fn sum_fault<'a>(lengths: impl Iterator<Item = &'a u32>, pixels: u64) -> Option<RunFault> {
    let sum = lengths.map(|length| u64::from(*length)).sum::<u64>();
    let mend = || format!("the lengths must add up to rows times columns, {pixels}");
    (sum != pixels).then(|| ("it has another size than the image", mend()))
}

/// Whether a UID may be written, not only read (PS3.5 section 9.1).
pub(crate) fn is_strict(uid: &Uid) -> bool {
    let mut parts = uid.as_str().split('.');
    let root = parts.clone().next().is_some_and(|root| matches!(root, "0" | "1" | "2"));
    root && parts.clone().count() > 1 && parts.all(|part| part == "0" || !part.starts_with('0'))
}
