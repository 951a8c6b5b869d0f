use proptest::prelude::*;

use super::{
    Charset, NotEncodable,
    element::Double,
    table::{self, DoubleTable},
};
use crate::person_name::PersonName;

/// Every term that DICOM defines, alone or in combinations that it allows.
const DECLARATIONS: &[&str] = &[
    "",
    "ISO_IR 100",
    "ISO_IR 101",
    "ISO_IR 109",
    "ISO_IR 110",
    "ISO_IR 144",
    "ISO_IR 127",
    "ISO_IR 126",
    "ISO_IR 138",
    "ISO_IR 148",
    "ISO_IR 203",
    "ISO_IR 13",
    "ISO_IR 166",
    "ISO_IR 192",
    "GB18030",
    "GBK",
    "\\ISO 2022 IR 87",
    "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "\\ISO 2022 IR 149",
    "\\ISO 2022 IR 58",
    "ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 101\\ISO 2022 IR 109\\ISO 2022 IR 110",
    "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 127\\ISO 2022 IR 126\\ISO 2022 IR 138",
    "ISO 2022 IR 148\\ISO 2022 IR 203\\ISO 2022 IR 166\\ISO 2022 IR 13",
    "\\ISO 2022 IR 87\\ISO 2022 IR 149\\ISO 2022 IR 58\\ISO 2022 IR 144",
];

fn charset(term: &str) -> Charset {
    Charset::parse(term.as_bytes())
}

/// `4A 3d`, and `04/10 03/13` as PS3.5 has it.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |word: &str| match word.split_once('/') {
        Some((high, low)) => high.parse::<u8>().unwrap() * 16 + low.parse::<u8>().unwrap(),
        None => u8::from_str_radix(word, 16).unwrap(),
    };
    text.split_whitespace().map(byte).collect()
}

fn one_name(charset: &Charset, bytes: &[u8]) -> String {
    match charset.decode_names(bytes).as_slice() {
        [name] => name.to_string(),
        names => panic!("{} names", names.len()),
    }
}

/// PS3.5 §H.3.1.
const YAMADA_ASCII: &str = "05/09 06/01 06/13 06/01 06/04 06/01 5/14 05/04 06/01 07/02 06/15 07/05 03/13 01/11 02/04 04/02 \
     03/11 03/03 04/05 04/04 01/11 02/08 04/02 05/14 01/11 02/04 04/02 04/02 04/00 04/15 03/10 01/11 02/08 04/02 03/13 01/11 \
     02/04 04/02 02/04 06/04 02/04 05/14 02/04 04/00 01/11 02/08 04/02 05/14 01/11 02/04 04/02 02/04 03/15 02/04 06/13 02/04 \
     02/06 01/11 02/08 04/02";
/// PS3.5 §H.3.2.
const YAMADA_KATAKANA: &str = "13/04 12/15 12/00 13/14 05/14 12/00 13/11 11/03 03/13 01/11 02/04 04/02 03/11 03/03 04/05 04/04 \
     01/11 02/08 04/10 05/14 01/11 02/04 04/02 04/02 04/00 04/15 03/10 01/11 02/08 04/10 03/13 01/11 02/04 04/02 02/04 06/04 \
     02/04 05/14 02/04 04/00 01/11 02/08 04/10 05/14 01/11 02/04 04/02 02/04 03/15 02/04 06/13 02/04 02/06 01/11 02/08 04/10";
/// PS3.5 §I.2.
const HONG: &str = "04/08 06/15 06/14 06/07 05/14 04/07 06/09 06/12 06/04 06/15 06/14 06/07 03/13 01/11 02/04 02/09 04/03 15/11 \
     15/03 05/14 01/11 02/04 02/09 04/03 13/01 12/14 13/04 13/07 03/13 01/11 02/04 02/09 04/03 12/08 10/11 05/14 01/11 02/04 \
     02/09 04/03 11/01 14/06 11/05 11/15";
