//! [`Pacs`]: a hospital's own archive, asked for what it has of a patient, by DIMSE or by DICOMweb.

use std::{net::IpAddr, time::Duration};

use dicom_dictionary_std::tags;
use medvan_adapters::{AdviseError, ErrorKind, dicomweb::Root};
use medvan_analysis::matching::{SeriesTold, StudyFacts};
use medvan_imaging::{Uid, attributes::Attributes, query::date_key};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    App,
    archive::Expected,
    catalog::{HospitalId, HospitalImaging, OnConflict, PriorArchive, Retrieve},
    dimse::{CallFault, NodeArchive},
    store::{Kind, Origin, Protocol},
};

/// Studies of a patient that are taken from what the archive tells, the latest.
pub(super) const STUDIES: usize = 16;
/// Series of a study, instances of a series.
const SERIES: usize = 1_000;
const INSTANCES: usize = 5_000;
/// Bytes of one instance that is fetched by WADO-RS, which is held in memory until it is stored.
const INSTANCE_BYTES: usize = 128 << 20;

/// A hospital's own archive.
pub(super) struct Pacs<'a> {
    app: &'a App,
    hospital: &'a HospitalId,
    way: Way<'a>,
}

enum Way<'a> {
    Node(NodeArchive<'a>),
    Web(Root),
}

/// A study as the archive tells of it.
#[derive(Debug, Clone)]
pub(super) struct ToldStudy {
    pub(super) facts: StudyFacts,
    /// It names no issuer of the patient's id: its images may.
    pub(super) says_no_issuer: bool,
}

/// An instance as the archive tells of it.
#[derive(Debug)]
pub(super) struct ToldInstance {
    pub(super) uid: Uid,
    told: Attributes,
}

/// Why the archive gives nothing, in words for people of the hospital. They name no patient.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PacsFault {
    pub(super) en: String,
    pub(super) ja: String,
    /// Whether it does not work, so that others need not try for a while.
    #[serde(skip)]
    pub(super) is_failure: bool,
}

impl<'a> Pacs<'a> {
    /// The archive that a hospital names.
    ///
    /// # Errors
    /// It names none that there is, or none at which it is known how to log in.
    pub(super) fn of(app: &'a App, hospital: &'a HospitalId, imaging: &HospitalImaging) -> Result<Self, PacsFault> {
        let priors = imaging.priors.as_ref().ok_or_else(PacsFault::no_archive)?;
        let way = match &priors.archive {
            PriorArchive::Dimse { node, retrieve } => Way::Node(NodeArchive {
                app,
                hospital,
                own: imaging.ae_title.clone(),
                node: imaging.node(node).ok_or_else(PacsFault::no_archive)?.clone(),
                retrieve: *retrieve,
            }),
            PriorArchive::Dicomweb(system) => {
                let root = app.origins.root(hospital, system, Duration::from_secs(priors.seconds.into()));
                Way::Web(root.map_err(|_| PacsFault::no_login())?)
            }
        };
        Ok(Self { app, hospital, way })
    }

    /// The node that sends what is fetched, where one does.
    pub(super) fn sender(&self) -> &str {
        match &self.way {
            Way::Node(node) => node.node.ae_title.as_str(),
            Way::Web(_) => "",
        }
    }

