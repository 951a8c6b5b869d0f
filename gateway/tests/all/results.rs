//! AI results as FHIR, by HTTP, as systems of a hospital read them.

use http::{Method, StatusCode};
use medvan::{
    catalog::ServiceName,
    store::{Answer as JobAnswer, CardText, EvidenceObject, Job, JobSeries, JobState, NewJob, Places},
};
use medvan_analysis::evidence;
use medvan_fixtures::{ehr::Keys, studies::ChestCt};
use medvan_imaging::Uid;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::dicomweb::{
    instances::chest,
    pacs::{Answer, Pacs},
};

const R5: &str = "application/fhir+json; fhirVersion=5.0";
const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);
/// The gateway's own queue takes nothing that is due only then.
const LATER: OffsetDateTime = datetime!(2999-01-01 0:00 UTC);

/// Whose images, by which service, for what: of the job with a number.
struct Work {
    number: u8,
    study: ChestCt,
    service: &'static str,
    mode: &'static str,
}

impl Work {
    fn of(number: u8) -> Self {
        Self { number, study: chest(), service: "asagao.nodules", mode: "live" }
    }

    fn id(&self) -> Uuid {
        Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.number))
    }

    fn job(&self) -> Job {
        let inputs = vec![JobSeries { uid: self.study.series_uid(), instances: vec![self.study.instance_uid(1)] }];
        Job {
            id: self.id(),
            run: self.id(),
            hospital: "kiku".parse().unwrap(),
            study: self.study.study_uid(),
            patient_id: self.study.patient_id.clone(),
            service: self.service.parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            entry: "chest".to_owned(),
            mode: self.mode.to_owned(),
            state: JobState::Waiting,
            priority: 3,
            due_at: NOON,
            deadline_at: NOON,
            attempts: 0,
            deaths: 0,
            claim: 0,
            inputs,
            fault: None,
            offered_until: None,
            prior: None,
            created_at: NOON,
            changed_at: NOON,
        }
    }

    /// The study is stored, and the service answers with findings of these codes.
    async fn finds(&self, pacs: &Pacs, codes: &[&str]) {
        let told: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
        self.answers(pacs, &told).await;
    }

    /// The same with what else is said of each; codes stand alone.
    async fn answers(&self, pacs: &Pacs, told: &[Value]) {
        pacs.stores(&self.study).await;
        let (job, at) = (self.job(), NOON + Duration::minutes(self.number.into()));
        pacs.store()
            .put_job(&NewJob { job: job.clone(), digest: [self.number; 32] }, LATER, |_, _| Ok(()))
            .await
            .unwrap();
        let finding = |told: &Value| {
            let mut finding = told.clone();
            finding["id"] = told["code"].clone();
            finding["code"] = json!({"scheme": "SCT", "code": told["code"], "meaning": "finding"});
            finding
        };
        let findings = json!({"format": "1", "findings": told.iter().map(finding).collect::<Vec<_>>()});
        let answer = JobAnswer { findings: findings.to_string(), objects: Vec::new(), kept_back: None };
        let places = Places { most: 1, of_vendor: 1, of_service: |_: &ServiceName| 1 };
        let claimed = pacs.store().claim_jobs(LATER, LATER + Duration::hours(1), places).await.unwrap();
        assert_eq!(claimed.len(), 1);
        pacs.store().answer_job(&claimed[0], &answer, at).await.unwrap();
        pacs.store().settle_job(&claimed[0], JobState::Done, at, None, at).await.unwrap();
    }

    /// And the evidence of it is stored.
    async fn tells(&self, pacs: &Pacs, codes: &[&str]) {
        let told: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
        self.tells_that(pacs, &told).await;
    }

    async fn tells_that(&self, pacs: &Pacs, told: &[Value]) {
        self.answers(pacs, told).await;
        let (series, class) = (Uid::known("1.9"), Uid::known(evidence::REPORT));
        let report = EvidenceObject { series, instance: evidence::report::instance_uid(self.id()), class };
        pacs.store().publish_analysis(&self.job(), &[report], &CardText::default()).await.unwrap();
    }
}

fn fhir(pacs: &Pacs, hospital: &str, path: &str) -> String {
    format!("{}/hospitals/{hospital}/fhir/{path}", pacs.url())
}

async fn gets(pacs: &Pacs, path: &str) -> Answer {
    pacs.gets(&fhir(pacs, "kiku", path)).await
}