/// PS3.5 §J.1, J.3 and §K.2, without the `=` at the end, which is optional.
const WANG_UTF8: &str = "57 61 6e 67 5e 58 69 61 6f 44 6f 6e 67 3d e7 8e 8b 5e e5 b0 8f e6 9d b1";
const WANG_GB18030: &str = "57 61 6e 67 5e 58 69 61 6f 44 6f 6e 67 3d cd f5 5e d0 a1 b6 ab";
const ZHANG: &str = "5A 68 61 6E 67 5E 58 69 61 6F 44 6F 6E 67 3D 1B 24 29 41 D5 C5 5E 1B 24 29 41 D0 A1 B6 AB";

#[test]
fn names_of_the_annexes_are_read_and_written_byte_by_byte() {
    for (term, encoded, name) in [
        ("\\ISO 2022 IR 87", YAMADA_ASCII, "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", YAMADA_KATAKANA, "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        ("\\ISO 2022 IR 149", HONG, "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 192", WANG_UTF8, "Wang^XiaoDong=王^小東"),
        ("GB18030", WANG_GB18030, "Wang^XiaoDong=王^小东"),
        ("GBK", WANG_GB18030, "Wang^XiaoDong=王^小东"),
        ("\\ISO 2022 IR 58", ZHANG, "Zhang^XiaoDong=张^小东"),
    ] {
        let (charset, encoded) = (charset(term), bytes(encoded));
        assert_eq!(one_name(&charset, &encoded), name, "{term}");
        assert_eq!(charset.encode_name(&PersonName::parse(name)), Ok(encoded.clone()), "{term}");
        let padded = [encoded, b"= ".to_vec()].concat();
        assert_eq!(one_name(&charset, &padded), name, "{term}, padded");
    }
}

/// PS3.5 §J.2 and J.4.
fn three_lines(chinese: &str) -> Vec<u8> {
    let lines = ["The first line includes", ".\r\nThe second line includes", ", too.\r\nThe third line.\r\n"];
    lines.map(|line| line.as_bytes().to_vec()).join(bytes(chinese).as_slice())
}

#[test]
fn texts_of_the_annexes_are_read_and_written_byte_by_byte() {
    // §K.3.
    let gb2312 = "31 2e 1B 24 29 41 B5 DA D2 BB D0 D0 CE C4 D7 D6 A1 A3 0D 0A 32 2e 1B 24 29 41 B5 DA B6 FE D0 D0 CE C4 D7 D6 \
                  A1 A3 0D 0A 33 2e 1B 24 29 41 B5 DA C8 FD D0 D0 CE C4 D7 D6 A1 A3 0D 0A";
    let lines = "The first line includes中文.\r\nThe second line includes中文, too.\r\nThe third line.\r\n";
    for (term, encoded, text) in [
        ("ISO_IR 192", three_lines("e4 b8 ad e6 96 87"), lines),
        ("GB18030", three_lines("d6 d0 ce c4"), lines),
        ("GBK", three_lines("d6 d0 ce c4"), lines),
        ("\\ISO 2022 IR 58", bytes(gb2312), "1.第一行文字。\r\n2.第二行文字。\r\n3.第三行文字。\r\n"),
    ] {
        assert_eq!(charset(term).decode(&encoded), text, "{term}");
        assert_eq!(charset(term).encode(text), Ok(encoded), "{term}");
    }
}

#[test]
fn an_escape_sequence_at_the_head_of_a_line_holds_to_its_end() {
    // §I.3: ours stand before the first Hangul instead.
    let korean = charset("\\ISO 2022 IR 149");
    let text = b"\x1B$)CThe first line includes \xC7\xD1\xB1\xDB.\r\n\x1B$)CThe second line includes \xC7\xD1\xB1\xDB, too.\r\n\
        The third line";
    let expected = "The first line includes 한글.\r\nThe second line includes 한글, too.\r\nThe third line";
    assert_eq!(korean.decode(text), expected);
    assert_eq!(korean.decode(&korean.encode(expected).unwrap()), expected);
}

#[test]
fn every_defined_term_is_known_and_written_as_defined() {
    for term in DECLARATIONS {
        let charset = charset(term);
        assert!(charset.unknown_terms().is_empty(), "{term}");
        let written = charset.specific_character_set();
        assert_eq!(written.strip_prefix("ISO 2022 IR 6").unwrap_or(&written), term.trim_start_matches("ISO 2022 IR 6"));
        assert_eq!(Charset::parse(written.as_bytes()), charset, "{term}");
    }
    assert_eq!(Charset::default(), charset(""));
    assert_eq!(Charset::utf8(), charset("ISO_IR 192"));
}

#[test]
fn terms_are_understood_in_the_spellings_of_real_senders() {
    for (spelling, term) in [
        ("ISO_IR_100", "ISO_IR 100"),
        ("ISO-IR 100", "ISO_IR 100"),
        ("ISO IR 192", "ISO_IR 192"),
        ("ISO_IR192", "ISO_IR 192"),
        ("iso_ir 192 ", "ISO_IR 192"),
        ("ISO 2022 IR 100", "ISO_IR 100"),
        ("UTF-8", "ISO_IR 192"),
        ("latin1", "ISO_IR 100"),
        ("ISO8859-15", "ISO_IR 203"),
        ("Shift_JIS", "ISO_IR 13"),
        ("GB18030\0", "GB18030"),
        ("ISO 2022 GBK", "GBK"),
        ("ISO 2022 58", "\\ISO 2022 IR 58"),
        ("ISO-2022-IR-87", "\\ISO 2022 IR 87"),
        ("ISO 2022 IR 87", "\\ISO 2022 IR 87"),
        ("ISO 2022 IR 87\\ISO 2022 IR 6", "\\ISO 2022 IR 87"),
        ("ISO_IR 100\\ISO_IR 144", "ISO 2022 IR 100\\ISO 2022 IR 144"),
        ("ISO_IR 192\\ISO 2022 IR 87", "ISO_IR 192"),
        ("ISO_IR 6", ""),
        (" ", ""),
    ] {
        assert_eq!(charset(spelling), charset(term), "{spelling:?}");
    }
}

#[test]
fn unknown_terms_are_told_and_count_as_the_default_repertoire() {
    for (term, unknown, written) in [
        ("ISO_IR 999", vec!["ISO_IR 999"], ""),
        ("Klingon \\ISO 2022 IR 87", vec!["Klingon"], "ISO 2022 IR 6\\ISO 2022 IR 87"),
        ("ISO_IR 100\\_\\ISO 2022 IR 65542", vec!["_", "ISO 2022 IR 65542"], "ISO_IR 100"),
        ("100", vec!["100"], ""),
        ("2022", vec!["2022"], ""),
    ] {
        let charset = charset(term);
        assert_eq!(charset.unknown_terms(), unknown, "{term}");
        assert_eq!(charset.specific_character_set(), written, "{term}");
    }
    assert!(charset(&"x\\".repeat(10_000)).unknown_terms().len() <= 32);
}

#[test]
fn a_kanji_whose_code_holds_a_delimiter_stays_whole() {
    let japanese = charset("\\ISO 2022 IR 87");
    assert_eq!(kanji_with(0x5C).count(), 160);
    for delimiter in [b'\\', b'^', b'='] {
        for kanji in kanji_with(delimiter) {
            let name = format!("{kanji}本^{kanji}");
            let written =
                japanese.encode_name(&PersonName { ideographic: Some(name.clone()), ..PersonName::default() });
            let names = japanese.decode_names(&written.unwrap());
            assert_eq!(names.len(), 1, "{kanji}");
            assert_eq!(names[0].groups(), [None, Some(name.as_str()), None]);
            let values = japanese.encode_values(&[&name, "b"]).unwrap();
            assert_eq!(japanese.decode_values(&values), [name.as_str(), "b"]);
        }
    }
    let miyamoto = b"\x1B$B5\\K\\\x1B(B^\x1B$B3X\x1B(B\\Second";
    let names: Vec<String> = japanese.decode_names(miyamoto).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["宮本^学", "Second"]);
}

