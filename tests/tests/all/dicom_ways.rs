//! Services that give their results as DICOM objects: stored at their own root, or pulled by them from a worklist.

mod archive;
mod performers;

use medvan::clock::Clock;
use medvan_fixtures::{
    analyzers::{self, Options, ct_density, dicomweb::Push, gram_stain},
    instances::Instance,
    performer::{self, Performer},
    services::{KeySource, Trust},
    studies::DensitySpheres,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    analysis::{PICTURE, REPORT, SEGMENTATION, finds, made, stage, stores, text, waits_for},
    world::{As, Gateway, World, until},
};
use archive::{Archive, BEHAVIOURS};

const DICOM_JSON: &str = "application/dicom+json";

fn root_of(world: &World, vendor: &str) -> String {
    format!("{}/vendors/{vendor}/dicom-web", world.gateway.url)
}

async fn credential(world: &World, vendor: &str) -> String {
    let As::Holder(secret) = world.issues("vendor", vendor).await else { unreachable!() };
    secret
}

/// The CT analyzer pulls its work; the one who performs it is given back.
async fn pulls(world: &World, limits: Value) -> Performer {
    let mut descriptor = performer::descriptor("https://nobody.calls.example");
    descriptor["images"][0]["limits"] = limits;
    world.enrolls(&descriptor, json!("live")).await;
    let vendor = ct_density::ANALYZER.vendor;
    Performer::new(&root_of(world, vendor), credential(world, vendor).await).unwrap()
}

/// A change of state under a Transaction UID.
fn step(transaction: &str, state: &str) -> Value {
    json!({ "00081195": { "vr": "UI", "Value": [transaction] }, "00741000": { "vr": "CS", "Value": [state] } })
}

/// What was performed, with these outputs.
fn performed(outputs: &Value) -> Value {
    let code = json!([{ "00080100": { "vr": "SH", "Value": ["X"] }, "00080102": { "vr": "SH", "Value": ["99X"] },
        "00080104": { "vr": "LO", "Value": ["X"] } }]);
    let outputs = if outputs == &json!([]) { json!({ "vr": "SQ" }) } else { json!({ "vr": "SQ", "Value": outputs }) };
    json!({ "00741216": { "vr": "SQ", "Value": [{
        "00404028": { "vr": "SQ", "Value": code }, "00404019": { "vr": "SQ", "Value": code },
        "00404050": { "vr": "DT", "Value": ["20261123120000"] }, "00404051": { "vr": "DT", "Value": ["20261123120100"] },
        "00404033": outputs }] } })
}

/// What a vendor says about a workitem.
async fn tells(world: &World, method: reqwest::Method, url: &str, credential: &str, body: Value) -> StatusCode {
    let request = world.http.request(method, url).bearer_auth(credential).header("content-type", DICOM_JSON);
    request.body(body.to_string()).send().await.unwrap().status()
}

/// Everything that is delivered when regions of high density were found.
async fn is_delivered(world: &World, study: &DensitySpheres) {
    let mut made = made(world, &study.study_uid()).await;
    made.dedup();
    assert_eq!(made, [SEGMENTATION, PICTURE, REPORT]);
    let reports = finds(world, &format!("studies/{}/instances?Modality=SR", study.study_uid())).await;
    assert_eq!(reports.len(), 1, "the service's own report, and none beside it");
    // What the report says is read: FHIR tells the volumes of both spheres.
    let url = format!("{}/fhir/Observation?patient={}", world.base(), study.patient_id);
    let told = world.http.get(url).send().await.unwrap().json::<Value>().await.unwrap().to_string();
    assert!(told.contains("118565006") && told.contains("mm3"), "{told}");
}

#[tokio::test]
async fn results_are_fetched_where_the_images_were_stored() {
    let world = stage().await;
    // It demands a signed token with every request, and takes none twice.
    let keys = KeySource::At(format!("{}/.well-known/jwks.json", world.gateway.url));
    let options = Options { trust: Some(Trust::new(keys)), ..Options::default() };
    let analyzer = analyzers::start(&ct_density::ANALYZER, options).await.unwrap();
    world.enrolls(&analyzer.descriptor(), json!("live")).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    is_delivered(&world, &study).await;
    // What stayed at the gateway is what the service has: byte for byte.
    let report = &finds(&world, &format!("studies/{}/instances?Modality=SR", study.study_uid())).await[0];
    let path = format!(
        "studies/{}/series/{}/instances/{}",
        study.study_uid(),
        text(report, "0020000E"),
        text(report, "00080018")
    );
    let file = async |root: String| {
        let request = world.http.get(format!("{root}/{path}")).header("accept", "application/dicom; transfer-syntax=*");
        request.send().await.unwrap().bytes().await.unwrap()
    };
    let ours = file(format!("{}/dicom-web", world.base())).await;
    let images: Vec<Instance> = study.files().map(|file| Instance::read(file.into()).unwrap()).collect();
    let computed = ct_density::evidence(&images).unwrap();
    assert!(computed.iter().any(|result| result.bytes == ours));
}

