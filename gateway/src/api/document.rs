//! The OpenAPI document: what the handlers say, completed by what holds for all of them.
//!
//! Roles come from [`RIGHTS`](super::rights::RIGHTS), so that the document says what the code does. Problems that any
//! operation of a kind may answer are added here, once.

use axum::http::Method;
use serde_json::json;
use utoipa::{
    ToSchema,
    openapi::{
        ContactBuilder, Content, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response,
        ResponseBuilder, Schema, Server,
        extensions::ExtensionsBuilder,
        path::{Operation, Parameter, ParameterIn, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    BASE,
    problem::{Kind, ProblemBody},
    rights::{self, Right},
    shape,
};
use crate::catalog::{ClientId, HospitalId, ServiceId, ServiceName, VendorId, VersionNumber};

/// Name of the security scheme.
const BEARER: &str = "bearer";

/// The document with everything that holds for all operations.
pub(super) fn finished(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("MedVAN management API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Hospitals, clients, vendors, services, decisions, enrolments, exchanges, usage. \
             Errors are problem details (RFC 9457); a 401 is bare. Lists go on with `cursor`.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0 OR MIT").identifier(Some("Apache-2.0 OR MIT")).build()))
        .contact(Some(ContactBuilder::new().name(Some("MedVAN")).build()))
        .build();
    document.servers = Some(vec![Server::new(BASE)]);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(operation, &method, path);
        }
    }
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("mv_<role>_<43 characters>").build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    for (name, schema) in shapes() {
        components.schemas.insert(name, schema);
    }
    document
}

/// What is referred to from here and from paths; the rest comes with the handlers' bodies.
fn shapes() -> [(String, RefOr<Schema>); 8] {
    [
        named::<ProblemBody>(),
        named::<shape::Fault>(),
        named::<HospitalId>(),
        named::<ClientId>(),
        named::<VendorId>(),
        named::<ServiceId>(),
        named::<ServiceName>(),
        named::<VersionNumber>(),
    ]
}

fn named<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

fn complete(operation: &mut Operation, method: &HttpMethod, path: &str) {
    let Some(right) = rights::right(&http_method(method), path) else {
        return;
    };
    let roles = role_names(right);
    operation.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
    operation.extensions.get_or_insert_default().merge(ExtensionsBuilder::new().add("x-roles", json!(roles)).build());
    let description = operation.description.take().map(|text| text + "\n\n").unwrap_or_default();
    operation.description = Some(format!("{description}For: {}.", roles.join(", ")));
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('4'), response) {
            *response = problem(&response.description);
        }
    }
    for kind in possible(operation, path) {
        let status = kind.status().as_str().to_owned();
        operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(response(kind)));
    }
}

/// What any operation of this shape may answer besides what its handler says.
fn possible(operation: &Operation, path: &str) -> Vec<Kind> {
    let mut kinds = vec![Kind::Unauthorized, Kind::Forbidden, Kind::Internal, Kind::Unavailable];
    if path.contains('{') {
        kinds.push(Kind::NotFound);
    }
    if operation.request_body.is_some() {
        kinds.extend([Kind::NotJson, Kind::TooLarge, Kind::MediaType, Kind::Invalid]);
    }
    if operation.parameters.iter().flatten().any(is_in_query) {
        kinds.push(Kind::Parameter);
    }
    kinds
}

fn is_in_query(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
}

fn response(kind: Kind) -> Response {
    match kind {
        Kind::Unauthorized => ResponseBuilder::new().description(kind.title()).build(),
        _ => problem(kind.title()),
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = Content::new(Some(schema));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

fn role_names(right: &Right) -> Vec<&'static str> {
    right.roles.iter().map(|role| role.word()).collect()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

fn http_method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