/// The ids on a page, shortened to the number of the job (and of the finding), and the next page.
fn page(answer: Answer) -> (Vec<String>, Option<String>) {
    let bundle = answer.expect(StatusCode::OK).json();
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("searchset")));
    let ids = bundle["entry"].as_array().into_iter().flatten().map(|entry| {
        let id = entry["resource"]["id"].as_str().unwrap();
        assert!(entry["fullUrl"].as_str().unwrap().ends_with(&format!("/{id}")));
        id.trim_start_matches("01920000-0000-7000-8000-0000000000").to_owned()
    });
    let links = bundle["link"].as_array().unwrap();
    let next =
        links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    (ids.collect(), next)
}

/// The same in R5.
async fn gets_r5(pacs: &Pacs, path: &str) -> Answer {
    pacs.gets(&fhir(pacs, "kiku", path)).accepting(R5).await
}

async fn finds_r5(pacs: &Pacs, path: &str) -> Vec<String> {
    page(gets_r5(pacs, path).await).0
}

async fn finds(pacs: &Pacs, path: &str) -> Vec<String> {
    page(gets(pacs, path).await).0
}

/// Two services looked at the chest of one patient, one at another patient's.
async fn hospital() -> Pacs {
    let pacs = Pacs::open().await;
    Work::of(1).tells(&pacs, &["27925004", "36118008"]).await;
    Work { service: "tsubaki.bones", ..Work::of(2) }.tells(&pacs, &["125605004"]).await;
    let others = ChestCt { patient_id: "K-9".to_owned(), seed: 9, date: String::new(), ..chest() };
    Work { study: others, ..Work::of(3) }.tells(&pacs, &["27925004"]).await;
    pacs
}

