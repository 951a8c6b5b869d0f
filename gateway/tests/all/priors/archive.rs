//! Priors that only the hospital's own archive has: found there, fetched from there, and done without where it gives none.

use std::net::TcpListener;

use medvan_fixtures::running::Bound;

use super::*;

const DICOM: &str = "application/dicom";

/// How a hospital asks its archive.
#[derive(Debug, Clone, Copy)]
enum Way {
    Dicomweb,
    Move,
    Get,
}

/// The gateway, and the archive that its hospital `kiku` names.
struct House {
    pacs: Pacs,
    archive: Pacs,
    service: Service,
}

impl House {
    /// Another gateway is the archive: it speaks both ways.
    async fn open(way: Way) -> Self {
        let (pacs, port) = Pacs::networked().await;
        let (archive, archive_port) = Pacs::networked().await;
        let of_archive = json!({"aeTitle": "ARCHIVE", "nodes": [
            {"aeTitle": "KIKU", "host": "127.0.0.1", "port": port, "query": true, "retrieve": true}]});
        archive.hospital("kiku", of_archive).await;
        archive.client("kiku", "pacs", json!("loopback")).await;
        let asked = match way {
            Way::Dicomweb => json!({"kind": "dicomweb", "url": archive.root()}),
            Way::Move => json!({"kind": "dimse", "node": "ARCHIVE"}),
            Way::Get => json!({"kind": "dimse", "node": "ARCHIVE", "retrieve": "get"}),
        };
        pacs.hospital("kiku", imaging(&asked, archive_port)).await;
        pacs.client("kiku", "pacs", json!("loopback")).await;
        Self { pacs, archive, service: Service::start().await }
    }

    /// The one service of the hospital compares.
    async fn enrolls(&self) {
        enrolls(&self.pacs, &self.service.descriptor(&image_json("/analyze"))).await;
    }

    async fn told(&self) -> Value {
        matching(&self.pacs, &at_hand()).await.unwrap()
    }
}

/// How `kiku` exchanges images, with an archive that is asked in this way.
fn imaging(asked: &Value, port: u16) -> Value {
    json!({
        "aeTitle": "KIKU", "completeness": {"quietSeconds": 1},
        "nodes": [{"aeTitle": "ARCHIVE", "host": "127.0.0.1", "port": port, "store": true}],
        "priors": {"archive": asked, "seconds": 600},
    })
}

/// A gateway whose hospital asks at this DICOMweb root.
async fn asking_at(url: &str, seconds: u32) -> Pacs {
    let archive = json!({"kind": "dicomweb", "url": url, "audience": "https://pacs.example"});
    let priors = json!({"archive": archive, "seconds": seconds});
    Pacs::with(json!({"aeTitle": "KIKU", "completeness": {"quietSeconds": 1}, "priors": priors})).await
}

