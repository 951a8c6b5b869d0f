//! Lines, points and labels (PS3.3 sections C.10.5, C.10.7).

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, VR,
    attributes::{Attribute, Attributes, Content, Number},
};

use super::{
    Drawing, Mark, Shape, State,
    outline::{Corner, outlines, thinned},
    whole,
};
use crate::evidence::{Context, draw::WARNING, segmentation::COLOURS};

/// Points of all lines of a state.
const POINTS: usize = 100_000;
/// Corners of all outlines of a state before they are thinned out. Masks beyond are not drawn.
const CORNERS: usize = 1_000_000;
/// Points of one line: what 16 bits of length hold (PS3.5 section 7.1.2). Longer ones go on in another.
const LINE: usize = 8_000;
/// How many pixels the corners of an outline lie apart where all corners are too many.
const THINNING: [u32; 5] = [0, 1, 2, 4, 8];
/// Characters of a finding's words in its label, and of the legend's service.
const WORDS: usize = 40;
const SERVICE: usize = 200;

/// Layers: what was found, and above it the legend, so that a viewer can turn off either.
const RESULT: &str = "AI_RESULT";
const LEGEND: &str = "AI_LEGEND";

/// The legend in Japanese.
const WARNING_JA: &str = "AIによる結果です。これだけで診断しないでください。";

/// What is drawn for one finding in one image.
type Lines = Vec<Vec<[f64; 2]>>;

pub(super) fn put(state: &State<'_>, context: &Context<'_>, said: &mut Attributes) {
    let (lines, left_out) = lines(state);
    let mut lines = lines.into_iter();
    let mut annotations: Vec<Attributes> = Vec::new();
    for ((_, frame), drawing) in &state.images {
        let drawn = drawing.marks.iter().zip(lines.by_ref()).collect::<Vec<_>>();
        annotations.extend(annotation(drawing, *frame, &drawn));
    }
    annotations.push(legend(context, state.left_out + left_out));
    said.put_items(tags::GRAPHIC_ANNOTATION_SEQUENCE, annotations);
    let layers = [(RESULT, "Findings of the AI"), (LEGEND, "Who found them")];
    let layers = layers.into_iter().zip(1..).map(|((name, description), order)| {
        let mut item = Attributes::new();
        item.put_text(tags::GRAPHIC_LAYER, name);
        item.put_number(tags::GRAPHIC_LAYER_ORDER, order);
        item.put_number(tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_GRAYSCALE_VALUE, 65_535);
        item.put_numbers(tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_CIE_LAB_VALUE, &COLOURS[0]);
        item.put_text(tags::GRAPHIC_LAYER_DESCRIPTION, description);
        item
    });
    said.put_items(tags::GRAPHIC_LAYER_SEQUENCE, layers.collect());
}

/// The lines of every mark in their order, nothing for those for which there is no room, and how many these are. Outlines are as
/// exact as there is room.
fn lines(state: &State<'_>) -> (Vec<Option<Lines>>, usize) {
    let marks = || state.images.values().flat_map(|drawing| drawing.marks.iter().map(move |mark| (drawing, mark)));
    let mut room = POINTS;
    let mut lines: Vec<Option<Lines>> = marks().map(|(_, mark)| take(&mut room, plain(&mark.shape)?)).collect();
    let mut corners = CORNERS;
    let found: Vec<Option<Vec<Vec<Corner>>>> = marks()
        .map(|(drawing, mark)| {
            let Shape::Mask(mask) = mark.shape else { return None };
            let loops = outlines(mask, drawing.image.columns, corners)?;
            corners = corners.saturating_sub(points(&loops));
            Some(loops)
        })
        .collect();
    let size = |pixels: u32| {
        let loops = found.iter().flatten().flatten();
        loops.map(|line| if pixels == 0 { line.len() } else { thinned(line, pixels).len() }).sum::<usize>()
    };
    let fitting = THINNING.into_iter().find(|pixels| size(*pixels) <= room);
    let pixels = fitting.unwrap_or(THINNING[THINNING.len() - 1]);
    for (lines, loops) in lines.iter_mut().zip(&found) {
        if let Some(loops) = loops {
            let drawn = loops.iter().map(|line| thinned(line, pixels).into_iter().map(|corner| corner.map(f64::from)));
            *lines = take(&mut room, drawn.map(Iterator::collect).collect());
        }
    }
    let left_out = lines.iter().filter(|lines| lines.is_none()).count();
    (lines, left_out)
}

/// The lines, if there is room for all their points.
fn take(room: &mut usize, lines: Lines) -> Option<Lines> {
    *room = room.checked_sub(points(&lines))?;
    Some(lines)
}

fn points<T>(lines: &[Vec<T>]) -> usize {
    lines.iter().map(Vec::len).sum()
}

/// What is not a mask.
fn plain(shape: &Shape<'_>) -> Option<Lines> {
    match shape {
        Shape::Point(at) => Some(vec![vec![*at]]),
        Shape::Line(points) => Some(vec![points.to_vec()]),
        Shape::Box { from: [left, top], to: [right, bottom] } => {
            Some(vec![vec![[*left, *top], [*right, *top], [*right, *bottom], [*left, *bottom], [*left, *top]]])
        }
        Shape::Mask(_) => None,
    }
}