#[tokio::test]
async fn results_are_found_by_what_is_known_of_them() {
    let pacs = hospital().await;
    let study = chest().study_uid();
    let device = gets(&pacs, "Device?service=tsubaki.bones").await.expect(StatusCode::OK).json();
    let device = device["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    let bones = [device.as_str()];
    let former = Work::of(1).id();
    let table: Vec<(String, &[&str])> = vec![
        ("Observation".into(), &["03.1", "02.1", "01.1", "01.2"]),
        ("Observation?patient=Patient/K-000123".into(), &["02.1", "01.1", "01.2"]),
        ("Observation?patient=K-00012".into(), &[]),
        ("Observation?patient=*".into(), &[]),
        ("Observation?code=http://snomed.info/sct|27925004".into(), &["03.1", "01.1"]),
        ("Observation?code=36118008,125605004&patient=K-000123".into(), &["02.1", "01.2"]),
        ("Observation?code=other|27925004".into(), &[]),
        (format!("Observation?device=Device/{device}"), &["02.1"]),
        (format!("Observation?device={device}&service=asagao.nodules"), &[]),
        (format!("Observation?_id={former}.2"), &["01.2"]),
        (format!("Observation?_id={former}.2&patient=K-9"), &[]),
        ("Observation?_id=nonsense".into(), &[]),
        (format!("DiagnosticReport?imagingStudy=ImagingStudy/{study}"), &["02", "01"]),
        (format!("DiagnosticReport?study=urn:dicom:uid|urn:oid:{study}&service=asagao.nodules"), &["01"]),
        ("DiagnosticReport?date=2026-11-01".into(), &["02", "01"]),
        ("DiagnosticReport?date=gt2026-11-01".into(), &[]),
        ("DiagnosticReport?date=le2026".into(), &["02", "01"]),
        ("DiagnosticReport?_lastUpdated=ge2026-11-22T12:02:00Z".into(), &["03", "02"]),
        ("DiagnosticReport?issued=2026-11-22T12:02:00Z".into(), &["02"]),
        ("DiagnosticReport?status=final".into(), &[]),
        ("DiagnosticReport?code=http://loinc.org|18748-4&patient=K-9".into(), &["03"]),
        ("DiagnosticReport?code=18748-4,other".into(), &["03", "02", "01"]),
        ("DiagnosticReport?code=27925004".into(), &[]),
        ("Provenance?date=2026-11-01".into(), &["02", "01"]),
        ("Provenance?date=2026-11-02".into(), &[]),
        ("Device?service=tsubaki.bones&patient=K-9".into(), &[]),
        ("Device?service=tsubaki.bones&patient=Patient/K-000123".into(), &bones),
        ("Device?patient=K-000124".into(), &[]),
        (format!("Device?service=tsubaki.bones&study={study}"), &bones),
        ("Device?service=tsubaki.bones&date=2026-11-01".into(), &bones),
        ("Device?date=2026-11-02".into(), &[]),
        (format!("Provenance?target=DiagnosticReport/{former}"), &["01"]),
        (format!("Provenance?target=Observation/{former}.1&patient=K-9"), &[]),
    ];
    for (path, expected) in table {
        assert_eq!(finds(&pacs, &path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn studies_are_found_as_they_are_stored() {
    let pacs = hospital().await;
    let study = chest().study_uid().to_string();
    for path in [
        "ImagingStudy?started=2026-11".to_owned(),
        "ImagingStudy?date=2026-11-01".to_owned(),
        "ImagingStudy?patient=K-000123".to_owned(),
        format!("ImagingStudy?identifier=urn:dicom:uid|urn:oid:{study}"),
        format!("ImagingStudy?_id={study}&modality=CT&started=2026-11"),
    ] {
        assert_eq!(finds(&pacs, &path).await, [study.as_str()], "{path}");
    }
    for path in
        ["ImagingStudy?patient=*", "ImagingStudy?patient=K-*", "ImagingStudy?modality=MR", "ImagingStudy?_id=1.2"]
    {
        assert!(finds(&pacs, path).await.is_empty(), "{path}");
    }
    let read = gets(&pacs, &format!("ImagingStudy/{study}")).await.expect(StatusCode::OK).json();
    assert_eq!((&read["numberOfSeries"], &read["series"][0]["modality"]["code"]), (&json!(1), &json!("CT")));
    assert_eq!(read["series"][0]["numberOfInstances"], read["numberOfInstances"]);
    assert_eq!((&read["started"], &read["description"]), (&json!("2026-11-01"), &json!("胸部CT")));
    assert_eq!(read["contained"][0]["address"], json!(pacs.root()));
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let pacs = hospital().await;
    for (path, all) in [("Observation?_count=1", 4), ("DiagnosticReport?_count=2", 3), ("Device?_count=1", 2)] {
        let (mut seen, mut next) = (Vec::new(), Some(fhir(&pacs, "kiku", path)));
        while let Some(url) = next {
            let (ids, further) = page(pacs.gets(&url).await);
            assert!(!ids.is_empty(), "{path}");
            seen.extend(ids);
            next = further;
        }
        assert_eq!(seen.len(), all, "{path}: {seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), all, "{path}: {seen:?}");
    }
}

#[tokio::test]
async fn many_results_are_paged_beyond_what_is_read_at_once() {
    let pacs = Pacs::open().await;
    for number in 1..=45 {
        // Each of another study: none takes the place of another.
        let study = ChestCt { seed: number.into(), slices: 1, ..chest() };
        Work { study, ..Work::of(number) }.tells(&pacs, &["27925004"]).await;
    }
    assert_eq!(finds(&pacs, "Observation?_count=200").await.len(), 45);
    let (ids, next) = page(gets(&pacs, "DiagnosticReport?patient=K-000123&_count=44").await);
    assert_eq!((ids.len(), page(pacs.gets(&next.unwrap()).await).0), (44, vec!["01".to_owned()]));
}

#[tokio::test]
async fn what_was_replaced_is_withdrawn_and_found_by_no_search() {
    let pacs = hospital().await;
    let (former, later) = (Work::of(1).id(), Work::of(4).id());
    Work::of(4).tells(&pacs, &["27925004"]).await;
    assert_eq!(finds(&pacs, "DiagnosticReport?service=asagao.nodules&patient=K-000123").await, ["04"]);
    for path in [format!("DiagnosticReport/{former}"), format!("Observation/{former}.1")] {
        assert_eq!(gets(&pacs, &path).await.expect(StatusCode::OK).json()["status"], "entered-in-error", "{path}");
    }
    let provenance = gets(&pacs, &format!("Provenance/{later}")).await.expect(StatusCode::OK).json();
    let revised: Vec<&Value> =
        provenance["entity"].as_array().unwrap().iter().filter(|entity| entity["role"] == "revision").collect();
    assert_eq!(revised.len(), 1);
    assert_eq!(revised[0]["what"]["reference"], json!(format!("DiagnosticReport/{former}")));
}

#[tokio::test]
async fn what_a_shadow_found_and_what_is_not_stored_yet_is_not_there() {
    let pacs = hospital().await;
    let shadow = Work { mode: "shadow", service: "ran.shadow", ..Work::of(5) };
    shadow.tells(&pacs, &["27925004"]).await;
    let unfinished = Work { service: "ran.unfinished", ..Work::of(6) };
    unfinished.finds(&pacs, &["27925004"]).await;
    for hidden in [shadow, unfinished] {
        let id = hidden.id();
        for path in [format!("DiagnosticReport/{id}"), format!("Observation/{id}.1"), format!("Provenance/{id}")] {
            gets(&pacs, &path).await.expect(StatusCode::NOT_FOUND);
        }
        for kind in ["DiagnosticReport", "Observation", "Provenance", "Device"] {
            assert!(finds(&pacs, &format!("{kind}?service={}", hidden.service)).await.is_empty(), "{kind}");
        }
    }
}

#[tokio::test]
async fn another_hospitals_results_are_not_there() {
    let pacs = hospital().await;
    pacs.hospital("ran", json!({"aeTitle": "RAN"})).await;
    pacs.client("ran", "pacs", json!("loopback")).await;
    let (id, study) = (Work::of(1).id(), chest().study_uid());
    let device = gets(&pacs, "Device").await.json()["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    for path in [
        format!("DiagnosticReport/{id}"),
        format!("Observation/{id}.1"),
        format!("Provenance/{id}"),
        format!("ImagingStudy/{study}"),
        format!("Device/{device}"),
    ] {
        gets(&pacs, &path).await.expect(StatusCode::OK);
        let outcome = pacs.gets(&fhir(&pacs, "ran", &path)).await.expect(StatusCode::NOT_FOUND).json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{path}");
    }
    for kind in ["DiagnosticReport", "Observation", "Provenance", "ImagingStudy", "Device"] {
        assert!(page(pacs.gets(&fhir(&pacs, "ran", kind)).await).0.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn refusals_are_operation_outcomes() {
    let pacs = hospital().await;
    for (path, status) in [
        ("Observation?pateint=K-000123", StatusCode::BAD_REQUEST),
        ("Observation?_after=nonsense", StatusCode::BAD_REQUEST),
        ("ImagingStudy?_after=nonsense", StatusCode::BAD_REQUEST),
        ("Patient?_id=1", StatusCode::NOT_FOUND),
        ("Observation/nonsense", StatusCode::NOT_FOUND),
        ("DiagnosticReport/..%2Fmetadata", StatusCode::NOT_FOUND),
        ("Observation?_format=xml", StatusCode::NOT_ACCEPTABLE),
    ] {
        let answer = gets(&pacs, path).await.expect(status);
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{path}");
    }
    let root = fhir(&pacs, "kiku", "Observation");
    for (accept, status) in [
        ("application/fhir+json; fhirVersion=4.0", StatusCode::OK),
        ("application/fhir+xml, application/json;q=0.1", StatusCode::OK),
        ("*/*", StatusCode::OK),
        ("application/fhir+json; fhirVersion=3.0", StatusCode::NOT_ACCEPTABLE),
        ("application/fhir+xml", StatusCode::NOT_ACCEPTABLE),
    ] {
        pacs.gets(&root).accepting(accept).await.expect(status);
    }
    pacs.gets(&root).with("authorization", "Bearer nothing").await.expect(StatusCode::UNAUTHORIZED);
    pacs.gets(&fhir(&pacs, "nowhere", "Observation")).await.expect(StatusCode::UNAUTHORIZED);
    pacs.gets(&format!("{root}?pateint=1")).with("prefer", "handling=lenient").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_search_may_come_as_a_form_so_that_no_patient_stands_in_an_address() {
    let pacs = hospital().await;
    let url = fhir(&pacs, "kiku", "DiagnosticReport/_search");
    let form = "application/x-www-form-urlencoded";
    let found = pacs.posts(&url, form, "patient=K-9").await;
    assert_eq!(page(found).0, ["03"]);
    pacs.posts(&url, "application/json", "{}").await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    pacs.posts(&url, form, "a".repeat(70_000)).await.expect(StatusCode::PAYLOAD_TOO_LARGE);
    pacs.asks(Method::DELETE, &url).await.expect(StatusCode::METHOD_NOT_ALLOWED);
}

/// Every parameter that the statement names is known to the search.
#[tokio::test]
async fn the_capability_statement_says_what_can_be_asked() {
    let pacs = hospital().await;
    for (accept, version, kinds) in [("application/fhir+json", "4.0.1", 5), (R5, "5.0.0", 6)] {
        let statement =
            pacs.gets(&fhir(&pacs, "kiku", "metadata")).accepting(accept).await.expect(StatusCode::OK).json();
        assert_eq!((&statement["fhirVersion"], &statement["kind"]), (&json!(version), &json!("instance")));
        assert_eq!(statement["rest"][0]["resource"].as_array().unwrap().len(), kinds);
        can_be_asked(&pacs, accept, &statement).await;
    }
}

async fn can_be_asked(pacs: &Pacs, accept: &str, statement: &Value) {
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let kind = resource["type"].as_str().unwrap();
        for parameter in resource["searchParam"].as_array().unwrap() {
            let (name, form) = (parameter["name"].as_str().unwrap(), parameter["type"].as_str().unwrap());
            let value = match (name, form) {
                ("service", _) => "asagao.nodules",
                ("device" | "target", _) => "01920000-0000-7000-8000-000000000001",
                (_, "date") => "2026",
                _ => "1.2",
            };
            pacs.gets(&fhir(pacs, "kiku", &format!("{kind}?{name}={value}")))
                .accepting(accept)
                .await
                .expect(StatusCode::OK);
        }
    }
}

/// A token is good for every request until it ends, and for this root only.
#[tokio::test]
async fn a_token_is_for_the_fhir_root_of_one_hospital() {
    let pacs = hospital().await;
    let keys = Keys::generate();
    let issuer = "https://portal.kiku.example";
    pacs.client("kiku", "portal", json!({"jwt": {"issuer": issuer, "jwks": {"keys": [keys.jwk()]}}})).await;
    let token = |audience: &str| {
        let now = medvan::clock::Clock::system().now().unix_timestamp();
        let claims = json!({"iss": issuer, "aud": audience, "iat": now, "exp": now + 300, "jti": audience});
        format!("Bearer {}", keys.sign(&json!({"alg": "ES384", "typ": "JWT", "kid": keys.kid()}), &claims))
    };
    let url = fhir(&pacs, "kiku", "Observation");
    let good = token(url.trim_end_matches("/Observation"));
    for _ in 0..2 {
        pacs.gets(&url).with("authorization", &good).await.expect(StatusCode::OK);
    }
    for wrong in [pacs.root(), format!("{}/hospitals/ran/fhir", pacs.url())] {
        pacs.gets(&url).with("authorization", &token(&wrong)).await.expect(StatusCode::UNAUTHORIZED);
    }
    pacs.gets("/studies").with("authorization", &good).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_services_found_lies_side_by_side_and_where_they_disagree_is_said() {
    let pacs = hospital().await;
    let url = |hospital: &str| format!("{}/hospitals/{hospital}/findings?study={}", pacs.url(), chest().study_uid());
    Work { service: "ran.excludes", ..Work::of(7) }
        .tells_that(&pacs, &[json!({"code": "27925004", "presence": "absent"})])
        .await;
    Work { mode: "shadow", service: "ran.shadow", ..Work::of(8) }.tells(&pacs, &["1"]).await;
    let told = pacs.gets(&url("kiku")).await.expect(StatusCode::OK).json();
    let services: Vec<&str> =
        told["services"].as_array().unwrap().iter().map(|one| one["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["asagao.nodules", "ran.excludes", "tsubaki.bones"], "and nothing of the shadow");
    assert_eq!(told["warning"], "AI RESULT - NOT FOR DIAGNOSIS");
    assert_eq!(told["services"][0]["findings"]["findings"][0]["code"]["code"], "27925004");
    assert_eq!(told["services"][0]["inputs"][0]["instances"][0], json!(chest().instance_uid(1)));
    let [disagreement] = &told["disagreements"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!(disagreement["about"]["code"], "27925004");
    assert_eq!(
        disagreement["says"],
        json!([{"service": 0, "answers": ["present"]}, {"service": 1, "answers": ["absent"]}])
    );

    pacs.hospital("ran", json!({"aeTitle": "RAN"})).await;
    pacs.client("ran", "pacs", json!("loopback")).await;
    assert_eq!(pacs.gets(&url("ran")).await.expect(StatusCode::OK).json()["services"], json!([]));
    pacs.gets(&fhir(&pacs, "kiku", "x").replace("/fhir/x", "/findings")).await.expect(StatusCode::BAD_REQUEST);
}

/// A viewer draws what lies in the patient as it draws what lies in an image.
#[tokio::test]
async fn places_in_the_patient_are_told_in_the_pixels_of_the_images_that_show_them() {
    let pacs = Pacs::open().await;
    let frame = chest().frame_of_reference_uid();
    let point = |height: f64| json!({"type": "patient-point", "frameOfReference": frame, "at": [-180, -180, height]});
    let told = [
        json!({"code": "1", "place": point(-1.2)}),
        json!({"code": "2", "place": point(300.0)}),
        json!({"code": "3", "place": point(-1.0), "presence": "absent"}),
        json!({"code": "4"}),
    ];
    Work::of(1).tells_that(&pacs, &told).await;
    let url = format!("{}/hospitals/kiku/findings?study={}", pacs.url(), chest().study_uid());
    let told = pacs.gets(&url).await.expect(StatusCode::OK).json();
    let trace = json!({
        "series": chest().series_uid(), "instance": chest().instance_uid(1), "lines": [[[0.5, 0.5]]], "distance": 0.2,
    });
    assert_eq!(
        told["services"][0]["projections"],
        json!([{"finding": 0, "images": [trace]}, {"finding": 1, "images": []}])
    );
    assert_eq!((&told["omittedPlaces"], &told["moreImages"]), (&json!(0), &json!(false)));
}

/// A box, a mask and nothing, of one patient; a box of another.
async fn places() -> Pacs {
    let pacs = Pacs::open().await;
    let at = |instance: u32| json!({"instance": chest().instance_uid(instance)});
    let site = json!({"scheme": "SCT", "code": "39607008", "meaning": "Lung"});
    let mask = json!({"type": "mask", "frames": [{"image": at(1), "runs": [0, 4]}, {"image": at(2), "runs": [1, 3]}]});
    let boxed = |image: Value| json!({"type": "box", "image": image, "from": [1.0, 2.0], "to": [3.0, 4.5]});
    let told = [
        json!({"code": "27925004", "place": boxed(at(1)), "site": site, "trackingUid": "1.2.3.4"}),
        json!({"code": "36118008", "presence": "absent"}),
        json!({"code": "125605004", "place": mask}),
    ];
    Work::of(1).tells_that(&pacs, &told).await;
    let others = ChestCt { patient_id: "K-9".to_owned(), seed: 9, date: String::new(), ..chest() };
    let image = json!({"instance": others.instance_uid(1)});
    Work { study: others, ..Work::of(2) }.tells_that(&pacs, &[json!({"code": "1", "place": boxed(image)})]).await;
    pacs
}

#[tokio::test]
async fn the_release_of_fhir_is_the_callers_to_choose() {
    let pacs = Pacs::open().await;
    let url = fhir(&pacs, "kiku", "metadata");
    let (json_r5, xml) = ("application/fhir%2Bjson; fhirVersion=5.0", "application/fhir+xml");
    for (format, accept, version) in [
        ("", "*/*", "4.0.1"),
        ("", "application/fhir+json", "4.0.1"),
        ("", "application/fhir+json; fhirVersion=4.0", "4.0.1"),
        ("", "application/fhir+json; fhirVersion=5.0", "5.0.0"),
        ("", "application/fhir+json;fhirVersion=\"5.0.0\"", "5.0.0"),
        ("", "application/fhir+json, application/fhir+json; fhirVersion=5.0", "5.0.0"),
        ("", "application/fhir+json; fhirVersion=5.0; q=0.5, application/fhir+json; fhirVersion=4.0; q=0.9", "4.0.1"),
        ("", "application/fhir+json; fhirVersion=5.0; q=0, application/json", "4.0.1"),
        ("", "application/fhir+json; fhirVersion=6.0, application/fhir+json; fhirVersion=5.0; q=0.1", "5.0.0"),
        (json_r5, "*/*", "5.0.0"),
        (json_r5, xml, "5.0.0"),
        (json_r5, "application/fhir+json; fhirVersion=4.0", "5.0.0"),
        ("application/fhir+json; fhirVersion=5.0", "*/*", "5.0.0"),
        ("json", "application/fhir+json; fhirVersion=5.0", "5.0.0"),
        ("json", xml, "4.0.1"),
    ] {
        let url = if format.is_empty() { url.clone() } else { format!("{url}?_format={format}") };
        let answer = pacs.gets(&url).accepting(accept).await.expect(StatusCode::OK);
        let media = format!("application/fhir+json; fhirVersion={}", &version[..3]);
        assert_eq!(answer.headers["content-type"], media, "{format} {accept}");
        assert_eq!(answer.json()["fhirVersion"], version, "{format} {accept}");
    }
    for accept in ["application/fhir+json; fhirVersion=3.0", xml, "application/fhir+json; fhirVersion=5.0; q=0"] {
        pacs.gets(&url).accepting(accept).await.expect(StatusCode::NOT_ACCEPTABLE);
    }
    pacs.gets(&format!("{url}?_format=json; fhirVersion=3.0")).accepting(R5).await.expect(StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn selections_are_found_by_what_is_known_of_them() {
    let pacs = places().await;
    let study = chest().study_uid();
    let id = Work::of(1).id();
    let report = evidence::report::observation_uid(id, 1);
    let all: &[&str] =
        &["02.1.place", "02.1.report", "01.1.place", "01.1.report", "01.2.report", "01.3.place", "01.3.report"];
    let table: Vec<(String, &[&str])> = vec![
        ("ImagingSelection".into(), all),
        ("ImagingSelection?patient=Patient/K-9".into(), &all[..2]),
        (format!("ImagingSelection?study-uid={study}"), &all[2..]),
        (
            format!("ImagingSelection?derived-from=ImagingStudy/{study}&code=111040"),
            &["01.1.report", "01.2.report", "01.3.report"],
        ),
        (
            "ImagingSelection?code=http://dicom.nema.org/resources/ontology/DCM|111030".into(),
            &["02.1.place", "01.1.place"],
        ),
        ("ImagingSelection?body-site=http://snomed.info/sct|39607008".into(), &["01.1.place", "01.1.report"]),
        ("ImagingSelection?body-site=39607008&code=111030".into(), &["01.1.place"]),
        ("ImagingSelection?identifier=urn:dicom:uid|urn:oid:1.2.3.4".into(), &["01.1.place"]),
        (format!("ImagingSelection?identifier=urn:dicom:uid|urn:oid:{report}"), &["01.2.report"]),
        (format!("ImagingSelection?_id={id}.3.place,{id}.1.report"), &["01.1.report", "01.3.place"]),
        (format!("ImagingSelection?_id={id}.3.place&patient=K-9"), &[]),
        ("ImagingSelection?status=available&issued=2026-11-22T12:02:00Z".into(), &all[..2]),
        ("ImagingSelection?status=entered-in-error".into(), &[]),
        (format!("Observation?derived-from=ImagingSelection/{id}.3.place"), &["01.3"]),
        (format!("Observation?derived-from=ImagingSelection/{id}.3.place&_id={id}.1"), &[]),
        ("Observation?derived-from=ImagingSelection/x.1.place".into(), &[]),
        (format!("DiagnosticReport?study=ImagingStudy/{study}"), &["01"]),
    ];
    for (path, expected) in table {
        assert_eq!(finds_r5(&pacs, &path).await, expected, "{path}");
    }
}

/// A mask is of images whose classes the index knows; the observation leads to it.
#[tokio::test]
async fn a_selection_is_read_from_its_observation() {
    let pacs = places().await;
    let id = Work::of(1).id();
    let observation = gets_r5(&pacs, &format!("Observation/{id}.3")).await.expect(StatusCode::OK).json();
    let derived = observation["derivedFrom"].as_array().unwrap();
    assert_eq!(derived.len(), 3, "{derived:?}");
    let read = gets_r5(&pacs, derived[0]["reference"].as_str().unwrap()).await.expect(StatusCode::OK).json();
    let images = read["instance"].as_array().unwrap();
    let uids: Vec<&Value> = images.iter().map(|image| &image["uid"]).collect();
    assert_eq!(uids, [&json!(chest().instance_uid(1)), &json!(chest().instance_uid(2))]);
    assert_eq!(images[0]["sopClass"]["code"], "urn:oid:1.2.840.10008.5.1.4.1.1.2");
    assert_eq!((&read["studyUid"], &read["seriesUid"]), (&json!(chest().study_uid()), &json!(chest().series_uid())));
    let report = gets_r5(&pacs, read["focus"][0]["reference"].as_str().unwrap()).await.expect(StatusCode::OK).json();
    assert_eq!(report["instance"][0]["subset"], json!([evidence::report::observation_uid(id, 2)]));
    // A region of R4 is in words only.
    let r4 = gets(&pacs, &format!("Observation/{id}.1")).await.expect(StatusCode::OK).json();
    assert!(r4["component"][0]["valueString"].as_str().unwrap().contains("box from 1, 2 to 3, 4.5"), "{r4}");
    assert_eq!(r4["derivedFrom"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_of_selections_follow_each_other_without_a_gap() {
    let pacs = places().await;
    for count in [1, 2, 3] {
        let (mut seen, mut next) = (Vec::new(), Some(fhir(&pacs, "kiku", &format!("ImagingSelection?_count={count}"))));
        while let Some(url) = next {
            let (ids, further) = page(pacs.gets(&url).accepting(R5).await);
            assert!(ids.len() <= count && !ids.is_empty());
            seen.extend(ids);
            next = further;
        }
        assert_eq!(seen, finds_r5(&pacs, "ImagingSelection").await);
    }
    for after in ["nonsense", "1.2.place", &format!("{}.1", Work::of(1).id()), &format!("{}.1.whole", Work::of(1).id())]
    {
        gets_r5(&pacs, &format!("ImagingSelection?_after={after}")).await.expect(StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn what_r4_lacks_is_refused_there_with_the_way_to_it() {
    let pacs = places().await;
    for path in ["ImagingSelection".to_owned(), format!("ImagingSelection/{}.1.place", Work::of(1).id())] {
        gets_r5(&pacs, &path).await.expect(StatusCode::OK);
        let outcome = gets(&pacs, &path).await.expect(StatusCode::NOT_FOUND).json();
        assert_eq!(outcome["issue"][0]["code"], "not-supported");
        assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains("fhirVersion=5.0"), "{outcome}");
    }
    gets(&pacs, "Observation?derived-from=ImagingSelection/1.1.place").await.expect(StatusCode::BAD_REQUEST);
    gets_r5(&pacs, "BodyStructure").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn selections_of_others_of_shadows_and_of_what_was_replaced_are_not_found() {
    let pacs = places().await;
    pacs.hospital("ran", json!({"aeTitle": "RAN"})).await;
    pacs.client("ran", "pacs", json!("loopback")).await;
    let id = Work::of(1).id();
    let path = format!("ImagingSelection/{id}.1.place");
    gets_r5(&pacs, &path).await.expect(StatusCode::OK);
    pacs.gets(&fhir(&pacs, "ran", &path)).accepting(R5).await.expect(StatusCode::NOT_FOUND);
    for query in [String::new(), format!("?_id={id}.1.place"), "?identifier=urn:dicom:uid|urn:oid:1.2.3.4".to_owned()] {
        let found = pacs.gets(&fhir(&pacs, "ran", &format!("ImagingSelection{query}"))).accepting(R5).await;
        assert!(page(found).0.is_empty(), "{query}");
    }
    let image = json!({"type": "image", "image": {"instance": chest().instance_uid(1)}});
    let found = [json!({"code": "27925004", "place": image})];
    let shadow = Work { mode: "shadow", service: "ran.shadow", ..Work::of(5) };
    shadow.tells_that(&pacs, &found).await;
    gets_r5(&pacs, &format!("ImagingSelection/{}.1.place", shadow.id())).await.expect(StatusCode::NOT_FOUND);
    Work::of(4).tells_that(&pacs, &found).await;
    assert_eq!(finds_r5(&pacs, "ImagingSelection?patient=K-000123").await, ["04.1.place", "04.1.report"]);
    let former = gets_r5(&pacs, &path).await.expect(StatusCode::OK).json();
    assert_eq!(former["status"], "entered-in-error");
    for nothing in ["1.report.x", "9.place", "2.place", "1.segment", "01.place", "0.place"] {
        gets_r5(&pacs, &format!("ImagingSelection/{id}.{nothing}")).await.expect(StatusCode::NOT_FOUND);
    }
}

/// Masks over many images: a page ends where it is large, and the next goes on.
#[tokio::test]
async fn large_selections_are_paged_by_their_bytes() {
    let pacs = Pacs::open().await;
    let frame = |number: usize| json!({"image": {"instance": format!("2.25.{number:036}")}, "runs": [0, 1]});
    let frames: Vec<Value> = (0..20_000).map(frame).collect();
    let mask = |code: usize| json!({"code": code.to_string(), "place": {"type": "mask", "frames": frames}});
    Work::of(1).answers(&pacs, &(1..=6).map(mask).collect::<Vec<_>>()).await;
    pacs.store().publish_analysis(&Work::of(1).job(), &[], &CardText::default()).await.unwrap();
    let (first, next) = page(gets_r5(&pacs, "ImagingSelection").await);
    let (rest, end) = page(pacs.gets(&next.unwrap()).accepting(R5).await);
    assert!(first.len() > 1 && !rest.is_empty(), "{first:?} {rest:?}");
    assert_eq!(end, None);
    let all: Vec<String> = (1..=6).map(|number| format!("01.{number}.place")).collect();
    assert_eq!([first, rest].concat(), all);
}
