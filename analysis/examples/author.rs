//! Writes the evidence of findings into a folder, for judges that are not in Rust:
//! `author FOLDER FINDINGS.json IMAGE.dcm…` writes `report.dcm`, `segmentation-1.dcm`, `presentation-1.dcm`, `picture-1.dcm`, …,
//! `document.dcm`. Refusals go to the standard error.

use std::{error::Error, fs, io::BufReader, path::Path};

use medvan_analysis::{
    evidence::{
        Algorithm, Completion, Context, Object, Qualification, RgbPicture, pdf, picture, presentation, report,
        segmentation,
    },
    finding::{CheckedFindings, Findings, Refused},
    inputs::Inputs,
};
use medvan_imaging::{
    attributes::{self, AttributePath},
    dataset::{Limits, Seekable},
    file::read_file,
};
use time::macros::datetime;
use uuid::Uuid;

const JOB: Uuid = Uuid::from_u128(0x3b1c_7d10_5a54_4cf5_9d0f_1d2b_6a0e_4e01);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, findings, images @ ..] = arguments.as_slice() else {
        return Err("usage: author FOLDER FINDINGS.json IMAGE.dcm…".into());
    };
    let mut inputs = Inputs::default();
    for image in images {
        let source = Seekable::new(BufReader::new(fs::File::open(image)?))?;
        let data_set = read_file(source, &Limits::default())?.data_set;
        inputs.add(&attributes::read(&data_set, &|_: &AttributePath| None));
    }
    let findings = Findings::read(&fs::read(findings)?, &inputs, JOB).map_err(|refused| told(&refused))?;
    write(Path::new(folder), &inputs, &findings)
}

fn write(folder: &Path, inputs: &Inputs, findings: &CheckedFindings) -> Result<(), Box<dyn Error>> {
    let algorithm = Algorithm {
        name: "Nodule finder".to_owned(),
        version: "2.1.0".to_owned(),
        manufacturer: "例示メディカル".to_owned(),
        manufacturer_model: "NF-2".to_owned(),
        regulatory_number: Some("30500BZX00000000".to_owned()),
        service_id: "example-vendor/nodule-finder".to_owned(),
        parameters: vec!["threshold=0.5".to_owned()],
    };
    let context = Context {
        inputs,
        algorithm: &algorithm,
        job: JOB,
        at: datetime!(2026-11-23 18:30:00 +09:00),
        completion: Completion::Complete,
        qualification: Qualification::Product,
        predecessor: None,
    };
    for (object, number) in segmentation::author(&context, findings)?.iter().zip(1..) {
        put(folder, &format!("segmentation-{number}"), object)?;
    }
    let mut beside = Vec::new();
    for (object, number) in presentation::author(&context, findings)?.into_iter().zip(1..) {
        put(folder, &format!("presentation-{number}"), &object)?;
        beside.push(object.reference);
    }
    for (name, number) in picture::worth_drawing(findings, 20).iter().zip(1..) {
        // The caller renders the image; a grey one of another size shows as well whether coordinates are scaled.
        let grey = RgbPicture::new(512, 512, vec![96; 512 * 512 * 3])?;
        if let Some(object) = picture::author(&context, findings, name, grey)? {
            put(folder, &format!("picture-{number}"), &object)?;
            beside.push(object.reference);
        }
    }
    let report = report::author(&context, findings, &beside)?;
    put(folder, "report", &report)?;
    put(folder, "document", &pdf::author(&context, findings, &[report.reference])?)
}

fn put(folder: &Path, name: &str, object: &Object) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(folder.join(name).with_extension("dcm"), &object.bytes)?)
}

fn told(refused: &[Refused]) -> String {
    let lines: Vec<String> = refused.iter().map(ToString::to_string).collect();
    format!("refused:\n{}", lines.join("\n"))
}
