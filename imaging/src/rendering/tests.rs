use proptest::prelude::*;

use super::{
    Annotation, IccProfile, Presentation, Region, RenderedQuery, RenderingError, Target, UriRegion, Viewport,
    WadoUriQuery, Window, WindowFunction,
};
use crate::Uid;

fn pairs(text: &str) -> Vec<(&str, &str)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect()
}

fn rendered(text: &str) -> Result<RenderedQuery, RenderingError> {
    RenderedQuery::from_parameters(pairs(text))
}

fn uri(text: &str) -> Result<WadoUriQuery, RenderingError> {
    let text = format!("requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4&{text}");
    WadoUriQuery::from_parameters(pairs(&text))
}

#[test]
fn everything_can_be_asked_for_at_once() {
    let text = "viewport=512,256,10,-20,,-30.5&window=40,400,linear-exact&quality=90&annotation=technique,patient&\
                iccprofile=srgb&charset=utf-8;q=0.5,ISO-8859-1&accept=image/png&unknown=1";
    assert_eq!(
        rendered(text),
        Ok(RenderedQuery {
            viewport: Some(Viewport {
                width: 512,
                height: 256,
                region: Region { left: 10.0, top: 20.0, width: None, height: Some(-30.5) },
            }),
            window: Some(Window { center: 40.0, width: 400.0, function: Some(WindowFunction::LinearExact) }),
            quality: Some(90),
            annotation: Annotation { patient: true, technique: true, unsupported: vec![] },
            icc_profile: Some(IccProfile::Srgb),
            charset: vec!["utf-8".to_owned(), "iso-8859-1".to_owned()],
        })
    );
    assert_eq!(rendered(""), Ok(RenderedQuery::default()));
}

#[test]
fn what_cannot_be_rendered_is_refused_by_name() {
    for (name, values) in [
        ("viewport", ["", "512", "512,0", "0,512", "-1,5", "1.5,2", "512,512,1,2,3,4,5", "16385,1", "a,b"].as_slice()),
        ("viewport", &["512,512,0,0,0,1", "512,512,nan", "512,512,inf,0,1,1", "99999999999,1"]),
        ("window", &["", "40", "40,400", "40,400,", "40,400,LINEAR", "40,0.5,linear", "40,0,sigmoid", "x,400,linear"]),
        ("window", &["40,400,linear,1", "inf,400,linear", "40,-1,linear-exact", ",400,linear"]),
        ("quality", &["", "0", "101", "-1", "+5", "50.5", "high"]),
        ("annotation", &["", "patient,", "pa tient", "<b>"]),
        ("iccprofile", &["", "sRGB", "srgb,yes", "cmyk"]),
    ] {
        for value in values {
            let error = RenderedQuery::from_parameters([(name, *value)]).unwrap_err();
            assert!(matches!(error, RenderingError::Value { parameter, .. } if parameter == name), "{name}={value}");
        }
    }
    assert_eq!(rendered("quality=1&quality=2"), Err(RenderingError::Repeated("quality")));
}

#[test]
fn annotations_that_are_not_known_are_warned_of() {
    let annotation = rendered("annotation=patient,scale-bar").unwrap().annotation;
    assert!(annotation.patient && annotation.is_wanted());
    assert_eq!(
        annotation.warning("https://van.example/dicom-web").as_deref(),
        Some("299 https://van.example/dicom-web: The following annotation values are not supported: scale-bar")
    );
    assert_eq!(rendered("annotation=patient").unwrap().annotation.warning("x"), None);
}

#[test]
fn a_presentation_state_has_its_own_region_and_window() {
    for (text, instance, state, thumbnail) in [
        ("", true, true, true),
        ("viewport=100,100", true, true, true),
        ("viewport=100,100,,,5,5", true, false, false),
        ("window=1,2,linear", true, false, true),
    ] {
        let query = rendered(text).unwrap();
        let allowed = [Target::Instance, Target::PresentationState, Target::Thumbnail];
        assert_eq!(allowed.map(|target| query.check(target).is_ok()), [instance, state, thumbnail], "{text}");
    }
}