/// Kanji that JIS X 0208 itself has.
fn kanji_with(byte: u8) -> impl Iterator<Item = char> {
    let codes = (0x30..=0x7E).flat_map(|row| (0x21..=0x7E).map(move |cell| [row, cell]));
    let table = table::double(Double::Jisx0208);
    codes
        .filter(move |code| code.contains(&byte))
        .filter_map(|code| table.character(code).filter(|character| table.code(*character) == Some(code)))
}

#[test]
fn a_second_byte_is_no_delimiter_in_shift_jis_and_gb18030() {
    for (term, bytes, values) in [
        ("ISO_IR 13", b"\x95\x5C\\\x83\x5C".as_slice(), ["表", "ソ"]),
        ("GB18030", b"\x81\x5C\\\x84\x31\xA4\x37a", ["乗", "\u{FFFD}"]),
        ("GBK", b"\x81\x5C\\\xD5\x5C", ["乗", "誠"]),
    ] {
        let decoded = charset(term).decode_values(bytes);
        assert_eq!(decoded.len(), 2, "{term}: {decoded:?}");
        assert_eq!(decoded[0], values[0], "{term}");
        if values[1] != "\u{FFFD}" {
            assert_eq!(decoded[1], values[1], "{term}");
        }
    }
}

#[test]
fn jis_x_0201_has_a_yen_sign_and_an_overline() {
    let japanese = charset("ISO_IR 13");
    assert_eq!(japanese.decode(b"C:\\\xB1\xDF ~"), "C:¥ｱﾟ ‾");
    assert_eq!(japanese.decode_values(b"\xB1\\\xB2"), ["ｱ", "ｲ"]);
    assert_eq!(japanese.encode("¥100‾"), Ok(b"\\100~".to_vec()));
    // It would divide values, or come back as the other sign.
    assert_eq!(japanese.encode_values(&["ab", "¥100"]), Err(NotEncodable { position: 4 }));
    assert_eq!(japanese.encode("a\\"), Err(NotEncodable { position: 2 }));
    assert_eq!(japanese.encode("~"), Err(NotEncodable { position: 1 }));
    // Where ASCII is declared too, it can be said.
    let both = charset("ISO 2022 IR 13\\ISO 2022 IR 6");
    assert_eq!(both.encode("\\¥"), Ok(b"\x1B(B\\\x1B(J\\".to_vec()));
    assert_eq!(both.encode_values(&["¥"]), Err(NotEncodable { position: 1 }));
    assert_eq!(charset("\\ISO 2022 IR 13").encode_values(&["¥"]), Err(NotEncodable { position: 1 }));
}

