//! Texts that DICOM can hold and that a page can show.

/// What is wrong with a text, and how to mend it; `None` if nothing is. `breaks` says whether it may have several lines and a
/// backslash, which separates values elsewhere (PS3.5 section 6.2).
pub(super) fn fault(text: &str, most: usize, breaks: bool) -> Option<(&'static str, String)> {
    if text.trim().is_empty() {
        return Some(("it is empty", "write something, or leave the member out".into()));
    }
    if text.chars().nth(most).is_some() {
        return Some(("it is too long", format!("write at most {most} characters")));
    }
    if text.chars().any(|character| is_hidden(character) && !(breaks && character == '\n')) {
        return Some(("it has control characters", "write printable characters only".into()));
    }
    if !breaks && text.contains('\\') {
        return Some(("it has a backslash, which separates values in DICOM", "write it without".into()));
    }
    has_markup(text).then(|| ("it has markup", "write plain text; a space behind < makes it a sign".into()))
}

/// Printable ASCII without a backslash, at most so many characters.
pub(super) fn is_plain(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Control characters, and those that turn the direction of writing and so can show another text than there is.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn has_markup(text: &str) -> bool {
    let behind = text.split('<').skip(1).filter_map(|rest| rest.chars().next());
    behind.into_iter().any(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'))
}