#[test]
fn a_wado_uri_names_one_instance() {
    let query = uri("").unwrap();
    assert_eq!((query.study.as_str(), query.series.as_str(), query.instance.as_str()), ("1.2", "1.3", "1.4"));
    assert!(!query.is_dicom() && !query.anonymize);
    for (text, expected) in [
        ("", "the parameter requestType is missing"),
        ("requestType=wado", "the value of requestType must be WADO"),
        ("requesttype=WADO", "the parameter requestType is missing"),
        ("requestType=WADO", "the parameter studyUID is missing"),
        ("requestType=WADO&studyUID=1.2&seriesUID=1.3", "the parameter objectUID is missing"),
        ("requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=../x", "the value of objectUID must be a UID"),
        ("requestType=WADO&studyUID=1.2&studyUID=1.2", "studyUID must not be repeated"),
    ] {
        let error = WadoUriQuery::from_parameters(pairs(text)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn a_wado_uri_says_how_its_instance_is_rendered() {
    let query = uri(
        "contentType=image/png,image/jpeg&frameNumber=3&imageAnnotation=patient&imageQuality=80&rows=100&columns=200&\
                     region=0,0.25,0.5,1.0&windowCenter=-40&windowWidth=0.5",
    )
    .unwrap();
    assert_eq!(query.content_types, ["image/png", "image/jpeg"]);
    assert_eq!((query.frame, query.quality, query.rows, query.columns), (Some(3), Some(80), Some(100), Some(200)));
    assert_eq!(query.region, Some(UriRegion { left: 0.0, top: 0.25, right: 0.5, bottom: 1.0 }));
    assert_eq!(query.window, Some(Window { center: -40.0, width: 0.5, function: None }));
    assert!(query.annotation.patient);

    let query = uri("presentationSeriesUID=1.5&presentationUID=1.6&annotation=technique").unwrap();
    assert_eq!(query.presentation, Some(Presentation { series: Uid::known("1.5"), instance: Uid::known("1.6") }));
    assert!(query.annotation.technique);

    let query = uri("contentType=application/dicom&anonymize=yes&transferSyntax=1.2.840.10008.1.2.1").unwrap();
    assert!(query.is_dicom() && query.anonymize && query.transfer_syntax.is_some());
    assert_eq!(uri("contentType=image/svg xml").unwrap().content_types, ["image/svg+xml"]);
}

#[test]
fn a_wado_uri_that_contradicts_itself_is_refused() {
    for (text, expected) in [
        ("windowCenter=40", "the parameter windowWidth is missing"),
        ("windowWidth=40", "the parameter windowCenter is missing"),
        ("windowCenter=40&windowWidth=0", "the value of windowWidth must be a decimal number greater than 0"),
        ("presentationUID=1.6", "the parameter presentationSeriesUID is missing"),
        ("presentationSeriesUID=1.6", "the parameter presentationUID is missing"),
        (
            "presentationSeriesUID=1.5&presentationUID=1.6&windowCenter=1&windowWidth=2",
            "windowCenter and windowWidth cannot be used together with presentationUID",
        ),
        (
            "presentationSeriesUID=1.5&presentationUID=1.6&frameNumber=1",
            "frameNumber cannot be used together with presentationUID",
        ),
        (
            "contentType=application/dicom&windowCenter=1&windowWidth=2",
            "windowCenter and windowWidth cannot be used together with contentType=application/dicom",
        ),
        ("annotation=patient&imageAnnotation=patient", "annotation cannot be used together with imageAnnotation"),
        ("anonymize=no", "the value of anonymize must be yes"),
        ("anonymize=", "the value of anonymize must be yes"),
        ("frameNumber=0", "the value of frameNumber must be a whole number from 1"),
        ("frameNumber=1,2", "the value of frameNumber must be a whole number from 1"),
        ("transferSyntax=jpeg", "the value of transferSyntax must be a UID"),
        ("rows=0", "the value of rows must be a whole number from 1 to 16384"),
    ] {
        assert_eq!(uri(text).unwrap_err().to_string(), expected, "{text}");
    }
    for region in ["0,0,1", "0,0,1,1,1", "0.5,0,0.5,1", "0,0,1.1,1", "-0.1,0,1,1", "0,0,nan,1", "", "1,1,0,0"] {
        let error = uri(&format!("region={region}")).unwrap_err();
        assert!(matches!(error, RenderingError::Value { parameter: "region", .. }), "{region}");
    }
    for media in [
        "application/dicom,image/png",
        "image/*",
        "*/*",
        "png",
        "",
        "application/dicom;transfer-syntax=1.2",
        "text/html; charset=utf-8",
    ] {
        let error = uri(&format!("contentType={media}")).unwrap_err();
        assert!(matches!(error, RenderingError::Value { parameter: "contentType", .. }), "{media}");
    }
}

proptest! {
    #[test]
    fn any_value_is_read_or_refused_without_being_told(
        name in prop::sample::select(vec!["viewport", "window", "quality", "annotation", "iccprofile", "charset", "region", "rows"]),
        value in "SECRET\\PC{0,30}|[0-9,.eE+-]{0,30}",
    ) {
        let _ = RenderedQuery::from_parameters([(name, value.as_str())]);
        let all = [("requestType", "WADO"), ("studyUID", "1"), ("seriesUID", "1"), ("objectUID", "1"), (name, &value)];
        if let Err(error) = WadoUriQuery::from_parameters(all) {
            prop_assert!(!error.to_string().contains("SECRET"));
        }
    }
}
