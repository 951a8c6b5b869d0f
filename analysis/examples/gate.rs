//! Holds results against the images of a job, for judges that are not in Rust: `gate FOLDER IMAGE.dcm… -- RESULT.dcm…` writes what is
//! accepted as `accepted-1.dcm`, … into the folder and tells on the standard output, as JSON, what became of each and what was found.

use std::{error::Error, fs, io::BufReader, path::Path};

use medvan_analysis::{
    gate::{self, AcceptedObject, Gated, Job},
    inputs::Inputs,
};
use medvan_imaging::{
    attributes::{self, AttributePath},
    dataset::{Limits, Seekable},
    file::read_file,
    json::key,
};
use serde_json::{Value, json};
use time::macros::datetime;
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut groups = arguments.split(|argument| argument == "--");
    let (Some([folder, images @ ..]), Some(results)) = (groups.next(), groups.next()) else {
        return Err("usage: gate FOLDER IMAGE.dcm… -- RESULT.dcm…".into());
    };
    let mut inputs = Inputs::default();
    for image in images {
        let source = Seekable::new(BufReader::new(fs::File::open(image)?))?;
        let data_set = read_file(source, &Limits::default())?.data_set;
        inputs.add(&attributes::read(&data_set, &|_: &AttributePath| None));
    }
    let files = results.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let job = Job {
        inputs: &inputs,
        job: Uuid::from_u128(0x3b1c_7d10_5a54_4cf5_9d0f_1d2b_6a0e_4e01),
        at: datetime!(2026-11-23 18:30:00 +09:00),
        earlier: &[],
    };
    let gated = gate::read(files, &job);
    for (object, number) in gated.accepted.iter().zip(1..) {
        fs::write(Path::new(folder).join(format!("accepted-{number}.dcm")), &object.bytes)?;
    }
    println!("{}", told(&gated));
    Ok(())
}

fn told(gated: &Gated) -> Value {
    let accepted = |object: &AcceptedObject| {
        let repairs: Vec<String> = object.repairs.iter().map(|repair| key(repair.tag)).collect();
        json!({"instance": object.reference.instance, "repairs": repairs})
    };
    let accepted: Vec<Value> = gated.accepted.iter().map(accepted).collect();
    let kept = gated.quarantined.iter().map(|kept| json!({"at": kept.at, "reasons": kept.reasons}));
    json!({
        "accepted": accepted,
        "quarantined": kept.collect::<Vec<_>>(),
        "findings": gated.findings,
        "unread": gated.unread,
    })
}
