//! Services that compare with an earlier study: which one they are given, in each way in which they are talked to.

mod archive;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri};
use medvan_fixtures::{
    analyzers::ct_density,
    running::{self, Running},
    studies::ChestCt,
};
use medvan_imaging::{Uid, dimse::Operation};
use serde_json::{Value, json};

use crate::{
    dicomweb::{
        instances::{EXPLICIT, chest},
        pacs::{Answer, Pacs},
    },
    dimse::peer::Scp,
};

const DICOM_JSON: &str = "application/dicom+json";

/// A vendor's service that remembers what it is given.
struct Service {
    base_url: String,
    seen: Arc<Mutex<Vec<Given>>>,
    _running: Running,
}

/// One request that brought images.
#[derive(Debug, Clone)]
struct Given {
    path: String,
    /// The first part of a request that describes its images.
    described: Value,
    /// Parts that are images.
    images: usize,
    has_job_token: bool,
}

impl Service {
    async fn start() -> Self {
        let bound = running::bind(running::ANY_PORT).await.unwrap();
        let (base_url, seen) = (bound.base_url(), Arc::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        Self { base_url, seen, _running: bound.serve(router) }
    }

    /// What its vendor registers: it looks two years back.
    fn descriptor(&self, way: &Value) -> Value {
        let mut descriptor = ct_density::ANALYZER.descriptor(&self.base_url);
        descriptor["images"][0]["way"] = way.clone();
        descriptor["images"][0]["needs"] = json!({
            "series": [{ "name": "chest", "rules": { "modality": ["CT", "MR"] } }], "prior": { "withinMonths": 24 },
        });
        descriptor["images"][0]["limits"] = json!({ "deadlineSeconds": 20, "attempts": 1 });
        descriptor
    }

    fn seen(&self) -> Vec<Given> {
        self.seen.lock().unwrap().clone()
    }
}

/// Stores all that comes; what is to be analyzed has one finding, in the last image of all.
async fn answer(
    State(seen): State<Arc<Mutex<Vec<Given>>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method != Method::POST {
        return StatusCode::NOT_FOUND.into_response();
    }
    let has_job_token = headers.contains_key("medvan-job-token");
    let parts = Answer { status: StatusCode::OK, headers, body }.parts();
    let described = serde_json::from_slice::<Value>(&parts[0].body).unwrap_or_default();
    let images = parts.iter().filter(|part| part.media() == "application/dicom").count();
    let path = uri.path().to_owned();
    let analyzes = path == "/analyze" || path == "/analyze-prior";
    let of = if path == "/analyze-prior" { &described["prior"] } else { &described };
    let instance = of["images"].as_array().and_then(|images| images.last()).map(|image| image["instance"].clone());
    seen.lock().unwrap().push(Given { path, described, images, has_job_token });
    let findings = json!({ "format": "1", "findings": [{
        "id": "a", "code": { "scheme": "SCT", "code": "27925004", "meaning": "Nodule" },
        "place": { "type": "point", "image": { "instance": instance }, "at": [4.0, 4.0] },
    }] });
    let (media, answer) =
        if analyzes { ("application/json", findings.to_string()) } else { (DICOM_JSON, "{}".to_owned()) };
    ([("content-type", media)], answer).into_response()
}

/// Looks until something is there.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), seen).await.expect("it comes in time")
}

async fn hospital() -> Pacs {
    Pacs::with(json!({"aeTitle": "KIKU", "completeness": {"quietSeconds": 1}})).await
}

fn of(seed: u32, patient: &str, date: &str) -> ChestCt {
    ChestCt { seed, patient_id: patient.to_owned(), date: date.to_owned(), slices: 2, ..chest() }
}

fn at_hand() -> ChestCt {
    of(1, "K-1", "20261101")
}

/// The study that is comparable.
fn prior() -> ChestCt {
    of(2, "K-1", "20260501")
}

/// Stores a study of which nobody wants anything yet.
async fn stores(pacs: &Pacs, study: &ChestCt) {
    pacs.stores(study).await;
    is_judged(pacs, study).await;
}

/// What was judged is no new work for those who are enrolled later.
async fn is_judged(pacs: &Pacs, study: &ChestCt) {
    until(async || matching(pacs, study).await?["judgedAt"].is_string().then_some(())).await;
}

