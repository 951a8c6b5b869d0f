//! [`App`]: the handles that a request may need, and the life of the process around them.

use std::{sync::Arc, time::Duration};

use medvan_adapters::http;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    api,
    archive::Archive,
    call,
    catalog::{Catalog, VendorId},
    clock::Clock,
    config::Checked,
    decoder::{Decoder, DecoderLimits},
    dicomweb::Origins,
    dimse::{self, DimseListenError, DimseListener},
    outbox, poll,
    readiness::Readiness,
    router::router,
    server::{ListenError, Listener, TlsError},
    store::{Store, StoreError},
    tasks::Tasks,
    telemetry,
    trust::{
        Algorithm, Clients, Issuer, Jwks, Keyring, KeyringError, LoginError, Logins, Replay, Secret, SecretError,
        Verifier,
    },
    upkeep, work,
};

/// Connections of one hospital, or of one vendor, by which subscribers hear of workitems.
const LISTENERS: usize = 32;

/// Answers of one hospital's findings side by side that are made at once.
const SIDE_BY_SIDE: usize = 4;

/// Requests of one vendor with results that are received at once.
const RESULTS: usize = 4;
/// Those of all vendors together that have come and are read: each may have forty megabytes.
const ALL_RESULTS: usize = 16;
/// Jobs whose results are judged or made into evidence at once, of however many that wait for their service.
const AUTHORS: usize = 8;
/// Requests of one vendor about its jobs that are answered at once.
const AT_VENDOR: usize = 16;

/// The gateway's handles. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Handles>);