/// What is told of one study in the search.
fn looked(told: &Value, study: &ChestCt) -> Value {
    let studies = told["priorSearch"]["studies"].as_array().unwrap().clone();
    studies.into_iter().find(|looked| looked["study"] == json!(study.study_uid())).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prior_that_only_the_archive_has_is_fetched_and_given_and_starts_no_work_of_its_own() {
    for way in [Way::Dicomweb, Way::Move, Way::Get] {
        let house = House::open(way).await;
        house.archive.stores(&prior()).await;
        house.archive.stores(&of(7, "K-1", "20260101")).await;
        house.enrolls().await;
        house.pacs.stores(&at_hand()).await;
        job(&house.pacs, "done").await;

        let [given] = &house.service.seen()[..] else { panic!("one request, {way:?}") };
        let study = &given.described["prior"]["study"];
        assert_eq!((given.images, study), (4, &json!(prior().study_uid())), "{way:?}");
        let told = house.told().await;
        assert_eq!(told["services"][0]["prior"]["chosen"], json!(prior().study_uid()), "{way:?}");
        assert_eq!(told["priorSearch"]["fault"], json!(null), "{way:?}");
        let fetched = looked(&told, &prior());
        assert_eq!(fetched["foundIn"], json!(["pacs"]), "{way:?}");
        assert_eq!(fetched["fetched"], json!([{"series": prior().series_uid(), "instances": 2}]), "{way:?}");
        assert_eq!(fetched["services"][0]["fits"], json!(true), "{way:?}");
        // The older one is not needed.
        assert_eq!(looked(&told, &of(7, "", ""))["fetched"], json!(null), "{way:?}");
        let older = matching(&house.pacs, &of(7, "", "")).await;
        assert!(older.is_none(), "{way:?}: it was not fetched");
        // The one that was fetched is nobody's work.
        let of_prior = matching(&house.pacs, &prior()).await.unwrap();
        assert_eq!((&of_prior["judgedAt"], &of_prior["lookedAtNext"]), (&json!(null), &json!(null)), "{way:?}");
        assert_eq!(of_prior["jobs"], json!([]), "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_missing_is_fetched() {
    for way in [Way::Dicomweb, Way::Move, Way::Get] {
        let house = House::open(way).await;
        house.archive.stores(&prior()).await;
        // One of its two slices was sent here once.
        house.pacs.sends(prior().files().take(1)).await.was_stored();
        is_judged(&house.pacs, &prior()).await;
        house.enrolls().await;
        house.pacs.stores(&at_hand()).await;
        job(&house.pacs, "done").await;
        let told = house.told().await;
        let fetched = looked(&told, &prior());
        assert_eq!(fetched["foundIn"], json!(["store", "pacs"]), "{way:?}");
        assert_eq!(fetched["fetched"][0]["instances"], json!(1), "{way:?}");
        assert_eq!(house.service.seen()[0].images, 4, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_and_is_sent_by_the_hospital_later_is_a_study_of_its_own() {
    let house = House::open(Way::Move).await;
    house.archive.stores(&prior()).await;
    house.enrolls().await;
    house.pacs.stores(&at_hand()).await;
    job(&house.pacs, "done").await;
    assert_eq!(matching(&house.pacs, &prior()).await.unwrap()["judgedAt"], json!(null));
    house.pacs.stores(&prior()).await;
    is_judged(&house.pacs, &prior()).await;
    let jobs = matching(&house.pacs, &prior()).await.unwrap()["jobs"].as_array().unwrap().len();
    assert_eq!(jobs, 1);
}

#[tokio::test]
async fn without_an_archive_that_answers_the_work_is_done_alone_and_it_is_said_why() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}/dicom-web", closed.local_addr().unwrap());
    drop(closed);
    let hanging = Hanging::open();
    let table = [
        (nowhere.as_str(), 600, "the PACS cannot be reached", "PACSに接続できません"),
        (hanging.url.as_str(), 1, "the PACS did not answer in time", "PACSが時間内に応答しませんでした"),
        (
            "http://10.9.8.7/dicom-web",
            600,
            "the PACS's address is not in outgoing.allowed_hosts",
            "このPACSへの接続は許可されていません (outgoing.allowed_hosts)",
        ),
    ];
    for (url, seconds, en, ja) in table {
        let (pacs, service) = (asking_at(url, seconds).await, Service::start().await);
        enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
        pacs.stores(&at_hand()).await;
        job(&pacs, "done").await;
        let [given] = &service.seen()[..] else { panic!("one request") };
        assert_eq!((given.images, given.described.get("prior")), (2, None));
        let told = matching(&pacs, &at_hand()).await.unwrap();
        assert_eq!(told["priorSearch"]["fault"], json!({"en": en, "ja": ja}));
    }
}

#[tokio::test]
async fn an_archive_that_failed_twice_is_left_alone_for_a_while() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}/dicom-web", closed.local_addr().unwrap());
    drop(closed);
    let (pacs, service) = (asking_at(&nowhere, 600).await, Service::start().await);
    enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
    let mut said = Vec::new();
    for seed in 100..103 {
        let study = of(seed, &format!("K-{seed}"), "20261101");
        pacs.stores(&study).await;
        is_judged(&pacs, &study).await;
        let told = matching(&pacs, &study).await.unwrap();
        said.push(told["priorSearch"]["fault"]["en"].as_str().unwrap().to_owned());
    }
    let (failed, left) =
        ("the PACS cannot be reached", "the PACS did not answer others a moment ago and was not asked");
    assert_eq!(said, [failed, failed, left]);
    until(async || (service.seen().len() == 3).then_some(())).await;
}

#[tokio::test]
async fn an_archive_that_hangs_costs_neither_another_hospital_nor_who_does_not_compare_anything() {
    let hanging = Hanging::open();
    let (pacs, service) = (asking_at(&hanging.url, 600).await, Service::start().await);
    let quick = json!({"aeTitle": "RAN", "completeness": {"quietSeconds": 1}});
    pacs.hospital("ran", quick).await;
    pacs.client("ran", "pacs", json!("loopback")).await;
    let mut alone = service.descriptor(&image_json("/analyze"));
    alone["id"] = json!("alone");
    alone["images"][0]["needs"].as_object_mut().unwrap().remove("prior");
    enrolls(&pacs, &alone).await;
    enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
    let vendor = alone["vendor"].as_str().unwrap();
    let id = service.descriptor(&json!(null))["id"].as_str().unwrap().to_owned();
    let enrollment = json!({"hospital": "ran", "service": format!("{vendor}.{id}"), "mode": "live"});
    pacs.puts(&format!("/hospitals/ran/enrollments/{vendor}.{id}"), &enrollment).await;

    // More studies wait for the archive than are judged at once.
    for seed in 100..112 {
        pacs.stores(&of(seed, &format!("K-{seed}"), "20261101")).await;
    }
    let others = format!("{}/hospitals/ran/dicom-web/studies", pacs.url());
    pacs.sends_to(&others, at_hand().files()).await.was_stored();
    let done = async |hospital: &str| {
        let path = format!("/hospitals/{hospital}/jobs");
        let jobs = pacs.manages("operator", Method::GET, &path, &json!(null)).await.json();
        let jobs = jobs["items"].as_array().unwrap().clone();
        jobs.into_iter().filter(|job| job["state"] == "done").count()
    };
    until(async || (done("ran").await == 1).then_some(())).await;
    until(async || (done("kiku").await == 12).then_some(())).await;
    let waiting = matching(&pacs, &of(100, "", "")).await.unwrap();
    assert!(waiting["priorSearch"]["until"].is_string() && waiting["lookedAtNext"].is_string(), "{waiting}");
    assert_eq!((&waiting["judgedAt"], &waiting["priorSearch"]["endedAt"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn what_is_another_patients_is_not_used_whatever_the_archive_says() {
    // What the archive tells, whose the images are, and whether they are fetched at all.
    for (told, is_of, is_fetched) in [("K-2", "K-2", false), ("K-1", "K-2", true)] {
        let study = of(2, is_of, "20260501");
        let liar = Liar::telling(study.clone(), told, usize::MAX).await;
        let (pacs, service) = (asking_at(&liar.url, 600).await, Service::start().await);
        enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
        pacs.stores(&at_hand()).await;
        job(&pacs, "done").await;
        let [given] = &service.seen()[..] else { panic!("one request") };
        assert_eq!((given.images, given.described.get("prior")), (2, None), "{told}");
        let told = matching(&pacs, &at_hand()).await.unwrap();
        assert_eq!(looked(&told, &study)["services"][0]["refusals"][0]["rule"], "patient", "{told}");
        assert_eq!(looked(&told, &study)["fetched"].is_array(), is_fetched, "{told}");
        assert!(!told.to_string().contains("K-2"), "the id of somebody else is not told");
    }
}

#[tokio::test]
async fn half_a_series_is_not_compared_with() {
    let liar = Liar::telling(prior(), "K-1", 1).await;
    let (pacs, service) = (asking_at(&liar.url, 600).await, Service::start().await);
    enrolls(&pacs, &service.descriptor(&image_json("/analyze"))).await;
    pacs.stores(&at_hand()).await;
    job(&pacs, "done").await;
    assert_eq!(service.seen()[0].images, 2);
    let told = matching(&pacs, &at_hand()).await.unwrap();
    // Studies, series, instances, and both of these: each with a token that is good for one request.
    let mut tokens = liar.tokens.lock().unwrap().clone();
    assert!(tokens.len() == 5 && tokens.iter().all(|token| token.starts_with("Bearer ")));
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
    let half = looked(&told, &prior());
    assert_eq!(half["fetched"][0]["instances"], json!(1));
    assert_eq!(half["notFetched"]["en"], "the PACS answered with status 500");
    let rule = &told["services"][0]["prior"]["studies"][0]["needs"][0]["series"][0]["refusals"][0]["rule"];
    assert_eq!(rule, "readable");

    // The hospital sends what was missing: then it is whole, and would be given.
    pacs.sends(prior().files().skip(1)).await.was_stored();
    let chosen = async || {
        let told = matching(&pacs, &at_hand()).await?;
        (told["services"][0]["prior"]["chosen"] == json!(prior().study_uid())).then_some(())
    };
    until(chosen).await;
}

/// Something that takes connections and says nothing.
struct Hanging {
    url: String,
    _listener: TcpListener,
}

impl Hanging {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { url: format!("http://{}/dicom-web", listener.local_addr().unwrap()), _listener: listener }
    }
}

/// A DICOMweb root with one study, of which it says what is not so.
struct Liar {
    url: String,
    /// The tokens that came, each with a request.
    tokens: Arc<Mutex<Vec<String>>>,
    _running: Running,
}

struct Lie {
    study: ChestCt,
    /// The PatientID that it tells.
    patient: String,
    /// Instances that it gives before it fails.
    gives: usize,
}

impl Liar {
    async fn telling(study: ChestCt, patient: &str, gives: usize) -> Self {
        let bound: Bound = running::bind(running::ANY_PORT).await.unwrap();
        let url = format!("{}/dicom-web", bound.base_url());
        let (lie, tokens) =
            (Arc::new(Lie { study, patient: patient.to_owned(), gives }), Arc::<Mutex<Vec<_>>>::default());
        let came = Arc::clone(&tokens);
        let answer = move |uri: Uri, headers: HeaderMap| {
            let token = headers.get("authorization").map(|token| token.to_str().unwrap().to_owned());
            came.lock().unwrap().extend(token);
            let answer = lie.answer(&uri);
            async move { answer }
        };
        Self { url, tokens, _running: bound.serve(Router::new().fallback(answer)) }
    }
}

impl Lie {
    fn answer(&self, uri: &Uri) -> Response {
        let (study, series) = (self.study.study_uid(), self.study.series_uid());
        let one = |vr: &str, value: &str| json!({"vr": vr, "Value": [value]});
        let of_instance = |slice: u32| {
            let uid = self.study.instance_uid(slice);
            json!({"00080016": one("UI", "1.2.840.10008.5.1.4.1.1.2"), "00080018": one("UI", uid.as_str())})
        };
        let path = uri.path().trim_start_matches("/dicom-web");
        let told = match path.matches('/').count() {
            1 => json!([{"0020000D": one("UI", study.as_str()), "00100020": one("LO", &self.patient),
                         "00080020": one("DA", &self.study.date), "00080061": one("CS", "CT")}]),
            3 => json!([{"0020000E": one("UI", series.as_str()), "00080060": one("CS", "CT")}]),
            5 => (1..=self.study.slices).map(of_instance).collect(),
            _ => return self.gives(path),
        };
        ([("content-type", DICOM_JSON)], told.to_string()).into_response()
    }

    fn gives(&self, path: &str) -> Response {
        let slices = 1..=self.study.slices;
        let slice = slices.into_iter().find(|slice| path.ends_with(self.study.instance_uid(*slice).as_str())).unwrap();
        if slice as usize > self.gives {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let body = crate::dicomweb::pacs::body([self.study.file(slice)]);
        ([("content-type", crate::dicomweb::pacs::related(DICOM))], body).into_response()
    }
}