/// Another patient's, a later one, one that is too old, and one of another modality: none is comparable.
async fn stores_others(pacs: &Pacs) {
    for study in [of(3, "K-2", "20260901"), of(4, "K-1", "20261201"), of(5, "K-1", "20241031")] {
        stores(pacs, &study).await;
    }
    let (ct, mr) = (b"\x08\x00\x60\x00CS\x02\x00CT", b"\x08\x00\x60\x00CS\x02\x00MR");
    let study = magnetic();
    let files = study.files().map(|mut file| {
        let at = file.windows(ct.len()).position(|window| window == ct).unwrap();
        file[at..at + ct.len()].copy_from_slice(mr);
        file
    });
    pacs.sends(files.collect::<Vec<_>>()).await.was_stored();
    is_judged(pacs, &study).await;
}

fn magnetic() -> ChestCt {
    of(6, "K-1", "20261001")
}

/// Enrols the hospital in what a descriptor describes.
async fn enrolls(pacs: &Pacs, descriptor: &Value) {
    let text = |name: &str| descriptor[name].as_str().unwrap().to_owned();
    let (vendor, id) = (text("vendor"), text("id"));
    let about = json!({
        "id": vendor, "name": {"ja": "会社", "en": "Company"}, "contact": {"name": "Support", "email": "support@company.example"},
    });
    pacs.puts(&format!("/vendors/{vendor}"), &about).await;
    let version = format!("/vendors/{vendor}/services/{id}/versions/1.0.0");
    pacs.puts(&version, descriptor).await;
    pacs.manages("operator", Method::POST, &format!("{version}/submit"), &json!({})).await.expect_success();
    let approval = json!({"decision": "approve", "reason": "test"});
    pacs.manages("governor", Method::POST, &format!("{version}/decision"), &approval).await.expect_success();
    let enrollment = json!({"hospital": "kiku", "service": format!("{vendor}.{id}"), "mode": "live"});
    pacs.puts(&format!("/hospitals/kiku/enrollments/{vendor}.{id}"), &enrollment).await;
}

/// What is told of a study; nothing where it is not stored.
async fn matching(pacs: &Pacs, study: &ChestCt) -> Option<Value> {
    let path = format!("/hospitals/kiku/studies/{}/matching", study.study_uid());
    let answer = pacs.manages("operator", Method::GET, &path, &json!(null)).await;
    (answer.status == StatusCode::OK).then(|| answer.json())
}

/// The one job of the hospital, once it is in this state.
async fn job(pacs: &Pacs, state: &str) -> Value {
    until(async || {
        let jobs = pacs.manages("operator", Method::GET, "/hospitals/kiku/jobs", &json!(null)).await.json();
        let jobs = jobs["items"].as_array().unwrap();
        assert!(jobs.len() <= 1, "{jobs:?}");
        jobs.first().filter(|job| job["state"] == state).cloned()
    })
    .await
}

fn image_json(path: &str) -> Value {
    json!({ "kind": "image-json", "path": path, "send": "dicom" })
}

#[tokio::test]
async fn a_service_is_given_the_latest_comparable_study_too_and_no_other() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores_others(&pacs).await;
    stores(&pacs, &prior()).await;
    enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
    pacs.stores(&at_hand()).await;
    let done = job(&pacs, "done").await;

    let [given] = &service.seen()[..] else { panic!("one request") };
    let described = &given.described;
    assert_eq!((given.images, &described["study"]), (4, &json!(at_hand().study_uid())));
    assert_eq!(described["prior"]["study"], json!(prior().study_uid()));
    let told = |images: &Value| {
        let images = images.as_array().unwrap().clone();
        images.into_iter().map(|image| (image["part"].clone(), image["instance"].clone())).collect::<Vec<_>>()
    };
    let expected = |study: &ChestCt, first: u32| {
        (1..=2).map(|slice| (json!(first + slice), json!(study.instance_uid(slice)))).collect::<Vec<_>>()
    };
    assert_eq!(told(&described["images"]), expected(&at_hand(), 1));
    assert_eq!(told(&described["prior"]["images"]), expected(&prior(), 3));

    // Why this one: what was looked at before it, and what it is itself.
    let told = matching(&pacs, &at_hand()).await.unwrap();
    let found = &told["services"][0]["prior"];
    let study = |at: usize| &found["studies"][at];
    assert_eq!(found["chosen"], json!(prior().study_uid()));
    assert_eq!(study(0)["study"], json!(magnetic().study_uid()));
    assert_eq!(study(0)["refusals"][0]["rule"], "modality");
    assert_eq!((&study(1)["fits"], &study(1)["score"], &study(2)["fits"]), (&json!(true), &json!(100), &json!(null)));
    assert_eq!((&told["jobs"][0]["id"], &told["jobs"][0]["prior"]), (&done["id"], &json!(prior().study_uid())));
    assert_eq!(told["evidence"]["services"][0]["prior"]["chosen"], json!(prior().study_uid()));

    // The very same work is not done twice.
    let path = format!("/hospitals/kiku/studies/{}/matching", at_hand().study_uid());
    let judged_at = told["judgedAt"].clone();
    pacs.manages("operator", Method::POST, &path, &json!(null)).await.expect(StatusCode::ACCEPTED);
    until(async || (matching(&pacs, &at_hand()).await?["judgedAt"] != judged_at).then_some(())).await;
    job(&pacs, "done").await;
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn without_a_comparable_study_the_work_is_done_alone_and_it_is_said_why() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores_others(&pacs).await;
    enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
    pacs.stores(&at_hand()).await;
    job(&pacs, "done").await;
    let [given] = &service.seen()[..] else { panic!("one request") };
    assert_eq!((given.images, given.described.get("prior")), (2, None));
    let told = matching(&pacs, &at_hand()).await.unwrap();
    let found = &told["services"][0]["prior"];
    assert_eq!(found.get("chosen"), None);
    let refused: Vec<_> =
        found["studies"].as_array().unwrap().iter().map(|study| &study["refusals"][0]["rule"]).collect();
    assert_eq!(refused, ["modality", "withinMonths"]);
    assert_eq!(found["studies"][1]["refusals"][0]["ja"], "過去検査の時期: 条件は from 20241101、実際は 20241031");
}

