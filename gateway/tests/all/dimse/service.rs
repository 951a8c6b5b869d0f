//! AI services that are application entities: they are sent a job's images and send their results back.

use std::{net::SocketAddr, thread::JoinHandle};

use http_body_util::BodyExt as _;
use medvan::store::{JobFilter, JobState, Page};
use medvan_fixtures::{analyzers::ct_density, instances::Instance, studies::DensitySpheres};
use medvan_imaging::{
    TransferSyntax,
    dimse::{Commitment, Operation, STORAGE_COMMITMENT_INSTANCE, Status},
    file::head,
    ups::SopClass,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{
    CT, Dimse, EXPLICIT, Gateway, STORAGE_COMMITMENT, kiku, nodes,
    peer::{Asked, Part, Scp, Scu},
    soon, uid,
};

const SERVICE: &str = "CTDENSITY";
const SR: &str = "1.2.840.10008.5.1.4.1.1.88.34";
const SEG: &str = "1.2.840.10008.5.1.4.1.1.66.4";

/// What the service makes of what it was sent.
fn computed(asked: &[Asked]) -> Vec<Instance> {
    let images: Vec<Instance> = asked.iter().map(instance).collect();
    ct_density::evidence(&images).unwrap()
}

fn instance(asked: &Asked) -> Instance {
    let Operation::Store { instance, .. } = &asked.request.operation else { panic!("{:?}", asked.request) };
    let mut file = head(&asked.request.class, instance, &TransferSyntax::explicit_little());
    file.extend_from_slice(&asked.data_set);
    Instance::read(file.into()).unwrap()
}

/// The statuses with which results are answered.
fn brings(address: SocketAddr, calling: &str, results: &[Instance]) -> Vec<u16> {
    let mut scu = Scu::call(address, calling, "KIKU", &[(SEG, &[EXPLICIT]), (SR, &[EXPLICIT])]).unwrap();
    let statuses = results.iter().map(|result| {
        let part = Part::of(&result.bytes);
        let context = if result.class.as_str() == SEG { 1 } else { 3 };
        scu.store(context, result.class.as_str(), &part.instance, &part.data_set).status.0
    });
    let statuses = statuses.collect();
    scu.release();
    statuses
}

/// The hospital is enrolled in a service that listens on this port.
async fn enrolls(gateway: &Gateway, port: u16, seconds: u32) {
    let imaging = json!({ "aeTitle": "KIKU", "nodes": nodes(9), "completeness": { "quietSeconds": 1 } });
    let hospital = json!({ "id": "kiku", "name": {"ja": "病院", "en": "Hospital"}, "imaging": imaging });
    puts(gateway, "/hospitals/kiku", &hospital).await;
    let mut descriptor = ct_density::ANALYZER.descriptor("http://127.0.0.1:8443");
    descriptor["images"][0]["way"] =
        json!({ "kind": "dimse", "aeTitle": SERVICE, "host": "127.0.0.1", "port": port, "expects": ["SR"] });
    descriptor["images"][0]["limits"] = json!({ "attempts": 1, "deadlineSeconds": seconds });
    let vendor = json!({ "id": "nadeshiko", "name": {"ja": "なでしこ", "en": "Nadeshiko"},
        "contact": {"name": "Support", "email": "support@nadeshiko.example"} });
    puts(gateway, "/vendors/nadeshiko", &vendor).await;
    let version = "/vendors/nadeshiko/services/ct-density/versions/1.0.0";
    puts(gateway, version, &descriptor).await;
    manages(gateway, "operator", "POST", &format!("{version}/submit"), &json!({})).await;
    let decision = json!({ "decision": "approve", "reason": "a test" });
    manages(gateway, "governor", "POST", &format!("{version}/decision"), &decision).await;
    let enrollment = json!({ "hospital": "kiku", "service": "nadeshiko.ct-density", "mode": "live" });
    puts(gateway, "/hospitals/kiku/enrollments/nadeshiko.ct-density", &enrollment).await;
}

async fn puts(gateway: &Gateway, path: &str, object: &Value) {
    manages(gateway, "operator", "PUT", path, object).await;
}

async fn manages(gateway: &Gateway, role: &str, method: &str, path: &str, object: &Value) {
    let secret = std::fs::read_to_string(gateway.app.config.data.join(format!("{role}.credential"))).unwrap();
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", secret.trim()))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(object.to_string()))
        .unwrap();
    let answer = medvan::router::router(&gateway.app).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&body));
}