/// What an [`App`] leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Handles {
    /// Settings that passed their check.
    pub config: Checked,
    /// What time it is.
    pub clock: Clock,
    /// Every background task.
    pub tasks: Tasks,
    /// What must survive.
    pub store: Store,
    /// Images.
    pub archive: Archive,
    /// Decodes and draws their pixels, in other processes.
    pub decoder: Decoder,
    /// Who may what, as calls see it.
    pub catalog: Catalog,
    /// The way to hospitals' own systems: FHIR servers, keys of EHRs.
    pub http: http::Client,
    /// The way to AI services. A host that is open for a hospital's sake is not open for a vendor's.
    pub vendors: http::Client,
    /// Own signing keys.
    pub keys: Arc<Keyring>,
    /// Decides about callers' tokens.
    pub verifier: Verifier,
    /// What callers' tokens are judged by.
    pub clients: Clients,
    /// Tokens that were used already.
    pub replay: Replay,
    /// The key of pseudonyms.
    pub secret: Secret,
    pub(crate) lines: call::Lines,
    pub(crate) recent: call::RecentCards,
    pub(crate) bell: outbox::Bell,
    /// Wakes the queue of work on images.
    pub(crate) jobs: work::Bell,
    /// Wakes the searches for priors.
    pub(crate) searches: work::Bell,
    /// What associations share.
    pub dimse: dimse::Network,
    pub(crate) readiness: Readiness,
    calls: Arc<Semaphore>,
    /// The way to hospitals' own DICOMweb systems.
    pub(crate) origins: Origins,
    /// Places for each hospital's calls.
    pub(crate) shares: call::Shares,
    /// Connections of each hospital by which subscribers hear of workitems.
    pub(crate) listeners: call::Shares,
    /// The same of each vendor.
    pub(crate) vendor_listeners: call::Shares<VendorId>,
    /// Places for what a hospital's viewers ask of AI results.
    pub(crate) side_by_side: call::Shares,
    /// Places for each vendor's results while they come.
    pub(crate) results: call::Shares<VendorId>,
    /// Places for the results of all vendors that have come and are read, each in memory.
    pub(crate) all_results: Arc<Semaphore>,
    /// Places for results that are judged and made into evidence, in memory and by processors.
    pub(crate) authors: Arc<Semaphore>,
    /// Places for what each vendor asks of its jobs.
    pub(crate) at_vendors: call::Shares<VendorId>,
}

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("cannot make the data folder {path}")]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error("cannot open the database")]
    Store(#[from] StoreError),
    /// The folder of images cannot be used.
    #[error("cannot use the folder of images")]
    Archive(#[source] std::io::Error),
    /// It is not known which program this is.
    #[error("cannot find this program")]
    Program(#[source] std::io::Error),
    /// The signing keys cannot be used.
    #[error("cannot use the signing keys")]
    Keys(#[from] KeyringError),
    /// A login at a hospital's system cannot be used.
    #[error("cannot use a credential of the configuration")]
    Login(#[from] LoginError),
    /// The key of pseudonyms cannot be used.
    #[error("cannot use the secret of the data folder")]
    Secret(#[from] SecretError),
    /// The way out cannot be built.
    #[error("cannot call other machines")]
    Http(#[from] http::ClientError),
    /// The first credentials cannot be written.
    #[error("cannot write the first credentials")]
    Credentials(#[from] api::CredentialError),
    /// An entry of `outgoing.allowed_hosts` or `outgoing.allowed_vendor_hosts` cannot be read.
    #[error("outgoing.allowed_hosts, outgoing.allowed_vendor_hosts")]
    AllowedHost(#[from] http::NotAHost),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The DICOM network cannot be listened to.
    #[error(transparent)]
    Dimse(#[from] DimseListenError),
    /// The certificates of the DICOM network cannot be used.
    #[error("dimse.{0}")]
    DimseTls(#[from] TlsError),
}

impl App {
    /// Opens everything in the data folder, making what is not there, and starts the background tasks.
    ///
    /// # Errors
    /// Whatever is not usable; nothing runs then.
    pub async fn start(config: Checked) -> Result<Self, StartError> {
        Self::start_with(config, Clock::system()).await
    }

    /// The same with a clock that a test owns.
    ///
    /// # Errors
    /// As [`App::start`].
    pub async fn start_with(config: Checked, clock: Clock) -> Result<Self, StartError> {
        telemetry::metrics();
        make_folder(&config.data)?;
        let store = Store::open(&config.data.join("medvan.sqlite")).await?;
        for file in api::first_credentials(&store, &config.data, &clock).await? {
            tracing::warn!(file = %file.display(), "a first credential was written; hand it to its owner");
        }
        let images = config.data.join("images");
        let archive = Archive::open(images, store.clone(), clock.clone()).await.map_err(StartError::Archive)?;
        if archive.is_alone() {
            store.end_leases(clock.now()).await?;
        }
        let replay = Replay::new();
        let spent = store.replays(clock.now()).await?;
        replay.restore(
            spent.iter().map(|row| (row.hospital.as_str(), row.issuer.as_str(), row.jti.as_str(), row.expires_at)),
        );
        let http = http::Client::new(guard(&config, &config.outgoing.allowed_hosts)?, &http::Settings::default())?;
        let vendors =
            http::Client::new(guard(&config, &config.outgoing.allowed_vendor_hosts)?, &http::Settings::default())?;
        let keys = Arc::new(keyring(&config)?);
        let app = Self(Arc::new(Handles {
            tasks: Tasks::default(),
            archive,
            decoder: Decoder::new(decode_worker()?, DecoderLimits::default()),
            catalog: Catalog::load(store.clone()).await?,
            verifier: Verifier::new(Jwks::new(http.clone())),
            clients: Clients::default(),
            secret: Secret::open(&config.data)?,
            lines: call::Lines::default(),
            recent: call::RecentCards::new(),
            bell: outbox::Bell::default(),
            jobs: work::Bell::default(),
            searches: work::Bell::default(),
            dimse: dimse::Network::open(&config.dimse, http.guard().clone())?,
            readiness: Readiness::default(),
            calls: Arc::new(Semaphore::new(config.limits.calls_in_flight)),
            shares: call::Shares::of(config.limits.calls_in_flight_per_hospital),
            listeners: call::Shares::of(LISTENERS),
            vendor_listeners: call::Shares::of(LISTENERS),
            side_by_side: call::Shares::of(SIDE_BY_SIDE),
            results: call::Shares::of(RESULTS),
            all_results: Arc::new(Semaphore::new(ALL_RESULTS)),
            authors: Arc::new(Semaphore::new(AUTHORS)),
            at_vendors: call::Shares::of(AT_VENDOR),
            replay,
            origins: Origins {
                http: http.clone(),
                keys: Arc::clone(&keys),
                logins: Logins::open(&config.outgoing.credentials)?,
                clock: clock.clone(),
            },
            keys,
            http,
            vendors,
            store,
            clock,
            config,
        }));
        app.tasks.spawn("outbox", outbox::deliver(app.clone()));
        app.tasks.spawn("node outbox", dimse::deliver(app.clone()));
        app.tasks.spawn("workitem events", dimse::tell_subscribers(app.clone()));
        app.tasks.spawn("arrived studies", work::watch(app.clone()));
        app.tasks.spawn("searches for priors", work::search_archives(app.clone()));
        app.tasks.spawn("jobs", work::work(app.clone()));
        app.tasks.spawn("keys", follow_rotation(app.clone()));
        app.tasks.spawn("discovery", poll::run(app.clone()));
        app.tasks.spawn("upkeep", upkeep::run(app.clone()));
        Ok(app)
    }

    /// Serves until the tasks are asked to stop.
    pub async fn serve(&self, listener: Listener) {
        listener.serve(router(self), &self.config, &self.tasks).await;
    }

    /// Takes in associations of hospitals' nodes, until the tasks are asked to stop.
    pub fn associate(&self, listener: DimseListener) {
        self.tasks.spawn("associations", listener.serve(self.clone()));
    }

    /// Lets running work end, then closes the store.
    pub async fn finish(&self) {
        if !self.tasks.finish(Duration::from_secs(self.config.shutdown_seconds)).await {
            tracing::warn!("some tasks had to be left behind");
        }
        self.store.close().await;
    }

    /// The handles that the management API works with.
    pub(crate) fn api(&self) -> api::Api {
        api::Api {
            store: self.store.clone(),
            archive: self.archive.clone(),
            catalog: self.catalog.clone(),
            clock: self.clock.clone(),
            guard: self.http.guard().clone(),
            discovery: self.reader(),
            nodes: self.dimse.clone(),
            origins: self.origins.clone(),
        }
    }

    /// Reads vendors' discovery documents.
    pub(crate) fn reader(&self) -> poll::Reader {
        poll::Reader::new(self.store.clone(), self.vendors.clone(), Arc::clone(&self.keys), self.clock.clone())
    }

    /// Sets the gauges of what is under way, for whoever looks now.
    pub(crate) async fn gauge(&self) {
        let in_flight = self.config.limits.calls_in_flight - self.calls.available_permits();
        metrics::gauge!("medvan_calls_in_flight").set(in_flight as f64);
        if let Ok((waiting, dead)) = self.store.outbox_depth().await {
            metrics::gauge!("medvan_outbox_waiting").set(waiting as f64);
            metrics::gauge!("medvan_outbox_dead").set(dead as f64);
        }
        if let Ok((waiting, dead)) = self.store.node_outbox_depth().await {
            metrics::gauge!("medvan_node_outbox_waiting").set(waiting as f64);
            metrics::gauge!("medvan_node_outbox_dead").set(dead as f64);
        }
        if let Ok(depth) = self.store.jobs_depth(self.clock.now()).await {
            metrics::gauge!("medvan_jobs_waiting").set(depth.waiting as f64);
            metrics::gauge!("medvan_jobs_running").set(depth.running as f64);
            metrics::gauge!("medvan_jobs_overdue").set(depth.overdue as f64);
        }
        self.lines.gauge();
    }

    /// A place among the calls being answered, or `None` when there are too many or the process is stopping.
    pub(crate) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        if self.tasks.is_stopping() {
            return None;
        }
        Arc::clone(&self.calls).try_acquire_owned().ok()
    }
}

impl std::ops::Deref for App {
    type Target = Handles;
    fn deref(&self) -> &Handles {
        &self.0
    }
}

/// The program whose `decode-worker` decodes: this one. A test's own program has none; it finds the gateway's beside it.
fn decode_worker() -> Result<std::path::PathBuf, StartError> {
    let own = std::env::current_exe().map_err(StartError::Program)?;
    if own.file_stem().is_some_and(|name| name == "medvan") {
        return Ok(own);
    }
    let beside = own.ancestors().skip(1).map(|folder| folder.join("medvan")).find(|program| program.is_file());
    Ok(beside.unwrap_or(own))
}

/// The signing keys of the data folder; they say who this gateway is in its own tokens.
pub(crate) fn keyring(config: &Checked) -> Result<Keyring, KeyringError> {
    let iss = config.external_base().to_owned();
    let issuer = Issuer { jku: format!("{iss}/.well-known/jwks.json"), iss };
    Keyring::open(&config.data.join("keys"), issuer, &[Algorithm::Es384, Algorithm::Rs384])
}

/// Takes up keys that `medvan keys rotate` left in the folder, so that no restart is needed.
async fn follow_rotation(app: App) {
    while !app.tasks.is_stopping() {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(Duration::from_secs(30)) => {}
        }
        if let Err(error) = app.keys.reload() {
            tracing::error!(%error, "the signing keys cannot be read again; the old ones stay in force");
        }
    }
}

fn guard(config: &Checked, allowed: &[String]) -> Result<http::Guard, http::NotAHost> {
    let allowed = allowed.iter().map(|host| host.parse()).collect::<Result<Vec<_>, _>>()?;
    Ok(http::Guard::new(config.guard_profile(), allowed))
}

/// The folder holds keys: only its owner may look inside.
pub(crate) fn make_folder(path: &std::path::Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StartError::Folder { path: path.to_owned(), source })
}
