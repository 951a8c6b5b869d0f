//! Markdown as HTML or as plain text, for EHRs that show only those.

use pulldown_cmark::{Event, Parser, Tag, TagEnd, html};

use super::gfm;

/// HTML of a text that [`neutralise`](super::neutralise) has seen: the writer adds no markup of the vendor's.
pub fn to_html(text: &str) -> String {
    let mut written = String::with_capacity(text.len() * 2);
    html::push_html(&mut written, Parser::new_ext(text, gfm()));
    written
}

/// The words of the text, with line breaks where blocks end.
pub fn to_plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for event in Parser::new_ext(text, gfm()) {
        match event {
            Event::Text(words) | Event::Code(words) => plain.push_str(&words),
            Event::SoftBreak | Event::HardBreak | Event::InlineHtml(_) => plain.push('\n'),
            Event::Start(Tag::Item) => plain.push_str("- "),
            Event::End(TagEnd::TableCell) => plain.push('\t'),
            Event::End(end) if ends_a_line(end) && !plain.ends_with('\n') => plain.push('\n'),
            _ => {}
        }
    }
    plain.trim_end().to_owned()
}

fn ends_a_line(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::TableHead
            | TagEnd::TableRow
    )
}
