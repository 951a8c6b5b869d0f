use proptest::prelude::*;
use serde_json::json;

use super::{Pattern, PatternError, PersonName, fold, sound, variants};

fn name(text: &str) -> PersonName {
    PersonName::parse(text)
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

/// Literal matching; on the way, that the pattern's keys find what matches.
fn literally(name_text: &str, pattern_text: &str) -> bool {
    let (name, pattern) = (name(name_text), pattern(pattern_text));
    let matches = name.matches(&pattern);
    assert!(!matches || is_found(&name, pattern.keys()), "{name_text} {pattern_text}");
    matches
}

/// Fuzzy matching; on the way, that the pattern's keys find what matches.
fn fuzzily(name_text: &str, pattern_text: &str) -> bool {
    let (name, pattern) = (name(name_text), pattern(pattern_text));
    let matches = name.fuzzy_matches(&pattern);
    assert!(!matches || is_found(&name, pattern.fuzzy_keys()), "{name_text} {pattern_text}");
    matches
}

/// Whether an index would give the name for these prefixes; without prefixes it gives all.
fn is_found(name: &PersonName, prefixes: Option<Vec<String>>) -> bool {
    let keys = name.search_keys();
    prefixes.is_none_or(|prefixes| {
        let of_a_key = |prefix: &String| keys.iter().any(|key| key.starts_with(prefix.as_str()));
        prefixes.iter().all(|prefix| !prefix.is_empty()) && prefixes.iter().any(of_a_key)
    })
}

const YAMADA: &str = "Yamada^Tarou=山田^太郎=やまだ^たろう";

#[test]
fn groups_are_told_apart_and_what_does_not_count_is_taken_off() {
    for (text, groups, written) in [
        (YAMADA, [Some("Yamada^Tarou"), Some("山田^太郎"), Some("やまだ^たろう")], YAMADA),
        ("Wang^XiaoDong=王^小東=", [Some("Wang^XiaoDong"), Some("王^小東"), None], "Wang^XiaoDong=王^小東"),
        ("=山田^太郎", [None, Some("山田^太郎"), None], "=山田^太郎"),
        ("==やまだ", [None, None, Some("やまだ")], "==やまだ"),
        (
            "Adams^John Robert Quincy^^Rev.^B.A. M.Div.",
            [Some("Adams^John Robert Quincy^^Rev.^B.A. M.Div."), None, None],
            "Adams^John Robert Quincy^^Rev.^B.A. M.Div.",
        ),
        (" Doe^John^^^ ", [Some("Doe^John^^^"), None, None], "Doe^John^^^"),
        ("Doe \0=  \0", [Some("Doe"), None, None], "Doe"),
        ("^John", [Some("^John"), None, None], "^John"),
        ("^^^^=", [Some("^^^^"), None, None], "^^^^"),
        ("", [None, None, None], ""),
        ("A=B=C=D", [Some("A"), Some("B"), Some("C")], "A=B=C"),
    ] {
        let name = name(text);
        assert_eq!(name.groups(), groups, "{text:?}");
        assert_eq!(name.to_string(), written, "{text:?}");
        assert_eq!(name.is_empty(), written.is_empty(), "{text:?}");
    }
}

#[test]
fn empty_components_at_the_end_do_not_matter_in_a_search() {
    for written in ["Doe^John", "Doe^John^", "Doe^John^^^"] {
        for asked in ["Doe^John", "Doe^John^^^", "doe^john*"] {
            assert!(name(written).matches(&pattern(asked)), "{written} {asked}");
            assert!(name(written).fuzzy_matches(&pattern(asked)), "{written} {asked}");
        }
    }
}

#[test]
fn json_has_the_groups_that_are_not_empty() {
    for (text, value) in [
        (YAMADA, json!({"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"})),
        ("Yamada", json!({"Alphabetic": "Yamada"})),
        ("=山田=", json!({"Ideographic": "山田"})),
        ("", json!({})),
    ] {
        assert_eq!(serde_json::to_value(name(text)).unwrap(), value, "{text}");
        assert_eq!(serde_json::from_value::<PersonName>(value).unwrap(), name(text), "{text}");
    }
    let empty = PersonName { alphabetic: Some(String::new()), ..PersonName::default() };
    assert_eq!(serde_json::to_value(empty).unwrap(), json!({}));
}

#[test]
fn json_of_careless_senders_is_read() {
    for (value, expected) in [
        (json!("Yamada^Tarou=山田^太郎"), "Yamada^Tarou=山田^太郎"),
        (json!({"Alphabetic": "Yamada^Tarou=山田^太郎"}), "Yamada^Tarou=山田^太郎"),
        (json!({"Alphabetic": "Yamada^^^ ", "Ideographic": null, "Phonetic": ""}), "Yamada^^^"),
        (json!({"Alphabetic": "Yamada", "Nickname": ["Yama"]}), "Yamada"),
    ] {
        assert_eq!(serde_json::from_value::<PersonName>(value.clone()).unwrap().to_string(), expected, "{value}");
    }
    for refused in [
        json!(5),
        json!(null),
        json!(["Yamada"]),
        json!({"Alphabetic": 5}),
        json!({"Alphabetic": "A=B", "Ideographic": "C"}),
        json!({"Ideographic": "A=B"}),
    ] {
        assert!(serde_json::from_value::<PersonName>(refused.clone()).is_err(), "{refused}");
    }
    let twice = r#"{"Alphabetic": "A", "Alphabetic": "B"}"#;
    assert!(serde_json::from_str::<PersonName>(twice).is_err());
}

#[test]
fn neither_names_nor_patterns_are_shown_to_a_log() {
    let shown = format!("{:?} {:?}", name(YAMADA), pattern("Yamada"));
    assert!(!shown.contains("ama") && !shown.contains('山'), "{shown}");
    assert_ne!(format!("{:?}", name("A=B")), format!("{:?}", name("A")));
}

#[test]
fn literal_patterns_match_whole_groups() {
    for (pattern, matches) in [
        ("Yamada^Tarou", true),
        ("YAMADA^TAROU", true),
        ("ｙａｍａｄａ＾ｔａｒｏｕ", true),
        ("Yamada ^ Tarou ", true),
        ("Yamada^Tarou^^^", true),
        ("山田^太郎", true),
        ("やまだ^たろう", true),
        ("Yamada", false),
        ("Tarou^Yamada", false),
        ("Yamada Tarou", false),
        ("Yamada^Taro", false),
        ("やまだ^たろ", false),
        ("ヤマダ^タロウ", false),
        ("", true),
        ("^", true),
    ] {
        assert_eq!(literally(YAMADA, pattern), matches, "{pattern}");
    }
}

#[test]
fn wild_cards_stand_for_any_characters() {
    for (name, pattern, matches) in [
        (YAMADA, "Yama*", true),
        (YAMADA, "YAMA＊", true),
        (YAMADA, "*tarou", true),
        (YAMADA, "Y*^T*", true),
        (YAMADA, "Y*d*t*u", true),
        (YAMADA, "Y*x*", false),
        (YAMADA, "Yamad?^Tarou", true),
        (YAMADA, "Yamad？^Tarou", true),
        (YAMADA, "Yamada?^Tarou", false),
        (YAMADA, "Yamada^Tarou*", true),
        (YAMADA, "Yamada^Tarou^*", true),
        (YAMADA, "山?^*", true),
        (YAMADA, "*", true),
        (YAMADA, "**", true),
        ("Yamada", "Yamada^*", true),
        ("Yamada", "Yamada^*^*^*^*", true),
        ("Yamada", "Yamada^?", false),
        ("Yamada^Tarou", "Yamada^^*", false),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", "ヤマダ*", true),
        ("ヤマダ^タロウ", "ﾔﾏﾀﾞ*", true),
        ("ヤマダ^タロウ", "やまだ*", false),
        ("Jérôme", "Jerome", false),
        ("Je\u{301}rome", "Jérome", true),
        ("ÉLAN", "élan", true),
        ("", "*", true),
        ("", "", true),
        ("", "?", false),
        ("", "a*", false),
    ] {
        assert_eq!(literally(name, pattern), matches, "{name} {pattern}");
    }
}

#[test]
fn a_pattern_with_groups_means_those_groups() {
    for (name, pattern, matches) in [
        (YAMADA, "Yamada*=山田*", true),
        (YAMADA, "Yamada*=鈴木*", false),
        (YAMADA, "=山田*", true),
        (YAMADA, "=Yamada*", false),
        (YAMADA, "==やまだ*", true),
        (YAMADA, "==*たろう", true),
        (YAMADA, "Yamada^Tarou=", true),
        (YAMADA, "*=*=*", true),
        ("Yamada", "*=*=*", true),
        ("Yamada", "Yamada=?*", false),
        ("", "=", true),
    ] {
        assert_eq!(literally(name, pattern), matches, "{name} {pattern}");
        assert!(!matches || fuzzily(name, pattern), "{name} {pattern}");
    }
    assert!(fuzzily(YAMADA, "taro yamada=太郎"));
    assert!(!fuzzily(YAMADA, "太郎=yamada"));
}

#[test]
fn fuzzy_words_begin_words_in_any_order() {
    for (name, pattern, matches) in [
        (YAMADA, "yamada", true),
        (YAMADA, "yam", true),
        (YAMADA, "tarou yamada", true),
        (YAMADA, "Tarou^Yamada", true),
        (YAMADA, "Yamada, Tarou", true),
        (YAMADA, "ta ya", true),
        (YAMADA, "amada", false),
        (YAMADA, "yamada hanako", false),
        (YAMADA, "yamada 太郎", true),
        (YAMADA, "*amada", true),
        (YAMADA, "y*da tar*", true),
        (YAMADA, "y?mada", true),
        (YAMADA, "y*x", false),
        (YAMADA, "?", true),
        ("Smith^Mary", "mary smith", true),
        ("Morrison-Jones^Susan", "jones", true),
        ("Morrison-Jones^Susan", "morrisonjones", true),
        ("Morrison Jones^Susan", "Morrison-Jones", true),
        ("Yamada^Ken-ichi", "kenichi", true),
        ("Yamada^Kenichi", "Ken-ichi", true),
        ("O'Brien^Seán", "obrien sean", true),
        ("O’Brien^Sean", "o'brien", true),
        ("Müller^Jürgen", "muller jurgen", true),
        ("Muller", "Müller", true),
        ("Weiß", "WEISS", true),
        ("Łukasz^Sørensen", "lukasz sorensen", true),
        ("Ελένη", "ελενη", true),
        ("Hong^Gildong=洪^吉洞=홍^길동", "길동 홍", true),
        ("Wang^XiaoDong=王^小東", "wang xiao", true),
        ("", "a", false),
        ("", "", true),
        (YAMADA, "-", false),
        (YAMADA, "^", true),
    ] {
        assert_eq!(fuzzily(name, pattern), matches, "{name} {pattern}");
    }
}

#[test]
fn every_writing_of_one_name_finds_every_other() {
    // Each line is one name; different lines are different names.
    let names: &[&[&str]] = &[
        &["やまだ", "ヤマダ", "ﾔﾏﾀﾞ", "Yamada", "YAMADA", "ｙａｍａｄａ"],
        &["さとう", "サトウ", "サトー", "ｻﾄｳ", "Satou", "Sato", "Satoh", "Satō", "SATÔ"],
        &["おおの", "オオノ", "オーノ", "Oono", "Ohno", "Ono", "Ōno"],
        &["しょうじ", "ショウジ", "シヨウジ", "ｼﾖｳｼﾞ", "Shoji", "Shouji", "Syouzi", "Syozi", "Shohji"],
        &["はっとり", "ハットリ", "ハツトリ", "ﾊﾂﾄﾘ", "Hattori", "hatutori"],
        &["ほんま", "ホンマ", "Honma", "Homma"],
        &["しんばし", "Shimbashi", "Shinbashi", "Sinbasi"],
        &["なんば", "Namba", "Nanba"],
        &["じゅんいちろう", "ジュンイチロウ", "Jun'ichirō", "Junichiro", "Zyun'itirou", "Jun-ichiro"],
        &["しんや", "シンヤ", "Shinya", "Shin'ya", "Sin'ya"],
        &["つちや", "ツチヤ", "Tsuchiya", "Tutiya"],
        &["いのうえ", "イノウエ", "Inoue", "Inouye", "INOUE"],
        &["ゆうき", "ユウキ", "Yuuki", "Yuki", "Yuhki", "Yūki"],
        &["かづき", "カズキ", "Kazuki", "Kaduki"],
        &["ふじた", "Fujita", "Huzita", "FUZITA"],
        &["ちば", "Chiba", "Tiba"],
        &["りょう", "Ryo", "Ryou", "Ryoh", "リョー"],
        &["いっちょう", "Itcho", "Icchou", "Ittyou"],
        &["くろさわ", "Kurosawa"],
        &["えいじ", "Eiji"],
        &["ヴァン", "Van"],
    ];
    for (line, writings) in names.iter().enumerate() {
        for one in *writings {
            for other in names.concat() {
                let same = writings.contains(&other);
                assert_eq!(fuzzily(&format!("{one}^Q"), &format!("{other}^q")), same, "{line}: {one} {other}");
            }
        }
    }
}

#[test]
fn voicing_keeps_names_apart() {
    for (one, other) in
        [("はた", "はだ"), ("Hata", "はだ"), ("カキ", "ガギ"), ("ふくしま", "ふぐしま"), ("ハン", "バン")]
    {
        assert!(!fuzzily(one, other) && !fuzzily(other, one), "{one} {other}");
    }
}

#[test]
fn the_beginning_of_a_romanised_word_finds_kana() {
    let shoji = "==しょうじ";
    for beginning in ["s", "sh", "sho", "shou", "sy", "syo", "shoj", "syouz", "shouji"] {
        assert!(fuzzily(shoji, beginning), "{beginning}");
    }
    for (name, beginning) in [
        ("==はっとり", "hatt"),
        ("==ちば", "c"),
        ("==ちば", "ch"),
        ("==つちや", "ts"),
        ("==ふじた", "f"),
        ("==ふじた", "fuj"),
        ("==けんじ", "ken"),
        ("==けんいち", "keni"),
        ("==しんや", "shin"),
        ("==にやま", "ni"),
        ("==きよし", "ki"),
        ("==きょうこ", "ky"),
        ("==さとみ", "sat"),
        ("==おがわ", "o"),
    ] {
        assert!(fuzzily(name, beginning), "{name} {beginning}");
    }
    for (name, beginning) in [("==しょうじ", "t"), ("==さとう", "sata"), ("==けんじ", "kem"), ("==ちば", "cha")]
    {
        assert!(!fuzzily(name, beginning), "{name} {beginning}");
    }
}

#[test]
fn kanji_match_in_the_forms_that_families_use() {
    for (name, pattern) in [
        ("齋藤", "斎藤"),
        ("齊藤", "斉藤"),
        ("斎藤", "斉藤"),
        ("渡邊", "渡辺"),
        ("渡邉", "渡邊"),
        ("髙橋", "高橋"),
        ("山﨑", "山崎"),
        ("澤田", "沢田"),
        ("廣瀨", "広瀬"),
        ("濵田", "浜田"),
        ("櫻井", "桜井"),
        ("國學", "国学"),
        ("島", "嶋"),
        ("龍", "竜"),
        ("𠮷田", "吉田"),
        ("佐々木", "佐佐木"),
        ("関ヶ原", "関ケ原"),
        ("辻\u{E0100}", "辻"),
        ("神\u{FE00}田", "神田"),
        ("神", "\u{FA19}"),
    ] {
        assert!(fuzzily(name, pattern) && fuzzily(pattern, name), "{name} {pattern}");
    }
    assert!(!literally("髙橋", "高橋"));
    assert!(!fuzzily("埼", "崎") && !fuzzily("伊藤", "伊籐"));
}

#[test]
fn names_without_spaces_are_found_with_them_and_the_other_way_round() {
    for (name, pattern, matches) in [
        ("=山田^太郎", "山田太郎", true),
        ("=山田^太郎", "山田太", true),
        ("=山田^太郎", "山田　太郎", true),
        ("=山田太郎", "山田 太郎", true),
        ("=山田太郎", "山田^太郎", true),
        ("=山田　太郎", "山田太郎", true),
        ("=山田^太郎", "太郎山田", false),
        ("==ﾔﾏﾀﾞﾀﾛｳ", "Yamada Taro", true),
        ("YAMADA TAROU", "やまだたろう", true),
        ("YAMADATARO", "やまだ　たろう", true),
        ("==やたろう", "Ya Tarou", true),
    ] {
        assert_eq!(fuzzily(name, pattern), matches, "{name} {pattern}");
    }
}

#[test]
fn only_words_that_can_be_japanese_have_a_sound() {
    for (word, expected) in [
        ("yamada", Some("yamada")),
        ("anna", Some("anna")),
        ("しゃ", None),
        ("しや", Some("siya")),
        ("smith", None),
        ("lee", None),
        ("tom", None),
        ("jack", None),
        ("山田", None),
        ("山だ", None),
        ("yama1", None),
        ("홍", None),
        ("n", Some("n")),
        ("", None),
    ] {
        assert_eq!(sound::of_word(word).as_deref(), expected, "{word}");
    }
    assert_eq!(sound::of_beginning("tom").as_deref(), Some("tom"));
    assert_eq!(sound::of_beginning("smi"), None);
}

#[test]
fn every_kanji_has_one_usual_form() {
    let mut seen = std::collections::HashSet::new();
    for line in variants::FORMS {
        assert!(line.chars().count() >= 2, "{line}");
        for form in line.chars() {
            assert!(seen.insert(form), "{form} comes twice");
            assert_eq!(variants::usual(form), line.chars().next().unwrap());
            assert_eq!(
                fold::literal(&form.to_string()),
                form.to_string(),
                "NFKC changes {form} before the table sees it"
            );
        }
    }
}

#[test]
fn patterns_are_bounded() {
    assert!(Pattern::parse(&"a".repeat(1024)).is_ok());
    assert_eq!(Pattern::parse(&"a".repeat(1025)), Err(PatternError::TooLong));
    assert!(Pattern::parse(&"a*".repeat(32)).is_ok());
    assert_eq!(Pattern::parse(&"a?".repeat(33)), Err(PatternError::TooManyWildcards));
    assert_eq!(Pattern::parse(&"＊".repeat(33)), Err(PatternError::TooManyWildcards));
}

#[test]
fn hostile_names_and_patterns_take_no_time() {
    let long = "a".repeat(1 << 20);
    let accents = format!("e{}", "\u{301}".repeat(1 << 20));
    let words = "a b^".repeat(1 << 18);
    let expanding = "\u{FDFA}".repeat(1 << 16);
    let stars = pattern(&format!("{}b", "*aaaaaaaaaaaaaaaa".repeat(14)));
    for text in [long, accents, words, expanding] {
        let name = name(&format!("{text}={text}={text}"));
        assert!(!name.matches(&stars));
        name.fuzzy_matches(&stars);
        let keys = name.search_keys();
        assert!(keys.len() <= 108 && keys.iter().all(|key| key.chars().count() <= 64));
    }
}

#[test]
fn keys_are_words_by_look_and_sound() {
    assert_eq!(
        name("Satou^Ken-ichi=齋藤^健一").search_keys(),
        [
            "ichi",
            "iti",
            "ken",
            "kenichi",
            "keniti",
            "sato",
            "satokeniti",
            "satou",
            "satoukenichi",
            "健一",
            "斎藤",
            "斎藤健一"
        ]
    );
    for (text, literal, fuzzy) in [
        ("Satou^Ken*", Some(vec!["satouken"]), Some(vec!["sato"])),
        ("Satou Ken*", Some(vec!["satouken"]), Some(vec!["sato"])),
        ("*ken", None, None),
        ("", None, None),
        ("齋藤", Some(vec!["斎藤"]), Some(vec!["斎藤"])),
        ("S?to", Some(vec!["s"]), Some(vec!["s"])),
        ("*=斎藤*", Some(vec!["斎藤"]), Some(vec!["斎藤"])),
        ("Chiba", Some(vec!["chiba"]), Some(vec!["chiba", "tiba"])),
    ] {
        let owned = |keys: Option<Vec<&str>>| keys.map(|keys| keys.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let pattern = pattern(text);
        assert_eq!(pattern.keys(), owned(literal), "{text}");
        assert_eq!(pattern.fuzzy_keys(), owned(fuzzy), "{text}");
    }
}

/// Texts made of what names and queries are made of.
fn any_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Yamada",
        "yama",
        "Tarou",
        "Sato",
        "Satoh",
        "satou",
        "Sh",
        "chi",
        "Ken-ichi",
        "O'Brien",
        "Müller",
        "Ō",
        "tt",
        "n",
        "m",
        "山田",
        "山",
        "太郎",
        "齋",
        "斎",
        "佐々",
        "々",
        "木",
        "やまだ",
        "ﾔﾏﾀﾞ",
        "ﾞ",
        "ヤ",
        "ー",
        "ッ",
        "ン",
        "シヨ",
        "ゔ",
        "홍",
        "ß",
        "İ",
        "Σ",
        "㈱",
        "\u{301}",
        "\u{FDFA}",
        "\u{E0100}",
        "！",
        "-",
        ".",
        "・",
        "^",
        "^",
        " ",
        "　",
        ",",
        "=",
        "＝",
        "＾",
    ]);
    let piece = prop_oneof![4 => word.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A pattern that often means the name: a part of it, written otherwise, with wild cards.
fn query(name: &str, from: usize, length: usize, wild: &[(usize, char)]) -> String {
    let mut characters: Vec<char> = name.chars().skip(from).take(length).collect();
    for (place, character) in wild {
        let place = place % (characters.len() + 1);
        match character {
            'U' => characters = characters.iter().flat_map(|character| character.to_uppercase()).collect(),
            wild => characters.insert(place, *wild),
        }
    }
    characters.into_iter().collect()
}

fn name_and_pattern() -> impl Strategy<Value = (PersonName, String)> {
    let wild = prop::collection::vec((0..40_usize, prop::sample::select(vec!['*', '?', 'U', ' ', '^', '＊'])), 0..3);
    let part = (any_text(), 0..4_usize, 1..20_usize, wild, any::<bool>(), any_text());
    part.prop_map(|(text, from, length, wild, whole, other)| {
        let from = if whole { 0 } else { from };
        let own = query(&text, from, length, &wild);
        let pattern = if other.len() % 3 == 0 { other } else { own };
        (PersonName::parse(&text), pattern)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    /// What SQL relies on: the prefixes lose no name.
    #[test]
    fn a_name_that_matches_has_a_key_with_a_prefix_of_the_pattern((name, text) in name_and_pattern()) {
        let pattern = Pattern::parse(&text).unwrap();
        if name.matches(&pattern) {
            prop_assert!(name.fuzzy_matches(&pattern), "{} {}", name, text);
            prop_assert!(is_found(&name, pattern.keys()), "{} {} {:?}", name, text, pattern.keys());
        }
        if name.fuzzy_matches(&pattern) {
            prop_assert!(is_found(&name, pattern.fuzzy_keys()), "{} {} {:?}", name, text, pattern.fuzzy_keys());
        }
    }

    #[test]
    fn a_name_is_found_by_itself_and_by_the_beginning_of_each_group(text in any_text()) {
        let name = PersonName::parse(&text.replace(['*', '?', '＊', '？'], ""));
        prop_assert!(name.matches(&Pattern::parse(&name.to_string()).unwrap()), "{}", name);
        for group in name.groups().into_iter().flatten() {
            let beginning: String = group.chars().take(3).collect();
            let beginning = Pattern::parse(&format!("{}*", beginning.trim_end())).unwrap();
            // Half of a letter with its mark is another letter.
            if !group.chars().nth(3).is_some_and(|next| "ﾞ\u{301}".contains(next)) {
                prop_assert!(name.fuzzy_matches(&beginning), "{}", name);
            }
        }
    }

    #[test]
    fn reading_what_was_written_changes_nothing(text in any_text()) {
        let name = PersonName::parse(&text);
        prop_assert_eq!(PersonName::parse(&name.to_string()).to_string(), name.to_string());
        let json = serde_json::to_string(&name).unwrap();
        prop_assert_eq!(serde_json::from_str::<PersonName>(&json).unwrap().to_string(), name.to_string());
    }

    /// Every beginning of a Japanese word, however written, sounds like a beginning of the word.
    #[test]
    fn the_beginning_of_a_word_sounds_like_the_beginning_of_its_sound(
        syllables in prop::collection::vec(prop::sample::select(vec![
            "a", "i", "u", "e", "o", "ka", "shi", "si", "sho", "syo", "tsu", "tu", "chi", "ti", "cha", "tya", "fu", "hu", "ji", "zi",
            "ju", "zyu", "jo", "n", "nya", "no", "ha", "hya", "ma", "yo", "ra", "ryu", "wa", "ga", "do", "ba", "pyo",
        ]), 1..6),
        cut in 1..12_usize,
    ) {
        let word = syllables.concat();
        let beginning: String = word.chars().take(cut).collect();
        let (whole, part) = (sound::of_word(&word), sound::of_beginning(&beginning));
        let (whole, part) = (whole.unwrap(), part.unwrap());
        prop_assert!(whole.starts_with(&part), "{} {}: {} {}", word, beginning, whole, part);
    }
}
