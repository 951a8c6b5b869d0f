//! What the regulatory status asks for.

use time::{Date, macros::format_description};

use crate::descriptor::{
    Descriptor, Fault,
    regulatory::{Class, NumberForm, Regulatory, Status},
};

/// A device has number, holder, class and date, and they fit its status; what is no device has none of them.
pub(super) fn status_is_complete(descriptor: &Descriptor) -> Vec<Fault> {
    let regulatory = &descriptor.regulatory;
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
