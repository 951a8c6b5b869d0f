use std::time::Instant;

use super::*;

/// Not a test of the product but its measure: `cargo test -p medvan --release -- --ignored records_per_second --nocapture`.
#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_per_second() {
    let (_dir, store) = store().await;
    for (callers, fan_out) in [(1_u32, 1), (64, 1), (64, 5), (512, 5)] {
        let started = Instant::now();
        let rounds = 8_192 / callers.max(8);
        let calls = (0..callers).map(|_| {
            let store = store.clone();
            let tasks = crate::tasks::Tasks::default();
            tasks.spawn("caller", async move {
                for _ in 0..rounds {
                    store.record(typical(fan_out)).await.unwrap();
                }
            })
        });
        futures_util::future::join_all(calls).await;
        let rate = f64::from(callers * rounds) / started.elapsed().as_secs_f64();
        println!("{callers} callers, fan-out {fan_out}: {rate:.0} exchanges/s");
    }
}

fn typical(fan_out: u32) -> ExchangeRecord {
    let id = Uuid::now_v7();
    let uses = (0..fan_out).map(|index| {
        let mut key = [0; 32];
        key[..16].copy_from_slice(id.as_bytes());
        let service = ServiceName::new("asagao".parse().unwrap(), format!("service-{index}").parse().unwrap());
        UsageRow { key, service, version: one(), mode: "live" }
    });
    ExchangeRecord {
        id,
        explanation: json!({"services": (0..fan_out).map(|_| json!({"service": "asagao.news2", "version": "1.0.0",
            "sent": {"patient": "resource", "vitals": "fetched"}, "ms": 12, "repairs": [], "status": "answered"})).collect::<Vec<_>>()}).to_string(),
        replay: Some(Replay {
            hospital: hospital("kiku"),
            issuer: "https://ehr.example".to_owned(),
            jti: id.to_string(),
            expires_at: NOON,
        }),
        cards: (0..fan_out).map(|_| card()).collect(),
        usage: uses.collect(),
        marks: vec![Mark { service: news2(), version: one(), kind: "answered", rule: String::new(), times: 1 }],
        ..exchange()
    }
}
