use proptest::prelude::*;

use super::query;
use crate::query::{Include, Level, Query, QueryError, Warning};

#[test]
fn a_wrong_parameter_is_named_and_its_value_is_not() {
    for (level, text, expected) in [
        (
            Level::Study,
            "StudyDate=2020-2021-",
            "the value of StudyDate must be a date YYYYMMDD or a range of two, in order",
        ),
        (
            Level::Study,
            "StudyDate=20260705-20260704",
            "the value of StudyDate must be a range whose end is not before its beginning",
        ),
        (
            Level::Study,
            "00080030=2200-0200",
            "the value of StudyTime must be a range whose end is not before its beginning",
        ),
        (Level::Study, "limit=-1", "the value of limit must be an unsigned integer"),
        (Level::Study, "limit=+1", "the value of limit must be an unsigned integer"),
        (Level::Study, "offset=", "the value of offset must be an unsigned integer"),
        (Level::Study, "limit=99999999999999999999", "the value of limit must be an unsigned integer"),
        (Level::Study, "limit=1&limit=2", "limit must not be repeated"),
        (Level::Study, "fuzzymatching=maybe", "the value of fuzzymatching must be true or false"),
        (Level::Study, "StudyInstanceUID=1.2.*", "the value of StudyInstanceUID must be one UID or a list of UIDs"),
        (Level::Study, "PatientID=1&00100020=2", "PatientID must not be repeated"),
        (Level::Series, "SeriesNumber=one", "the value of SeriesNumber must be a number"),
        (Level::Series, "SeriesNumber=inf", "the value of SeriesNumber must be a number"),
        (Level::Instance, "PixelData=x", "PixelData holds bulk data, sequences or delimiters and cannot be searched"),
        (
            Level::Series,
            "RequestAttributesSequence=S1",
            "RequestAttributesSequence holds bulk data, sequences or delimiters and cannot be searched",
        ),
        (Level::Study, "PatientName.PatientID=1", "PatientName is not a sequence, so nothing can be inside it"),
        (
            Level::Series,
            "RequestAttributesSequence.Nonsense=1",
            "Nonsense is not an attribute of the data dictionary (PS3.6)",
        ),
        (Level::Study, "00101999=1", "00101999 is not an attribute of the data dictionary (PS3.6)"),
        (Level::Study, "00020010=1", "00020010 is not an attribute of the data dictionary (PS3.6)"),
        (
            Level::Study,
            "SeriesNumber=1",
            "SeriesNumber belongs to the series, and cannot be searched where each result is a study",
        ),
        (Level::Study, "00231001=1", "00231001 is private: the query must also have its Private Creator"),
        (
            Level::Study,
            "TimezoneOffsetFromUTC=Tokyo",
            "the value of TimezoneOffsetFromUTC must be an offset from UTC such as +0900",
        ),
        (
            Level::Study,
            "ModalitiesInStudy=C*\\SR&multiplevaluematching=true",
            "the value of ModalitiesInStudy must be values without wild cards, because there are several (PS3.4 C.2.2.2.8)",
        ),
    ] {
        assert_eq!(
            query(level, text).map(|_| ()).map_err(|error| error.to_string()),
            Err(expected.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_attribute_is_left_aside_with_a_warning() {
    let pairs =
        [("orderby", "-StudyDate"), ("PatientNam", "Y*"), ("<script>", "1"), ("accept", "x"), ("charset", "utf-8")];
    let (query, warnings) = Query::from_parameters(Level::Study, pairs).unwrap();
    assert!(query.keys().is_empty());
    let names = ["orderby", "PatientNam", "?script?"].map(|name| Warning::Ignored(name.to_owned()));
    assert_eq!(warnings, names);
    assert_eq!(
        warnings[1].header("https://van.example/dicom-web"),
        "299 https://van.example/dicom-web: The parameter PatientNam is not supported and has been ignored."
    );
}

#[test]
fn fuzzy_matching_warns_only_where_no_name_is_searched() {
    for (pairs, expected) in [
        (vec![("fuzzymatching", "true"), ("PatientID", "1")], vec![Warning::NoFuzzyMatching]),
        (vec![("fuzzymatching", "true"), ("PatientID", "1"), ("PatientName", "Y")], vec![]),
        (vec![("fuzzymatching", "true")], vec![]),
        (vec![("fuzzymatching", "false"), ("PatientID", "1")], vec![]),
    ] {
        let (_, warnings) = Query::from_parameters(Level::Study, pairs.clone()).unwrap();
        assert_eq!(warnings, expected, "{pairs:?}");
    }
}

#[test]
fn pages_have_a_limit_and_an_offset() {
    let paged = query(Level::Study, "limit=25&offset=50").unwrap();
    assert_eq!((paged.limit(), paged.offset()), (Some(25), 50));
    let whole = query(Level::Study, "").unwrap();
    assert_eq!((whole.limit(), whole.offset()), (None, 0));
    assert_eq!(Warning::AdditionalResults(7).to_string(), "There are 7 additional results that can be requested");
}

#[test]
fn fields_come_repeated_or_with_commas_and_all_is_all() {
    let fields = |text| match query(Level::Study, text).unwrap().include() {
        Include::All => usize::MAX,
        Include::Only(paths) => paths.len(),
    };
    assert_eq!(fields("includefield=00081048,00081049,00081060"), 3);
    assert_eq!(fields("includefield=00081048&includefield=00081049&includefield=PatientComments"), 3);
    assert_eq!(fields("includefield=all"), usize::MAX);
    assert_eq!(fields("includefield=00081048&includefield=all"), usize::MAX);
    assert_eq!(fields("includefield=Nonsense,PatientComments,00101999"), 1);
    assert_eq!(fields(""), 0);
}

#[test]
fn a_query_has_bounds() {
    let tags: Vec<String> = (0..600).map(|number| format!("0023{:04X}", 0x1000 + number)).collect();
    let pairs = tags.iter().map(|tag| (tag.as_str(), ""));
    assert_eq!(Query::from_parameters(Level::Study, pairs).map(|_| ()), Err(QueryError::TooMuch));
    let deep = vec!["RequestAttributesSequence"; 40].join(".");
    assert_eq!(Query::from_parameters(Level::Series, [(deep.as_str(), "")]).map(|_| ()), Err(QueryError::TooMuch));
    let long = "*a".repeat(4000);
    assert_eq!(
        Query::from_parameters(Level::Study, [("PatientID", long.as_str())]).map(|_| ()),
        Err(QueryError::TooMuch)
    );
}

proptest! {
    #[test]
    fn any_query_string_is_read_or_refused_without_its_values(
        names in prop::collection::vec("PatientID|StudyDate|StudyTime|Rows|limit|includefield|00231001|[A-Za-z0-9.]{0,20}|\\PC{0,10}", 0..6),
        value in "SECRET\\PC{0,20}",
    ) {
        let pairs = names.iter().map(|name| (name.as_str(), value.as_str()));
        if let Err(error) = Query::from_parameters(Level::Instance, pairs) {
            prop_assert!(!error.to_string().contains("SECRET"));
        }
    }
}
