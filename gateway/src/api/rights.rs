//! Who may do what: the whole of it, one line for each operation. What is not here nobody may do.
//!
//! A role that is not in the line gets 403. A vendor or a hospital in the line reaches its own objects only: when
//! `{vendor}` or `{hospital}` in the path is not itself, the answer is 404, as if there were none.

use axum::http::Method;
use serde::Deserialize;
use utoipa::ToSchema;

/// The four roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the platform. Cannot approve.
    Operator,
    /// The outside body that approves and suspends.
    Governor,
    /// A maker of services.
    Vendor,
    /// A hospital.
    Hospital,
}

use Role::{Governor, Hospital, Operator, Vendor};

/// One line of the table.
#[derive(Debug)]
pub struct Right {
    /// The method.
    pub method: Method,
    /// The path below `/api/v1`.
    pub path: &'static str,
    /// Who may.
    pub roles: &'static [Role],
}

const ALL: &[Role] = &[Operator, Governor, Vendor, Hospital];
/// Those who look after the platform as a whole.
pub(super) const OFFICE: &[Role] = &[Operator, Governor];
const HOSPITALS: &[Role] = &[Operator, Governor, Hospital];
const HOSPITAL_WRITES: &[Role] = &[Operator, Hospital];
const VENDORS: &[Role] = &[Operator, Governor, Vendor];
const VENDOR_WRITES: &[Role] = &[Operator, Vendor];

/// Every operation of the API.
pub const RIGHTS: &[Right] = &[
    get("/hospitals", OFFICE),
    get("/hospitals/{hospital}", HOSPITALS),
    put("/hospitals/{hospital}", HOSPITAL_WRITES),
    delete("/hospitals/{hospital}", &[Operator]),
    post("/hospitals/{hospital}/nodes/{node}/echo", HOSPITAL_WRITES),
    post("/hospitals/{hospital}/nodes/{node}/send", HOSPITAL_WRITES),
    get("/hospitals/{hospital}/outbox", HOSPITALS),
    post("/hospitals/{hospital}/outbox/{entry}/retry", HOSPITAL_WRITES),
    get("/hospitals/{hospital}/jobs", HOSPITALS),
    get("/hospitals/{hospital}/jobs/summary", HOSPITALS),
    get("/hospitals/{hospital}/jobs/{job}", HOSPITALS),
    post("/hospitals/{hospital}/jobs/{job}/retry", HOSPITAL_WRITES),
    get("/hospitals/{hospital}/studies/{study}/matching", HOSPITALS),
    post("/hospitals/{hospital}/studies/{study}/matching", HOSPITAL_WRITES),
    post("/hospitals/{hospital}/matching/trial", HOSPITAL_WRITES),
    get("/hospitals/{hospital}/clients", HOSPITALS),
    get("/hospitals/{hospital}/clients/{client}", HOSPITALS),
    put("/hospitals/{hospital}/clients/{client}", HOSPITAL_WRITES),
    delete("/hospitals/{hospital}/clients/{client}", HOSPITAL_WRITES),
    get("/hospitals/{hospital}/enrollments", HOSPITALS),
    get("/hospitals/{hospital}/enrollments/{service}", HOSPITALS),
    put("/hospitals/{hospital}/enrollments/{service}", &[Operator]),
    delete("/hospitals/{hospital}/enrollments/{service}", HOSPITAL_WRITES),
    get("/hospitals/{hospital}/exchanges", HOSPITALS),
    get("/hospitals/{hospital}/usage", HOSPITALS),
    get("/exchanges/{exchange}", ALL),
    get("/services", ALL),
    get("/vendors", OFFICE),
    get("/vendors/{vendor}", VENDORS),
    put("/vendors/{vendor}", &[Operator]),
    delete("/vendors/{vendor}", &[Operator]),
    get("/vendors/{vendor}/versions", VENDORS),
    get("/vendors/{vendor}/services/{service}/versions/{version}", VENDORS),
    put("/vendors/{vendor}/services/{service}/versions/{version}", VENDOR_WRITES),
    post("/vendors/{vendor}/services/{service}/versions/{version}/submit", VENDOR_WRITES),
    post("/vendors/{vendor}/services/{service}/versions/{version}/decision", &[Governor]),
    get("/vendors/{vendor}/services/{service}/versions/{version}/history", VENDORS),
    get("/vendors/{vendor}/services/{service}/versions/{version}/discovery", VENDORS),
    post("/vendors/{vendor}/services/{service}/versions/{version}/discovery", VENDORS),
    get("/vendors/{vendor}/usage", VENDORS),
    get("/vendors/{vendor}/scorecard", VENDORS),
    get("/vendors/{vendor}/jobs", VENDORS),
    get("/vendors/{vendor}/feedback", VENDORS),
    get("/credentials", OFFICE),
    post("/credentials", OFFICE),
    delete("/credentials/{credential}", OFFICE),
];

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Operator, Governor, Vendor, Hospital];

    /// Its name in credentials, in the store and in the document.
    pub const fn word(self) -> &'static str {
        match self {
            Operator => "operator",
            Governor => "governor",
            Vendor => "vendor",
            Hospital => "hospital",
        }
    }

    /// The role of that name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// The line of an operation.
pub fn right(method: &Method, path: &str) -> Option<&'static Right> {
    RIGHTS.iter().find(|right| right.method == *method && right.path == path)
}

const fn get(path: &'static str, roles: &'static [Role]) -> Right {
    Right { method: Method::GET, path, roles }
}

const fn put(path: &'static str, roles: &'static [Role]) -> Right {
    Right { method: Method::PUT, path, roles }
}

const fn post(path: &'static str, roles: &'static [Role]) -> Right {
    Right { method: Method::POST, path, roles }
}

const fn delete(path: &'static str, roles: &'static [Role]) -> Right {
    Right { method: Method::DELETE, path, roles }
}