    /// The latest studies of a patient within these days, and whether they are the latest of all that there are.
    pub(super) async fn studies(
        &self,
        patient_id: &str,
        (first, last): (&str, &str),
    ) -> Result<(Vec<ToldStudy>, bool), PacsFault> {
        let mut latest: Vec<ToldStudy> = Vec::new();
        let mut take = |told: Attributes| {
            latest.extend(study(&told));
            // Of thousands not more than the latest are held.
            if latest.len() >= 8 * STUDIES {
                keep_latest(&mut latest);
            }
        };
        let is_all = match &self.way {
            Way::Node(node) => {
                let mut asked = Attributes::new();
                asked.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
                asked.put_text(tags::QUERY_RETRIEVE_LEVEL, "STUDY");
                asked.put_text(tags::PATIENT_ID, patient_id);
                asked.put_text(tags::STUDY_DATE, format!("{first}-{last}"));
                for tag in [tags::ISSUER_OF_PATIENT_ID, tags::STUDY_INSTANCE_UID, tags::MODALITIES_IN_STUDY] {
                    asked.put_empty(tag);
                }
                node.find(&asked, &mut take).await?
            }
            Way::Web(root) => {
                let (told, is_all) = root.studies_of(patient_id, (first, last)).await?;
                told.into_iter().for_each(take);
                is_all
            }
        };
        keep_latest(&mut latest);
        Ok((latest, is_all))
    }

    /// The series of a study.
    pub(super) async fn series(&self, study: &Uid) -> Result<Vec<SeriesTold>, PacsFault> {
        let told = match &self.way {
            Way::Node(node) => {
                let mut asked = below(study, "SERIES");
                let wanted = [
                    tags::SERIES_INSTANCE_UID,
                    tags::MODALITY,
                    tags::BODY_PART_EXAMINED,
                    tags::SERIES_DESCRIPTION,
                    tags::NUMBER_OF_SERIES_RELATED_INSTANCES,
                ];
                wanted.into_iter().for_each(|tag| asked.put_empty(tag));
                found(node, &asked, SERIES).await?
            }
            Way::Web(root) => root.series_of(study).await?,
        };
        Ok(told.iter().take(SERIES).filter_map(series).collect())
    }

    /// The instances of a series; none where it does not tell of single instances.
    pub(super) async fn instances(&self, study: &Uid, series: &Uid) -> Result<Vec<ToldInstance>, PacsFault> {
        let told = match &self.way {
            Way::Node(node) => {
                let mut asked = below(study, "IMAGE");
                asked.put_text(tags::SERIES_INSTANCE_UID, series.as_str());
                [tags::SOP_INSTANCE_UID, tags::SOP_CLASS_UID].into_iter().for_each(|tag| asked.put_empty(tag));
                found(node, &asked, INSTANCES).await?
            }
            Way::Web(root) => root.instances_of(study, series).await?,
        };
        let told = told.into_iter().take(INSTANCES);
        Ok(told.filter_map(|told| Some(ToldInstance { uid: uid(&told, tags::SOP_INSTANCE_UID)?, told })).collect())
    }

    /// Fetches instances of a series into the store, or the whole series of so many at most.
    pub(super) async fn fetch(
        &self,
        study: &Uid,
        series: &Uid,
        wanted: &[ToldInstance],
        whole: Option<usize>,
    ) -> Result<(), PacsFault> {
        match &self.way {
            Way::Node(node) if node.retrieve == Retrieve::Move && self.app.config.dimse.listen.is_none() => {
                Err(PacsFault::no_listener())
            }
            Way::Node(node) => {
                let named: Vec<(Uid, Option<Uid>)> =
                    wanted.iter().map(|wanted| (wanted.uid.clone(), uid(&wanted.told, tags::SOP_CLASS_UID))).collect();
                Ok(node.fetch(study, series, &named, whole).await?)
            }
            Way::Web(root) => self.fetch_from(root, study, series, wanted).await,
        }
    }

    /// One after the other: the archive has other work to do, and one of them is in memory.
    async fn fetch_from(
        &self,
        root: &Root,
        study: &Uid,
        series: &Uid,
        wanted: &[ToldInstance],
    ) -> Result<(), PacsFault> {
        let origin = Origin {
            id: Uuid::now_v7(),
            protocol: Protocol::Wado,
            source: self.hospital.to_string(),
            called: None,
            peer: IpAddr::from([0, 0, 0, 0]),
            at: self.app.clock.now(),
        };
        let arrival = self.app.archive.arrival(self.hospital, origin, OnConflict::Keep, Kind::Original);
        let mut arrival = arrival.map_err(|_| PacsFault::not_taken())?;
        for instance in wanted {
            let bytes = root.instance(study, series, &instance.told, INSTANCE_BYTES).await?;
            arrival.write(bytes).await;
            let object = uid(&instance.told, tags::SOP_CLASS_UID).map(|class| (class, instance.uid.clone()));
            arrival.finish(Expected { study: Some(study.clone()), object }).await;
            arrival.commit().await;
        }
        Ok(())
    }
}

