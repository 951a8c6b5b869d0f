//! `*` and `?` (PS3.4 §C.2.2.2.4), in time that is at most the product of the lengths, which are bounded.

/// Whether the pattern matches the whole text.
pub(super) fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the last star stands, and what it has not swallowed yet. An earlier star need never be looked at again.
    let mut star: Option<(usize, usize)> = None;
    if pattern.iter().filter(|character| **character != '*').count() > text.len() {
        return false;
    }
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(character) if *character == '?' || *character == text[place] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((after, swallowed)) = star else { return false };
                star = Some((after, swallowed + 1));
                (at, place) = (after + 1, swallowed + 1);
            }
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

/// Whether a character stands for others.
pub(super) fn is_wild(character: char) -> bool {
    matches!(character, '*' | '?')
}
