//! [`Management`]: the management API of a running gateway, as `medvan apply` uses it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderValue, Method, header};
use medvan_adapters::http::{AllowedHost, Bearer, Client, Guard, Profile, Request, Settings};
use serde_json::{Value, json};

use super::{ApplyError, Object, object::Kind};

/// Time for one request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of one answer.
const ANSWER_BYTES: usize = 4 << 20;

/// A gateway and who speaks to it.
#[derive(Debug)]
pub struct Management {
    server: String,
    http: Client,
    operator: Bearer,
    /// The governor's, for approvals.
    governor: Option<Bearer>,
    /// Whether hospitals that were ended come back with their records.
    again: bool,
}

/// Where credentials are read from.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The file of the operator's credential.
    pub operator: PathBuf,
    /// The file of the governor's, if it is at hand.
    pub governor: Option<PathBuf>,
}

impl Credentials {
    /// The files that the first start wrote into the data folder, as far as they are still there.
    pub fn in_folder(data: &Path) -> Self {
        let governor = data.join("governor.credential");
        Self { operator: data.join("operator.credential"), governor: governor.exists().then_some(governor) }
    }
}

impl Management {
    /// The gateway at this base URL.
    ///
    /// # Errors
    /// A credential cannot be read, or the URL cannot be called.
    pub fn new(server: &str, credentials: &Credentials) -> Result<Self, ApplyError> {
        let server = server.trim_end_matches('/').to_owned();
        let unreachable = |reason: String| ApplyError::Unreachable { server: server.clone(), reason };
        // The operator named this host on the command line: it may be called, wherever it is.
        let url = url::Url::parse(&server).map_err(|error| unreachable(error.to_string()))?;
        let host = url.port().map_or(url.host_str().unwrap_or_default().to_owned(), |port| {
            format!("{}:{port}", url.host_str().unwrap_or_default())
        });
        let allowed: AllowedHost =
            host.parse().map_err(|error: medvan_adapters::http::NotAHost| unreachable(error.to_string()))?;
        let http = Client::new(Guard::new(Profile::Loopback, [allowed]), &Settings::default())
            .map_err(|error| unreachable(error.to_string()))?;
        let operator = credential(&credentials.operator)?;
        let governor = credentials.governor.as_deref().map(credential).transpose()?;
        Ok(Self { server, http, operator, governor, again: false })
    }

    /// Hospitals that were ended come back with their records.
    #[must_use]
    pub fn again(self, again: bool) -> Self {
        Self { again, ..self }
    }

    /// Its base URL.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The object as the gateway has it.
    pub(super) async fn get(&self, object: &Object) -> Result<Option<Value>, ApplyError> {
        let (status, answer) = self.send(object, Method::GET, &object.path(), None).await?;
        match status {
            200 => Ok(Some(answer)),
            404 => Ok(None),
            _ => Err(refused(object, status, &answer)),
        }
    }

    /// Stores the object and gives it as the gateway has it then.
    pub(super) async fn put(&self, object: &Object, body: &Value) -> Result<Value, ApplyError> {
        let again = self.again && matches!(object, Object::Plain { kind: Kind::Hospital, .. });
        let path = if again { format!("{}?again=true", object.path()) } else { object.path() };
        self.must(object, Method::PUT, &path, Some(body)).await
    }

    /// Puts a version up for review.
    pub(super) async fn submit(&self, object: &Object) -> Result<(), ApplyError> {
        self.must(object, Method::POST, &format!("{}/submit", object.path()), None).await.map(drop)
    }

    /// Makes the governor's decision.
    pub(super) async fn decide(&self, object: &Object) -> Result<(), ApplyError> {
        let Object::Approval { decision, reason, .. } = object else { return Ok(()) };
        let body = json!({"decision": decision, "reason": reason});
        self.must(object, Method::POST, &format!("{}/decision", object.path()), Some(&body)).await.map(drop)
    }

    async fn must(
        &self,
        object: &Object,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ApplyError> {
        let (status, answer) = self.send(object, method, path, body).await?;
        if status < 300 { Ok(answer) } else { Err(refused(object, status, &answer)) }
    }

    async fn send(
        &self,
        object: &Object,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), ApplyError> {
        let unreachable = |reason: String| ApplyError::Unreachable { server: self.server.clone(), reason };
        let url = self.http.guard().check(&format!("{}/api/v1{path}", self.server));
        let mut request = Request::get(url.map_err(|error| unreachable(error.to_string()))?, PATIENCE, ANSWER_BYTES);
        request.method = method;
        request.bearer = Some(self.speaker(object)?.clone());
        if let Some(body) = body {
            request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request.body = bytes::Bytes::from(body.to_string()).into();
        }
        let response = self.http.fetch(request).await.map_err(|error| unreachable(error.to_string()))?;
        let answer = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Ok((response.status.as_u16(), answer))
    }

    /// Approvals are the governor's; everything else the operator may do on the others' behalf.
    fn speaker(&self, object: &Object) -> Result<&Bearer, ApplyError> {
        match object {
            Object::Approval { .. } => self.governor.as_ref().ok_or(ApplyError::NoGovernor),
            Object::Plain { .. } | Object::Service { .. } => Ok(&self.operator),
        }
    }
}

fn credential(path: &Path) -> Result<Bearer, ApplyError> {
    let unreadable = |source| ApplyError::Credential { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Bearer::new(text.trim()).map_err(|error| unreadable(std::io::Error::other(error)))
}

/// The problem details, a line for each fault.
fn refused(object: &Object, status: u16, problem: &Value) -> ApplyError {
    let mut words = format!("{} {}", text(&problem["title"]), text(&problem["detail"]));
    lines(&problem["faults"]).iter().for_each(|line| words.push_str(&format!("\n  {line}")));
    ApplyError::Refused { object: object.to_string(), status, words }
}

/// Faults or remarks in one line each.
pub(super) fn lines(faults: &Value) -> Vec<String> {
    let line =
        |fault: &Value| format!("{}: {}; {}", text(&fault["place"]), text(&fault["reason"]), text(&fault["mend"]));
    faults.as_array().into_iter().flatten().map(line).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
