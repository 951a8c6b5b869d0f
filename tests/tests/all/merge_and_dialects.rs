//! Many answers become one: in an order that nobody's speed decides, explained, in words that the EHR understands.

use medvan_fixtures::ehr::Answer;
use serde_json::{Value, json};

use crate::world::{Maker, World, card, no_hurry};

async fn two_makers(hook: &str) -> (World, Maker, Maker) {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", hook).await;
    let tsubaki = world.makes("tsubaki", hook).await;
    (world, sakura, tsubaki)
}

fn with(mut card: Value, name: &str, value: Value) -> Value {
    card[name] = value;
    card
}

async fn view(world: &World) -> Answer {
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    answer.conforms();
    answer
}

/// An answer with what is new in every answer (ids, times) taken out.
fn essence(answer: &Answer) -> Vec<(String, String, String)> {
    let text = |card: &Value, name: &str| card[name].as_str().unwrap_or_default().to_owned();
    let cards = answer.cards.iter().map(|card| &card.value);
    cards.map(|card| (text(card, "summary"), text(card, "detail"), text(&card["source"], "label"))).collect()
}

#[tokio::test]
async fn the_slowest_service_still_comes_first_where_it_belongs() {
    let (world, sakura, tsubaki) = two_makers("patient-view").await;
    sakura.says(&[card("a", "桜の助言")]);
    tsubaki.says(&[card("b", "椿の助言")]);
    for (slow, fast) in [(&sakura, &tsubaki), (&tsubaki, &sakura)] {
        let before = (slow.calls().len(), fast.calls().len());
        slow.holds_back();
        let release = async {
            slow.is_asked(before.0 + 1).await;
            fast.is_asked(before.1 + 1).await;
            // The fast one's answer is on its way or there; the slow one's begins only now.
            slow.lets_go();
        };
        let (answer, ()) = tokio::join!(view(&world), release);
        assert_eq!(answer.summaries(), ["桜の助言", "椿の助言"]);
    }
}

#[tokio::test]
async fn urgency_comes_first_then_the_hospitals_rank_then_the_services_name() {
    let (world, sakura, tsubaki) = two_makers("patient-view").await;
    let urgent = |id: &str, summary: &str, indicator: &str| with(card(id, summary), "indicator", json!(indicator));
    sakura.says(&[card("a", "桜の情報"), urgent("b", "桜の警告", "warning"), card("c", "桜の情報２")]);
    tsubaki.says(&[card("d", "椿の情報"), urgent("e", "椿の警告", "warning"), urgent("f", "椿の緊急", "critical")]);
    let by_name = ["椿の緊急", "桜の警告", "椿の警告", "桜の情報", "桜の情報２", "椿の情報"];
    assert_eq!(view(&world).await.summaries(), by_name);
    world.enrolled(&tsubaki.descriptor("patient-view"), json!({"mode": "live", "tier": 1})).await;
    let by_rank = ["椿の緊急", "椿の警告", "桜の警告", "椿の情報", "桜の情報", "桜の情報２"];
    let ranked = view(&world).await;
    assert_eq!(ranked.summaries(), by_rank);
    let placements = world.explains(&ranked).await["explanation"]["placements"].clone();
    let told: Vec<_> = placements.as_array().unwrap().iter().map(|card| card["tier"].as_u64().unwrap()).collect();
    assert_eq!(told, [1, 1, 100, 1, 100, 100]);
    assert_eq!(placements[0]["card"], ranked.cards[0].value["uuid"]);
}

#[tokio::test]
async fn equal_answers_give_equal_results_every_time() {
    let (world, sakura, tsubaki) = two_makers("patient-view").await;
    sakura.says(&[card("a", "甲"), with(card("same", "同じ助言"), "detail", json!("桜の説明"))]);
    tsubaki.says(&[with(card("same", "同じ助言"), "detail", json!("椿の説明")), card("z", "乙")]);
    let first = essence(&view(&world).await);
    for _ in 0..5 {
        assert_eq!(essence(&view(&world).await), first);
    }
}