#[test]
fn the_first_set_is_active_again_after_every_delimiter_and_line() {
    for (term, bytes, text) in [
        // A state that is not renewed is lost.
        ("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xB0\n\xE9".as_slice(), "А\né"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xB0\t\xE9\x0C\xE9", "А\té\u{C}é"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xB0^=\\\xB0", "А^=\\А"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", b"\x1B$B;3\r\n\\", "山\r\n¥"),
    ] {
        assert_eq!(charset(term).decode(bytes), text, "{bytes:x?}");
    }
    let russian = charset("ISO 2022 IR 100\\ISO 2022 IR 144");
    assert_eq!(russian.decode_values(b"\x1B-L\xB0^\xB0\\\xE9"), ["А^А", "é"]);
    assert_eq!(one_name(&russian, b"\x1B-L\xB0^\xE9=\xE9"), "А^é=é");
    // Written: back to the first set's right half before every end.
    assert_eq!(russian.encode("А\r\nА"), Ok(b"\x1B-L\xB0\x1B-A\r\n\x1B-L\xB0\x1B-A".to_vec()));
    assert_eq!(russian.encode_values(&["Аé", "b"]), Ok(b"\x1B-L\xB0\x1B-A\xE9\\b".to_vec()));
}

#[test]
fn senders_that_forget_escape_sequences_are_understood() {
    for (term, bytes, name) in [
        ("\\ISO 2022 IR 149", b"Hong=\x1B$)C\xFB\xF3^\xD1\xCE\xD4\xD7".as_slice(), "Hong=洪^吉洞"),
        ("ISO 2022 IR 149", b"\xC8\xAB^\xB1\xE6\xB5\xBF", "홍^길동"),
        ("ISO 2022 IR 87", b"Yamada=\x1B$B;3ED\x1B(B", "Yamada=山田"),
        ("\\ISO 2022 IR 87", b"\xD4\xCF\xC0\xDE", "ﾔﾏﾀﾞ"),
        ("ISO 2022 IR 6\\ISO_IR 192", b"\xE5\xB1\xB1", "山"),
        ("", b"J\xE9r\xF4me", "Jérôme"),
        ("", b"Yamada=\x1B$B;3ED\x1B(B", "Yamada=山田"),
        ("ISO_IR 100", b"\x1B-L\xB0", "А"),
        ("ISO_IR 192", b"\xC3\xA9\x1B$B;3\x1B(B\xC3\xA9", "é山é"),
        ("ISO_IR 13", b"\x8ER\x93c", "山田"),
        ("\\ISO 2022 IR 87", b"\x1B$@;3\x1B(J", "山"),
        ("\\ISO 2022 IR 87", b"\x1B(I6>R\x1B(B", "ｶｾﾒ"),
        // Back only before the end, or not at all.
        ("\\ISO 2022 IR 87", b"\x1B$B;3ED^\x1B$BB@O:", "山田^太郎"),
        ("\\ISO 2022 IR 87", b"\x1B$B;3 ED", "山 田"),
    ] {
        assert_eq!(one_name(&charset(term), bytes), name, "{term} {bytes:x?}");
    }
}

#[test]
fn bytes_without_meaning_are_replaced_one_by_one() {
    for (term, bytes, text) in [
        ("ISO_IR 192", b"a\xFFb\xE5\xB1".as_slice(), "a\u{FFFD}b\u{FFFD}"),
        ("ISO_IR 126", b"\xD2", "\u{FFFD}"),
        ("ISO_IR 166", b"\xA1\xFC", "ก\u{FFFD}"),
        ("ISO_IR 13", b"\xA0\xFF\xB1", "\u{FFFD}\u{FFFD}ｱ"),
        ("\\ISO 2022 IR 87", b"\x1B$B;", "\u{FFFD}"),
        ("\\ISO 2022 IR 87", b"\x1B$B~~\x1B(Ba", "\u{FFFD}a"),
        ("\\ISO 2022 IR 149", b"\x1B$)C\xB1a\xB1\xE6", "\u{FFFD}a길"),
        ("\\ISO 2022 IR 87", b"\x1B", "\u{FFFD}"),
        ("\\ISO 2022 IR 87", b"\x1B%Ga", "\u{FFFD}%Ga"),
        ("GB18030", b"\x80\xFF\x81", "€\u{FFFD}\u{FFFD}"),
    ] {
        assert_eq!(charset(term).decode(bytes), text, "{term} {bytes:x?}");
    }
}

#[test]
fn right_halves_are_those_of_iso_and_not_of_the_web() {
    for (term, byte, character) in [
        ("ISO_IR 100", 0x80, '\u{80}'),
        ("ISO_IR 100", 0x9F, '\u{9F}'),
        ("ISO_IR 100", 0xE9, 'é'),
        ("ISO_IR 148", 0x80, '\u{80}'),
        ("ISO_IR 148", 0xFD, 'ı'),
        ("ISO_IR 166", 0x80, '\u{80}'),
        ("ISO_IR 166", 0xC3, 'ร'),
        ("ISO_IR 101", 0xE0, 'ŕ'),
        ("ISO_IR 109", 0xA1, 'Ħ'),
        ("ISO_IR 110", 0xA2, 'ĸ'),
        ("ISO_IR 144", 0xBB, 'Л'),
        ("ISO_IR 127", 0xE2, 'ق'),
        ("ISO_IR 126", 0xC4, 'Δ'),
        ("ISO_IR 138", 0xF9, 'ש'),
        ("ISO_IR 203", 0xA4, '€'),
    ] {
        assert_eq!(charset(term).decode(&[byte]), character.to_string(), "{term}");
        assert_eq!(charset(term).encode(&character.to_string()), Ok(vec![byte]), "{term}");
    }
}

#[test]
fn every_single_byte_set_has_its_escape_sequence() {
    for (number, last, byte, character) in [
        (100, b'A', 0xE9, "é"),
        (101, b'B', 0xE0, "ŕ"),
        (109, b'C', 0xA1, "Ħ"),
        (110, b'D', 0xA2, "ĸ"),
        (144, b'L', 0xBB, "Л"),
        (127, b'G', 0xE2, "ق"),
        (126, b'F', 0xC4, "Δ"),
        (138, b'H', 0xF9, "ש"),
        (148, b'M', 0xFD, "ı"),
        (203, b'b', 0xA4, "€"),
        (166, b'T', 0xC3, "ร"),
    ] {
        let charset = charset(&format!("ISO 2022 IR 6\\ISO 2022 IR {number}"));
        assert_eq!(charset.encode(character), Ok(vec![0x1B, b'-', last, byte]), "{number}");
    }
    assert_eq!(charset("\\ISO 2022 IR 13").encode("ｱ¥"), Ok(b"\x1B)I\xB1\x1B(J\\\x1B(B".to_vec()));
    assert_eq!(charset("\\ISO 2022 IR 159").encode("丂"), Ok(b"\x1B$(D0!\x1B(B".to_vec()));
}

#[test]
fn double_byte_sets_hold_what_their_standards_do() {
    let written = |table: &DoubleTable| {
        let codes = (0x21..=0x7E).flat_map(|row| (0x21..=0x7E).map(move |cell| [row, cell]));
        codes
            .filter(|code| table.character(*code).is_some_and(|character| table.code(character) == Some(*code)))
            .count()
    };
    for (set, characters) in
        [(Double::Jisx0208, 6879), (Double::Jisx0212, 6067), (Double::Ksx1001, 8226), (Double::Gb2312, 7445)]
    {
        assert_eq!(written(table::double(set)), characters, "{set:?}");
    }
    // The signs in which the web's table differs from that of Unicode, and kanji of the vendors: read, not written.
    let japanese = charset("\\ISO 2022 IR 87");
    assert_eq!(japanese.decode(b"\x1B$B!A!B!]!q!r\"L\x1B(B"), "〜‖−¢£¬");
    assert_eq!(japanese.decode(b"\x1B$B-!|byu\x1B(B"), "①髙﨑");
    for vendor in ["①", "髙", "﨑", "～"] {
        assert_eq!(japanese.encode(vendor), Err(NotEncodable { position: 1 }), "{vendor}");
    }
}

#[test]
fn what_a_set_does_not_have_is_refused_with_its_position() {
    for (term, text, position) in [
        ("", "Jé", 2),
        ("ISO_IR 100", "a山", 2),
        ("ISO_IR 13", "ｱア", 2),
        ("\\ISO 2022 IR 87", "山é", 2),
        ("\\ISO 2022 IR 58", "小東", 2),
        ("\\ISO 2022 IR 149", "뷁", 1),
        ("GBK", "€", 1),
        ("GBK", "𠮷", 1),
        ("ISO_IR 192", "a\u{1B}", 2),
        ("ISO 2022 IR 6\\ISO_IR 192", "é", 1),
    ] {
        assert_eq!(charset(term).encode(text), Err(NotEncodable { position }), "{term} {text}");
    }
    for term in ["", "ISO_IR 192", "GB18030"] {
        assert_eq!(charset(term).encode_values(&["a", "b\\c"]), Err(NotEncodable { position: 4 }), "{term}");
        let name = PersonName { alphabetic: Some("A^B=C".into()), ..PersonName::default() };
        assert_eq!(charset(term).encode_name(&name), Err(NotEncodable { position: 4 }), "{term}");
    }
}

#[test]
fn empty_values_keep_their_positions() {
    let ascii = Charset::default();
    let names = |bytes: &[u8]| ascii.decode_names(bytes).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(b"\\A^B\\\\C "), ["", "A^B", "", "C"]);
    assert_eq!(names(b" "), [""]);
    assert!(names(b"").is_empty());
    assert_eq!(ascii.decode_values(b"a \\\\ b"), ["a ", "", " b"]);
    assert!(ascii.decode_values(b"").is_empty());
    assert_eq!(ascii.encode_names(&[]), Ok(Vec::new()));
}

