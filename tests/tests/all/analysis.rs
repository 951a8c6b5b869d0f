//! From a study that arrives to evidence in the archive: reference analyzers that really compute, and ones that misbehave.

use medvan_fixtures::{
    analyzers::{self, Options, RunningAnalyzer, ct_density, gram_stain, misbehaving},
    ehr::Answer,
    studies::{DensitySpheres, GramStain},
};
use serde_json::{Value, json};

use crate::world::{As, World, until};

const BOUNDARY: &str = "kaede-boundary";
pub(crate) const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.34";
pub(crate) const PICTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
pub(crate) const SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.4";

/// Kaede exchanges images; a study is complete when nothing came for a second.
pub(crate) async fn stage() -> World {
    let world = World::start().await;
    let imaging = json!({ "aeTitle": "KAEDE", "completeness": { "quietSeconds": 1 } });
    world.hospital(json!({ "deadlineMs": 30_000, "prefetchMs": 10_000, "imaging": imaging })).await;
    world.client("pacs", json!({ "authentication": "loopback" })).await;
    world
}

async fn runs(world: &World, analyzer: &'static analyzers::Analyzer) -> RunningAnalyzer {
    let running = analyzers::start(analyzer, Options::default()).await.unwrap();
    world.enrolls(&running.descriptor(), json!("live")).await;
    running
}