#[tokio::test]
async fn results_come_back_by_themselves_with_the_token_of_the_job() {
    let world = stage().await;
    let vendor = ct_density::ANALYZER.vendor;
    let push = Push { root: root_of(&world, vendor), bearer: "is not used".to_owned() };
    let options = Options { push: Some(push), ..Options::default() };
    let analyzer = analyzers::start(&ct_density::ANALYZER, options).await.unwrap();
    let mut descriptor = analyzer.descriptor();
    descriptor["images"][0]["way"]["results"] = json!("store");
    world.enrolls(&descriptor, json!("live")).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    is_delivered(&world, &study).await;
}

/// A service that begins to store results and never says all of them.
async fn drips(world: &World, vendor: &str, credential: &str) -> TcpStream {
    let host = world.gateway.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /vendors/{vendor}/dicom-web/studies HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {credential}\r\n\
         Content-Type: multipart/related; type=\"application/dicom\"; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection
}

#[tokio::test]
async fn services_that_drip_their_results_keep_nobody_elses_waiting() {
    let world = stage().await;
    let performer = pulls(&world, json!({})).await;
    let mut dripping = Vec::new();
    for vendor in ["tsubaki", "momiji", "yanagi", "sumire", "ajisai"] {
        let name = json!({"ja": vendor, "en": vendor});
        let contact = json!({"name": "Support", "email": format!("support@{vendor}.example")});
        let object = json!({"id": vendor, "name": name, "contact": contact});
        world.puts(As::Operator, &format!("/vendors/{vendor}"), &object).await;
        let credential = credential(&world, vendor).await;
        for _ in 0..4 {
            dripping.push(drips(&world, vendor, &credential).await);
        }
        let url = format!("{}/studies", root_of(&world, vendor));
        until("all its places are taken", async || {
            let request = world.http.post(&url).bearer_auth(&credential);
            let answer = request.header("content-type", "multipart/related; type=\"application/dicom\"; boundary=b");
            let status = answer.body("--b--\r\n").send().await.unwrap().status();
            (status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
        })
        .await;
    }
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "offered", 1).await;
    performer.work_once().await.unwrap().unwrap();
    waits_for(&world, "done", 1).await;
    is_delivered(&world, &study).await;
}

