//! [`Neighbour`]: another hospital on the same gateway, with an EHR of its own.

use medvan_fixtures::ehr::{Answer, Ehr, Firing};
use serde_json::{Value, json};

use super::{As, Stands, World, name};

/// Another hospital.
pub struct Neighbour {
    pub id: String,
    pub ehr: Ehr,
    base: String,
}

impl<G: Stands> World<G> {
    /// Another hospital joins, with this policy over the default.
    pub async fn neighbour(&self, id: &str, policy: Value) -> Neighbour {
        let mut hospital = json!({"id": id, "name": {"ja": id, "en": id}});
        hospital.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
        self.puts(As::Operator, &format!("/hospitals/{id}"), &hospital).await;
        let ehr = Ehr::new(&format!("{id}-ehr")).fhir(&self.fhir).publishing_keys().await.unwrap();
        let client = json!({
            "hospital": id, "id": "ehr", "fhirServer": self.fhir.base_url(),
            "authentication": {"jwt": {"issuer": ehr.iss(), "jwksUrl": ehr.jwks_url()}},
        });
        self.puts(As::Operator, &format!("/hospitals/{id}/clients/ehr"), &client).await;
        Neighbour { id: id.to_owned(), ehr, base: format!("{}/hospitals/{id}", self.gateway.url()) }
    }

    /// The neighbour takes part in a service that is registered already.
    pub async fn enrolls_neighbour(&self, neighbour: &Neighbour, descriptor: &Value) {
        let (id, service) = (&neighbour.id, name(descriptor));
        let enrollment = json!({"hospital": id, "service": service, "mode": "live"});
        self.puts(As::Operator, &format!("/hospitals/{id}/enrollments/{service}"), &enrollment).await;
    }
}

impl Neighbour {
    /// Fires at the aggregated service of the hook, at its own base URL.
    pub async fn asks(&self, firing: Firing<'_>, hook: &str) -> Answer {
        firing.at(&self.base, &format!("van-{hook}")).await.unwrap()
    }

    /// Where the aggregated service of the hook is.
    pub fn service_url(&self, hook: &str) -> String {
        format!("{}/cds-services/van-{hook}", self.base)
    }
}
