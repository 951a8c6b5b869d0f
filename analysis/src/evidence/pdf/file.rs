//! Pages as a file (ISO 32000-1). Nothing in it is compressed, has a number of chance or tells when the file was written.

use std::collections::BTreeSet;

use pdf_writer::{
    Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, SystemInfo},
};

use super::{
    TITLE,
    font::{Font, is_beyond, shown},
    page::{HEIGHT, Line, MARGIN, Style, TOP, WIDTH},
};
use crate::evidence::Context;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const LATIN: Ref = Ref::new(4);
const JAPANESE: Ref = Ref::new(5);
const CID_FONT: Ref = Ref::new(6);
const DESCRIPTOR: Ref = Ref::new(7);
const TO_UNICODE: Ref = Ref::new(8);
/// Behind it two for each page.
const FIRST_PAGE: i32 = 9;

/// The gothic of Adobe-Japan1 that readers know by name and replace where they do not have it.
const GOTHIC: Name<'_> = Name(b"HeiseiKakuGo-W5");
const ADOBE_JAPAN1: SystemInfo<'_> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Japan1"), supplement: 2 };

/// What stands on every page: above, and below.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) above: String,
    pub(super) below: String,
}

pub(super) fn written(context: &Context<'_>, pages: &[Vec<Line>], running: &Running) -> Vec<u8> {
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut catalog = pdf.catalog(CATALOG);
    catalog.pages(TREE).lang(TextStr("ja"));
    catalog.viewer_preferences().display_doc_title(true);
    catalog.finish();
    let mut info = pdf.document_info(INFO);
    info.title(TextStr(TITLE)).author(TextStr(&context.algorithm.name));
    info.creator(TextStr(concat!("MedVAN gateway ", env!("CARGO_PKG_VERSION"))));
    info.finish();
    let ids = |at: usize| {
        let page = FIRST_PAGE + 2 * i32::try_from(at).unwrap_or_default();
        (Ref::new(page), Ref::new(page + 1))
    };
    let count = i32::try_from(pages.len()).unwrap_or_default();
    pdf.pages(TREE).kids((0..pages.len()).map(|at| ids(at).0)).count(count);
    let mut used = BTreeSet::new();
    for (at, lines) in pages.iter().enumerate() {
        let (id, content) = ids(at);
        let mut page = pdf.page(id);
        page.parent(TREE).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(content);
        page.resources().fonts().pair(Name(b"L"), LATIN).pair(Name(b"J"), JAPANESE);
        page.finish();
        let number = format!("{} / {}", at + 1, pages.len());
        pdf.stream(content, &drawn(lines, running, &number, &mut used));
    }
    fonts(&mut pdf, &used);
    pdf.finish()
}

/// The content of one page.
fn drawn(lines: &[Line], running: &Running, number: &str, used: &mut BTreeSet<char>) -> Vec<u8> {
    let mut pen = Pen { content: Content::new(), used };
    pen.text(MARGIN, HEIGHT - 35.0, 9.0, &running.above);
    pen.text(MARGIN, 30.0, 8.0, &running.below);
    pen.text(WIDTH - MARGIN - 40.0, 30.0, 8.0, number);
    pen.rule(HEIGHT - 42.0);
    pen.rule(42.0);
    let mut height = TOP;
    for line in lines {
        height -= line.style.leading();
        if line.style == Style::Warning {
            pen.content.set_fill_rgb(0.75, 0.0, 0.0);
        }
        pen.text(line.style.left(), height, line.style.size(), &line.text);
        pen.content.set_fill_gray(0.0);
    }
    pen.content.finish().into_vec()
}

struct Pen<'a> {
    content: Content,
    /// What was written in Japanese.
    used: &'a mut BTreeSet<char>,
}

impl Pen<'_> {
    fn text(&mut self, x: f32, y: f32, size: f32, text: &str) {
        let characters: Vec<char> = text.chars().filter_map(shown).collect();
        self.content.begin_text().next_line(x, y);
        for run in characters.chunk_by(|one, other| Font::of(*one) == Font::of(*other)) {
            let font = run.first().map_or(Font::Latin, |first| Font::of(*first));
            let name = match font {
                Font::Latin => Name(b"L"),
                Font::Japanese => {
                    self.used.extend(run);
                    Name(b"J")
                }
            };
            let text: String = run.iter().collect();
            // What has two codes in UTF-16 has no place in the table of what to copy.
            let is_beyond = run.iter().copied().any(is_beyond);
            if is_beyond {
                let mut span = self.content.begin_marked_content_with_properties(Name(b"Span"));
                span.properties().actual_text(TextStr(&text));
            }
            self.content.set_font(name, size).show(Str(&font.encoded(&text)));
            if is_beyond {
                self.content.end_marked_content();
            }
        }
        self.content.end_text();
    }

    fn rule(&mut self, y: f32) {
        self.content.set_line_width(0.5).set_stroke_gray(0.6).move_to(MARGIN, y).line_to(WIDTH - MARGIN, y).stroke();
    }
}

fn fonts(pdf: &mut Pdf, used: &BTreeSet<char>) {
    pdf.type1_font(LATIN).base_font(Name(b"Helvetica")).encoding_predefined(Name(b"WinAnsiEncoding"));
    pdf.type0_font(JAPANESE)
        .base_font(Name(b"HeiseiKakuGo-W5-UniJIS-UTF16-H"))
        .encoding_predefined(Name(b"UniJIS-UTF16-H"))
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    pdf.cid_font(CID_FONT)
        .subtype(CidFontType::Type0)
        .base_font(GOTHIC)
        .system_info(ADOBE_JAPAN1)
        .font_descriptor(DESCRIPTOR)
        .default_width(1000.0);
    pdf.font_descriptor(DESCRIPTOR)
        .name(GOTHIC)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(-92.0, -250.0, 1010.0, 922.0))
        .italic_angle(0.0)
        .ascent(752.0)
        .descent(-221.0)
        .cap_height(737.0)
        .stem_v(114.0);
    pdf.stream(TO_UNICODE, to_unicode(used).as_bytes());
}

/// The codes are UTF-16 as they are, and it is said so for readers that lack the tables of Adobe-Japan1: then at least what is
/// copied is right (ISO 32000-1 section 9.10.3).
fn to_unicode(used: &BTreeSet<char>) -> String {
    let mut map = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
        /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
        /CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n\
        1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        .to_owned();
    let codes: Vec<u32> = used.iter().map(|used| u32::from(*used)).filter(|code| *code <= 0xFFFF).collect();
    for hundred in codes.chunks(100) {
        let lines: String = hundred.iter().map(|code| format!("<{code:04X}> <{code:04X}>\n")).collect();
        map += &format!("{} beginbfchar\n{lines}endbfchar\n", hundred.len());
    }
    map + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
}