#[tokio::test]
async fn cards_of_two_vendors_that_say_the_same_become_one_that_names_both() {
    let (world, sakura, tsubaki) = two_makers("patient-view").await;
    let labelled = |label: &str, detail: &str| {
        let mut card = with(card("same", "相互作用の疑い"), "detail", json!(detail));
        card["source"]["label"] = label.into();
        card
    };
    sakura.says(&[labelled("桜システム", "桜の説明")]);
    tsubaki.says(&[labelled("椿システム", "椿の説明")]);
    let answer = view(&world).await;
    assert_eq!(answer.cards.len(), 1, "{}", answer.text);
    let card = &answer.cards[0];
    assert_eq!(card.source(), "桜システム / 椿システム");
    let detail = card.value["detail"].as_str().unwrap();
    assert!(detail.contains("桜の説明") && detail.contains("椿の説明"), "what either says stays readable: {detail}");
    let provenance = card.value["extension"]["jp.medvan.provenance"].as_array().unwrap();
    let services: Vec<_> = provenance.iter().map(|origin| origin["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["sakura.advice", "tsubaki.advice"]);
    let explanation = world.explains(&answer).await["explanation"].clone();
    assert_eq!(explanation["placements"][0]["services"].as_array().map(Vec::len), Some(2));
    let suppressed = &explanation["suppressed"][0];
    assert_eq!((&suppressed["rule"], &suppressed["place"]), (&json!("merge"), &json!("tsubaki.advice: cards[0]")));
}

#[tokio::test]
async fn what_differs_stays_two_cards_and_nothing_critical_is_hidden() {
    let (world, sakura, tsubaki) = two_makers("patient-view").await;
    let base = || card("same", "相互作用の疑い");
    let critical = |summary: &str| with(with(base(), "summary", json!(summary)), "indicator", json!("critical"));
    let mut other_effect = base();
    other_effect["suggestions"][0]["actions"][0]["resource"]["description"] = "something else".into();
    let mut other_topic = base();
    other_topic["source"]["topic"]["code"] = "another".into();
    for (what, of_sakura, of_tsubaki) in [
        ("more urgent", base(), critical("相互作用の疑い")),
        ("another effect", base(), other_effect),
        ("another topic", base(), other_topic),
        ("critical, in other words", critical("併用禁忌です"), critical("重大な相互作用です")),
    ] {
        sakura.says(&[of_sakura]);
        tsubaki.says(&[of_tsubaki]);
        let answer = view(&world).await;
        assert_eq!(answer.cards.len(), 2, "{what}: {}", answer.text);
    }
}

#[tokio::test]
async fn two_system_actions_on_one_order_never_overwrite_each_other() {
    let (world, sakura, tsubaki) = two_makers("order-sign").await;
    let mut policy = no_hurry();
    let allow = |service: &str| json!({"service": service, "resourceTypes": ["MedicationRequest"]});
    policy["systemActions"] = json!([allow("sakura.advice"), allow("tsubaki.advice")]);
    world.hospital(policy).await;
    let asks = async || world.asks(world.fires("order-sign").ordering("levofloxacin"), "order-sign").await;
    let order = medvan_fixtures::patients::draft("levofloxacin").unwrap().for_patient("hanako").value();
    let noting = |text: &str| {
        let noted = with(order.clone(), "note", json!([{ "text": text }]));
        json!({"cards": [], "systemActions": [{"type": "update", "description": text, "resource": noted}]})
    };
    sakura.answers(200, noting("桜の追記"));
    let alone = asks().await;
    assert_eq!(alone.conforms().body["systemActions"][0]["description"], "桜の追記");
    tsubaki.answers(200, noting("椿の追記"));
    let both = asks().await;
    assert_eq!(both.conforms().body.get("systemActions"), None, "{}", both.text);
    let suppressed = world.explains(&both).await["explanation"]["suppressed"].clone();
    let places: Vec<_> = suppressed.as_array().unwrap().iter().map(|note| note["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["sakura.advice: systemActions[0]", "tsubaki.advice: systemActions[0]"]);
    assert!(suppressed[0]["reason"].as_str().unwrap().len() > 10);
}

#[tokio::test]
async fn the_explanation_tells_who_was_asked_what_each_was_sent_and_what_was_mended() {
    let (world, sakura, tsubaki) = two_makers("patient-view").await;
    let mut careless = card("a", "直すところのある助言");
    careless.as_object_mut().unwrap().remove("selectionBehavior");
    let nonsense = json!({"summary": "出所のない助言", "indicator": "info"});
    sakura.says(&[careless, nonsense]);
    tsubaki.answers(503, json!({}));
    let answer = view(&world).await;
    let exchange = world.explains(&answer).await;
    for (name, value) in [
        ("hospital", json!("kaede")),
        ("client", json!("ehr")),
        ("hook", json!("patient-view")),
        ("offer", json!("van-patient-view")),
        ("status", json!(200)),
    ] {
        assert_eq!(exchange[name], value, "{name}");
    }
    let explanation = &exchange["explanation"];
    assert_eq!(explanation["queries"][0]["resourceType"], "Patient");
    assert_eq!(explanation["queries"][0]["state"], "resource");
    let [of_sakura, of_tsubaki] = [&explanation["services"][0], &explanation["services"][1]];
    for service in [of_sakura, of_tsubaki] {
        assert_eq!(service["sent"], json!({"patient": "resource"}));
        assert!(service["elapsedMs"].as_f64().unwrap() > 0.0 && service["requestBytes"].as_u64().unwrap() > 0);
        assert_eq!((&service["mode"], &service["version"]), (&json!("live"), &json!("1.0.0")));
    }
    assert_eq!((&of_sakura["status"], &of_tsubaki["status"]), (&json!("answered"), &json!("failed")));
    assert_eq!(of_sakura["cards"], 1);
    assert_eq!(of_sakura["repairs"][0]["place"], "cards[0].selectionBehavior", "{of_sakura:#}");
    assert_eq!(of_sakura["quarantined"][0]["place"], "cards[1]", "{of_sakura:#}");
    let elapsed = &explanation["elapsed"];
    let steps = ["prefetchedMs", "answeredMs", "mergedMs"].map(|step| elapsed[step].as_f64().unwrap());
    assert!(steps.is_sorted() && steps[0] > 0.0, "{elapsed}");
    let text = exchange.to_string();
    assert!(!text.contains("助言") && !text.contains("hanako"), "no content: {text}");
    // The vendor finds the same in its scorecard.
    let marks = world.reads("/vendors/sakura/scorecard").await["marks"].clone();
    let kinds: Vec<_> = marks.as_array().unwrap().iter().map(|mark| mark["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["asked", "quarantined", "repaired"]);
}

#[tokio::test]
async fn every_card_names_its_source_in_the_provenance() {
    let (world, sakura, _tsubaki) = two_makers("patient-view").await;
    sakura.says(&[card("a", "桜の助言")]);
    let answer = view(&world).await;
    let provenance = &answer.cards[0].value["extension"]["jp.medvan.provenance"][0];
    for (name, value) in [
        ("service", json!("sakura.advice")),
        ("version", json!("1.0.0")),
        ("mode", json!("live")),
        ("repairs", json!(0)),
        ("prefetch", json!({"patient": "resource"})),
        ("exchange", answer.body["extension"]["jp.medvan.exchange"]["id"].clone()),
    ] {
        assert_eq!(provenance[name], value, "{name}: {provenance}");
    }
    assert_eq!(provenance["regulatory"]["status"], "not_device");
    assert_ne!(answer.cards[0].uuid(), Some("a"), "the vendor's own ids stay between it and the gateway");
}

/// A card with everything that some EHR cannot show.
fn rich(patient: &str) -> Value {
    let action = |text: &str| {
        let subject = json!({ "reference": format!("Patient/{patient}") });
        let task = json!({"resourceType": "Task", "status": "draft", "intent": "proposal", "description": text, "for": subject});
        json!({"type": "create", "description": text, "resource": task})
    };
    let mut rich = with(card("a", "多くを含む助言"), "detail", json!("**強調** と\n\n- 項目"));
    rich["source"]["topic"]["code"] = "drug-drug/相互作用".into();
    rich["suggestions"][0]["actions"] = json!([action("検査を加える"), action("連絡する")]);
    rich["links"] =
        json!([{"label": "起動", "url": "http://127.0.0.1/launch", "type": "smart", "appContext": "{\"a\":1}"}]);
    rich
}

/// One rich card and one system action, as an EHR of this kind gets them.
async fn spoken(dialect: &str) -> (World, Maker, Answer) {
    let world = World::in_no_hurry().await;
    world.ehr_is(json!({ "dialect": dialect })).await;
    let mut policy = no_hurry();
    policy["linkHosts"] = json!(["127.0.0.1"]);
    policy["systemActions"] = json!([{"service": "sakura.advice", "resourceTypes": ["Task"]}]);
    world.hospital(policy).await;
    let sakura = world.makes("sakura", "patient-view").await;
    let task = json!({"resourceType": "Task", "status": "draft", "intent": "proposal"});
    let action = json!({"type": "create", "description": "作業", "resource": task});
    sakura.answers(200, json!({"cards": [rich("hanako")], "systemActions": [action]}));
    let answer = view(&world).await;
    (world, sakura, answer)
}

fn adaptations(exchange: &Value) -> Vec<String> {
    let adaptations = exchange["explanation"]["adaptations"].as_array().cloned().unwrap_or_default();
    adaptations.iter().map(|adaptation| adaptation["rule"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_generic_ehr_gets_the_standards_own_words() {
    let (world, _sakura, answer) = spoken("generic").await;
    let card = &answer.cards[0].value;
    assert_eq!(card["detail"], "**強調** と\n\n- 項目");
    assert_eq!(card["selectionBehavior"], "at-most-one");
    assert_eq!(card["suggestions"][0]["actions"].as_array().map(Vec::len), Some(2));
    assert_eq!(card["source"]["topic"]["code"], "drug-drug/相互作用");
    assert_eq!(card["links"][0]["appContext"], "{\"a\":1}");
    assert_eq!(answer.body["systemActions"].as_array().map(Vec::len), Some(1));
    assert_eq!(adaptations(&world.explains(&answer).await), [""; 0]);
}

#[tokio::test]
async fn epic_gets_answers_within_its_limits() {
    let (world, _sakura, answer) = spoken("epic").await;
    let card = &answer.cards[0].value;
    assert_eq!(card["selectionBehavior"], "any");
    let suggestions = answer.cards[0].suggestions();
    assert_eq!(suggestions.len(), 2, "one action in each suggestion");
    for suggestion in suggestions {
        assert_eq!(suggestion["actions"].as_array().map(Vec::len), Some(1));
        assert!(suggestion["uuid"].is_string() && suggestion["actions"][0]["description"].is_string());
    }
    let code = card["source"]["topic"]["code"].as_str().unwrap();
    assert!(code.len() <= 100 && code.chars().all(|letter| letter.is_ascii_alphanumeric()), "{code}");
    assert_eq!(card["extension"]["com.epic.cdshooks.card.detail.content-type"], "text/html");
    let detail = card["detail"].as_str().unwrap();
    assert!(detail.contains("<strong>強調</strong>") && detail.contains("<li>項目</li>"), "{detail}");
    let again = view(&world).await;
    assert_eq!(again.cards[0].value["source"]["topic"]["code"], code, "an override is remembered by it");
    let rules = adaptations(&world.explains(&answer).await);
    for rule in ["split-actions", "plain-topic-code", "detail-as-html"] {
        assert!(rules.iter().any(|known| known == rule), "{rule}: {rules:?}");
    }
}

#[tokio::test]
async fn both_halves_of_a_suggestion_that_was_split_lead_back_to_it() {
    let world = World::in_no_hurry().await;
    world.ehr_is(json!({"dialect": "epic"})).await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[rich("hanako")]);
    let answer = view(&world).await;
    let both = medvan_fixtures::ehr::Outcome::accepted(&answer.cards[0], &[0, 1]).unwrap();
    assert_eq!(world.ehr.reports(&answer.cards[0].service_url, &[both]).await.unwrap().status, 200);
    let learned = sakura.learns(1).await;
    assert_eq!(learned[0]["acceptedSuggestions"], json!([{"id": "a-suggestion"}]));
}

#[tokio::test]
async fn oracle_gets_no_app_context() {
    let (world, _sakura, answer) = spoken("oracle").await;
    let link = &answer.cards[0].value["links"][0];
    assert_eq!((&link["url"], link.get("appContext")), (&json!("http://127.0.0.1/launch"), None));
    assert_eq!(answer.cards[0].value["suggestions"][0]["actions"].as_array().map(Vec::len), Some(2));
    assert_eq!(adaptations(&world.explains(&answer).await), ["drop-app-context"]);
}

#[tokio::test]
async fn the_sandbox_finds_system_actions_in_the_extension() {
    let (world, _sakura, answer) = spoken("sandbox").await;
    assert_eq!(answer.body.get("systemActions"), None);
    assert_eq!(answer.body["extension"]["systemActions"][0]["description"], "作業");
    assert_eq!(adaptations(&world.explains(&answer).await), ["system-actions-in-extension"]);
}