async fn found(node: &NodeArchive<'_>, asked: &Attributes, most: usize) -> Result<Vec<Attributes>, PacsFault> {
    let mut told = Vec::new();
    let mut take = |answer: Attributes| {
        if told.len() < most {
            told.push(answer);
        }
    };
    node.find(asked, &mut take).await?;
    Ok(told)
}

fn below(study: &Uid, level: &str) -> Attributes {
    let mut asked = Attributes::new();
    asked.put_text(tags::QUERY_RETRIEVE_LEVEL, level);
    asked.put_text(tags::STUDY_INSTANCE_UID, study.as_str());
    asked
}

fn keep_latest(studies: &mut Vec<ToldStudy>) {
    studies.sort_by(|a, b| (&b.facts.date, &a.facts.uid).cmp(&(&a.facts.date, &b.facts.uid)));
    studies.dedup_by(|a, b| a.facts.uid == b.facts.uid);
    studies.truncate(STUDIES);
}

fn study(told: &Attributes) -> Option<ToldStudy> {
    let text = |tag| told.text(tag).unwrap_or_default().trim().to_owned();
    let modalities = told.get(tags::MODALITIES_IN_STUDY).map(|told| told.texts()).unwrap_or_default();
    let issuer = text(tags::ISSUER_OF_PATIENT_ID);
    Some(ToldStudy {
        says_no_issuer: issuer.is_empty(),
        facts: StudyFacts {
            uid: uid(told, tags::STUDY_INSTANCE_UID)?,
            patient_id: text(tags::PATIENT_ID),
            issuer,
            date: date_key(&text(tags::STUDY_DATE)).unwrap_or_default(),
            modalities: modalities.into_iter().flatten().take(64).map(|modality| modality.trim().to_owned()).collect(),
        },
    })
}

fn series(told: &Attributes) -> Option<SeriesTold> {
    let text = |tag| told.text(tag).unwrap_or_default().trim().to_owned();
    Some(SeriesTold {
        uid: uid(told, tags::SERIES_INSTANCE_UID)?,
        modality: text(tags::MODALITY),
        body_part: text(tags::BODY_PART_EXAMINED),
        description: text(tags::SERIES_DESCRIPTION),
        instances: text(tags::NUMBER_OF_SERIES_RELATED_INSTANCES).parse().ok(),
    })
}

fn uid(told: &Attributes, tag: medvan_imaging::Tag) -> Option<Uid> {
    Uid::parse(told.text(tag)?.trim_end_matches([' ', '\0'])).ok()
}

impl PacsFault {
    fn new(en: impl Into<String>, ja: impl Into<String>, is_failure: bool) -> Self {
        Self { en: en.into(), ja: ja.into(), is_failure }
    }

    /// It did not come to its end within the time that the hospital gives it.
    pub(super) fn slow() -> Self {
        Self::new("the PACS did not answer in time", "PACSが時間内に応答しませんでした", true)
    }

    /// It failed a moment ago, and is left alone for a while.
    pub(super) fn left_alone() -> Self {
        Self::new(
            "the PACS did not answer others a moment ago and was not asked",
            "PACSが直前に応答しなかったため、問い合わせていません",
            false,
        )
    }

    /// Others of the hospital's studies were before this one, until its time was over.
    pub(super) fn not_asked() -> Self {
        Self::new(
            "the PACS was busy with other studies until the time was over",
            "時間内に順番が回らず、PACSに問い合わせていません",
            false,
        )
    }