#[tokio::test]
async fn nothing_is_found_in_a_prior() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores(&pacs, &prior()).await;
    enrolls(&pacs, &service.descriptor(&image_json("/analyze-prior"))).await;
    pacs.stores(&at_hand()).await;
    let dead = job(&pacs, "dead").await;
    let fault = dead["fault"].as_str().unwrap();
    assert!(fault.contains("none of this job's images") && fault.contains("prior are for comparison"), "{fault}");
}

#[tokio::test]
async fn a_prior_that_became_another_patients_is_not_given() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores(&pacs, &prior()).await;
    let way = json!({ "kind": "worklist", "expects": ["SR"] });
    let descriptor = service.descriptor(&way);
    enrolls(&pacs, &descriptor).await;
    pacs.stores(&at_hand()).await;
    let offered = job(&pacs, "offered").await;
    let store = pacs.store();
    let kiku = "kiku".parse().unwrap();
    let is_one = async |other: &ChestCt| {
        store.are_of_one_patient(&kiku, &at_hand().study_uid(), &other.study_uid()).await.unwrap()
    };
    assert!(is_one(&prior()).await && !is_one(&of(3, "K-2", "20260901")).await);
    let (vendor, root) = credential(&pacs, &descriptor).await;
    takes(&pacs, &root, &vendor, &offered).await;
    let images = |study: &ChestCt| format!("{root}/studies/{}", study.study_uid());
    let bearer = format!("Bearer {vendor}");
    let gets = async |study: &ChestCt| pacs.gets(&images(study)).with("authorization", &bearer).await;
    gets(&prior()).await.expect(StatusCode::OK);
    // The hospital corrects whose the earlier study is.
    pacs.hospital("kiku", json!({"aeTitle": "KIKU", "completeness": {"quietSeconds": 1}, "onConflict": "replace"}))
        .await;
    pacs.sends(ChestCt { patient_id: "K-9".to_owned(), ..prior() }.files().collect::<Vec<_>>()).await;
    assert!(!is_one(&prior()).await, "it is corrected");
    gets(&prior()).await.expect(StatusCode::NOT_FOUND);
    gets(&at_hand()).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_archive_of_a_service_has_the_prior_before_the_study_at_hand() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores(&pacs, &prior()).await;
    let way = json!({ "kind": "dicomweb", "path": "/root", "results": "store", "expects": ["SR"] });
    enrolls(&pacs, &service.descriptor(&way)).await;
    pacs.stores(&at_hand()).await;
    let given = until(async || (service.seen().len() == 2).then(|| service.seen())).await;
    let given: Vec<_> = given.iter().map(|given| (given.path.as_str(), given.images, given.has_job_token)).collect();
    let [before, at_hand] = [prior(), at_hand()].map(|study| format!("/root/studies/{}", study.study_uid()));
    assert_eq!(given, [(before.as_str(), 2, false), (at_hand.as_str(), 2, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_entity_is_sent_the_prior_before_the_study_at_hand() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores(&pacs, &prior()).await;
    let scp = Scp::listening(2, &["1.2.840.10008.5.1.4.1.1.2"], EXPLICIT, vec![]);
    let way =
        json!({ "kind": "dimse", "aeTitle": "SERVICE", "host": "127.0.0.1", "port": scp.port, "expects": ["SR"] });
    enrolls(&pacs, &service.descriptor(&way)).await;
    pacs.stores(&at_hand()).await;
    let heard = tokio::task::spawn_blocking(|| scp.heard()).await.unwrap();
    let sent: Vec<Uid> = heard
        .into_iter()
        .map(|asked| match asked.request.operation {
            Operation::Store { instance, .. } => instance,
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [prior(), at_hand()].map(|study| [study.instance_uid(1), study.instance_uid(2)]);
    assert_eq!(sent, expected.concat());
}

#[tokio::test]
async fn a_workitem_names_the_prior_and_opens_it_and_takes_no_results_of_it() {
    let (pacs, service) = (hospital().await, Service::start().await);
    stores_others(&pacs).await;
    stores(&pacs, &prior()).await;
    let descriptor = service.descriptor(&json!({ "kind": "worklist", "expects": ["SR"] }));
    enrolls(&pacs, &descriptor).await;
    pacs.stores(&at_hand()).await;
    let offered = job(&pacs, "offered").await;
    let (vendor, root) = credential(&pacs, &descriptor).await;
    let bearer = format!("Bearer {vendor}");
    let gets = async |path: String| pacs.gets(&format!("{root}{path}")).with("authorization", &bearer).await;
    let images = |study: &ChestCt| format!("/studies/{}", study.study_uid());
    gets(images(&prior())).await.expect(StatusCode::NOT_FOUND);
    takes(&pacs, &root, &vendor, &offered).await;

    let workitem = offered["workitem"].as_str().unwrap();
    let told = gets(format!("/workitems/{workitem}")).await.expect(StatusCode::OK).json();
    let inputs = told[0]["00404021"]["Value"].as_array().unwrap();
    let studies: Vec<_> = inputs.iter().map(|item| &item["0020000D"]["Value"][0]).collect();
    assert_eq!(studies, [&json!(at_hand().study_uid()), &json!(prior().study_uid())]);
    let series = format!("{root}{}/series/{}", images(&prior()), prior().series_uid());
    assert_eq!(inputs[1]["0040E025"]["Value"][0]["00081190"]["Value"][0], json!(series));

    for study in [at_hand(), prior()] {
        assert_eq!(gets(images(&study)).await.expect(StatusCode::OK).parts().len(), 2);
    }
    for study in [of(3, "", ""), of(4, "", ""), of(5, "", ""), magnetic()] {
        gets(images(&study)).await.expect(StatusCode::NOT_FOUND);
    }
    let of_prior = crate::dicomweb::pacs::body(prior().files());
    let request = pacs.asks(Method::POST, &format!("{root}/studies")).with("authorization", &bearer);
    let media = crate::dicomweb::pacs::related("application/dicom");
    let refused = request.with("content-type", &media).carrying(of_prior).await;
    assert_eq!((refused.status, refused.reasons("00081198").len()), (StatusCode::CONFLICT, 2));
}

/// A vendor's credential, and the root at which it works.
async fn credential(pacs: &Pacs, descriptor: &Value) -> (String, String) {
    let vendor = descriptor["vendor"].as_str().unwrap();
    let wish = json!({"role": "vendor", "subject": vendor, "label": "test"});
    let issued = pacs.manages("operator", Method::POST, "/credentials", &wish).await.expect(StatusCode::CREATED);
    let secret = issued.json()["secret"].as_str().unwrap().to_owned();
    (secret, format!("{}/vendors/{vendor}/dicom-web", pacs.url()))
}

/// Somebody at the vendor takes the workitem of a job.
async fn takes(pacs: &Pacs, root: &str, secret: &str, job: &Value) {
    let state = json!({
        "00081195": { "vr": "UI", "Value": ["2.25.4711"] }, "00741000": { "vr": "CS", "Value": ["IN PROGRESS"] } });
    let url = format!("{root}/workitems/{}/state", job["workitem"].as_str().unwrap());
    let claim = pacs.asks(Method::PUT, &url).with("authorization", &format!("Bearer {secret}"));
    claim.with("content-type", DICOM_JSON).carrying(state.to_string()).await.expect(StatusCode::OK);
}
