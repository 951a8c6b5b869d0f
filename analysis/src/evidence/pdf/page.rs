//! Lines on pages: A4, in points of 1/72 inch.

use super::{
    PAGES,
    font::{shown, width},
};

/// A4.
pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;
/// Left and right.
pub(super) const MARGIN: f32 = 50.0;
/// Where the first line may begin and the last one end; beyond stand the lines of every page.
pub(super) const TOP: f32 = HEIGHT - 60.0;
const BOTTOM: f32 = 60.0;
/// Kept free on the last page, to say what is left out.
const RESERVE: f32 = 40.0;
/// How far what belongs to a line above stands to the right.
const INDENT: f32 = 14.0;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Title,
    Heading,
    Warning,
    Body,
    /// Belongs to the line above.
    Detail,
}

/// A line that fits its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) style: Style,
    pub(super) text: String,
}

/// Pages that are filled from the top.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: Vec<Vec<Line>>,
    left: f32,
}

impl Style {
    pub(super) fn size(self) -> f32 {
        match self {
            Self::Title => 18.0,
            Self::Heading => 12.0,
            Self::Warning | Self::Body => 10.0,
            Self::Detail => 9.0,
        }
    }

    /// From the line above to this one.
    pub(super) fn leading(self) -> f32 {
        match self {
            Self::Title => 26.0,
            Self::Heading => 24.0,
            Self::Warning | Self::Body => 15.0,
            Self::Detail => 13.0,
        }
    }

    pub(super) fn left(self) -> f32 {
        if self == Self::Detail { MARGIN + INDENT } else { MARGIN }
    }
}

impl Pages {
    /// Puts lines behind the others if all of them fit; tells whether they did.
    pub(super) fn put(&mut self, lines: Vec<Line>) -> bool {
        let (mut pages, mut left) = (self.pages.len(), self.left);
        let mut begins = Vec::new();
        // The first lines of what belongs together are not torn apart.
        let first: f32 = lines.iter().take(3).map(|line| line.style.leading()).sum();
        for (at, line) in lines.iter().enumerate() {
            let least = if at == 0 { first } else { line.style.leading() };
            if pages == 0 || left < least {
                pages += 1;
                left = TOP - BOTTOM;
                begins.push(at);
            }
            left -= line.style.leading();
            if pages > PAGES || (pages == PAGES && left < RESERVE) {
                return false;
            }
        }
        for (at, line) in lines.into_iter().enumerate() {
            if begins.contains(&at) {
                self.pages.push(Vec::new());
            }
            self.pages.last_mut().into_iter().for_each(|page| page.push(line.clone()));
        }
        self.left = left;
        true
    }

    /// The last words, for which room was kept.
    pub(super) fn close(mut self, lines: Vec<Line>) -> Vec<Vec<Line>> {
        let height: f32 = lines.iter().map(|line| line.style.leading()).sum();
        match self.pages.last_mut() {
            Some(page) if self.left >= height => page.extend(lines),
            _ => self.pages.push(lines),
        }
        self.pages
    }
}

/// A text in as many lines as it takes, at most so many; what is more is shortened.
pub(super) fn lines(style: Style, text: &str, most: usize) -> Vec<Line> {
    let room = (WIDTH - MARGIN - style.left()) / style.size() * 1000.0;
    let mut lines: Vec<Line> = Vec::new();
    for paragraph in text.lines() {
        let mut rest: Vec<char> = paragraph.chars().filter_map(shown).collect();
        loop {
            if lines.len() == most {
                lines.pop();
                lines.push(Line { style, text: "…".to_owned() });
                return lines;
            }
            let behind = rest.split_off(fitting(&rest, room as u32));
            let text = rest.iter().collect::<String>().trim_end().to_owned();
            lines.push(Line { style, text });
            rest = behind.into_iter().skip_while(|character| *character == ' ').collect();
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
}

/// How many characters fit in a line, up to where it may end. At least one.
fn fitting(characters: &[char], room: u32) -> usize {
    let mut taken = 0;
    let mut end = None;
    for (at, character) in characters.iter().enumerate() {
        if at > 0 && may_break(characters[at - 1], *character) {
            end = Some(at);
        }
        taken += width(*character);
        if taken > room && *character != ' ' {
            return end.unwrap_or(at).max(1);
        }
    }
    characters.len()
}

/// Between words, and beside signs of Japanese but for those that begin or end no line (JIS X 4051).
fn may_break(before: char, behind: char) -> bool {
    const NOT_FIRST: &str =
        "、。，．・：；？！」』】）〕］｝〉》ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…％℃,.:;?!)]}%";
    const NOT_LAST: &str = "「『【（〔［｛〈《([{";
    if NOT_FIRST.contains(behind) || NOT_LAST.contains(before) || behind == ' ' {
        return false;
    }
    let is_square = |character: char| u32::from(character) >= 0x2E80;
    before == ' ' || is_square(before) || is_square(behind)
}
