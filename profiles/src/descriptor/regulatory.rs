//! Where a service stands under Japan's Pharmaceuticals and Medical Devices Act (薬機法).
//!
//! The catalog's facet 「医療機器承認・認証品 / 非医療機器」 and the mark on a card of the catalog rest on this, so the data
//! is structured: a service without a number cannot carry the mark, and what is no medical device must say so.
//! The numbers have 16 characters (approval and certification: MHLW notice 薬食機参発0925第5号 of 2014-09-25;
//! notification: the holder's licence number of 10 characters and a serial number of 6).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

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
    pub(super) fn classes(self) -> &'static [Class] {
        match self {
            Self::Approved => &[Class::II, Class::III, Class::IV],
            Self::Certified => &[Class::II, Class::III],
            Self::Notified => &[Class::I],
            Self::NotDevice => &[],
        }
    }

    /// The form of its number; none for what is no device.
    pub(super) fn form(self) -> Option<&'static NumberForm> {
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

    /// Whether there is a number in the form of the status.
    pub(super) fn number_fits(&self) -> bool {
        let Some(form) = self.status.form() else {
            return false;
        };
        self.number.as_deref().is_some_and(|number| form.pattern.is_match(number))
    }
}

/// How the number of one status looks.
pub(super) struct NumberForm {
    pattern: LazyLock<Regex>,
    pub(super) example: &'static str,
}

static APPROVAL: NumberForm = NumberForm {
    pattern: LazyLock::new(|| form("^[0-9]{5}[A-Z]{3}[0-9]{5}[0-9A-Z]{3}$")),
    example: "30100BZX99999000",
};

static CERTIFICATION: NumberForm = NumberForm {
    pattern: LazyLock::new(|| form("^[0-9]{3}[A-Z]{5}[0-9]{5}[0-9A-Z]{3}$")),
    example: "302AABZX99999000",
};

static NOTIFICATION: NumberForm =
    NumberForm { pattern: LazyLock::new(|| form("^[0-9]{2}[A-Z][0-9][A-Z][0-9]{11}$")), example: "13B1X99999000001" };

fn form(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file")
}
