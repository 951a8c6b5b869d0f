//! The parts of serving OHIF that need no gateway. The rest is in `tests/all/viewer.rs`.

use super::*;

#[test]
fn only_names_with_a_hash_of_the_content_are_kept_for_ever() {
    for (path, expected) in [
        ("app.bundle.0f6159c501addfe9.js", true),
        ("0ddf166f7a343eda.wasm", true),
        ("assets/a34f9d1faa5f3315.woff2", true),
        ("index.html", false),
        ("app.bundle.css", false),
        ("0f6159c501addfe9", false),
        ("0f6159c501addfe9/manifest.json", false),
        ("app.bundle.0F6159C501ADDFE9.js", false),
        ("x.0f6159c501addfe9a.js", false),
    ] {
        assert_eq!(is_named_by_content(path), expected, "{path}");
    }
}

#[test]
fn a_hospital_s_name_ends_neither_the_script_nor_a_line_of_it() {
    let name = "</script>\u{2028}\u{2029}\"'\\\n";
    let written = as_script(&serde_json::to_string(name).unwrap());
    assert_eq!(written, r#""\u003c/script>\u2028\u2029\"'\\\n""#);
    assert_eq!(serde_json::from_str::<String>(&written).unwrap(), name);
}