async fn sends(gateway: &Gateway, study: &DensitySpheres) {
    let files: Vec<Vec<u8>> = study.files().collect();
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(CT, &[EXPLICIT])]).unwrap();
            for file in files {
                let part = Part::of(&file);
                assert_eq!(scu.store(1, CT, &part.instance, &part.data_set).status.0, 0);
            }
            scu.release();
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_gets_no_workitems_and_is_left_out_where_the_hospital_has_a_node_of_its_title() {
    let gateway = Gateway::open().await;
    enrolls(&gateway, 9, 30).await;
    let every = SopClass::ALL.map(|class| (class.uid(), &[EXPLICIT] as &[&str]));
    let held = async |calling: &'static str| {
        let ask = move |address| {
            let mut contexts = vec![(SR, &[EXPLICIT] as &[&str])];
            contexts.extend(every);
            let scu = Scu::call(address, calling, "KIKU", &contexts).unwrap();
            let held: Vec<u8> = scu.contexts().into_iter().map(|(id, _)| id).collect();
            scu.release();
            held
        };
        gateway.meanwhile(ask).await
    };
    assert_eq!(held(SERVICE).await, [1]);
    let nodes = json!([
        {"aeTitle": SERVICE, "host": "127.0.0.1", "store": true, "workitems": true},
        {"aeTitle": "MANAGER", "host": "127.0.0.1", "store": true, "workitems": true}
    ]);
    gateway.put("kiku", "KIKU", &nodes).await;
    assert_eq!(held("MANAGER").await, [1, 3, 5, 7, 9, 11]);
    // It is the hospital's own application now, and no job goes to it.
    assert_eq!(held(SERVICE).await, [1, 3, 5, 7, 9, 11]);
    let snapshot = gateway.app.catalog.current();
    assert_eq!(snapshot.hospital(&kiku()).unwrap().analyzers.len(), 0);
    gateway.close().await;
}

async fn state(gateway: &Gateway) -> Option<(JobState, Option<String>)> {
    let jobs = gateway.app.store.jobs(&kiku(), &JobFilter::default(), Page { after: "", limit: 10 }).await.unwrap();
    jobs.first().map(|job| (job.state, job.fault.clone()))
}