    /// The hospital names no such archive any more.
    pub(super) fn no_archive() -> Self {
        Self::new("the hospital names no such archive any more", "問い合わせ先のアーカイブが設定されていません", false)
    }

    /// The operator has not entered how to log in.
    fn no_login() -> Self {
        Self::new(
            "it is not known how to log in at the archive: the operator has entered no credential of this name",
            "アーカイブへの認証情報 (credential) が運用者により登録されていません",
            true,
        )
    }

    /// Here something does not work.
    pub(super) fn ours() -> Self {
        Self::new(
            "the gateway could not look for priors",
            "ゲートウェイの障害により過去検査を検索できませんでした",
            false,
        )
    }

    fn no_listener() -> Self {
        Self::new(
            "nothing comes by C-MOVE: the gateway does not listen on the DICOM network (dimse.listen)",
            "ゲートウェイがDICOMネットワークで待ち受けていないため、C-MOVE で画像が届きません (dimse.listen)",
            false,
        )
    }

    fn not_taken() -> Self {
        Self::new("what the PACS gives could not be stored", "PACSから届いた画像を保存できませんでした", false)
    }

    /// More than the service takes, or than is fetched at all.
    pub(super) fn too_many() -> Self {
        Self::new("the series has too many images to be fetched", "画像数が多すぎるため取得していません", false)
    }

    /// Nothing came of what was asked for.
    pub(super) fn nothing_came() -> Self {
        Self::new("the PACS gave none of the images", "PACSから画像が届きませんでした", false)
    }
}

impl From<CallFault> for PacsFault {
    fn from(fault: CallFault) -> Self {
        if matches!(fault, CallFault::NotTaken(_)) {
            return Self::not_taken();
        }
        let ja = match &fault {
            CallFault::Slow => "PACSが時間内に応答しませんでした",
            CallFault::Unreachable(_) => "PACSに接続できません",
            CallFault::Ended(_) => "PACSとの接続が途中で切れました",
            CallFault::Rejected(_) => "PACSがアソシエーションを拒否しました",
            CallFault::NothingAccepted => "PACSがこのサービスに対応していません",
            CallFault::NotAllowed => "このPACSへの接続は許可されていません (outgoing.allowed_hosts)",
            CallFault::NoPort | CallFault::NoAuthorities => "PACSのノード設定が足りません",
            CallFault::Unaskable | CallFault::NotTaken(_) => "PACSに問い合わせできませんでした",
            CallFault::Answered(_) => "PACSがエラーを返しました",
        };
        let en = match &fault {
            CallFault::Slow => "the PACS did not answer in time".to_owned(),
            fault => format!("the PACS could not be asked: {fault}"),
        };
        let is_failure =
            matches!(fault, CallFault::Unreachable(_) | CallFault::Slow | CallFault::Ended(_) | CallFault::Rejected(_));
        Self::new(en, ja, is_failure)
    }
}

impl From<AdviseError> for PacsFault {
    fn from(error: AdviseError) -> Self {
        let (en, ja) = match error.kind {
            ErrorKind::Timeout => ("the PACS did not answer in time".to_owned(), "PACSが時間内に応答しませんでした"),
            ErrorKind::Unreachable => ("the PACS cannot be reached".to_owned(), "PACSに接続できません"),
            ErrorKind::Refused => (
                "the PACS's address is not in outgoing.allowed_hosts".to_owned(),
                "このPACSへの接続は許可されていません (outgoing.allowed_hosts)",
            ),
            ErrorKind::TooLarge => ("the PACS answers with too much".to_owned(), "PACSの応答が大きすぎます"),
            ErrorKind::Status(status) => {
                (format!("the PACS answered with status {status}"), "PACSがエラーを返しました")
            }
            _ => ("the PACS's answer is not DICOMweb (PS3.18)".to_owned(), "PACSの応答がDICOMwebではありません"),
        };
        Self::new(en, ja, matches!(error.kind, ErrorKind::Timeout | ErrorKind::Unreachable))
    }
}