#[tokio::test]
async fn a_performer_pulls_its_work_and_nobody_else_sees_it() {
    let world = stage().await;
    let performer = pulls(&world, json!({})).await;
    assert_eq!(performer.work_once().await.unwrap(), None, "there is nothing to do yet");
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    let offered = waits_for(&world, "offered", 1).await.remove(0);

    // Another vendor is told of nothing.
    let gram = analyzers::start(&gram_stain::ANALYZER, Options::default()).await.unwrap();
    world.enrolls(&gram.descriptor(), json!("live")).await;
    let neighbour = gram_stain::ANALYZER.vendor;
    let other = credential(&world, neighbour).await;
    let uid = offered["workitem"].as_str().unwrap();
    let list = |vendor: &str| format!("{}/workitems", root_of(&world, vendor));
    let asks = async |url: String, bearer: Option<&str>| {
        let request = world.http.get(url).header("accept", DICOM_JSON);
        let request = if let Some(bearer) = bearer { request.bearer_auth(bearer) } else { request };
        request.send().await.unwrap().status()
    };
    let own = ct_density::ANALYZER.vendor;
    assert_eq!(asks(list(own), None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(asks(list(own), Some(&other)).await, StatusCode::NOT_FOUND);
    assert_eq!(asks(format!("{}/{uid}", list(neighbour)), Some(&other)).await, StatusCode::NOT_FOUND);

    assert_eq!(performer.work_once().await.unwrap().unwrap().as_str(), uid);
    let done = waits_for(&world, "done", 1).await.remove(0);
    assert_eq!((&done["id"], &done["attempts"]), (&offered["id"], &json!(1)), "{done}");
    is_delivered(&world, &study).await;
    // Its own words about what it performed stay.
    let workitems = finds(&world, "workitems?ProcedureStepState=COMPLETED&includefield=all").await;
    let input = &workitems[0]["00404021"]["Value"][0]["00081199"]["Value"][0];
    assert_eq!(text(input, "00081150"), "1.2.840.10008.5.1.4.1.1.2", "{input}");
    let output = &workitems[0]["00741216"]["Value"][0]["00404033"]["Value"];
    assert!(output.to_string().contains(REPORT), "{output}");
    assert_eq!(world.reads("/hospitals/kaede/usage").await["lines"][0]["uses"], 1);
}

#[tokio::test]
async fn the_token_of_a_job_opens_its_images_and_nothing_else() {
    let world = stage().await;
    let _performer = pulls(&world, json!({})).await;
    let vendor = ct_density::ANALYZER.vendor;
    let (root, own) = (root_of(&world, vendor), credential(&world, vendor).await);
    let (study, another) = (DensitySpheres::default(), DensitySpheres { seed: 2, ..DensitySpheres::default() });
    stores(&world, study.files()).await;
    let job = waits_for(&world, "offered", 1).await.remove(0);
    stores(&world, another.files()).await;
    waits_for(&world, "offered", 2).await;

    let gets = async |bearer: &str, path: String| {
        let request = world.http.get(format!("{root}/{path}")).bearer_auth(bearer);
        let accept = "multipart/related; type=\"application/dicom\", application/dicom+json";
        let answer = request.header("accept", accept).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().len())
    };
    let images = |study: &DensitySpheres| format!("studies/{}", study.study_uid());
    assert_eq!(gets(&own, images(&study)).await.0, StatusCode::NOT_FOUND, "nobody has taken it");

    let state = json!({
        "00081195": { "vr": "UI", "Value": ["2.25.4711"] }, "00741000": { "vr": "CS", "Value": ["IN PROGRESS"] } });
    let url = format!("{root}/workitems/{}/state", job["workitem"].as_str().unwrap());
    let claim =
        async || world.http.put(&url).bearer_auth(&own).header("content-type", DICOM_JSON).body(state.to_string());
    let claimed = claim().await.send().await.unwrap();
    assert_eq!(claimed.status(), StatusCode::OK);
    let token = claimed.headers()["medvan-job-token"].to_str().unwrap().to_owned();
    // Who did not hear the answer asks again; somebody else gets nothing.
    let again = claim().await.send().await.unwrap();
    assert_eq!(
        (again.status(), again.headers()["medvan-job-token"].to_str().unwrap()),
        (StatusCode::CONFLICT, token.as_str())
    );
    let stranger = claim().await.body(state.to_string().replace("4711", "4712")).send().await.unwrap();
    assert!(!stranger.status().is_success() && !stranger.headers().contains_key("medvan-job-token"));
    waits_for(&world, "taken", 1).await;

    let (status, bytes) = gets(&token, images(&study)).await;
    assert_eq!(status, StatusCode::OK);
    let sent: usize = study.files().map(|file| file.len()).sum();
    assert!(bytes > sent, "all {sent} bytes of the images came, not {bytes}");
    assert_eq!(gets(&own, images(&study)).await.0, StatusCode::OK, "the vendor's credential opens what it has taken");
    for (bearer, path) in [
        (&token, images(&another)),
        (&own, images(&another)),
        (&token, "studies/1.2.3".to_owned()),
        (&token, format!("{}/series/1.2.3", images(&study))),
    ] {
        assert_eq!(gets(bearer, path.clone()).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(gets("mvj_forged_token", images(&study)).await.0, StatusCode::UNAUTHORIZED);
    // At the hospital's own root it is nothing, and neither for another workitem.
    let hospital = world.http.get(format!("{}/dicom-web/{}", world.base(), images(&study))).bearer_auth(&token);
    assert_eq!(hospital.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let others = waits_for(&world, "offered", 1).await;
    let other = others.iter().find(|job| job["state"] == "offered").unwrap()["workitem"].as_str().unwrap().to_owned();
    assert_eq!(gets(&token, format!("workitems/{other}")).await.0, StatusCode::NOT_FOUND);

    // When the job is over the token is over.
    world.leaves(&performer::descriptor("https://nobody.calls.example")).await;
    assert_eq!(gets(&token, images(&study)).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn results_of_a_completed_workitem_that_do_not_hold_are_refused_once_with_their_reason() {
    let world = stage().await;
    let _performer = pulls(&world, json!({})).await;
    let vendor = ct_density::ANALYZER.vendor;
    let (root, own) = (root_of(&world, vendor), credential(&world, vendor).await);
    stores(&world, DensitySpheres::default().files()).await;
    let uid = waits_for(&world, "offered", 1).await[0]["workitem"].as_str().unwrap().to_owned();
    let says = async |method: reqwest::Method, path: &str, body: Value| {
        let status = tells(&world, method, &format!("{root}/workitems/{uid}{path}"), &own, body).await;
        assert_eq!(status, StatusCode::OK, "{path}");
    };
    let state = |word: &str| step("2.25.7", word);
    says(reqwest::Method::PUT, "/state", state("IN PROGRESS")).await;
    // It stores nothing, and says that all is done.
    says(reqwest::Method::POST, "?transaction-uid=2.25.7", performed(&json!([]))).await;
    says(reqwest::Method::PUT, "/state", state("COMPLETED")).await;
    let dead = waits_for(&world, "dead", 1).await.remove(0);
    assert_eq!(dead["attempts"], 1, "no other try brings other results: {dead}");
    assert!(dead["fault"].as_str().unwrap().contains("not one result of each modality"), "{dead}");
}

/// What a service brought and was refused is told to it at once, and stays with its job for whoever mends it.
#[tokio::test]
async fn results_that_are_refused_when_they_come_are_told_with_their_job() {
    let world = stage().await;
    let _performer = pulls(&world, json!({})).await;
    let vendor = ct_density::ANALYZER.vendor;
    let (root, own) = (root_of(&world, vendor), credential(&world, vendor).await);
    let (study, another) = (DensitySpheres::default(), DensitySpheres { seed: 2, ..DensitySpheres::default() });
    stores(&world, study.files()).await;
    let uid = waits_for(&world, "offered", 1).await[0]["workitem"].as_str().unwrap().to_owned();
    let state = step("2.25.7", "IN PROGRESS");
    let status =
        tells(&world, reqwest::Method::PUT, &format!("{root}/workitems/{uid}/state"), &own, state.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let image = study.files().next().unwrap();
    let stored = async |path: String, file: &[u8]| {
        let head = b"--part\r\nContent-Type: application/dicom\r\n\r\n";
        let body = [head, file, b"\r\n--part--\r\n"].concat();
        let request = world.http.post(format!("{root}/{path}")).bearer_auth(&own);
        let media = "multipart/related; type=\"application/dicom\"; boundary=part";
        let answer =
            request.header("content-type", media).header("accept", DICOM_JSON).body(body).send().await.unwrap();
        let warnings: Vec<_> =
            answer.headers().get_all("warning").iter().map(|value| value.to_str().unwrap()).collect();
        (answer.status(), warnings.join(" "))
    };
    let own_study = format!("studies/{}", study.study_uid());
    let table = [
        (own_study.clone(), b"<html>sorry</html>".to_vec(), 0xC000, "this is no DICOM file"),
        (own_study.clone(), image[..image.len() / 2].to_vec(), 0xC000, "the data set ends at byte"),
        (own_study, another.files().next().unwrap().to_vec(), 0xA901, "the study is not the one"),
    ];
    for (path, file, _, words) in &table {
        let (status, warnings) = stored(path.clone(), file).await;
        assert!(status.is_client_error(), "{status}: {warnings}");
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
    // About no job of theirs: the caller alone is told.
    assert_eq!(stored("studies".to_owned(), &another.files().next().unwrap()).await.0, StatusCode::CONFLICT);
    let jobs = async |path: String, secret: String| {
        let url = format!("{}/api/v1/{path}", world.gateway.url);
        let answer = world.http.get(url).bearer_auth(secret).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["items"][0]["refused"].clone()
    };
    let refused = jobs(format!("vendors/{vendor}/jobs"), own.clone()).await;
    let told: Vec<_> = refused.as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(told, table.iter().map(|(_, _, code, _)| code).collect::<Vec<_>>(), "{refused}");
    for (one, (_, _, _, words)) in refused.as_array().unwrap().iter().zip(&table) {
        assert!(one["reason"].as_str().unwrap().contains(words), "{one}");
    }
    assert_eq!(waits_for(&world, "taken", 1).await[0]["refused"], refused, "the hospital sees the same");
}

#[tokio::test]
async fn of_a_workitem_a_vendor_changes_only_what_it_did_while_it_has_it() {
    let world = stage().await;
    let _performer = pulls(&world, json!({ "deadlineSeconds": 6 })).await;
    let vendor = ct_density::ANALYZER.vendor;
    let (root, own) = (root_of(&world, vendor), credential(&world, vendor).await);
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    let uid = waits_for(&world, "offered", 1).await[0]["workitem"].as_str().unwrap().to_owned();
    let says = async |method: reqwest::Method, path: &str, body: Value| {
        tells(&world, method, &format!("{root}/workitems/{uid}{path}"), &own, body).await
    };
    let progress = json!({ "00741002": { "vr": "SQ", "Value": [{ "00741004": { "vr": "DS", "Value": ["50"] } }] } });
    let label = json!({ "00741204": { "vr": "LO", "Value": ["mine"] } });
    let of_mine = "?transaction-uid=2.25.7";
    let output = json!([{ "0040E020": { "vr": "CS", "Value": ["DICOM"] }, "0020000D": { "vr": "UI", "Value": [study.study_uid()] },
        "0020000E": { "vr": "UI", "Value": ["1.2.3"] }, "00081199": { "vr": "SQ", "Value": [{
            "00081150": { "vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.88.34"] }, "00081155": { "vr": "UI", "Value": ["1.2.3.4"] } }] },
        "0040E025": { "vr": "SQ", "Value": [{ "00081190": { "vr": "UR", "Value": [format!("{root}/studies/1")] } }] } }]);
    let (post, put) = (reqwest::Method::POST, reqwest::Method::PUT);
    for (method, path, body, expected) in [
        (&post, "", progress.clone(), 400), // it has not taken it
        (&put, "/state", step("2.25.7", "IN PROGRESS"), 200),
        (&post, of_mine, label, 400), // what is to be done is not its to say
        (&post, "?transaction-uid=2.25.8", progress.clone(), 400),
        (&post, of_mine, progress.clone(), 200),
        (&post, of_mine, performed(&output), 200),
    ] {
        assert_eq!(says(method.clone(), path, body).await.as_u16(), expected, "{method} {path}");
    }
    // The hospital is told where it finds the results, and not where the vendor does.
    let seen = finds(&world, &format!("workitems?SOPInstanceUID={uid}&includefield=all")).await.remove(0);
    let told = seen["00741216"]["Value"][0]["00404033"]["Value"][0].to_string();
    assert!(told.contains("0040E021") && told.contains("00080054") && !told.contains("vendors"), "{told}");

    // Its time is over: the workitem ends with the job, and nobody completes it later.
    let dead = waits_for(&world, "dead", 1).await.remove(0);
    assert!(dead["fault"].as_str().unwrap().contains("not completed before its time"), "{dead}");
    let state = finds(&world, &format!("workitems?SOPInstanceUID={uid}")).await[0]["00741000"]["Value"][0].clone();
    assert_eq!(state, "CANCELED");
    assert_eq!(says(put, "/state", step("2.25.7", "COMPLETED")).await, StatusCode::CONFLICT);
    assert_eq!(says(post, of_mine, progress).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_nobody_takes_or_ends_in_time_is_given_up_with_a_reason() {
    let world = stage().await;
    let performer = pulls(&world, json!({ "deadlineSeconds": 3 })).await;
    let vendor = ct_density::ANALYZER.vendor;
    stores(&world, DensitySpheres::default().files()).await;
    let dead = waits_for(&world, "dead", 1).await.remove(0);
    assert!(dead["fault"].as_str().unwrap().contains("nobody took the workitem"), "{dead}");
    assert_eq!(performer.work_once().await.unwrap(), None, "it is on no worklist any more");
    assert_eq!(finds(&world, "workitems?ProcedureStepState=CANCELED").await.len(), 1);
    let told = world.reads(&format!("/vendors/{vendor}/jobs")).await;
    assert_eq!(told["items"][0]["fault"], dead["fault"]);

    // It can be run again, on a new workitem.
    let id = dead["id"].as_str().unwrap();
    world.posts(As::Operator, &format!("/hospitals/kaede/jobs/{id}/retry"), &json!({})).await;
    let again = until("it is offered again", async || {
        let jobs = world.reads("/hospitals/kaede/jobs").await;
        (jobs["items"][0]["state"] == "offered").then(|| jobs["items"][0].clone())
    })
    .await;
    assert_ne!(again["workitem"], dead["workitem"]);
    assert!(performer.work_once().await.unwrap().is_some());
    waits_for(&world, "done", 1).await;
}

#[tokio::test]
async fn late_images_take_an_offer_back_that_nobody_has_taken() {
    let world = stage().await;
    let performer = pulls(&world, json!({})).await;
    let study = DensitySpheres::default();
    let mut files: Vec<Vec<u8>> = study.files().collect();
    let late = files.pop().unwrap();
    stores(&world, files).await;
    waits_for(&world, "offered", 1).await;
    stores(&world, [late]).await;
    waits_for(&world, "superseded", 1).await;
    waits_for(&world, "offered", 1).await;
    assert!(performer.work_once().await.unwrap().is_some());
    assert_eq!(performer.work_once().await.unwrap(), None, "there is one job, not two");
    waits_for(&world, "done", 1).await;
    is_delivered(&world, &study).await;
}

/// Whoever watches the machine hears of it although the machine was off at the time.
#[tokio::test]
async fn a_deadline_that_passes_while_nobody_looks_is_told_at_the_next_start() {
    let world = stage().await;
    let _performer = pulls(&world, json!({ "deadlineSeconds": 2, "attempts": 1 })).await;
    stores(&world, DensitySpheres::default().files()).await;
    waits_for(&world, "offered", 1).await;
    let world = world
        .while_gateway(async |gateway: Gateway| {
            let folder = gateway.stop().await;
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            Gateway::start_in(folder, |_| {}, Clock::system()).await
        })
        .await;
    let service = format!("medvan_jobs_overdue_total{{service=\"{}.", ct_density::ANALYZER.vendor);
    let told = async || world.looks_at("/metrics").await.text.contains(&service).then_some(());
    until("the alarm is raised", told).await;
}

#[tokio::test]
async fn work_that_was_offered_is_done_after_a_restart() {
    let world = stage().await;
    let _performer = pulls(&world, json!({})).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "offered", 1).await;
    let world = world.restarts(|_| {}).await;
    let vendor = ct_density::ANALYZER.vendor;
    let performer = Performer::new(&root_of(&world, vendor), credential(&world, vendor).await).unwrap();
    assert!(performer.work_once().await.unwrap().is_some());
    waits_for(&world, "done", 1).await;
    is_delivered(&world, &study).await;
}

#[tokio::test]
async fn whatever_an_archive_of_a_service_does_costs_nobody_else_anything() {
    let world = stage().await;
    let gram = analyzers::start(&gram_stain::ANALYZER, Options::default()).await.unwrap();
    world.enrolls(&gram.descriptor(), json!("live")).await;
    let archive = Archive::start().await;
    for (name, ..) in BEHAVIOURS {
        world.enrolls(&archive.descriptor(name), json!("live")).await;
    }
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    stores(&world, [medvan_fixtures::studies::GramStain::default().file()]).await;
    let dead = BEHAVIOURS.iter().filter(|(_, fault)| fault.is_some()).count();
    let jobs = waits_for(&world, "dead", dead).await;
    let jobs = if jobs.iter().any(|job| job["state"] == "running") { waits_for(&world, "done", 1).await } else { jobs };
    for (name, fault) in BEHAVIOURS {
        let job = jobs.iter().find(|job| job["service"].as_str().unwrap().ends_with(&format!(".{name}"))).unwrap();
        match fault {
            None => assert_eq!(job["state"], "done", "{job}"),
            Some(fault) => {
                assert_eq!(job["state"], "dead", "{name}: {job}");
                let told = job["fault"].as_str().unwrap();
                assert!(told.contains(fault), "{name}: {told}");
                assert!(!told.contains(&study.patient_id), "{name}: {told}");
            }
        }
    }
    assert_eq!(gram.calls(), 1);
    // Of all these there is one report: of the one whose results came twice.
    let reports = finds(&world, &format!("studies/{}/instances?Modality=SR", study.study_uid())).await;
    assert_eq!(reports.len(), 1);
}
