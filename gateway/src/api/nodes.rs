//! `/hospitals/{hospital}/nodes` and `/outbox`: the DICOM nodes of a hospital: whether they answer, what goes to them, and what did
//! not reach them.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use medvan_imaging::{AeTitle, Uid};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Api,
    input::{Asked, At, Listed, Paging, Posted},
    problem::{Kind, Problem},
};
use crate::{
    catalog::{HospitalId, HospitalImaging},
    dimse,
    store::{GivenUp, Selection, ToNode},
};

/// Time for a node that is asked by DICOMweb whether it is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Instances that one request may send.
const MOST: u32 = 20_000;

/// Whether a node answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EchoView {
    /// It did, and with success.
    answered: bool,
    /// Why it did not, in its own words where it had some.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Ask a node whether it is there (C-ECHO), or whether it can be searched where it has a DICOMweb root (QIDO-RS).
#[utoipa::path(post, path = "/hospitals/{hospital}/nodes/{node}/echo", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("node" = String, Path, description = "AE title")),
    responses((status = OK, description = "Whether it answered", body = EchoView)))]
pub(super) async fn echo(
    State(api): State<Api>,
    At((hospital, node)): At<(HospitalId, String)>,
) -> Result<Json<EchoView>, Problem> {
    let (imaging, title) = of(&api, &hospital, &node).await?;
    let node = imaging.node(&title).ok_or(Problem::no_such("node"))?;
    let reason = match &node.dicomweb {
        Some(system) => match api.origins.root(&hospital, system, PATIENCE) {
            Ok(root) => root.answers().await.err().map(|fault| fault.to_string()),
            Err(no_login) => Some(no_login.to_string()),
        },
        None => dimse::echo(&api.nodes, &imaging.ae_title, node).await.err().map(|fault| fault.to_string()),
    };
    Ok(Json(EchoView { answered: reason.is_none(), reason }))
}

/// What is to be sent: a study, a series of it, or one instance of that.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SendOrder {
    /// StudyInstanceUID.
    study: String,
    /// SeriesInstanceUID.
    series: Option<String>,
    /// SOPInstanceUID.
    instance: Option<String>,
}

/// How much was put in for a node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendView {
    /// Instances.
    instances: usize,
}

/// Send a study, a series or an instance to a node (C-STORE, or STOW-RS where it has a DICOMweb root): at least once, also when the node is away for days.
#[utoipa::path(post, path = "/hospitals/{hospital}/nodes/{node}/send", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("node" = String, Path, description = "AE title")), request_body = SendOrder,
    responses((status = ACCEPTED, description = "It is in the outbox and survives a restart", body = SendView)))]
pub(super) async fn send(
    State(api): State<Api>,
    At((hospital, node)): At<(HospitalId, String)>,
    Posted(order): Posted<SendOrder>,
) -> Result<(StatusCode, Json<SendView>), Problem> {
    let (imaging, node) = of(&api, &hospital, &node).await?;
    imaging.node(&node).ok_or(Problem::no_such("node"))?;
    let found = api.store.select_instances(&hospital, &order.selection()?, 0, MOST + 1).await?;
    if found.is_empty() {
        return Err(Problem::no_such("instance"));
    }
    if found.len() > MOST as usize {
        return Err(Problem::new(
            Kind::Parameter,
            "there are too many instances for one order; send it series by series",
        ));
    }
    let instances: Vec<Uid> = found.into_iter().map(|found| found.uid).collect();
    api.store.send_to_node(&hospital, &node, &instances, api.clock.now()).await?;
    api.nodes.ring();
    Ok((StatusCode::ACCEPTED, Json(SendView { instances: instances.len() })))
}

/// What did not reach a node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GivenUpView {
    /// Its id; ids sort by time.
    id: Uuid,
    /// The node's AE title.
    #[schema(value_type = String)]
    node: AeTitle,
    /// SOPInstanceUID of the instance; nothing for the report of a storage commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// How often it was tried.
    attempts: u64,
    /// Since when it waited.
    #[serde(with = "time::serde::rfc3339")]
    put_at: OffsetDateTime,
    /// Why, in the node's own words where it had some.
    reason: String,
}

/// What was given up of what had to reach a hospital's nodes, oldest first.
#[utoipa::path(get, path = "/hospitals/{hospital}/outbox", tag = "imaging", params(("hospital" = HospitalId, Path), Paging),
    responses((status = OK, description = "A page of it", body = Listed<GivenUpView>)))]
pub(super) async fn given_up(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<GivenUpView>>, Problem> {
    let page = paging.page()?;
    let given_up = api.store.given_up_on_nodes(&hospital, page).await?.into_iter().map(GivenUpView::from).collect();
    Ok(Json(Listed::new(given_up, page.limit, |view: &GivenUpView| view.id.to_string())))
}

/// Send once more what was given up, when its reason was mended.
#[utoipa::path(post, path = "/hospitals/{hospital}/outbox/{entry}/retry", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("entry" = Uuid, Path)),
    responses((status = ACCEPTED, description = "It waits again")))]
pub(super) async fn retry(
    State(api): State<Api>,
    At((hospital, entry)): At<(HospitalId, Uuid)>,
) -> Result<StatusCode, Problem> {
    if !api.store.try_node_again(&hospital, entry, api.clock.now()).await? {
        return Err(Problem::no_such("entry that was given up"));
    }
    api.nodes.ring();
    Ok(StatusCode::ACCEPTED)
}

/// The imaging of a hospital, and the title that the path names.
async fn of(api: &Api, hospital: &HospitalId, node: &str) -> Result<(HospitalImaging, AeTitle), Problem> {
    let found = api.store.hospital(hospital).await?.ok_or(Problem::no_such("hospital"))?;
    let imaging = found.imaging.ok_or(Problem::no_such("node"))?;
    let title = AeTitle::parse(node).map_err(|_| Problem::no_such("node"))?;
    Ok((imaging, title))
}

impl SendOrder {
    fn selection(&self) -> Result<Selection, Problem> {
        let uid = |text: &str| Uid::parse(text).map_err(|error| Problem::new(Kind::Parameter, error.to_string()));
        if self.instance.is_some() && self.series.is_none() {
            return Err(Problem::new(Kind::Parameter, "an instance is named with its series"));
        }
        Ok(Selection {
            study: uid(&self.study)?,
            series: self.series.as_deref().map(uid).transpose()?,
            instance: self.instance.as_deref().map(uid).transpose()?,
        })
    }
}

impl From<GivenUp> for GivenUpView {
    fn from(given_up: GivenUp) -> Self {
        let GivenUp { id, node, what, attempts, put_at, fault } = given_up;
        let instance = match what {
            ToNode::Instance(uid) => Some(uid.to_string()),
            ToNode::Report(_) => None,
        };
        Self { id, node, instance, attempts, put_at, reason: fault }
    }
}
