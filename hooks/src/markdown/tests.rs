use proptest::prelude::*;
use pulldown_cmark::{Event, LinkType, Parser, Tag};

use super::{escape, gfm, neutralise, to_html, to_plain};

fn permits(target: &str) -> bool {
    target == "https://ok.example/" || target.starts_with("https://ok.example/")
}

/// `text` becomes `expected`.
fn check(text: &str, expected: &str) {
    assert_eq!(neutralise(text, &permits).as_deref().unwrap_or(text), expected);
}

#[test]
fn harmless_text_is_not_touched() {
    for text in [
        "K 6.8 mmol/L (<5.0)\n\n| a | b |\n|---|---|\n| 1<br>2 | 3 |",
        "**太字** `<script>` [記事](https://ok.example/a \"t\") <https://ok.example/b> https://ok.example/c。",
        "    <script> in a code block, http://evil.example",
        "a < b && c > d",
        "<who@hospital.example>",
    ] {
        assert_eq!(neutralise(text, &permits), None, "{text}");
    }
}

#[test]
fn html_is_shown_as_text() {
    check("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>");
    check("a <b onclick=x>b</b>", "a &lt;b onclick=x>b&lt;/b>");
    check("<!-- hidden -->", "&lt;!-- hidden -->");
    check("<div>\n\n![x](https://ok.example/x.gif)\n</div>", "&lt;div>\n\nx\n&lt;/div>");
    check("> <img src=x onerror=y>", "> &lt;img src=x onerror=y>");
}

#[test]
fn images_become_their_description() {
    check("see ![chart](https://ok.example/p.gif) here", "see chart here");
    check("![](https://evil.example/p.gif)", "");
    check("![a][i]\n\n[i]: https://ok.example/i.png", "a\n\n[i]: https://ok.example/i.png");
    check("[![a](data:image/png;base64,AA)](https://ok.example/)", "[a](https://ok.example/)");
}

#[test]
fn links_to_places_not_allowed_become_their_text() {
    check("[**go**](https://evil.example/ \"t\")", "**go**");
    check("[go](javascript:alert%281%29)", "go");
    check("[go](JaVaScRiPt:x) [on](#part) [up](../x)", "go on up");
    check("<javascript:alert(1)>", "javascript:alert(1)");
    check("[go][e]\n\n[e]: https://evil.example/", "go\n\n");
}

#[test]
fn bare_addresses_to_places_not_allowed_are_no_links() {
    check("see https://evil.example/x", "see https\\://evil.example/x");
    check("<https://evil.example/>", "https\\://evil.example/");
    check("WWW.evil.example", "WWW\\.evil.example");
    check("[https://evil.example](https://evil.example)", "https\\://evil.example");
    check("https://ok.example。evil.example/", "https\\://ok.example。evil.example/");
}

#[test]
fn a_word_of_several_addresses_is_no_link() {
    check("https://ok.example/?https://evil.example/ x", "https\\://ok.example/?https\\://evil.example/ x");
    check("https://ok.example/a https://ok.example/b", "https://ok.example/a https://ok.example/b");
}

#[test]
fn an_address_that_nobody_could_read_is_no_link() {
    let path = "a".repeat(2_048);
    check(&format!("https://ok.example/{path}"), &format!("https\\://ok.example/{path}"));
}

/// Judging each of the addresses to the end of the word would take hours.
#[test]
fn a_word_made_of_addresses_is_judged_once() {
    let judged = std::cell::Cell::new(0);
    let harmless = neutralise(&"https://".repeat(100_000), &|_| {
        judged.set(judged.get() + 1);
        false
    });
    assert_eq!((harmless, judged.get()), (Some("https\\://".repeat(100_000)), 0));
}

/// Readers of Markdown would take many minutes for each of them.
#[test]
fn text_nested_beyond_reason_is_shown_as_it_is() {
    for (nest, line) in [("* ", "a\n"), ("> ", "<\n"), ("1. ", "a\r"), (">", "a\n")] {
        let text = format!("{}a\n{}", nest.repeat(100_000), line.repeat(100_000));
        let shown = neutralise(&text, &permits).unwrap();
        assert_eq!(neutralise(&shown, &permits), None);
        assert_eq!(to_plain(&shown).lines().count(), 100_001);
    }
    let deep_enough = format!("{}- a\n  1. b", "> ".repeat(32));
    assert_eq!(neutralise(&deep_enough, &permits), None);
}

#[test]
fn what_one_edit_brings_to_light_is_seen_by_the_next_look() {
    check("<div>[x](javascript:a)</div>", "&lt;div>x&lt;/div>");
    check("[[a](javascript:b)](javascript:c)", "a");
}

#[test]
fn escaped_text_shows_as_it_is() {
    for text in
        ["1. *a* <b> [c](d) & `e` ~~f~~ | g", "# h\n- i\n+ j\n3) k", "=== https://evil.example www.evil.example"]
    {
        assert_eq!(to_plain(&escape(text)), text);
        assert_eq!(neutralise(&escape(text), &permits), None, "{text}");
    }
}

#[test]
fn rendered_forms_hold_the_words() {
    let text = "**K** 6.8\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |";
    assert_eq!(to_plain(text), "K 6.8\n- a\n- b\nx\ty\t\n1\t2");
    assert!(to_html(text).starts_with("<p><strong>K</strong> 6.8</p>"));
}

/// What a renderer would act on, found independently of the code under test.
fn harms(text: &str) -> Vec<String> {
    let events = Parser::new_ext(text, gfm());
    let harms = events.filter_map(|event| match event {
        Event::InlineHtml(html) if html.starts_with("<br") => None,
        Event::Html(html) | Event::InlineHtml(html) => html.contains('<').then(|| html.to_string()),
        Event::Start(Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
        Event::Start(Tag::Link { link_type: LinkType::Email, .. }) => None,
        Event::Start(Tag::Link { dest_url, .. }) if !permits(&dest_url) => Some(dest_url.to_string()),
        _ => None,
    });
    harms.collect()
}

proptest! {
    #[test]
    fn nothing_harmful_is_left(text in r"([<>\[\]()!:/.\\a-c &*_`\n\t>-]|https://|www\.|<b>|</b>|\]\(|!\[|\]: |<!--|-->){0,40}") {
        let harmless = neutralise(&text, &permits).unwrap_or(text);
        prop_assert_eq!(harms(&harmless), Vec::<String>::new());
        prop_assert_eq!(neutralise(&harmless, &permits), None);
    }

    #[test]
    fn escaped_text_is_always_harmless(text in any::<String>()) {
        prop_assert_eq!(neutralise(&escape(&text), &permits), None);
    }

    #[test]
    fn no_text_ends_the_process(text in any::<String>()) {
        let _ = (neutralise(&text, &permits), to_html(&text), to_plain(&text));
    }
}