#[test]
fn long_values_take_a_linear_time() {
    // Each of these would run for hours if a byte were looked at more than a few times.
    const LENGTH: usize = 1 << 18;
    for charset in DECLARATIONS.iter().map(|term| charset(term)).step_by(4) {
        for byte in [0x1B, b'$', 0x81, 0x8E, 0xA1, 0xFF, b'0'] {
            assert!(!charset.decode(&vec![byte; LENGTH]).is_empty());
        }
        assert_eq!(charset.decode_names(&vec![b'\\'; LENGTH / 16]).len(), LENGTH / 16 + 1);
    }
}

fn any_charset() -> impl Strategy<Value = Charset> {
    prop::sample::select(DECLARATIONS).prop_map(charset)
}

/// Bytes in which escape sequences, delimiters and lead bytes are frequent.
fn wild_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(b"\\^=\r\n\x1B $()-".as_slice()).prop_map(|byte| vec![byte]),
        prop::sample::select(["$B", "(B", "(J", ")I", "$(D", "$)C", "$)A", "-L", "-A", "$A", "%G"].as_slice())
            .prop_map(|sequence| [b"\x1B", sequence.as_bytes()].concat()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Characters that some set has, and any others.
fn wild_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::sample::select(
            "aZ09 ~\\^=¥‾éÿŕĦĸЛقΔשıรｱﾞ山田表宮丂ア，〜홍洪张东€\r\n\t\u{7F}\u{85}".chars().collect::<Vec<_>>()
        ),
        prop::char::range('\u{20}', '\u{24F}'),
        prop::char::range('\u{3041}', '\u{30FF}'),
        prop::char::range('\u{4E00}', '\u{9FFF}'),
        prop::char::range('\u{AC00}', '\u{D7A3}'),
        prop::char::range('\u{E000}', '\u{F8FF}'),
    ];
    prop::collection::vec(character, 0..24).prop_map(String::from_iter)
}

