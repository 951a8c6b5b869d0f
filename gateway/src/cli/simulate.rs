//! `medvan simulate`: each simulator as a process of its own, for integrators.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use clap::Subcommand;
use medvan_fixtures::{
    analyzers::{self, Analyzer, dicomweb::Push},
    conformance,
    ehr::{self, Answer, Ehr},
    fhir_server::{self, FhirServer, Grant},
    misbehaving, models, patients,
    performer::{self, Performer},
    services::{self, KeySource, Options, Service, Trust},
    studies::{self, ChestCt, DensitySpheres, GramStain},
};

use super::Failure;

/// The pause between two looks at a worklist on which there is nothing.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Run a simulator on its own. All patients are invented; nothing here may be used for diagnosis.
#[derive(Debug, clap::Args)]
pub(super) struct Simulate {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A reference AI service: early-warning, renal-dosing or drug-interaction.
    Service(ServiceArgs),
    /// A reference AI service that counts cocci and rods in photographs of Gram-stained smears.
    GramStain(AnalyzerArgs),
    /// A reference AI service that measures regions of high density in CT series, at a DICOMweb root of its own.
    CtDensity(CtDensityArgs),
    /// The same, which pulls its work from the worklist of its vendor.
    Performer(PerformerArgs),
    /// An AI service that misbehaves in every way a gateway must survive.
    Misbehaving(Listen),
    /// An AI service on images that misbehaves; the path of the call says how.
    MisbehavingAnalyzer(Listen),
    /// A server of bare models behind the Open Inference Protocol v2, some of which misbehave.
    Models(ModelsArgs),
    /// A hospital's FHIR server with synthetic patients.
    Fhir(Fhir),
    /// A synthetic study with a Japanese name, written as DICOM files.
    Study(StudyArgs),
    /// An EHR that fires hooks at a gateway, judges the answers by the standard and shows the cards.
    Ehr(EhrArgs),
}

