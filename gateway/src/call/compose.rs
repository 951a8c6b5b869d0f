//! One answer out of all: merged, with the gateway's own ids, in the EHR's dialect, with the source of every card.

use std::{sync::Arc, time::Duration};

use medvan_hooks::{
    dialect::{self, Dialect},
    merge::{self, Answer, Merged, Minted},
    response::Response,
};
use medvan_profiles::Json;
use serde_json::json;
use uuid::Uuid;

use super::{
    Call,
    dispatch::{AllHeard, Heard},
    exchange::Exchange,
    explanation::{Note, Status},
    images::ImageCards,
    recent,
    refusal::Refusal,
    usage,
};
use crate::{
    catalog::{Member, MissedHook},
    store::{IssuedCard, IssuedSuggestion},
};

/// Name of the gateway's extension in its answers: the exchange, and how each service fared.
const EXCHANGE: &str = "jp.medvan.exchange";

/// Makes the answer's bytes, noting in the exchange what was done.
pub(super) fn answer(
    call: &Call<'_>,
    all: AllHeard,
    images: &ImageCards,
    exchange: &mut Exchange,
) -> Result<Vec<u8>, Refusal> {
    exchange.explanation.elapsed.answered_ms = exchange.elapsed_ms();
    let mut answers = Vec::with_capacity(all.heard.len());
    for heard in all.heard {
        let heard = with_earlier_cards(call, heard);
        if heard.note.status == Status::Answered {
            exchange.usage.push(usage::row(&heard.member, call.key));
        }
        if let Some(response) = heard.response.clone() {
            answers.push(part(&heard, response, exchange.id));
        }
        exchange.note(&heard.member, heard.note);
    }
    answers.extend(images.answers(call, exchange.id));
    exchange.explanation.images.clone_from(&images.note);
    if images.is_empty()
        && let Some(refusal) = nothing_to_show(call, exchange)
    {
        return Err(refusal);
    }
    // Ids that grow with time keep the table's index in one place; nobody gets anything by guessing one.
    let mut merged = merge::merge(answers, &mut Uuid::now_v7);
    explain(&merged, exchange);
    // Shadow services compare with what the services said, not with how one EHR wants it written.
    if all.shown.receiver_count() > 0 {
        all.shown.send_replace(Some(Arc::new(merged.response.clone())));
    }
    say_in_dialect(call, &mut merged, exchange);
    exchange.cards = issued(call, images, &merged.minted);
    merged.response.extension.insert(EXCHANGE.to_owned(), status_of_services(exchange));
    exchange.explanation.elapsed.merged_ms = exchange.elapsed_ms();
    Ok(merged.response.to_bytes())
}

/// 412 where nobody can say anything for lack of data; a clear word where a single service's trial is over.
fn nothing_to_show(call: &Call<'_>, exchange: &Exchange) -> Option<Refusal> {
    let ended = exchange.explanation.services.iter().find(|note| note.status == Status::TrialEnded);
    match ended {
        Some(note) if !call.offer.aggregated => Some(Refusal::TrialEnded { service: note.service.clone() }),
        _ => exchange.nothing_evaluable().then_some(Refusal::NotEvaluable),
    }
}

fn part(heard: &Heard, response: Response, exchange: Uuid) -> Answer {
    Answer {
        service: heard.member.key.clone(),
        tier: heard.member.tier,
        acceptance: heard.member.acceptance,
        provenance: Some(provenance(heard, exchange)),
        response,
    }
}

/// What stands behind a card: which version of which service said it, on what data, and what was mended.
fn provenance(heard: &Heard, exchange: Uuid) -> Json {
    let descriptor = &heard.member.descriptor;
    Json::from_value(&json!({
        "exchange": exchange,
        "service": heard.note.service,
        "version": heard.note.version,
        "mode": heard.note.mode,
        "productName": descriptor.product_name,
        "regulatory": descriptor.regulatory,
        "prefetch": heard.note.sent,
        "repairs": heard.note.repairs.len(),
        "elapsedMs": heard.note.elapsed_ms.round(),
        "earlier": heard.note.re_emitted,
    }))
}