/// Text of which this set can say everything.
fn sayable(charset: &Charset, text: &str) -> String {
    text.chars().filter(|character| charset.encode(&character.to_string()).is_ok()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_can_be_written_is_read_back(charset in any_charset(), text in wild_text()) {
        let text = sayable(&charset, &text);
        let encoded = charset.encode(&text).unwrap();
        prop_assert_eq!(charset.decode(&encoded), text);
    }

    #[test]
    fn values_are_read_back_in_their_places(charset in any_charset(), values in prop::collection::vec(wild_text(), 1..5)) {
        let whole = |text: &String| sayable(&charset, text).replace(['\\', '¥'], "");
        let values: Vec<String> = values.iter().map(whole).collect();
        let encoded = charset.encode_values(&values).unwrap();
        let expected = if encoded.is_empty() { Vec::new() } else { values };
        prop_assert_eq!(charset.decode_values(&encoded), expected);
    }

    #[test]
    fn names_are_read_back(charset in any_charset(), names in prop::collection::vec(wild_text(), 1..4)) {
        let whole = |text: &String| PersonName::parse(&sayable(&charset, text).replace(['\\', '¥'], ""));
        let names: Vec<PersonName> = names.iter().map(whole).collect();
        let encoded = charset.encode_names(&names).unwrap();
        let expected = if encoded.is_empty() { Vec::new() } else { names };
        prop_assert_eq!(charset.decode_names(&encoded), expected);
    }

    #[test]
    fn any_bytes_can_be_read_in_any_set(term in wild_bytes(), charset in any_charset(), bytes in wild_bytes()) {
        for charset in [charset, Charset::parse(&term)] {
            let text = charset.decode(&bytes);
            prop_assert!(text.chars().count() <= bytes.len());
            prop_assert_eq!(charset.decode_names(&bytes).is_empty(), bytes.is_empty());
            prop_assert_eq!(Charset::parse(charset.specific_character_set().as_bytes()).specific_character_set(),
                charset.specific_character_set());
        }
    }

    #[test]
    fn splitting_and_joining_is_decoding(bytes in wild_bytes()) {
        // In these sets the state holds no longer than a character, so delimiters change nothing.
        for term in ["ISO_IR 100", "ISO_IR 192", "GB18030"] {
            let without: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0x1B).collect();
            let charset = charset(term);
            prop_assert_eq!(charset.decode_values(&without).join("\\"), charset.decode(&without), "{}", term);
        }
    }
}