#[derive(Debug, clap::Args)]
struct Listen {
    /// Address and port; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[derive(Debug, clap::Args)]
struct ServiceArgs {
    /// Which one.
    id: String,
    #[command(flatten)]
    at: Listen,
    /// Demand tokens that are signed with the keys published here: the gateway's /.well-known/jwks.json.
    #[arg(long)]
    jwks_url: Option<String>,
    /// Print the descriptor to register for this address, and end.
    #[arg(long)]
    print_descriptor: bool,
}

#[derive(Debug, clap::Args)]
struct AnalyzerArgs {
    #[command(flatten)]
    at: Listen,
    /// Demand tokens that are signed with the keys published here: the gateway's /.well-known/jwks.json.
    #[arg(long)]
    jwks_url: Option<String>,
    /// Print the descriptor to register for this address, and end.
    #[arg(long)]
    print_descriptor: bool,
}

#[derive(Debug, clap::Args)]
struct CtDensityArgs {
    #[command(flatten)]
    analyzer: AnalyzerArgs,
    /// Store results at this root, such as http://127.0.0.1:8080/vendors/nadeshiko/dicom-web, with the token that came along;
    /// otherwise they are there to be fetched.
    #[arg(long, value_name = "ROOT")]
    push: Option<String>,
}

#[derive(Debug, clap::Args)]
struct PerformerArgs {
    /// The vendor's DICOMweb root at the gateway, such as http://127.0.0.1:8080/vendors/nadeshiko/dicom-web.
    root: String,
    /// The file with the vendor's credential (`medvan_vendor_…`, as the operator issued it).
    #[arg(long, value_name = "FILE")]
    credential: std::path::PathBuf,
    /// Print the descriptor to register, and end.
    #[arg(long)]
    print_descriptor: bool,
}

#[derive(Debug, clap::Args)]
struct ModelsArgs {
    #[command(flatten)]
    at: Listen,
    /// Print the descriptor to register for this model (spots, brightness or volume) at this address, and end.
    #[arg(long, value_name = "MODEL")]
    print_descriptor: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Fhir {
    #[command(flatten)]
    at: Listen,
    /// The bearer token that it accepts; without one it is open to everybody on this machine.
    #[arg(long)]
    token: Option<String>,
}

#[derive(Debug, clap::Args)]
struct StudyArgs {
    /// The folder to write to; it is made where there is none.
    folder: std::path::PathBuf,
    /// What it shows.
    #[arg(long, value_enum, default_value_t = Shown::ChestCt)]
    kind: Shown,
    /// Slices of a chest, 512 by 512: about half a megabyte each.
    #[arg(long, default_value_t = 24)]
    slices: u32,
    /// Another number makes another study; the same one the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shown {
    /// A CT of the chest.
    ChestCt,
    /// A photograph of a Gram-stained smear, for `gram-stain`.
    GramStain,
    /// A CT of two bright spheres in water, for `ct-density`.
    DensitySpheres,
}

#[derive(Debug, clap::Args)]
struct EhrArgs {
    /// The hospital's base URL at the gateway, such as http://127.0.0.1:8080/hospitals/kaede.
    base_url: String,
    /// The hook to fire; `all` fires each of the 13 published hooks.
    #[arg(long, default_value = "patient-view")]
    hook: String,
    /// The CDS service to call; `van-<hook>` unless given.
    #[arg(long)]
    service: Option<String>,
    /// The synthetic patient: hanako, ichiro, setsuko, kenta or jiro.
    #[arg(long, default_value = "hanako")]
    patient: String,
    /// Draft orders by drug, such as levofloxacin; may be repeated.
    #[arg(long = "order")]
    orders: Vec<String>,
    /// The FHIR server to give access to, with its token.
    #[arg(long, requires = "fhir_token")]
    fhir: Option<String>,
    /// The token for it.
    #[arg(long)]
    fhir_token: Option<String>,
    /// Read the templates from discovery and send the data along.
    #[arg(long)]
    prefetch: bool,
    /// Sign calls, publishing the keys at this address (`<address>/jwks.json`, issuer `https://<name>.example`).
    #[arg(long)]
    keys: Option<SocketAddr>,
    /// The EHR's name, part of its issuer.
    #[arg(long, default_value = "kaede-ehr")]
    name: String,
}

impl Simulate {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        match self.what {
            What::Service(args) => args.run().await,
            What::GramStain(args) => args.run(&analyzers::gram_stain::ANALYZER, None).await,
            What::CtDensity(args) => args.run().await,
            What::Performer(args) => args.run().await,
            What::Misbehaving(at) => {
                let running = misbehaving::serve(at.listen).await?;
                println!("listening on {}", running.base_url());
                running.wait().await?;
                Ok(ExitCode::SUCCESS)
            }
            What::MisbehavingAnalyzer(at) => at.misbehaving_analyzer().await,
            What::Models(args) => args.run().await,
            What::Fhir(args) => args.run().await,
            What::Study(args) => args.run(),
            What::Ehr(args) => args.run().await,
        }
    }
}

impl Listen {
    async fn misbehaving_analyzer(self) -> Result<ExitCode, Failure> {
        let running = analyzers::misbehaving::serve(self.listen).await?;
        println!("listening on {}", running.base_url());
        for listed in analyzers::misbehaving::BEHAVIOURS {
            println!("  /{}  {}", listed.name, listed.about);
        }
        running.wait().await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl AnalyzerArgs {
    async fn run(self, analyzer: &'static Analyzer, push: Option<Push>) -> Result<ExitCode, Failure> {
        if self.print_descriptor {
            let mut descriptor = analyzer.descriptor(&format!("http://{}", self.at.listen));
            if push.is_some() {
                descriptor["images"][0]["way"]["results"] = "store".into();
            }
            println!("{}", serde_json::to_string_pretty(&descriptor)?);
            return Ok(ExitCode::SUCCESS);
        }
        let trust = self.jwks_url.map(|url| Trust::new(KeySource::At(url)));
        let options = analyzers::Options { trust, push, ..analyzers::Options::default() };
        let running = analyzers::serve(analyzer, options, self.at.listen).await?;
        println!("listening on {}", running.base_url());
        running.wait().await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl CtDensityArgs {
    async fn run(self) -> Result<ExitCode, Failure> {
        let push = self.push.map(|root| Push { root, bearer: String::new() });
        self.analyzer.run(&analyzers::ct_density::ANALYZER, push).await
    }
}

impl PerformerArgs {
    async fn run(self) -> Result<ExitCode, Failure> {
        if self.print_descriptor {
            println!("{}", serde_json::to_string_pretty(&performer::descriptor("http://127.0.0.1:8443"))?);
            return Ok(ExitCode::SUCCESS);
        }
        let credential = std::fs::read_to_string(&self.credential)?;
        let performer = Performer::new(&self.root, credential.trim())?;
        println!("looks for work at {}", self.root);
        match performer.run(LOOK_EVERY).await {}
    }
}

impl ModelsArgs {
    async fn run(self) -> Result<ExitCode, Failure> {
        if let Some(model) = self.print_descriptor {
            let descriptor = models::descriptor(&format!("http://{}", self.at.listen), &model);
            println!("{}", serde_json::to_string_pretty(&descriptor)?);
            return Ok(ExitCode::SUCCESS);
        }
        let running = models::serve(self.at.listen).await?;
        println!("listening on {}", running.base_url());
        for (name, about) in models::compute::MISBEHAVING {
            println!("  {name}  {about}");
        }
        running.wait().await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ServiceArgs {
    async fn run(self) -> Result<ExitCode, Failure> {
        let service = services::find(&self.id).ok_or_else(|| unknown_service(&self.id))?;
        if self.print_descriptor {
            let descriptor = service.descriptor(&format!("http://{}", self.at.listen));
            println!("{}", serde_json::to_string_pretty(&descriptor)?);
            return Ok(ExitCode::SUCCESS);
        }
        let trust = self.jwks_url.map(|url| Trust::new(KeySource::At(url)));
        let running = services::serve(service, Options { trust, ..Options::default() }, self.at.listen).await?;
        println!("listening on {}", running.base_url());
        running.wait().await?;
        Ok(ExitCode::SUCCESS)
    }
}

fn unknown_service(id: &str) -> Failure {
    let known: Vec<&str> = services::all().iter().map(|service: &&Service| service.id).collect();
    format!("there is no reference service \"{id}\"; there are {}", known.join(", ")).into()
}

impl Fhir {
    async fn run(self) -> Result<ExitCode, Failure> {
        let server = FhirServer::with_synthetic_patients();
        let server = match self.token {
            Some(token) => server.accepting(token, Grant::whole_hospital()),
            None => server.open(),
        };
        let running = fhir_server::serve(server, self.at.listen).await?;
        println!("listening on {}", running.base_url());
        for patient in patients::all() {
            println!("  Patient/{}  {}  {}", patient.id, patient.name, patient.about);
        }
        super::serve::asked_to_stop().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl StudyArgs {
    fn run(self) -> Result<ExitCode, Failure> {
        std::fs::create_dir_all(&self.folder)?;
        let seed = self.seed;
        let (patient_id, patient_name) = (studies::HANAKO_ID.to_owned(), studies::HANAKO_NAME.to_owned());
        match self.kind {
            Shown::ChestCt => {
                let study = ChestCt { slices: self.slices, seed, patient_id, patient_name, ..ChestCt::default() };
                self.write("slice", study.files())?;
                println!("{} slices of study {}, patient {}", self.slices, study.study_uid(), study.patient_name);
            }
            Shown::DensitySpheres => {
                let study = DensitySpheres { seed, patient_id, patient_name, ..DensitySpheres::default() };
                self.write("slice", study.files())?;
                println!("{} slices of study {}, patient {}", study.slices, study.study_uid(), study.patient_name);
            }
            Shown::GramStain => {
                let study = GramStain { seed, patient_id, patient_name, ..GramStain::default() };
                self.write("image", std::iter::once(study.file()))?;
                println!("1 image of study {}, patient {}", study.study_uid(), study.patient_name);
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, name: &str, files: impl Iterator<Item = Vec<u8>>) -> std::io::Result<()> {
        for (number, file) in (1..).zip(files) {
            std::fs::write(self.folder.join(format!("{name}-{number:04}.dcm")), file)?;
        }
        Ok(())
    }
}

impl EhrArgs {
    async fn run(self) -> Result<ExitCode, Failure> {
        let ehr = self.ehr().await?;
        let hooks: Vec<&str> = match self.hook.as_str() {
            "all" => ehr::hooks().iter().map(|(name, _)| *name).collect(),
            hook => vec![hook],
        };
        let mut conform = true;
        for hook in hooks {
            let answer = self.fire(&ehr, hook).await?;
            conform &= answer.faults.is_empty();
            show(hook, &answer);
        }
        Ok(if conform { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn ehr(&self) -> Result<Ehr, Failure> {
        let mut ehr = Ehr::new(&self.name);
        if let (Some(fhir), Some(token)) = (&self.fhir, &self.fhir_token) {
            ehr = ehr.fhir_at(fhir, token);
        }
        match self.keys {
            Some(address) => {
                let ehr = ehr.publishing_keys_at(address).await?;
                println!("issuer {}, keys at {}", ehr.iss(), ehr.jwks_url().unwrap_or_default());
                Ok(ehr)
            }
            None => Ok(ehr.unsigned()),
        }
    }

    async fn fire(&self, ehr: &Ehr, hook: &str) -> Result<Answer, Failure> {
        if let Some(drug) = self.orders.iter().find(|drug| patients::draft(drug).is_none()) {
            return Err(format!("there is no draft order of {drug}").into());
        }
        let mut firing = ehr.fires(hook).on(&self.patient);
        for drug in &self.orders {
            firing = firing.ordering(drug);
        }
        if self.prefetch {
            firing = firing.filling_prefetch();
        }
        let service = self.service.clone().unwrap_or_else(|| format!("van-{hook}"));
        Ok(firing.at(&self.base_url, &service).await?)
    }
}

fn show(hook: &str, answer: &Answer) {
    println!("{hook}: status {}, {} cards, {} ms", answer.status, answer.cards.len(), answer.took.as_millis());
    for card in &answer.cards {
        println!("  [{}] {} — {}", card.indicator(), card.summary(), card.source());
        for suggestion in card.suggestions() {
            println!("      ▸ {}", suggestion["label"].as_str().unwrap_or_default());
        }
    }
    if answer.status >= 400 {
        println!("  {}", answer.text);
    }
    if !answer.faults.is_empty() {
        println!("  not as the standard asks: {}", conformance::list(&answer.faults));
    }
}
