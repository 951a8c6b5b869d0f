//! Finds what has to change in one reading of a Markdown text, as edits of its source.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// Bytes of the longest bare address that may stay a link; browsers and mail programs take about as much.
const LONGEST_ADDRESS: usize = 2_048;

/// Replaces a part of the source.
pub(super) struct Edit {
    range: Range<usize>,
    with: &'static str,
}

/// The edits that this reading asks for; `None` when there are none.
pub(super) fn find(text: &str, options: Options, permits: &dyn Fn(&str) -> bool) -> Option<Vec<Edit>> {
    let parser = Parser::new_ext(text, options);
    let mut search = Search::new(text, permits);
    for (_, definition) in parser.reference_definitions().iter() {
        if !permits(&definition.dest) {
            search.edit(definition.span.clone(), "");
        }
    }
    for (event, range) in parser.into_offset_iter() {
        search.see(&event, range);
    }
    (!search.edits.is_empty()).then_some(search.edits)
}

/// The text with the edits made; of edits that touch each other the first is made.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        if edit.range.start >= done {
            edited.push_str(&text[done..edit.range.start]);
            edited.push_str(edit.with);
            done = edit.range.end;
        }
    }
    edited.push_str(&text[done..]);
    edited
}

struct Search<'t> {
    text: &'t str,
    permits: &'t dyn Fn(&str) -> bool,
    edits: Vec<Edit>,
    open: Vec<Open>,
    in_code: bool,
}

/// A link or image that has begun.
struct Open {
    inner: Option<Range<usize>>,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Stays a link.
    Stays,
    /// Its text stays, the link around it goes.
    Unwrapped,
}

impl<'t> Search<'t> {
    fn new(text: &'t str, permits: &'t dyn Fn(&str) -> bool) -> Self {
        Self { text, permits, edits: Vec::new(), open: Vec::new(), in_code: false }
    }

    fn see(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Link { link_type, dest_url, .. }) => self.link(*link_type, dest_url, range),
            Event::Start(Tag::Image { .. }) => self.begin(range, Fate::Unwrapped),
            Event::End(TagEnd::Link | TagEnd::Image) => self.end(range),
            Event::Start(Tag::CodeBlock(_)) => self.in_code = true,
            Event::End(TagEnd::CodeBlock) => self.in_code = false,
            Event::InlineHtml(html) if is_line_break(html) => self.inside(&range),
            Event::Html(_) | Event::InlineHtml(_) => self.html(range),
            Event::Text(_) if !self.in_code => self.words(range),
            _ => self.inside(&range),
        }
    }

    fn link(&mut self, kind: LinkType, target: &str, range: Range<usize>) {
        let stays = kind == LinkType::Email || (self.permits)(target);
        if !stays && kind == LinkType::Autolink {
            // What is left is a bare address, which the next round takes care of.
            self.edit(range.start..range.start + 1, "");
            self.edit(range.end - 1..range.end, "");
        }
        let fate = if stays || kind == LinkType::Autolink { Fate::Stays } else { Fate::Unwrapped };
        self.begin(range, fate);
    }

    fn begin(&mut self, range: Range<usize>, fate: Fate) {
        self.inside(&range);
        self.open.push(Open { inner: None, fate });
    }

    fn end(&mut self, outer: Range<usize>) {
        let Some(open) = self.open.pop() else { return };
        match (open.fate, open.inner) {
            (Fate::Stays, _) => {}
            (Fate::Unwrapped, None) => self.edit(outer, ""),
            (Fate::Unwrapped, Some(inner)) => {
                self.edit(outer.start..inner.start, "");
                self.edit(inner.end..outer.end, "");
            }
        }
    }

    fn html(&mut self, range: Range<usize>) {
        self.inside(&range);
        let start = range.start;
        for (at, _) in self.text[range].match_indices('<') {
            self.edit(start + at..start + at + 1, "&lt;");
        }
    }

    fn words(&mut self, range: Range<usize>) {
        self.inside(&range);
        if self.open.is_empty() {
            for at in bare_addresses(&self.text[range.clone()], self.permits) {
                self.edit(range.start + at..range.start + at, "\\");
            }
        }
    }

    /// Widens the inner part of the links and images that are open.
    fn inside(&mut self, range: &Range<usize>) {
        if let Some(open) = self.open.last_mut() {
            let inner = open.inner.get_or_insert_with(|| range.clone());
            inner.start = inner.start.min(range.start);
            inner.end = inner.end.max(range.end);
        }
    }

    fn edit(&mut self, range: Range<usize>, with: &'static str) {
        self.edits.push(Edit { range, with });
    }
}

/// The one piece of HTML that vendors use a lot, in tables, and that can do nothing.
fn is_line_break(html: &str) -> bool {
    matches!(html, "<br>" | "<br/>" | "<br />")
}

/// Where a backslash keeps a renderer from making a link out of an address that stands in the text (GFM §6.9).
fn bare_addresses(text: &str, permits: &dyn Fn(&str) -> bool) -> Vec<usize> {
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive([' ', '\t', '\n', '<']) {
        let address = word.trim_end_matches([' ', '\t', '\n', '<']);
        let colons = refused_colons(address, permits);
        found.extend(colons.into_iter().map(|colon| start + colon));
        start += word.len();
    }
    let lower = text.to_ascii_lowercase();
    found.extend(lower.match_indices("www.").map(|(at, _)| at + 3));
    found
}

/// The `://` of a word that is no single permitted address. A word is judged once, however many it holds.
fn refused_colons(word: &str, permits: &dyn Fn(&str) -> bool) -> Vec<usize> {
    let schemes = word.match_indices("://").filter_map(|(at, _)| Some((at, scheme_length(&word[..at])?)));
    let colons: Vec<(usize, usize)> = schemes.collect();
    match colons[..] {
        [(colon, scheme)] if is_permitted(&word[colon - scheme..], permits) => Vec::new(),
        _ => colons.into_iter().map(|(colon, _)| colon).collect(),
    }
}

fn is_permitted(address: &str, permits: &dyn Fn(&str) -> bool) -> bool {
    address.len() <= LONGEST_ADDRESS && permits(address)
}

fn scheme_length(before: &str) -> Option<usize> {
    let ends_with = |scheme: &&str| {
        let start = before.len().checked_sub(scheme.len());
        start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    };
    ["https", "http", "ftp"].iter().copied().find(|scheme| ends_with(scheme)).map(str::len)
}
