//! [`Stage`]: everybody who takes part in the demonstration, started and registered.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use medvan_fixtures::{
    analyzers,
    ehr::Ehr,
    fhir_server::{self, FhirServer, RunningFhirServer},
    services,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    App,
    apply::{self, Credentials, Management, Object},
    cli::Failure,
    config::Config,
    dimse::DimseListener,
    server::Listener,
};

/// The hospital, the vendors and the gateway between them.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) ehr: Ehr,
    pub(super) fhir: RunningFhirServer,
    http: reqwest::Client,
    /// Where its DICOM network listens.
    pub(super) network: SocketAddr,
    services: Vec<ServiceProcess>,
    management: Management,
    folder: TempDir,
}

/// A reference AI service as a process of its own. It ends with this value.
struct ServiceProcess {
    id: &'static str,
    descriptor: Value,
    base_url: String,
    child: Mutex<Child>,
}

impl Stage {
    /// Starts everybody and takes the services through the catalog, each role with its own credential.
    pub(super) async fn set(listen: SocketAddr) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("medvan-demo-").tempdir()?;
        let (app, network) = start_gateway(listen, &folder).await?;
        let fhir = fhir_server::start(FhirServer::with_synthetic_patients()).await?;
        let ehr = Ehr::new("kaede-ehr").fhir(&fhir).publishing_keys().await?;
        let jwks_url = format!("{}/.well-known/jwks.json", app.config.external_base());
        let advisors = services::all().iter().map(|service| {
            ServiceProcess::start(service.id, &["service", service.id], &jwks_url, |base| service.descriptor(base))
        });
        let analyzers = analyzers::all().iter().map(|analyzer| {
            ServiceProcess::start(analyzer.id, &[analyzer.id], &jwks_url, |base| analyzer.descriptor(base))
        });
        let services = advisors.chain(analyzers).collect::<Result<_, _>>()?;
        let credentials = Credentials::in_folder(&app.config.data);
        let management = Management::new(app.config.external_base(), &credentials)?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let stage = Self { app, ehr, fhir, http, network, services, management, folder };
        stage.apply(stage.cast()).await?;
        Ok(stage)
    }

    /// The hospital's base URL, as its EHR knows it.
    pub(super) fn base_url(&self) -> String {
        format!("{}/hospitals/kaede", self.app.config.external_base())
    }

    /// What a PACS calls with.
    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A hospital's DICOMweb root.
    pub(super) fn images_of(&self, hospital: &str) -> String {
        format!("{}/hospitals/{hospital}/dicom-web", self.app.config.external_base())
    }

    /// Applies objects of the management API.
    pub(super) async fn apply(&self, objects: Vec<Value>) -> Result<(), Failure> {
        let folder = self.folder.path();
        let objects: Result<Vec<Object>, String> =
            objects.into_iter().map(|value| Object::read(value, folder)).collect();
        apply::apply(&self.management, objects?, false).await?;
        Ok(())
    }

    /// Kills a service's process, as a crash would.
    pub(super) fn crash(&self, id: &str) -> bool {
        let process = self.services.iter().find(|process| process.id == id);
        process.is_some_and(|process| {
            let mut child = process.child();
            // Waited for: a process that is only about to end may still answer.
            child.kill().and_then(|()| child.wait()).is_ok()
        })
    }

    pub(super) fn print_addresses(&self) {
        let base = self.app.config.external_base();
        println!("The gateway stays up; Ctrl-C ends it.");
        println!("  EHR base URL       {}", self.base_url());
        println!(
            "  discovery          {}/cds-services   (the demo's EHR signs its calls; see README)",
            self.base_url()
        );
        println!("  images             {}  ({} on the DICOM network)", self.images_of("sumire"), self.network);
        println!("  viewer             {base}/viewer");
        println!("  own keys           {base}/.well-known/jwks.json");
        println!("  management API     {base}/api/v1/openapi.json");
        println!("  operator           {}", self.app.config.data.join("operator.credential").display());
        println!("  metrics            {base}/metrics");
        println!("  FHIR server        {}", self.fhir.base_url());
        for process in &self.services {
            println!("  {:<18} {}", process.id, process.base_url);
        }
    }

    /// Ends everybody in order.
    pub(super) async fn strike(self) {
        self.app.finish().await;
    }

    /// Hospital, client, vendors, services, approvals and enrolments, as files would declare them.
    fn cast(&self) -> Vec<Value> {
        // Each is a node of the other's network: both are called at this gateway's own port.
        let node = |ae_title: &str| {
            json!({"aeTitle": ae_title, "host": "127.0.0.1", "port": self.network.port(), "store": true, "query": true,
                   "retrieve": true})
        };
        let mut objects = vec![
            json!({"kind": "Hospital", "id": "kaede", "name": {"ja": "かえで病院", "en": "Kaede Hospital"},
                   "linkHosts": ["www.rcplondon.ac.uk", "www.pmda.go.jp"],
                   "imaging": {"aeTitle": "KAEDE", "completeness": {"quietSeconds": 1}}}),
            json!({"kind": "Client", "hospital": "kaede", "id": "pacs", "authentication": "loopback"}),
            json!({"kind": "Hospital", "id": "sumire", "name": {"ja": "すみれ病院", "en": "Sumire Hospital"},
                   "imaging": {"aeTitle": "SUMIRE", "nodes": [node("TSUBAKI")]}}),
            json!({"kind": "Hospital", "id": "tsubaki", "name": {"ja": "つばき病院", "en": "Tsubaki Hospital"},
                   "imaging": {"aeTitle": "TSUBAKI", "nodes": [node("SUMIRE")]}}),
            json!({"kind": "Client", "hospital": "sumire", "id": "pacs", "authentication": "loopback"}),
            json!({"kind": "Client", "hospital": "tsubaki", "id": "pacs", "authentication": "loopback"}),
            json!({"kind": "Client", "hospital": "kaede", "id": "ehr", "fhirServer": self.fhir.base_url(),
                   "authentication": {"jwt": {"issuer": self.ehr.iss(), "jwksUrl": self.ehr.jwks_url()}}}),
        ];
        for process in &self.services {
            let descriptor = &process.descriptor;
            let vendor = descriptor["vendor"].as_str().unwrap_or_default();
            let service = format!("{vendor}.{}", process.id);
            objects.extend([
                json!({"kind": "Vendor", "id": vendor, "name": descriptor["maker"], "contact": descriptor["contact"]}),
                json!({"kind": "Approval", "service": service, "version": descriptor["version"], "decision": "approve",
                       "reason": "Reference implementation, for the demonstration"}),
                json!({"kind": "Enrollment", "hospital": "kaede", "service": service, "mode": "live"}),
                json!({"kind": "Service", "descriptor": descriptor}),
            ]);
        }
        objects
    }
}

