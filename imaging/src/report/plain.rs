//! A report as plain text.

use super::{
    document::{Document, Item},
    value::Shown,
};

/// Levels that are indented; deeper ones would leave no room, and would make a long text longer still.
const INDENTED: usize = 12;

/// The text, its lines ended by LF.
pub(super) fn text(document: &Document) -> String {
    let mut out = format!("{}\n\n", document.title);
    for (label, fact) in &document.facts {
        out.push_str(&format!("{label}: {fact}\n"));
    }
    if !document.facts.is_empty() {
        out.push('\n');
    }
    items(&mut out, document, &document.items, 0);
    if let Some(note) = document.note {
        out.push_str(&format!("\n{note}\n"));
    }
    out
}

fn items(out: &mut String, document: &Document, items: &[Item], level: usize) {
    for item in items {
        let mut parts = Vec::new();
        if document.targets.contains(&item.place) {
            parts.push(format!("[{}]", item.place));
        }
        parts.extend(item.relation.as_ref().map(|relation| format!("({relation})")));
        let colon = if item.is_heading() { "" } else { ":" };
        parts.extend(item.name.as_ref().map(|name| format!("{name}{colon}")));
        match &item.shown {
            Shown::Nothing => {}
            Shown::Value { text, details } => {
                parts.push(text.clone());
                parts.extend(details.iter().map(|detail| format!("({detail})")));
            }
            Shown::Reference(place) => parts.push(format!("→ [{place}]")),
        }
        parts.retain(|part| !part.is_empty());
        if parts.is_empty() {
            // A container needs no name; what it holds still belongs together.
            parts.extend((!item.items.is_empty()).then(|| "—".to_owned()));
        }
        let indent = "  ".repeat(level.min(INDENTED));
        // Lines of a value stand deeper than its name and the items below it, so that none looks like one of them.
        let shown = parts.join(" ").replace('\n', &format!("\n{indent}    "));
        if !shown.is_empty() {
            out.push_str(&format!("{indent}{shown}\n"));
        }
        self::items(out, document, &item.items, level + 1);
    }
}
