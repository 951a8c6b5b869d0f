//! Markdown from a vendor, made harmless for the EHR's page, and turned into what an EHR can show.
//!
//! A card's `detail` is GitHub-flavoured Markdown, which lets HTML through. What could act on its own (HTML, images
//! that are fetched without a click) or lead astray (links to places that the hospital has not allowed) becomes
//! plain text. Only those parts are edited, in the source text; everything else leaves as the vendor wrote it.
//!
//! Two readers of Markdown may see different things in one text, so the text is looked at with and without GFM's
//! additions, again and again until neither reader finds anything. Text that doesn't settle is escaped whole.

mod edits;
mod render;
#[cfg(test)]
mod tests;

use pulldown_cmark::Options;

pub use self::render::{to_html, to_plain};

/// Readers take time in lines times open lists and quotations; no card has a tenth as many of those.
const DEEPEST: usize = 128;

/// Twice as many looks as the strangest text needed in tests.
const MOST_ROUNDS: usize = 16;

/// The text with everything harmful shown as text; `None` when nothing had to be changed.
pub fn neutralise(text: &str, permits: &dyn Fn(&str) -> bool) -> Option<String> {
    if is_nested_too_deep(text) {
        return Some(escape(text));
    }
    if is_plainly_harmless(text) {
        return None;
    }
    let mut current = round(text, permits)?;
    for _ in 1..MOST_ROUNDS {
        match round(&current, permits) {
            None => return Some(current),
            Some(next) => current = next,
        }
    }
    Some(escape(text))
}

/// Markdown that shows exactly this text.
pub fn escape(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<String> = text.lines().map(|line| escape_line(line.trim_start())).collect();
    lines.join("\n")
}

/// GFM as EHRs render it.
fn gfm() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Each list that is open takes a column of white space at the line's head, each quotation a `>`.
fn is_nested_too_deep(text: &str) -> bool {
    text.split(['\n', '\r']).any(|line| {
        let head = line
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'>' | b'-' | b'*' | b'+' | b'.' | b')' | b'0'..=b'9'));
        let columns = head.map(|byte| match byte {
            b'\t' => 4,
            b' ' | b'>' => 1,
            _ => 0,
        });
        columns.sum::<usize>() > DEEPEST
    })
}

/// HTML needs `<`, a link or an image `[`, a bare address `://` or `www.`: most details hold none of them.
fn is_plainly_harmless(text: &str) -> bool {
    let mentions_www = || text.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"www."));
    !text.contains(['<', '[']) && !text.contains("://") && !mentions_www()
}

fn round(text: &str, permits: &dyn Fn(&str) -> bool) -> Option<String> {
    let look = |options| edits::find(text, options, permits);
    look(gfm()).or_else(|| look(Options::empty())).map(|edits| edits::apply(text, edits))
}

fn escape_line(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len() + 8);
    let marker = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = marker.len() < line.len() && marker.starts_with(['.', ')']);
    for (at, c) in line.char_indices() {
        let starts_a_block = at == 0 && matches!(c, '#' | '+' | '-' | '=' | ':');
        let ends_a_number = is_numbered && at == line.len() - marker.len();
        let starts_an_address = line[at..].starts_with("://") || is_after_www(line, at);
        if c == '<' {
            // Harmless also for a page that takes Markdown for HTML.
            escaped.push_str("&lt;");
            continue;
        }
        if is_inline_markup(c) || starts_a_block || ends_a_number || starts_an_address {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn is_inline_markup(c: char) -> bool {
    matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '>' | '&' | '~' | '|')
}

fn is_after_www(line: &str, at: usize) -> bool {
    let before = at.checked_sub(3).and_then(|start| line.as_bytes().get(start..at));
    line[at..].starts_with('.') && before.is_some_and(|before| before.eq_ignore_ascii_case(b"www"))
}
