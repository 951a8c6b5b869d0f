//! Kanji that one family writes in one form and the register, or a system without the form, in another.
//!
//! Old and new forms after the tables of kanji for general use and for names (常用漢字表 2010, 人名用漢字 of 戸籍法施行規則),
//! with the forms that registers of families keep on top. 埼 and 碕 are not 崎, 籐 is not 藤: other names, not other forms.

use std::{collections::HashMap, sync::LazyLock};

/// Each line of forms begins with the usual one.
#[rustfmt::skip]
pub(super) const FORMS: &[&str] = &[
    // Family names above all.
    "斎齋齊斉", "辺邊邉", "高髙", "崎﨑嵜", "沢澤", "広廣", "浜濱濵", "桜櫻", "国國", "学學", "島嶋嶌", "竜龍", "滝瀧", "渋澁澀",
    "真眞", "恵惠", "栄榮", "寿壽", "徳德", "吉𠮷", "富冨", "峰峯", "桑桒", "柳栁桺", "鶴靏靍", "館舘", "船舩", "淵渕", "橋𣘺", "喜㐂",
    "曽曾", "条條", "蔵藏", "荘莊", "塩鹽", "関關", "実實", "瀬瀨", "頼賴", "呉吳", "内內", "戸戶", "万萬", "与與", "豊豐", "宝寶",
    "浅淺", "黒黑", "青靑", "増增", "横橫", "鉄鐵", "弥彌", "礼禮", "緑綠", "縄繩", "顕顯", "勲勳", "薫薰", "尭堯", "桧檜", "薮藪",
    "芦蘆", "籠篭", "児兒", "毎每", "歩步", "清淸", "郷鄕", "録錄", "奥奧", "巌巖", "厳嚴", "教敎", "暁曉", "楽樂", "渓溪", "為爲",
    "当當", "稲稻", "穂穗", "粋粹", "総總", "聡聰", "旧舊", "観觀", "誉譽", "譲讓", "遥遙", "隣鄰", "静靜", "麦麥", "黄黃", "亀龜",
    "槙槇", "野埜", "彦彥", "宜冝", "壮壯", "将將", "亜亞", "壱壹", "伝傳", "剣劍劔", "囲圍", "図圖", "寛寬", "巣巢", "帯帶", "応應",
    "恒恆", "権權", "帰歸", "歴歷", "気氣", "渉涉", "満滿", "湾灣", "瑶瑤", "画畫", "禅禪", "穣穰", "経經", "糸絲", "来來", "会會",
    "晋晉", "円圓", "凛凜", "桝枡", "灯燈", "沖冲", "梅楳", "松枩", "浄淨", "済濟", "双雙", "参參", "両兩",
    "仏佛", "単單", "鉱鑛", "霊靈", "党黨", "区區", "県縣", 
];

/// The usual form of a kanji; everything else as it is.
pub(super) fn usual(character: char) -> char {
    static USUAL: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
        let forms = FORMS.iter().flat_map(|line| line.chars().skip(1).zip(line.chars().next().into_iter().cycle()));
        forms.collect()
    });
    USUAL.get(&character).copied().unwrap_or(character)
}