/// Hears one association with images, then brings what was made of them.
fn works(scp: Scp, address: SocketAddr, spoil: fn(Vec<Instance>) -> Vec<Instance>) -> JoinHandle<(usize, Vec<u16>)> {
    std::thread::spawn(move || {
        let asked = scp.heard();
        assert!(asked.iter().all(|asked| asked.calling == "KIKU"));
        (asked.len(), brings(address, SERVICE, &spoil(computed(&asked))))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn images_go_out_and_results_come_back_by_c_store() {
    let scp = Scp::listening(1, &[CT], EXPLICIT, vec![]);
    let gateway = Gateway::with(Dimse::default(), 9).await;
    enrolls(&gateway, scp.port, 30).await;
    let work = works(scp, gateway.address, |results| results);
    let study = DensitySpheres::default();
    sends(&gateway, &study).await;
    soon("the job is done", async || state(&gateway).await.is_some_and(|(state, _)| state == JobState::Done)).await;
    let (images, statuses) = work.join().unwrap();
    assert_eq!((images, statuses), (study.files().count(), vec![0, 0]));
    let selection = medvan::store::Selection { study: study.study_uid(), series: None, instance: None };
    let stored = gateway.app.store.select_instances(&kiku(), &selection, 0, 100).await.unwrap();
    let of = |class: &str| stored.iter().filter(|found| found.class == uid(class)).count();
    assert_eq!((of(SEG), of(SR)), (1, 1));

    // When the job is over it brings nothing any more, and nobody else ever did.
    let late = gateway.meanwhile(move |address| {
        let results =
            ct_density::evidence(&study.files().map(|file| Instance::read(file.into()).unwrap()).collect::<Vec<_>>());
        (
            brings(address, SERVICE, &results.unwrap()),
            Scu::call(address, "STRANGER", "KIKU", &[(SR, &[EXPLICIT])]).is_err(),
        )
    });
    assert_eq!(late.await, (vec![0x0124, 0x0124], true));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_refuses_an_image_or_brings_nothing_is_given_up() {
    for (statuses, seconds, expected) in
        [(vec![0xA700], 30, "did not store all"), (vec![], 2, "no complete answer in time: no result came (")]
    {
        let scp = Scp::listening(1, &[CT], EXPLICIT, statuses);
        let gateway = Gateway::with(Dimse::default(), 9).await;
        enrolls(&gateway, scp.port, seconds).await;
        sends(&gateway, &DensitySpheres::default()).await;
        soon("the job is given up", async || state(&gateway).await.is_some_and(|(state, _)| state == JobState::Dead))
            .await;
        let (_, fault) = state(&gateway).await.unwrap();
        let fault = fault.unwrap();
        assert!(fault.contains(expected) && !fault.contains("said the PACS"), "{fault}");
        gateway.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_result_of_an_open_job_is_refused_on_the_association() {
    let scp = Scp::listening(1, &[CT], EXPLICIT, vec![]);
    let gateway = Gateway::with(Dimse::default(), 9).await;
    enrolls(&gateway, scp.port, 6).await;
    // Of another study: there is no job of it.
    let work = works(scp, gateway.address, |_| {
        let other = DensitySpheres { seed: 5, ..DensitySpheres::default() };
        let images: Vec<Instance> = other.files().map(|file| Instance::read(file.into()).unwrap()).collect();
        ct_density::evidence(&images).unwrap()
    });
    sends(&gateway, &DensitySpheres::default()).await;
    soon("the job is given up", async || state(&gateway).await.is_some_and(|(state, _)| state == JobState::Dead)).await;
    assert_eq!(work.join().unwrap().1, [0x0124, 0x0124]);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_learns_nothing_of_what_is_stored_and_takes_no_place_of_a_modality() {
    let few = Dimse { associations: 2, ..Dimse::default() };
    let gateway = Gateway::with(few, 9).await;
    enrolls(&gateway, 9, 30).await;
    gateway
        .meanwhile(move |address| {
            let mut service = Scu::call(address, SERVICE, "KIKU", &[(STORAGE_COMMITMENT, &[EXPLICIT])]).unwrap();
            let action =
                Operation::Action { instance: uid(STORAGE_COMMITMENT_INSTANCE), action_type: Commitment::ACTION };
            service.ask(1, STORAGE_COMMITMENT, action, Some(&[0; 8]));
            assert_eq!(service.answer().0.status, Status::NOT_AUTHORIZED);
            // Each vendor has its first, and beside those there is one for all; modalities have both of their own.
            let contexts: &[(&str, &[&str])] = &[(CT, &[EXPLICIT])];
            let second = Scu::call(address, SERVICE, "KIKU", contexts).unwrap();
            assert!(Scu::call(address, SERVICE, "KIKU", contexts).is_err());
            let modalities: Vec<_> = (0..2).map(|_| Scu::call(address, "CT1", "KIKU", contexts).unwrap()).collect();
            modalities.into_iter().for_each(Scu::release);
            second.release();
            service.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_whose_association_was_cut_off_waits_longer_for_its_sender() {
    let gateway = Gateway::with(Dimse::default(), 9).await;
    enrolls(&gateway, 9, 30).await;
    let study = DensitySpheres::default();
    let files: Vec<Vec<u8>> = study.files().collect();
    let uid = study.study_uid();
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(CT, &[EXPLICIT])]).unwrap();
            let part = Part::of(&files[0]);
            assert_eq!(scu.store(1, CT, &part.instance, &part.data_set).status, Status::SUCCESS);
            // No release: the connection is gone.
        })
        .await;
    soon("it is told", async || {
        let judged = gateway.app.store.judged_intake(&kiku(), &uid).await.unwrap();
        judged.and_then(|judged| judged.evidence).is_some_and(|evidence| evidence.contains("transfer-cut"))
    })
    .await;
    gateway.close().await;
}
