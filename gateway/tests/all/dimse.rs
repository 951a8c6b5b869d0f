//! The DICOM network, from the other end of its associations: the peers here speak by another library.

mod commitment;
mod destinations;
mod find;
mod network;
mod outbox;
pub(crate) mod peer;
mod retrieve;
mod service;
mod store;
mod ups;

use std::{net::SocketAddr, time::Duration};

use medvan::{
    App,
    catalog::{Hospital, HospitalId},
    config::{Config, Dimse},
    dimse::DimseListener,
};
use medvan_fixtures::studies::ChestCt;
use medvan_imaging::{AeTitle, Uid};
use serde_json::{Value, json};
use tempfile::TempDir;

use peer::{Part, Scu};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const VERIFICATION: &str = "1.2.840.10008.1.1";
const STUDY_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const STUDY_MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const STUDY_GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const PATIENT_FIND: &str = "1.2.840.10008.5.1.4.1.2.1.1";
const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";

/// A gateway with the hospital `kiku`, called KIKU, and its nodes.
struct Gateway {
    app: App,
    address: SocketAddr,
    _dir: TempDir,
}

/// What nodes there are: a modality, a viewer, a PACS and a watcher of workitems on the port that is given, one that is far away.
fn nodes(pacs: u16) -> Value {
    json!([
        {"aeTitle": "CT1", "host": "127.0.0.1", "store": true},
        {"aeTitle": "KEEPER", "host": "127.0.0.1", "store": true, "onConflict": "keep"},
        {"aeTitle": "MENDER", "host": "localhost", "store": true, "onConflict": "replace"},
        {"aeTitle": "VIEWER", "host": "127.0.0.1", "query": true, "retrieve": true},
        {"aeTitle": "PACS", "host": "127.0.0.1", "port": pacs, "store": true, "retrieve": true},
        {"aeTitle": "MANAGER", "host": "127.0.0.1", "workitems": true},
        {"aeTitle": "WATCHER", "host": "127.0.0.1", "port": pacs, "workitems": true},
        {"aeTitle": "FAR", "host": "10.1.2.3", "store": true},
        {"aeTitle": "ROAMER", "host": "10.1.2.3", "anyAddress": true, "store": true}
    ])
}

impl Gateway {
    async fn open() -> Self {
        // No port of ours: nothing listens there.
        Self::with(Dimse::default(), 9).await
    }

    /// With a PACS that listens on this port.
    async fn with_pacs(port: u16) -> Self {
        Self::with(Dimse::default(), port).await
    }

    async fn with(settings: Dimse, pacs: u16) -> Self {
        Self::configured(settings, pacs, |_| {}).await
    }

    async fn configured(settings: Dimse, pacs: u16, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listen = Some("127.0.0.1:0".parse().unwrap());
        let mut config = Config { data: dir.path().join("data"), ..Config::default() };
        config.dimse = Dimse { listen, ..settings };
        config.outbox.first_retry_ms = 100;
        config.outbox.attempts = 4;
        change(&mut config);
        let config = config.check().unwrap();
        let listener = DimseListener::bind(&config).await.unwrap().unwrap();
        let address = listener.address();
        let app = App::start(config).await.unwrap();
        app.associate(listener);
        let gateway = Self { app, address, _dir: dir };
        gateway.put("kiku", "KIKU", &nodes(pacs)).await;
        gateway
    }

    async fn put(&self, id: &str, title: &str, nodes: &Value) {
        let hospital = json!({
            "id": id, "name": {"ja": "病院", "en": "Hospital"}, "imaging": {"aeTitle": title, "nodes": nodes}
        });
        let hospital: Hospital = serde_json::from_value(hospital).unwrap();
        self.app.store.put_hospital(&hospital, false).await.unwrap();
        self.app.catalog.renew().await.unwrap();
    }

    /// Does this as a peer would, apart from the gateway's own tasks.
    async fn meanwhile<T: Send + 'static>(&self, peer: impl FnOnce(SocketAddr) -> T + Send + 'static) -> T {
        let address = self.address;
        tokio::task::spawn_blocking(move || peer(address)).await.unwrap()
    }

    /// Stores a study from CT1.
    async fn holds(&self, study: ChestCt) {
        self.meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(CT, &[EXPLICIT])]).unwrap();
            for file in study.files() {
                let part = Part::of(&file);
                assert_eq!(scu.store(1, CT, &part.instance, &part.data_set).status.0, 0);
            }
            scu.release();
        })
        .await;
    }

    async fn close(self) {
        self.app.tasks.stop();
        self.app.finish().await;
    }
}

fn kiku() -> HospitalId {
    "kiku".parse().unwrap()
}

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn title(text: &str) -> AeTitle {
    AeTitle::parse(text).unwrap()
}

/// A study of few and small slices.
fn small(seed: u32, slices: u32) -> ChestCt {
    ChestCt { seed, slices, size: 16, ..ChestCt::default() }
}

/// Waits for something that happens soon.
async fn soon(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if happened().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen");
}