/// The PACS stores files by STOW-RS.
pub(crate) async fn stores(world: &World, files: impl IntoIterator<Item = Vec<u8>>) {
    let mut body = Vec::new();
    for file in files {
        body.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n").as_bytes());
        body.extend_from_slice(&file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--").as_bytes());
    let content_type = format!("multipart/related; type=\"application/dicom\"; boundary={BOUNDARY}");
    let url = format!("{}/dicom-web/studies", world.base());
    let answer = world.http.post(url).header("content-type", content_type).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// What a search by QIDO-RS or UPS-RS finds.
pub(crate) async fn finds(world: &World, resource: &str) -> Vec<Value> {
    let url = format!("{}/dicom-web/{resource}", world.base());
    let answer = world.http.get(url).header("accept", "application/dicom+json").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap().as_array().unwrap().clone()
}

pub(crate) fn text<'v>(attributes: &'v Value, tag: &str) -> &'v str {
    attributes[tag]["Value"][0].as_str().unwrap_or_default()
}

async fn jobs(world: &World) -> Vec<Value> {
    world.reads("/hospitals/kaede/jobs").await["items"].as_array().unwrap().clone()
}

/// Waits until so many jobs are in a state, and gives all.
pub(crate) async fn waits_for(world: &World, state: &str, count: usize) -> Vec<Value> {
    let settled = async || {
        let jobs = jobs(world).await;
        let is_lost = !jobs.is_empty() && state != "dead" && jobs.iter().all(|job| job["state"] == "dead");
        assert!(!is_lost, "{jobs:?}");
        let is_tried_again = |job: &Value| job["state"] == "waiting" && job["fault"].is_string();
        assert!(!jobs.iter().any(is_tried_again), "{jobs:?}");
        (jobs.iter().filter(|job| job["state"] == state).count() >= count).then_some(jobs)
    };
    until(&format!("{count} jobs are {state}"), settled).await
}

/// SOP classes of what services made of a study.
pub(crate) async fn made(world: &World, study: &impl std::fmt::Display) -> Vec<String> {
    let found = finds(world, &format!("studies/{study}/instances")).await;
    let classes = found.iter().map(|instance| text(instance, "00080016").to_owned());
    let mut made: Vec<String> =
        classes.filter(|class| [REPORT, PICTURE, SEGMENTATION].contains(&class.as_str())).collect();
    made.sort();
    made
}

#[tokio::test]
async fn a_photograph_comes_back_as_a_report_and_nobody_touches_anything_in_between() {
    let world = stage().await;
    let analyzer = runs(&world, &gram_stain::ANALYZER).await;
    let study = GramStain::default();
    stores(&world, [study.file()]).await;

    let jobs = waits_for(&world, "done", 1).await;
    assert_eq!((jobs.len(), analyzer.calls()), (1, 1), "{jobs:?}");
    assert_eq!(made(&world, &study.study_uid()).await, [PICTURE, REPORT]);

    // The outside sees a completed workitem that names what came out.
    let workitems = finds(&world, "workitems?ProcedureStepState=COMPLETED&includefield=all").await;
    assert_eq!(workitems.len(), 1);
    assert_eq!(text(&workitems[0], "00080018"), jobs[0]["workitem"]);
    let performed = &workitems[0]["00741216"]["Value"][0]["00404033"]["Value"][0];
    assert_eq!(performed["00081199"]["Value"][0]["00081150"]["Value"][0], REPORT);

    // What it answered has a published form.
    let schema = world.http.get(format!("{}/schemas/findings.json", world.gateway.url)).send().await.unwrap();
    assert!(schema.json::<Value>().await.unwrap()["properties"]["findings"].is_object());

    // The vendor heard nothing of the patient.
    let heard = format!("{:?}", analyzer.received());
    assert!(!heard.contains(&study.patient_id) && !heard.contains("宮本"), "{heard}");

    // One record, one use.
    let exchange = world.reads(&format!("/exchanges/{}", jobs[0]["id"].as_str().unwrap())).await;
    assert_eq!(exchange["hook"], "imaging-study");
    let usage = world.reads("/hospitals/kaede/usage").await;
    assert_eq!(usage["lines"][0]["uses"], 1, "{usage}");
}

#[tokio::test]
async fn a_ct_series_comes_back_as_segmentations_and_a_report() {
    let world = stage().await;
    let _ct = runs(&world, &ct_density::ANALYZER).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    let made = made(&world, &study.study_uid()).await;
    assert!(made.contains(&REPORT.to_owned()) && made.contains(&SEGMENTATION.to_owned()), "{made:?}");
}

#[tokio::test]
async fn the_choice_and_every_refusal_are_explained_and_rules_can_be_tried_out() {
    let world = stage().await;
    let gram = runs(&world, &gram_stain::ANALYZER).await;
    let _ct = runs(&world, &ct_density::ANALYZER).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    assert_eq!(gram.calls(), 0, "a CT is no photograph");

    let told = world.reads(&format!("/hospitals/kaede/studies/{}/matching", study.study_uid())).await;
    let of = |id: &str| {
        let services = told["services"].as_array().unwrap();
        services.iter().find(|service| service["service"].as_str().unwrap().ends_with(id)).unwrap().clone()
    };
    assert_eq!((&of("ct-density")["fits"], &of("gram-stain")["fits"]), (&json!(true), &json!(false)), "{told}");
    let refusal = &of("gram-stain")["needs"][0]["series"][0]["refusals"][0];
    assert_eq!(refusal["rule"], "modality", "{told}");
    assert!(refusal["ja"].as_str().unwrap().contains("モダリティ"), "{refusal}");
    assert_eq!(told["evidence"]["judgement"]["verdict"]["is"], "complete", "{told}");
    assert_eq!(told["jobs"][0]["state"], "done");

    let service = of("ct-density")["service"].clone();
    let trial = json!({ "service": service, "rules": { "images": { "min": 10_000 } } });
    let tried = world.posts(As::Operator, "/hospitals/kaede/matching/trial", &trial).await;
    assert_eq!((&tried["fitNow"], &tried["wouldFit"]), (&json!(1), &json!(0)), "{tried}");
    assert_eq!(tried["differences"][0]["then"]["needs"][0]["series"][0]["refusals"][0]["rule"], "images");
}

#[tokio::test]
async fn late_images_are_other_work_that_supersedes_and_is_not_counted_twice() {
    let world = stage().await;
    let analyzer = runs(&world, &ct_density::ANALYZER).await;
    let study = DensitySpheres::default();
    let mut files: Vec<Vec<u8>> = study.files().collect();
    let late = files.pop().unwrap();
    stores(&world, files).await;
    waits_for(&world, "done", 1).await;
    stores(&world, [late.clone()]).await;
    waits_for(&world, "done", 2).await;
    // The same once more is no news.
    stores(&world, [late]).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!((jobs(&world).await.len(), analyzer.calls()), (2, 2));
    let reports = made(&world, &study.study_uid()).await.into_iter().filter(|class| class == REPORT).count();
    assert_eq!(reports, 2, "the earlier report stays, and the later one names it");
    let usage = world.reads("/hospitals/kaede/usage").await;
    assert_eq!(usage["lines"].as_array().unwrap().len(), 1, "{usage}");
    assert_eq!(usage["lines"][0]["uses"], 1, "{usage}");
}

#[tokio::test]
async fn an_answer_that_does_not_hold_is_given_up_with_a_reason_and_costs_nobody_else_anything() {
    let world = stage().await;
    let good = runs(&world, &gram_stain::ANALYZER).await;
    let storm = misbehaving::start().await.unwrap();
    let bad = ["garbage", "html", "foreign-instance", "outside-image", "overflow", "wrong-mask", "server-errors"];
    for name in bad {
        let mut descriptor = storm.descriptor(name);
        for entry in descriptor["images"].as_array_mut().unwrap() {
            entry["limits"] = json!({ "attempts": 1, "deadlineSeconds": 20 });
        }
        world.enrolls(&descriptor, json!("live")).await;
    }
    let study = GramStain::default();
    stores(&world, [study.file()]).await;
    waits_for(&world, "done", 1).await;
    let jobs = waits_for(&world, "dead", bad.len()).await;
    assert_eq!(good.calls(), 1);
    assert_eq!(made(&world, &study.study_uid()).await, [PICTURE, REPORT], "nothing of the others is delivered");
    for job in jobs.iter().filter(|job| job["state"] == "dead") {
        let fault = job["fault"].as_str().unwrap();
        assert!(fault.contains("answer") && !fault.contains(&study.patient_id), "{job}");
    }
    // The vendor reads the reason, without a word about whose images they are.
    let vendor = jobs.iter().find(|job| job["state"] == "dead").unwrap()["service"].as_str().unwrap().to_owned();
    let told = world.reads(&format!("/vendors/{}/jobs", vendor.split('.').next().unwrap())).await;
    assert!(told["items"].as_array().unwrap().len() >= bad.len(), "{told}");
    assert!(!told.to_string().contains(study.study_uid().as_str()), "{told}");
    // Each is canceled for whoever watches.
    assert_eq!(finds(&world, "workitems?ProcedureStepState=CANCELED").await.len(), bad.len());
}

/// Another try would make the same report: the vendor reads why, and is not asked again.
#[tokio::test]
async fn more_findings_than_a_report_can_hold_are_given_up_at_once() {
    let world = stage().await;
    let storm = misbehaving::start().await.unwrap();
    let mut descriptor = storm.descriptor("many-findings-6000");
    descriptor["images"][0]["limits"] = json!({ "attempts": 5, "deadlineSeconds": 60 });
    world.enrolls(&descriptor, json!("live")).await;
    stores(&world, [GramStain::default().file()]).await;
    let dead =
        until("it is given up", async || jobs(&world).await.into_iter().find(|job| job["state"] == "dead")).await;
    assert!(dead["fault"].as_str().unwrap().contains("more than one report can hold"), "{dead}");
    assert_eq!(dead["attempts"], 1);
}

#[tokio::test]
async fn a_job_that_was_given_up_is_done_when_it_is_run_again_after_its_service_was_mended() {
    let world = stage().await;
    let storm = misbehaving::start().await.unwrap();
    let mut descriptor = storm.descriptor("server-errors-1");
    descriptor["images"][0]["limits"] = json!({ "attempts": 1 });
    world.enrolls(&descriptor, json!("live")).await;
    let study = GramStain::default();
    stores(&world, [study.file()]).await;
    let dead = waits_for(&world, "dead", 1).await.remove(0);
    let id = dead["id"].as_str().unwrap();
    // It left a record, and is charged to nobody.
    let exchange = world.reads(&format!("/exchanges/{id}")).await;
    assert_eq!(exchange["status"], 502, "{exchange}");
    assert_eq!(world.reads("/hospitals/kaede/usage").await["lines"], json!([]));

    world.posts(As::Operator, &format!("/hospitals/kaede/jobs/{id}/retry"), &json!({})).await;
    let done = waits_for(&world, "done", 1).await.remove(0);
    assert_eq!(done["id"], dead["id"]);
    assert_ne!(done["workitem"], dead["workitem"], "what was canceled stays canceled");
    let ended = finds(&world, "workitems?ProcedureStepState=COMPLETED").await;
    assert_eq!(text(&ended[0], "00080018"), done["workitem"]);
    assert_eq!(made(&world, &study.study_uid()).await, [PICTURE, REPORT]);
    assert_eq!(world.reads("/hospitals/kaede/usage").await["lines"][0]["uses"], 1);
}

#[tokio::test]
async fn a_trial_of_one_study_bears_with_a_service_that_fails_at_first() {
    let world = stage().await;
    let storm = misbehaving::start().await.unwrap();
    let trial = json!({ "trial": { "quota": 1, "until": "2999-01-01T00:00:00Z" } });
    world.enrolls(&storm.descriptor("server-errors-1"), trial).await;
    stores(&world, [GramStain::default().file()]).await;
    let done = async || jobs(&world).await.first().filter(|job| job["state"] == "done").cloned();
    let job = until("the second try is good", done).await;
    assert_eq!(job["attempts"], 2, "{job}");
    // Another study finds the trial used up.
    stores(&world, [GramStain { seed: 99, ..GramStain::default() }.file()]).await;
    let jobs = waits_for(&world, "canceled", 1).await;
    let canceled = jobs.iter().find(|job| job["state"] == "canceled").unwrap();
    assert!(canceled["fault"].as_str().unwrap().contains("trial"), "{canceled}");
}

#[tokio::test]
async fn work_that_was_put_in_for_the_shadow_is_shown_to_nobody_when_the_service_goes_live_before_it_is_done() {
    let world = stage().await;
    let storm = misbehaving::start().await.unwrap();
    // It hangs until it is asked anew under its new terms.
    let mut descriptor = storm.descriptor("server-errors-1");
    descriptor["images"][0]["limits"] = json!({ "attempts": 3 });
    world.enrolls(&descriptor, json!("shadow")).await;
    let study = GramStain::default();
    stores(&world, [study.file()]).await;
    until("the first try failed", async || jobs(&world).await.iter().any(|job| job["fault"].is_string()).then_some(()))
        .await;
    world.enrolled(&descriptor, json!({ "mode": "live" })).await;
    let jobs = until("work of its own is done live", async || {
        let jobs = jobs(&world).await;
        jobs.iter().any(|job| job["mode"] == "live" && job["state"] == "done").then_some(jobs)
    })
    .await;
    let shadow = jobs.iter().find(|job| job["mode"] == "shadow").unwrap();
    assert!(["canceled", "superseded"].contains(&shadow["state"].as_str().unwrap()), "{shadow}");
    assert_eq!(made(&world, &study.study_uid()).await, [PICTURE, REPORT]);
}

#[tokio::test]
async fn terms_that_cannot_hold_are_refused_when_they_are_written() {
    let world = stage().await;
    let _gram = runs(&world, &gram_stain::ANALYZER).await;
    let service = world.reads("/hospitals/kaede/enrollments").await["items"][0]["service"].as_str().unwrap().to_owned();
    let terms = json!({ "hospital": "kaede", "service": service, "mode": "live", "images": {
        "rules": { "images": { "min": 9, "max": 3 }, "modality": ["CT", "CT"] }, "deliver": ["NOBODY"] } });
    let path = format!("/hospitals/kaede/enrollments/{service}");
    let (status, told) = world.manages(As::Operator, reqwest::Method::PUT, &path, Some(&terms)).await;
    assert_eq!(status, 422, "{told}");
    for place in ["/images/rules/images", "/images/rules/modality", "/images/deliver/0"] {
        assert!(told.to_string().contains(place), "{place}: {told}");
    }
}

#[tokio::test]
async fn a_service_in_the_shadow_leaves_nothing_in_the_archive() {
    let world = stage().await;
    let running = analyzers::start(&gram_stain::ANALYZER, Options::default()).await.unwrap();
    world.enrolls(&running.descriptor(), json!("shadow")).await;
    let study = GramStain::default();
    stores(&world, [study.file()]).await;
    waits_for(&world, "done", 1).await;
    assert_eq!(running.calls(), 1);
    assert!(made(&world, &study.study_uid()).await.is_empty());
}

#[tokio::test]
async fn what_the_shadow_finds_takes_the_place_of_nothing_that_people_see() {
    let world = stage().await;
    let analyzer = runs(&world, &ct_density::ANALYZER).await;
    let study = DensitySpheres::default();
    let mut files: Vec<Vec<u8>> = study.files().collect();
    let late = files.pop().unwrap();
    stores(&world, files).await;
    let live = waits_for(&world, "done", 1).await[0]["id"].as_str().unwrap().to_owned();
    let report = async || {
        let url = format!("{}/fhir/DiagnosticReport/{live}", world.base());
        world.http.get(url).send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(report().await["status"], "preliminary");
    world.enrolled(&analyzer.descriptor(), json!({ "mode": "shadow" })).await;
    stores(&world, [late]).await;
    waits_for(&world, "done", 2).await;
    assert_eq!(report().await["status"], "preliminary");
}

#[tokio::test]
async fn work_goes_on_after_a_restart() {
    let world = stage().await;
    let analyzer = runs(&world, &gram_stain::ANALYZER).await;
    let study = GramStain::default();
    stores(&world, [study.file()]).await;
    // It ends before anybody looked at the study.
    let world = world.restarts(|_| {}).await;
    waits_for(&world, "done", 1).await;
    assert_eq!((analyzer.calls(), made(&world, &study.study_uid()).await.len()), (1, 2));
}

/// A study of Suzuki Hanako, whom the EHR knows as `hanako`.
fn smear_of_hanako() -> GramStain {
    GramStain { patient_id: "0000000101".to_owned(), ..GramStain::default() }
}

async fn views(world: &World, patient: &str) -> Answer {
    world.asks(world.fires("patient-view").on(patient), "patient-view").await
}

#[tokio::test]
async fn the_doctor_gets_a_card_with_a_link_to_the_picture_until_it_is_answered() {
    let world = stage().await;
    let _gram = runs(&world, &gram_stain::ANALYZER).await;
    assert!(views(&world, "hanako").await.cards.is_empty(), "nothing was found yet");
    let study = smear_of_hanako();
    stores(&world, [study.file()]).await;
    let job = waits_for(&world, "done", 1).await.remove(0);

    let answer = views(&world, "hanako").await;
    answer.conforms();
    let [card] = &answer.cards[..] else { panic!("one card: {:?}", answer.summaries()) };
    assert!(card.summary().starts_with("AI解析（"), "{}", card.summary());
    assert!(card.value["detail"].as_str().unwrap().contains("診断ではありません"), "{}", card.value);
    let link = card.value["links"][0]["url"].as_str().unwrap();
    let wanted = format!("{}/viewer?hospital=kaede&study={}", world.gateway.url, study.study_uid());
    assert!(link.starts_with(&wanted) && link.contains("&finding=2.25."), "{link}");
    let explained = world.explains(&answer).await;
    assert_eq!(explained["explanation"]["images"], json!({ "jobs": [job["id"]] }), "{explained}");

    // The same answer comes at signing an order, and to nobody else's record.
    let signing = world.asks(world.fires("order-sign").on("hanako").ordering("levofloxacin"), "order-sign").await;
    assert_eq!(signing.summaries(), [card.summary()]);
    assert!(views(&world, "ichiro").await.cards.is_empty());

    // Answered, it does not come again; its maker reads the outcome.
    let taken = world.ehr.overrides(card, "確認しました").await.unwrap();
    assert_eq!(taken.status, 200, "{}", taken.text);
    assert!(views(&world, "hanako").await.cards.is_empty());
    let vendor = gram_stain::ANALYZER.vendor;
    let outcomes = world.reads(&format!("/vendors/{vendor}/feedback")).await;
    assert_eq!(outcomes["items"][0]["feedback"]["outcome"], "overridden", "{outcomes}");
}

#[tokio::test]
async fn a_result_of_another_birth_date_or_without_a_known_patient_is_not_told() {
    let world = stage().await;
    let _gram = runs(&world, &gram_stain::ANALYZER).await;
    // The study has Hanako's date of birth and Ichiro's number.
    stores(&world, [GramStain { patient_id: "0000000102".to_owned(), ..GramStain::default() }.file()]).await;
    waits_for(&world, "done", 1).await;
    let images = async |answer: Answer| world.explains(&answer).await["explanation"]["images"].clone();
    let answer = views(&world, "ichiro").await;
    assert!(answer.cards.is_empty());
    assert_eq!(images(answer).await, json!({ "ofOtherBirthDate": 1 }));
    let blind = world.asks(world.fires("patient-view").on("ichiro").without_fhir_access(), "patient-view").await;
    assert!(images(blind).await["untold"].as_str().unwrap().contains("neither sent the patient"));
}

#[tokio::test]
async fn what_a_shadow_found_or_a_left_service_is_told_to_no_doctor() {
    let world = stage().await;
    let shadow = analyzers::start(&gram_stain::ANALYZER, Options::default()).await.unwrap();
    world.enrolls(&shadow.descriptor(), json!("shadow")).await;
    // Another one is live, so that there is an offer at all.
    let _ct = runs(&world, &ct_density::ANALYZER).await;
    stores(&world, [smear_of_hanako().file()]).await;
    waits_for(&world, "done", 1).await;
    assert!(views(&world, "hanako").await.cards.is_empty(), "it is in the shadow");
    world.enrolled(&shadow.descriptor(), json!({ "mode": "live" })).await;
    stores(&world, [GramStain { seed: 7, ..smear_of_hanako() }.file()]).await;
    waits_for(&world, "done", 2).await;
    assert_eq!(views(&world, "hanako").await.cards.len(), 1);
    world.leaves(&shadow.descriptor()).await;
    assert!(views(&world, "hanako").await.cards.is_empty());
}