fn explain(merged: &Merged, exchange: &mut Exchange) {
    let suppressed = merged.suppressions.iter().map(|suppression| Note {
        rule: "merge".to_owned(),
        place: format!("{}: {}", suppression.service, suppression.place),
        reason: suppression.reason.to_owned(),
    });
    exchange.explanation.suppressed.extend(suppressed);
    exchange.explanation.placements = json!(merged.placements);
    exchange.explanation.conflicts = json!(merged.conflicts);
}

/// Says the answer the way this EHR understands it; what had to be changed for that is noted.
fn say_in_dialect(call: &Call<'_>, merged: &mut Merged, exchange: &mut Exchange) {
    let client = call.caller.client();
    let dialect = Dialect::find(&client.dialect).unwrap_or(dialect::GENERIC);
    let dialect = dialect.with_action_selection_behavior(client.action_selection_behavior);
    let noted = dialect.render(merged).into_iter().map(|adaptation| Note {
        rule: adaptation.rule.to_owned(),
        place: adaptation.place,
        reason: String::new(),
    });
    exchange.explanation.adaptations.extend(noted);
}

/// Which services were asked and how each fared, for an EHR that shows it and for people who look into an answer.
fn status_of_services(exchange: &Exchange) -> Json {
    let shown = exchange.explanation.services.iter().filter(|note| note.mode != "shadow");
    let services: Vec<_> =
        shown.map(|note| json!({"service": note.service, "version": note.version, "status": note.status})).collect();
    // The standard forbids empty arrays; a hook with nothing but shadow services has none to name.
    Json::from_value(&match services.is_empty() {
        true => json!({"id": exchange.id}),
        false => json!({"id": exchange.id, "services": services}),
    })
}

/// The rows by which feedback finds its way back to the makers.
fn issued(call: &Call<'_>, images: &ImageCards, minted: &[Minted]) -> Vec<IssuedCard> {
    let of_hooks = |minted: &Minted| Some(issued_card(member(call, &minted.service)?, minted));
    minted.iter().filter_map(|minted| images.issued(&minted.service, minted).or_else(|| of_hooks(minted))).collect()
}

fn member<'a>(call: &Call<'a>, key: &str) -> Option<&'a Arc<Member>> {
    call.offer.members.iter().find(|member| member.key == key)
}

fn issued_card(member: &Member, minted: &Minted) -> IssuedCard {
    let suggestion = |minted: &merge::MintedSuggestion| IssuedSuggestion {
        id: minted.gateway_id,
        vendor_id: minted.vendor_id.clone(),
    };
    IssuedCard {
        id: minted.gateway_id,
        service: member.name.clone(),
        version: member.version.clone(),
        cds_id: member.cds_id.clone(),
        vendor_id: minted.vendor_id.clone(),
        suggestions: minted.suggestions.iter().map(suggestion).collect(),
    }
}

/// The hospital's choice for a service that misses a repeated hook: its earlier cards go, or are given once more.
fn with_earlier_cards(call: &Call<'_>, mut heard: Heard) -> Heard {
    let MissedHook::ReEmitSeconds(seconds) = call.caller.hospital().hospital.missed_hook else { return heard };
    let key = recent_key(call, &heard.member);
    match (&heard.response, heard.note.status) {
        (Some(response), _) => {
            // Cards may come again; a change that is made without asking happens once.
            call.app.recent.keep(key, response.cards.clone(), Duration::from_secs(seconds.into()));
        }
        (None, Status::TimedOut | Status::Unreachable | Status::Failed | Status::Resting | Status::Busy) => {
            let earlier = call.app.recent.last(&key);
            heard.response = earlier.map(|cards| Response { cards, ..Response::empty() });
            heard.note.re_emitted = heard.response.is_some();
        }
        // It said that it has nothing to say, or may not say it.
        (None, _) => {}
    }
    heard
}

fn recent_key(call: &Call<'_>, member: &Member) -> recent::Key {
    let context: Vec<&str> = usage::context(&call.request).collect();
    recent::Key {
        hospital: call.caller.hospital_id().clone(),
        client: call.caller.client().id.clone(),
        service: member.name.clone(),
        cds_id: member.cds_id.clone(),
        version: member.version.clone(),
        context: call.app.secret.tag(&context).as_ref().to_vec(),
    }
}
