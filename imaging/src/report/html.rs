//! A report as an HTML page.

use std::fmt::{self, Write as _};

use super::{
    Language,
    document::{Document, Item},
    value::Shown,
};

/// Whatever gets in as text, nothing in the page can run or load anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = "body{font-family:sans-serif;line-height:1.5;max-width:60em;margin:1em auto;padding:0 1em}\
    h1{font-size:1.4em}h2,h3,h4,h5,h6{font-size:1.1em;margin:.8em 0 .2em}\
    dl{display:grid;grid-template-columns:max-content auto;gap:0 1em;border:solid #999;border-width:1px 0;padding:.5em 0}\
    dt,.quiet{color:#555}dd{margin:0}ul{list-style:none;margin:0;padding-left:1.2em}body>ul{padding:0}\
    .value{white-space:pre-wrap}.quiet{font-size:.85em;overflow-wrap:anywhere}.note{font-weight:bold}";

/// The page.
pub(super) fn page(document: &Document, language: Language) -> String {
    let mut page = Page { out: String::new(), document };
    page.put(format_args!("<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n", language.tag()));
    page.put(format_args!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n"));
    page.put(format_args!("<meta name=\"viewport\" content=\"width=device-width\">\n"));
    let title = Escaped(&document.title);
    page.put(format_args!("<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"));
    page.facts();
    page.items(&document.items, 2);
    if let Some(note) = document.note {
        page.put(format_args!("<p class=\"note\">{}</p>\n", Escaped(note)));
    }
    page.put(format_args!("</body>\n</html>\n"));
    page.out
}

struct Page<'a> {
    out: String,
    document: &'a Document,
}

impl Page<'_> {
    fn facts(&mut self) {
        if self.document.facts.is_empty() {
            return;
        }
        self.put(format_args!("<dl>\n"));
        for (label, fact) in &self.document.facts {
            self.put(format_args!("<dt>{}</dt><dd>{}</dd>\n", Escaped(label), Escaped(fact)));
        }
        self.put(format_args!("</dl>\n"));
    }

    fn items(&mut self, items: &[Item], level: usize) {
        if items.is_empty() {
            return;
        }
        self.put(format_args!("<ul>\n"));
        for item in items {
            self.item(item, level);
        }
        self.put(format_args!("</ul>\n"));
    }

    fn item(&mut self, item: &Item, level: usize) {
        if self.document.targets.contains(&item.place) {
            let place = Escaped(&item.place);
            self.put(format_args!("<li id=\"item-{place}\"><span class=\"quiet\">{place}</span> "));
        } else {
            self.put(format_args!("<li>"));
        }
        if let Some(relation) = &item.relation {
            self.put(format_args!("<span class=\"quiet\">{}</span> ", Escaped(relation)));
        }
        let name = item.name.as_deref().unwrap_or_default();
        if item.is_heading() {
            // HTML has no deeper headings.
            let heading = level.min(6);
            self.put(format_args!("<h{heading}>{}</h{heading}>", Escaped(name)));
        } else if !name.is_empty() {
            self.put(format_args!("{}: ", Escaped(name)));
        }
        self.shown(&item.shown);
        if !item.items.is_empty() {
            self.put(format_args!("\n"));
            self.items(&item.items, level + 1);
        }
        self.put(format_args!("</li>\n"));
    }

    fn shown(&mut self, shown: &Shown) {
        match shown {
            Shown::Nothing => {}
            Shown::Value { text, details } => {
                self.put(format_args!("<span class=\"value\">{}</span>", Escaped(text)));
                for detail in details {
                    self.put(format_args!(" <span class=\"quiet\">{}</span>", Escaped(detail)));
                }
            }
            Shown::Reference(place) => {
                let place = Escaped(place);
                self.put(format_args!("<a href=\"#item-{place}\">→ {place}</a>"));
            }
        }
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("a String takes every text");
    }
}

/// Text, fit for content and for attributes in quotes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