impl ServiceProcess {
    /// Starts `medvan simulate` with these words.
    fn start(
        id: &'static str,
        words: &[&str],
        jwks_url: &str,
        descriptor: impl Fn(&str) -> Value,
    ) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("simulate")
            .args(words)
            .args(["--jwks-url", jwks_url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let base_url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let base_url = base_url.ok_or_else(|| format!("the service {id} did not start"))?;
        Ok(Self { id, descriptor: descriptor(&base_url), base_url, child: Mutex::new(child) })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // It may have been killed by a step already.
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}

async fn start_gateway(listen: SocketAddr, folder: &TempDir) -> Result<(App, SocketAddr), Failure> {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = |listen| {
        let mut config = Config { listen, data: folder.path().join("data"), ..Config::default() };
        config.dimse.listen = Some(any_port);
        config.outgoing.allowed_hosts = vec![any_port.ip().to_string()];
        config.check()
    };
    let wanted = config(listen)?;
    let (config, listener) = match Listener::bind(&wanted).await {
        Ok(listener) => (wanted, listener),
        Err(_) => {
            let config = config(any_port)?;
            let listener = Listener::bind(&config).await?;
            (config, listener)
        }
    };
    let associations = DimseListener::bind(&config).await?.ok_or("the demo listens for associations")?;
    let network = associations.address();
    let app = App::start(config.listening_on(listener.address())).await?;
    app.associate(associations);
    let serving = app.clone();
    app.tasks.spawn("server", async move { serving.serve(listener).await });
    Ok((app, network))
}
