//! Series as they really come, and what is decided about them.

use dicom_dictionary_std::tags;
use medvan_imaging::{Uid, attributes::Attributes};
use medvan_profiles::descriptor::images::{Needs, Orientation, SeriesRules};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A series of axial slices, one every 2.5 mm.
#[derive(Clone)]
struct Series {
    uid: &'static str,
    texts: Vec<(medvan_imaging::Tag, String)>,
    heights: Vec<f64>,
    orientation: &'static str,
}

fn chest() -> Series {
    let texts = [
        (tags::MODALITY, "CT"),
        (tags::BODY_PART_EXAMINED, "CHEST"),
        (tags::SERIES_DESCRIPTION, "Thorax 2.5"),
        (tags::CONVOLUTION_KERNEL, "B60f"),
        (tags::SLICE_THICKNESS, "2.5"),
        (tags::PATIENT_AGE, "044Y"),
        (tags::PATIENT_SEX, "F"),
    ];
    Series {
        uid: "1.2.3",
        texts: texts.map(|(tag, text)| (tag, text.to_owned())).into(),
        heights: (0..20).map(|slice| f64::from(slice) * 2.5).collect(),
        orientation: "1\\0\\0\\0\\1\\0",
    }
}

impl Series {
    fn with(mut self, tag: medvan_imaging::Tag, text: &str) -> Self {
        self.texts.retain(|(known, _)| *known != tag);
        self.texts.push((tag, text.to_owned()));
        self
    }

    fn instances(&self) -> Vec<Attributes> {
        let one = |height: &f64| {
            let mut instance = Attributes::new();
            instance.put_text(tags::SERIES_INSTANCE_UID, self.uid);
            instance.put_number(tags::ROWS, 512);
            for (tag, text) in &self.texts {
                instance.put_texts(*tag, text.split('\\').map(str::to_owned));
            }
            instance.put_texts(tags::IMAGE_ORIENTATION_PATIENT, self.orientation.split('\\').map(str::to_owned));
            instance.put_texts(tags::IMAGE_POSITION_PATIENT, ["-100".into(), "-100".into(), height.to_string()]);
            instance
        };
        self.heights.iter().map(one).collect()
    }
}

fn facts(series: &[Series]) -> Facts {
    let mut facts = Facts::new();
    series.iter().flat_map(Series::instances).for_each(|instance| facts.push(&instance));
    facts.whole()
}

fn needs(rules: &Value) -> Needs {
    serde_json::from_value(json!({ "series": [{ "name": "chest", "rules": rules, "prefer": ["thin"] }] })).unwrap()
}

/// The rules that the only series does not meet.
fn refused(rules: &Value, series: Series) -> Vec<RuleName> {
    let found = evaluate(&needs(rules), &[], &facts(&[series]));
    assert_eq!(found.fits, found.needs[0].series[0].refusals.is_empty());
    found.needs[0].series[0].refusals.iter().map(|refusal| refusal.rule).collect()
}

