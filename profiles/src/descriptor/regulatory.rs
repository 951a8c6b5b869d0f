//! Where a service stands under Japan's Pharmaceuticals and Medical Devices Act (薬機法).
//!
//! The catalog's facet 「医療機器承認・認証品 / 非医療機器」 and the mark on a card of the catalog rest on this, so the data
//! is structured: a service without a number cannot carry the mark, and what is no medical device must say so.
//! The numbers have 16 characters (approval and certification: MHLW notice 薬食機参発0925第5号 of 2014-09-25;
//! notification: the holder's licence number of 10 characters and a serial number of 6).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use time::{Date, macros::format_description};

use super::fault::Fault;

/// The regulatory status of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regulatory {
    /// 承認, 認証, 届出 or 非該当.
    pub status: Status,
    /// The number of the approval, certification or notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Who holds it (製造販売業者).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Class of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The day on which it was granted or filed: `2025-01-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// What it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// The four kinds of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 承認: approved by the minister.
    Approved,
    /// 認証: certified by a registered body.
    Certified,
    /// 届出: notified.
    Notified,
    /// 非該当: no medical device.
    NotDevice,
}

/// Class of a medical device, by risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// 一般医療機器.
    I,
    /// 管理医療機器.
    II,
    /// 高度管理医療機器.
    III,
    /// 高度管理医療機器 of the highest risk.
    IV,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Approved, Self::Certified, Self::Notified, Self::NotDevice];

    /// The code in a descriptor.
    pub fn code(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Certified => "certified",
            Self::Notified => "notified",
            Self::NotDevice => "not_device",
        }
    }

    /// The label in Japanese.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Approved => "承認",
            Self::Certified => "認証",
            Self::Notified => "届出",
            Self::NotDevice => "非該当",
        }
    }

    /// The label in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Certified => "Certified",
            Self::Notified => "Notified",
            Self::NotDevice => "Not a medical device",
        }
    }

    /// The classes that can have this status.
    fn classes(self) -> &'static [Class] {
        match self {
            Self::Approved => &[Class::II, Class::III, Class::IV],
            Self::Certified => &[Class::II, Class::III],
            Self::Notified => &[Class::I],
            Self::NotDevice => &[],
        }
    }

    fn form(self) -> Option<&'static NumberForm> {
        match self {
            Self::Approved => Some(&APPROVAL),
            Self::Certified => Some(&CERTIFICATION),
            Self::Notified => Some(&NOTIFICATION),
            Self::NotDevice => None,
        }
    }
}

impl Regulatory {
    /// Whether the catalog shows the mark 医療機器承認・認証品.
    pub fn carries_mark(&self) -> bool {
        matches!(self.status, Status::Approved | Status::Certified) && self.number_fits()
    }

    fn number_fits(&self) -> bool {
        let Some(form) = self.status.form() else {
            return false;
        };
        self.number.as_deref().is_some_and(|number| form.pattern.is_match(number))
    }
}

/// The rule on the status: a device has number, holder, class and date, what is none has none of them.
pub(super) fn faults(regulatory: &Regulatory) -> Vec<Fault> {
    let Some(form) = regulatory.status.form() else {
        return claims_of_a_non_device(regulatory);
    };
    let mut faults = missing(regulatory);
    if regulatory.number.is_some() && !regulatory.number_fits() {
        faults.push(wrong_number(form));
    }
    faults.extend(regulatory.class.and_then(|class| wrong_class(regulatory.status, class)));
    faults.extend(regulatory.date.as_deref().and_then(wrong_date));
    faults
}

struct NumberForm {
    pattern: LazyLock<Regex>,
    example: &'static str,
}

static APPROVAL: NumberForm = NumberForm {
    pattern: LazyLock::new(|| form("^[0-9]{5}[A-Z]{3}[0-9]{5}[0-9A-Z]{3}$")),
    example: "30200BZX00150000",
};

static CERTIFICATION: NumberForm = NumberForm {
    pattern: LazyLock::new(|| form("^[0-9]{3}[A-Z]{5}[0-9]{5}[0-9A-Z]{3}$")),
    example: "302AABZX00012000",
};

static NOTIFICATION: NumberForm =
    NumberForm { pattern: LazyLock::new(|| form("^[0-9]{2}[A-Z][0-9][A-Z][0-9]{11}$")), example: "13B1X00123000001" };

fn form(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file")
}

fn present(regulatory: &Regulatory) -> [(&'static str, bool); 4] {
    [
        ("number", regulatory.number.is_some()),
        ("holder", regulatory.holder.is_some()),
        ("class", regulatory.class.is_some()),
        ("date", regulatory.date.is_some()),
    ]
}

fn missing(regulatory: &Regulatory) -> Vec<Fault> {
    let (en, ja) = (regulatory.status.code(), regulatory.status.ja());
    let absent = present(regulatory).into_iter().filter(|(_, is_present)| !is_present);
    absent
        .map(|(name, _)| {
            Fault::new(
                format!("/regulatory/{name}"),
                (format!("a service with status {en} needs it"), format!("{ja}の製品には必要です")),
                ("add it, or set status to not_device", "追加するか、status を not_device にしてください"),
            )
        })
        .collect()
}

fn claims_of_a_non_device(regulatory: &Regulatory) -> Vec<Fault> {
    let claimed = present(regulatory).into_iter().filter(|(_, is_present)| *is_present);
    claimed
        .map(|(name, _)| {
            Fault::new(
                format!("/regulatory/{name}"),
                ("what is no medical device cannot have it", "医療機器に該当しない製品には書けません"),
                (
                    "remove it, or set status to approved, certified or notified",
                    "削除するか、status を approved・certified・notified のいずれかにしてください",
                ),
            )
        })
        .collect()
}

fn wrong_number(form: &NumberForm) -> Fault {
    Fault::new(
        "/regulatory/number",
        ("it is not a number of this status", "この区分の番号の形式ではありません"),
        (
            format!("write the 16 characters in ASCII, like {}", form.example),
            format!("{} のように、半角16文字で書いてください", form.example),
        ),
    )
}

fn wrong_class(status: Status, class: Class) -> Option<Fault> {
    let classes = status.classes();
    let known: Vec<String> = classes.iter().map(|class| format!("{class:?}")).collect();
    (!classes.contains(&class)).then(|| {
        Fault::new(
            "/regulatory/class",
            (
                format!("a device of this class cannot have status {}", status.code()),
                format!("このクラスの製品は{}になりません", status.ja()),
            ),
            (format!("use {}", known.join(" or ")), format!("{} のいずれかにしてください", known.join("・"))),
        )
    })
}

fn wrong_date(date: &str) -> Option<Fault> {
    Date::parse(date, format_description!("[year]-[month]-[day]")).is_err().then(|| {
        Fault::new(
            "/regulatory/date",
            ("the calendar has no such day", "存在しない日付です"),
            ("write the day as YYYY-MM-DD", "YYYY-MM-DD の形で書いてください"),
        )
    })
}