/// An item of the Graphic Annotation Sequence: everything in one image. Nothing where there was no room for any of it.
fn annotation(drawing: &Drawing<'_>, frame: u32, drawn: &[(&Mark<'_>, Option<Lines>)]) -> Option<Attributes> {
    let (mut graphics, mut labels) = (Vec::new(), Vec::new());
    for (mark, lines) in drawn {
        let Some(lines) = lines else { continue };
        graphics.extend(lines.iter().flat_map(|line| self::graphics(line)));
        let all = lines.iter().flatten().copied();
        let top = all.min_by(|[x, y], [other_x, other_y]| y.total_cmp(other_y).then(x.total_cmp(other_x)));
        labels.extend(top.map(|top| label(mark, top)));
    }
    if graphics.is_empty() {
        return None;
    }
    let mut image = whole(drawing.image);
    if drawing.image.frames > 1 {
        image.put_number(tags::REFERENCED_FRAME_NUMBER, u64::from(frame));
    }
    let mut item = Attributes::new();
    item.put_items(tags::REFERENCED_IMAGE_SEQUENCE, vec![image]);
    item.put_text(tags::GRAPHIC_LAYER, RESULT);
    item.put_items(tags::TEXT_OBJECT_SEQUENCE, labels);
    item.put_items(tags::GRAPHIC_OBJECT_SEQUENCE, graphics);
    Some(item)
}

/// A line, in as many pieces as it takes: each begins where the one before ends.
fn graphics(line: &[[f64; 2]]) -> Vec<Attributes> {
    if let [_] = line {
        return vec![graphic("POINT", line)];
    }
    let pieces = (0..line.len().saturating_sub(1)).step_by(LINE - 1);
    pieces.map(|begin| graphic("POLYLINE", &line[begin..line.len().min(begin + LINE)])).collect()
}

fn graphic(kind: &str, points: &[[f64; 2]]) -> Attributes {
    let mut item = Attributes::new();
    item.put_text(tags::GRAPHIC_ANNOTATION_UNITS, "PIXEL");
    item.put_number(tags::GRAPHIC_DIMENSIONS, 2);
    item.put_number(tags::NUMBER_OF_GRAPHIC_POINTS, points.len() as u64);
    put_singles(&mut item, tags::GRAPHIC_DATA, points.iter().flatten().copied());
    item.put_text(tags::GRAPHIC_TYPE, kind);
    if points.len() > 1 && points.first() == points.last() {
        item.put_text(tags::GRAPHIC_FILLED, "N");
    }
    item
}

/// Which finding it is, what it is, how sure that is, and the beginning of what is said of it in Japanese.
fn label(mark: &Mark<'_>, at: [f64; 2]) -> Attributes {
    let finding = mark.finding;
    let confidence = finding.confidence.map(|part| format!(" {:.0}%", part * 100.0)).unwrap_or_default();
    let mut text = format!("{} {}{confidence}", mark.at + 1, finding.code.meaning);
    if let Some(words) = &finding.text {
        text.push_str("\r\n");
        text.push_str(&shortened(&words.ja, WORDS));
    }
    let mut item = Attributes::new();
    item.put_text(tags::ANCHOR_POINT_ANNOTATION_UNITS, "PIXEL");
    item.put_text(tags::UNFORMATTED_TEXT_VALUE, text);
    put_singles(&mut item, tags::ANCHOR_POINT, at);
    item.put_text(tags::ANCHOR_POINT_VISIBILITY, "N");
    item
}

/// Stands at the lower edge of every image of the state: an item without images is about all.
fn legend(context: &Context<'_>, left_out: usize) -> Attributes {
    let service = format!("{} {}", context.algorithm.name, context.algorithm.version);
    let mut lines = vec![format!("{WARNING} BY ITSELF"), WARNING_JA.to_owned(), shortened(&service, SERVICE)];
    if left_out > 0 {
        lines.push(format!("{left_out} more are not drawn / 他に{left_out}件は描画していません"));
    }
    let mut text = Attributes::new();
    text.put_text(tags::BOUNDING_BOX_ANNOTATION_UNITS, "DISPLAY");
    text.put_text(tags::UNFORMATTED_TEXT_VALUE, lines.join("\r\n"));
    put_singles(&mut text, tags::BOUNDING_BOX_TOP_LEFT_HAND_CORNER, [0.0, 0.9]);
    put_singles(&mut text, tags::BOUNDING_BOX_BOTTOM_RIGHT_HAND_CORNER, [1.0, 1.0]);
    text.put_text(tags::BOUNDING_BOX_TEXT_HORIZONTAL_JUSTIFICATION, "LEFT");
    let mut item = Attributes::new();
    item.put_text(tags::GRAPHIC_LAYER, LEGEND);
    item.put_items(tags::TEXT_OBJECT_SEQUENCE, vec![text]);
    item
}

/// The first characters in one line.
fn shortened(text: &str, most: usize) -> String {
    let mut characters = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let begin: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() { begin + "…" } else { begin }
}

fn put_singles(item: &mut Attributes, tag: Tag, numbers: impl IntoIterator<Item = f64>) {
    let numbers = numbers.into_iter().map(|number| Some(Number::Single(number as f32))).collect();
    item.put(tag, Attribute { vr: VR::FL, content: Content::Numbers(numbers) });
}