#[test]
fn each_rule_is_met_and_missed() {
    let gap = Series { heights: vec![0.0, 2.5, 5.0, 10.0, 12.5], ..chest() };
    let tilted = Series { orientation: "1\\0\\0\\0\\0.94\\0.34", ..chest() };
    let table = [
        (json!({ "modality": ["CT"] }), chest(), vec![]),
        (json!({ "modality": ["MR", "PT"] }), chest(), vec![RuleName::Modality]),
        (json!({ "bodyPart": ["chest*"] }), chest(), vec![]),
        (json!({ "bodyPart": ["HEAD"] }), chest(), vec![RuleName::BodyPart]),
        (json!({ "original": true }), chest().with(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\AXIAL"), vec![]),
        (json!({ "original": true }), chest().with(tags::IMAGE_TYPE, "DERIVED\\SECONDARY"), vec![RuleName::Original]),
        (json!({ "original": true }), chest(), vec![RuleName::Original]),
        (json!({ "orientation": ["axial"] }), chest(), vec![]),
        (json!({ "orientation": ["axial"] }), tilted, vec![]),
        (json!({ "orientation": ["coronal", "sagittal"] }), chest(), vec![RuleName::Orientation]),
        (json!({ "images": { "min": 20 } }), chest(), vec![]),
        (json!({ "images": { "min": 21 } }), chest(), vec![RuleName::Images]),
        (json!({ "spacingMm": { "max": 2.5 } }), chest(), vec![]),
        (json!({ "spacingMm": { "max": 2 } }), chest(), vec![RuleName::SpacingMm]),
        (json!({ "thicknessMm": { "min": 1, "max": 3 } }), chest(), vec![]),
        (json!({ "gaps": false }), chest(), vec![]),
        (json!({ "gaps": false }), gap, vec![RuleName::Gaps]),
        (json!({ "kernel": ["B6?f"] }), chest(), vec![]),
        (json!({ "kernel": ["B3*"] }), chest(), vec![RuleName::Kernel]),
        (json!({ "contrast": true }), chest(), vec![RuleName::Contrast]),
        (json!({ "contrast": true }), chest().with(tags::CONTRAST_BOLUS_AGENT, "Iopamidol"), vec![]),
        (json!({ "laterality": ["L"] }), chest().with(tags::LATERALITY, "R"), vec![RuleName::Laterality]),
        (json!({ "burnedIn": false }), chest().with(tags::BURNED_IN_ANNOTATION, "YES"), vec![RuleName::BurnedIn]),
        (json!({ "burnedIn": false }), chest(), vec![]),
        (
            json!({ "notDescription": ["*MIP*"] }),
            chest().with(tags::SERIES_DESCRIPTION, "lung mip"),
            vec![RuleName::NotDescription],
        ),
        (json!({}), chest().with(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\LOCALIZER"), vec![RuleName::Localizers]),
        (json!({}), chest().with(tags::SERIES_DESCRIPTION, "Topogram 0.6"), vec![RuleName::Localizers]),
        (json!({ "localizers": true }), chest().with(tags::SERIES_DESCRIPTION, "Scout"), vec![]),
        (json!({}), chest().with(tags::PATIENT_NAME, "PHANTOM^ACR"), vec![RuleName::Phantoms]),
        (json!({}), chest().with(tags::PATIENT_ID, "QA-2026"), vec![RuleName::Phantoms]),
        (json!({}), chest().with(tags::PATIENT_ID, "AQAB"), vec![]),
    ];
    for (rules, series, expected) in table {
        assert_eq!(refused(&rules, series), expected, "{rules}");
    }
}

#[test]
fn the_patient_must_be_one_for_whom_it_is_made() {
    let mut needs = needs(&json!({}));
    needs.age_years = Some(serde_json::from_value(json!({ "min": 18 })).unwrap());
    for (age, fits) in [("044Y", true), ("011M", false), ("", false)] {
        assert_eq!(evaluate(&needs, &[], &facts(&[chest().with(tags::PATIENT_AGE, age)])).fits, fits, "{age}");
    }
    let born = chest().with(tags::PATIENT_AGE, "").with(tags::PATIENT_BIRTH_DATE, "20081102");
    for (day, fits) in [("20261101", false), ("20261103", true)] {
        assert_eq!(evaluate(&needs, &[], &facts(&[born.clone().with(tags::STUDY_DATE, day)])).fits, fits, "{day}");
    }
    needs.sex = vec!["M".to_owned()];
    let found = evaluate(&needs, &[], &facts(&[chest()]));
    assert_eq!(found.refusals.iter().map(|refusal| refusal.rule).collect::<Vec<_>>(), [RuleName::Sex]);
}

#[test]
fn the_thinnest_is_chosen_and_the_others_are_told_with_their_reasons() {
    let thick = Series { uid: "1.2.4", ..chest() }.with(tags::SLICE_THICKNESS, "5");
    let head = Series { uid: "1.2.5", ..chest() }.with(tags::BODY_PART_EXAMINED, "HEAD").with(tags::MODALITY, "MR");
    let found =
        evaluate(&needs(&json!({ "modality": ["CT"], "bodyPart": ["CHEST"] })), &[], &facts(&[thick, head, chest()]));
    assert_eq!(found.needs[0].chosen, Some(Uid::known("1.2.3")));
    let told: Vec<_> = found.needs[0]
        .series
        .iter()
        .map(|verdict| (verdict.series.as_str(), verdict.score, verdict.refusals.len()))
        .collect();
    assert_eq!(told, [("1.2.3", 100, 0), ("1.2.4", 100, 0), ("1.2.5", 50, 2)]);
    let refusal = &found.needs[0].series[2].refusals[0];
    assert_eq!(refusal.en, "modality: wanted CT, found MR");
    assert_eq!(refusal.ja, "モダリティ: 条件は CT、実際は MR");
}

#[test]
fn a_hospital_may_narrow_what_a_vendor_takes() {
    let narrowing: SeriesRules = serde_json::from_value(json!({ "thicknessMm": { "max": 1 } })).unwrap();
    let found = evaluate(&needs(&json!({ "modality": ["CT"] })), &[narrowing], &facts(&[chest()]));
    assert!(!found.fits && found.needs[0].series[0].refusals[0].rule == RuleName::ThicknessMm);
}

#[test]
fn a_hospital_that_says_nothing_narrows_nothing() {
    let phantom = || chest().with(tags::PATIENT_NAME, "PHANTOM^ACR");
    let takes = needs(&json!({ "phantoms": true, "localizers": true }));
    assert!(evaluate(&takes, &[SeriesRules::default()], &facts(&[phantom()])).fits);
    let without: SeriesRules = serde_json::from_value(json!({ "phantoms": false })).unwrap();
    assert!(!evaluate(&takes, &[without], &facts(&[phantom()])).fits);
}

#[test]
fn a_series_serves_one_need_only() {
    let needs: Needs = serde_json::from_value(json!({ "series": [
        { "name": "first", "rules": { "modality": ["CT"] } },
        { "name": "second", "rules": { "modality": ["CT"] }, "optional": true },
    ]}))
    .unwrap();
    let one = evaluate(&needs, &[], &facts(&[chest()]));
    assert!(one.fits && one.needs[1].chosen.is_none() && one.needs[1].series[0].taken);
    let two = evaluate(&needs, &[], &facts(&[chest(), Series { uid: "1.2.4", ..chest() }]));
    assert_eq!(two.needs[1].chosen, Some(Uid::known("1.2.4")));
}

#[test]
fn a_study_without_images_fits_nothing() {
    let optional: Needs = serde_json::from_value(json!({ "series": [{ "name": "a", "optional": true }] })).unwrap();
    assert!(!evaluate(&optional, &[], &facts(&[])).fits);
}

#[test]
fn the_frames_of_an_enhanced_object_are_its_slices() {
    let mut instance = Attributes::new();
    instance.put_text(tags::SERIES_INSTANCE_UID, "1.2.3");
    instance.put_number(tags::ROWS, 64);
    instance.put_text(tags::NUMBER_OF_FRAMES, "3");
    let one = |tag, inner: &[&str], sequence| {
        let mut item = Attributes::new();
        item.put_texts(tag, inner.iter().map(|text| (*text).to_owned()));
        let mut groups = Attributes::new();
        groups.put_items(sequence, vec![item]);
        groups
    };
    let orientation =
        one(tags::IMAGE_ORIENTATION_PATIENT, &["0", "1", "0", "0", "0", "-1"], tags::PLANE_ORIENTATION_SEQUENCE);
    instance.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![orientation]);
    let positions =
        ["0", "1.2", "2.4"].map(|x| one(tags::IMAGE_POSITION_PATIENT, &[x, "0", "0"], tags::PLANE_POSITION_SEQUENCE));
    instance.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, positions.into());
    let mut facts = Facts::new();
    facts.push(&instance);
    let facts = facts.whole();
    let series = &facts.series[0];
    assert_eq!((series.orientation, series.images, series.gaps), (Some(Orientation::Sagittal), 3, Some(false)));
    assert!((series.spacing.unwrap() - 1.2).abs() < 1e-9);
}

proptest! {
    /// The order of arrival says nothing, and what is not needed changes nothing.
    #[test]
    fn the_choice_depends_on_what_there_is_only(order in Just((0..60_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let thin = Series { uid: "1.2.4", heights: (0..40).map(|slice| f64::from(slice) * 1.25).collect(), ..chest() }
            .with(tags::SLICE_THICKNESS, "1.25");
        let instances: Vec<Attributes> = [chest().instances(), thin.instances()].concat();
        let rules = needs(&json!({ "modality": ["CT"], "gaps": false }));
        let mut shuffled = Facts::new();
        order.iter().for_each(|at| shuffled.push(&instances[*at]));
        let found = evaluate(&rules, &[], &shuffled.whole());
        prop_assert_eq!(&found.needs[0].chosen, &Some(Uid::known("1.2.4")));
        let mut straight = Facts::new();
        instances.iter().for_each(|instance| straight.push(instance));
        prop_assert_eq!(&found, &evaluate(&rules, &[], &straight.whole()));
    }

    /// Whatever numbers stand there: no panic, and a spacing only where there are two slices.
    #[test]
    fn nonsense_is_borne(numbers in prop::collection::vec(any::<f64>(), 0..40), orientation in prop::array::uniform6(any::<f64>())) {
        let mut planes = plane::Planes::default();
        numbers.iter().for_each(|number| planes.push(orientation, [*number, -*number, 0.0]));
        if let Some((spacing, _)) = planes.spacing() {
            prop_assert!(spacing >= 0.0 || spacing.is_nan());
        }
    }
}

#[test]
fn more_images_than_a_service_takes_are_refused_with_a_reason() {
    let found = |most| evaluate(&needs(&json!({ "modality": ["CT"] })), &[], &facts(&[chest()])).within(most);
    assert!(found(20).fits && found(20).refusals.is_empty());
    assert!(!found(19).fits);
    let [refusal] = &found(19).refusals[..] else { panic!("one reason") };
    assert_eq!((refusal.rule, refusal.wanted.as_str(), refusal.found.as_str()), (RuleName::Limit, "at most 19", "20"));
}

#[test]
fn a_series_of_which_an_image_cannot_be_read_is_given_to_nobody() {
    let mut facts = Facts::new();
    let series = chest();
    series.instances().iter().for_each(|instance| facts.push(instance));
    facts.push_unreadable(&Uid::parse(series.uid).unwrap());
    let found = evaluate(&needs(&json!({ "modality": ["CT"] })), &[], &facts.whole());
    assert!(!found.fits);
    assert_eq!(found.needs[0].series[0].refusals[0].rule, RuleName::Readable);
}

fn study(date: &str) -> StudyFacts {
    StudyFacts {
        uid: Uid::parse(&format!("1.9.1{date}")).unwrap(),
        patient_id: "P1".to_owned(),
        issuer: String::new(),
        date: date.to_owned(),
        modalities: vec!["CT".to_owned()],
    }
}

/// What a study is as a prior of a chest of 20 slices, for a service that takes 60 images and looks two years back.
fn as_prior(candidate: &StudyFacts, series: &[Series]) -> PriorVerdict {
    let mut needs = needs(&json!({ "modality": ["CT", "MR"], "images": { "min": 10 } }));
    needs.prior = serde_json::from_value(json!({ "withinMonths": 24 })).unwrap();
    let (at_hand, facts_at_hand) = (study("20261101"), facts(&[chest()]));
    let found = evaluate(&needs, &[], &facts_at_hand);
    let wanted = Wanted::of(&needs, &[], (&at_hand, &facts_at_hand), &found, 60).unwrap();
    wanted.judge(candidate, &facts(series))
}

fn of_prior(verdict: &PriorVerdict) -> Vec<RuleName> {
    let series = verdict.needs.iter().filter(|need| need.chosen.is_none()).flat_map(|need| need.series.first());
    let of_series = series.flat_map(|series| &series.refusals);
    verdict.refusals.iter().chain(of_series).map(|refusal| refusal.rule).collect()
}

#[test]
fn an_earlier_study_is_comparable_or_it_is_said_why_not() {
    use RuleName as R;
    let year = || study("20251101");
    let long = Series { heights: (0..41).map(|slice| f64::from(slice) * 2.5).collect(), ..chest() };
    let derived = || chest().with(tags::IMAGE_TYPE, "DERIVED\\SECONDARY");
    let magnetic = || chest().with(tags::MODALITY, "MR");
    let few = Series { heights: vec![0.0, 2.5], ..chest() };
    let own = StudyFacts { uid: study("20261101").uid, ..year() };
    let table = [
        (year(), chest(), vec![]),
        (study("20241101"), chest(), vec![]),
        (study("20241031"), chest(), vec![R::WithinMonths]),
        (study("20261101"), chest(), vec![R::Earlier]),
        (study("20261102"), chest(), vec![R::Earlier]),
        (study(""), chest(), vec![R::Earlier, R::WithinMonths]),
        (own, chest(), vec![R::Earlier]),
        (StudyFacts { patient_id: "P10".into(), ..year() }, chest(), vec![R::Patient]),
        (StudyFacts { issuer: "KAEDE".into(), ..year() }, chest(), vec![R::Patient]),
        (StudyFacts { modalities: vec!["MR".into()], ..year() }, magnetic(), vec![R::Modality, R::Modality]),
        (year(), magnetic(), vec![R::Modality]),
        (year(), chest().with(tags::BODY_PART_EXAMINED, "HEAD"), vec![R::BodyPart]),
        (year(), chest().with(tags::BODY_PART_EXAMINED, "chest "), vec![]),
        (year(), chest().with(tags::BODY_PART_EXAMINED, ""), vec![]),
        (year(), derived(), vec![R::Original]),
        (year(), few, vec![R::Images]),
        (year(), long, vec![R::Limit]),
        (year(), chest().with(tags::SERIES_DESCRIPTION, "Topogram"), vec![R::Localizers]),
    ];
    for (candidate, series, refused) in table {
        let verdict = as_prior(&candidate, &[series]);
        assert_eq!(of_prior(&verdict), refused, "{candidate:?}");
        assert_eq!((verdict.fits, verdict.score == 100), (refused.is_empty(), is_full(&refused)), "{verdict:?}");
    }
}

/// What only the images tell of the whole is no share of rules.
fn is_full(refused: &[RuleName]) -> bool {
    refused.iter().all(|rule| matches!(rule, RuleName::Original | RuleName::Limit))
}

#[test]
fn of_a_comparable_study_the_best_series_is_taken_as_in_the_study_at_hand() {
    let thin = Series { uid: "1.2.4", ..chest() }.with(tags::SLICE_THICKNESS, "1");
    let derived = Series { uid: "1.2.5", ..thin.clone() }.with(tags::IMAGE_TYPE, "DERIVED\\SECONDARY");
    let head = Series { uid: "1.2.6", ..thin.clone() }.with(tags::BODY_PART_EXAMINED, "HEAD");
    let verdict = as_prior(&study("20251101"), &[head, chest(), thin]);
    assert_eq!((verdict.fits, &verdict.needs[0].chosen), (true, &Some(Uid::known("1.2.4"))));
    assert!(as_prior(&study("20251101"), &[chest(), derived]).fits, "not all of it is derived");
}

#[test]
fn no_prior_is_looked_for_where_nobody_asks_or_nobody_can_be_meant() {
    let facts = facts(&[chest()]);
    let plain = needs(&json!({ "modality": ["CT"] }));
    let asks = Needs { prior: serde_json::from_value(json!({ "withinMonths": 1 })).unwrap(), ..plain.clone() };
    let fits = evaluate(&asks, &[], &facts);
    let unfit = Match { fits: false, ..fits.clone() };
    let nobody = StudyFacts { patient_id: String::new(), ..study("20261101") };
    let table = [
        (&asks, study("20261101"), &fits, true),
        (&plain, study("20261101"), &fits, false),
        (&asks, study("20261101"), &unfit, false),
        (&asks, study(""), &fits, false),
        (&asks, nobody, &fits, false),
    ];
    for (needs, study, found, is_looked_for) in table {
        assert_eq!(Wanted::of(needs, &[], (&study, &facts), found, 60).is_some(), is_looked_for, "{study:?}");
    }
}

#[test]
fn months_are_counted_back_by_the_calendar() {
    let since = |day: &str, months| {
        let mut needs = needs(&json!({ "modality": ["CT"] }));
        needs.prior = serde_json::from_value(json!({ "withinMonths": months })).unwrap();
        let (at_hand, facts) = (study(day), facts(&[chest()]));
        let found = evaluate(&needs, &[], &facts);
        let wanted = Wanted::of(&needs, &[], (&at_hand, &facts), &found, 60).unwrap();
        wanted.outline(&study("19000101")).refusals[0].wanted.clone()
    };
    assert_eq!(since("20260331", 1), "from 20260228");
    assert_eq!(since("20240331", 1), "from 20240229");
    assert_eq!(since("20260115", 13), "from 20241215");
    assert_eq!(since("20261231", 240), "from 20061231");
}

#[test]
fn what_an_archive_tells_of_series_says_which_are_worth_being_fetched() {
    let told = |uid: &str, modality: &str, body_part: &str, description: &str, instances: Option<u64>| SeriesTold {
        uid: Uid::parse(uid).unwrap(),
        modality: modality.to_owned(),
        body_part: body_part.to_owned(),
        description: description.to_owned(),
        instances,
    };
    let needs: Needs = serde_json::from_value(json!({ "prior": { "withinMonths": 24 }, "series": [
        { "name": "thin", "rules": { "modality": ["CT"], "images": { "max": 300 }, "notDescription": ["*dose*"] } },
        { "name": "thick", "rules": { "modality": ["CT"], "description": ["*5mm*"] } },
    ] }))
    .unwrap();
    let described = |uid, text| Series { uid, ..chest() }.with(tags::SERIES_DESCRIPTION, text);
    let (thin, thick) = (described("1.1", "lung 1mm"), described("1.2", "lung 5mm"));
    let (facts, at_hand) = (facts(&[thin, thick]), study("20261101"));
    let found = evaluate(&needs, &[], &facts);
    let wanted = Wanted::of(&needs, &[], (&at_hand, &facts), &found, 500).unwrap();
    let promising = |told: &[SeriesTold]| {
        let rounds = wanted.promising(told).into_iter();
        rounds.map(|round| round.iter().map(ToString::to_string).collect()).collect::<Vec<Vec<String>>>()
    };
    let all = [
        told("2.1", "CT", "CHEST", "lung 5mm", Some(22)),
        told("2.2", "CT", "", "lung 1mm", None),
        told("2.3", "", "", "", None),
        told("2.4", "MR", "CHEST", "lung 1mm", Some(100)),
        told("2.5", "CT", "HEAD", "lung 1mm", Some(100)),
        told("2.6", "CT", "CHEST", "dose 5mm", Some(1)),
        told("2.7", "CT", "CHEST", "scout 5mm", Some(1)),
        told("2.8", "CT", "CHEST", "lung 5mm", Some(900)),
    ];
    // The like of each first, then what tells less; the fourth is another modality's, and so on.
    assert_eq!(promising(&all), [vec!["2.2", "2.1"], vec!["2.1", "2.6"], vec!["2.3"]]);
    assert_eq!(promising(&[]), Vec::<Vec<String>>::new());
    assert_eq!(wanted.days(), ("20241101".to_owned(), "20261031".to_owned()));
}
