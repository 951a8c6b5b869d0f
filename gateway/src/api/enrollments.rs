//! `/hospitals/{hospital}/enrollments`

use axum::{Json, extract::State, http::StatusCode};

use medvan_profiles::descriptor::Fault;

use super::{
    Api, deleted, faultless,
    input::{Asked, At, Listed, Paging, Posted},
    problem::Problem,
    status_of,
};
use crate::{
    catalog::{Enrollment, HospitalId, ServiceName, checks},
    store::PutEnrollment,
};

/// What a hospital is enrolled in.
#[utoipa::path(get, path = "/hospitals/{hospital}/enrollments", tag = "hospitals",
    params(("hospital" = HospitalId, Path), Paging),
    responses((status = OK, description = "A page of enrolments", body = Listed<Enrollment>)))]
pub(super) async fn list(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Enrollment>>, Problem> {
    let page = paging.page()?;
    let enrollments = api.store.enrollments(&hospital, page).await?;
    Ok(Json(Listed::new(enrollments, page.limit, |enrollment| enrollment.service.to_string())))
}

/// A hospital's enrolment in one service.
#[utoipa::path(get, path = "/hospitals/{hospital}/enrollments/{service}", tag = "hospitals",
    params(("hospital" = HospitalId, Path), ("service" = ServiceName, Path)),
    responses((status = OK, description = "The enrolment", body = Enrollment)))]
pub(super) async fn read(
    State(api): State<Api>,
    At((hospital, service)): At<(HospitalId, ServiceName)>,
) -> Result<Json<Enrollment>, Problem> {
    api.store.enrollment(&hospital, &service).await?.map(Json).ok_or_else(|| Problem::no_such("enrolment"))
}

/// Enrol a hospital in a service, or change its enrolment.
#[utoipa::path(put, path = "/hospitals/{hospital}/enrollments/{service}", tag = "hospitals",
    params(("hospital" = HospitalId, Path), ("service" = ServiceName, Path)), request_body = Enrollment, responses(
        (status = CREATED, description = "It is new", body = Enrollment),
        (status = OK, description = "It was changed, or was so already", body = Enrollment)))]
pub(super) async fn write(
    State(api): State<Api>,
    At((hospital, service)): At<(HospitalId, ServiceName)>,
    Posted(enrollment): Posted<Enrollment>,
) -> Result<(StatusCode, Json<Enrollment>), Problem> {
    let hospital = checks::same_id("/hospital", hospital.as_str(), enrollment.hospital.as_str());
    let service = checks::same_id("/service", &service.to_string(), &enrollment.service.to_string());
    let mut faults: Vec<Fault> = hospital.into_iter().chain(service).chain(checks::enrollment(&enrollment)).collect();
    if let Some(hospital) = api.store.hospital(&enrollment.hospital).await? {
        faults.extend(checks::destinations(&enrollment, &hospital));
    }
    faultless(faults)?;
    match api.store.put_enrollment(&enrollment).await? {
        PutEnrollment::NoSuchHospital => Err(Problem::no_such("hospital")),
        PutEnrollment::NoSuchVersion => Err(Problem::invalid(vec![unknown_service(&enrollment)])),
        PutEnrollment::Written(written) => {
            api.catalog.renew().await?;
            Ok((status_of(written), Json(enrollment)))
        }
    }
}

/// End an enrolment: the hospital's next call does not reach the service.
#[utoipa::path(delete, path = "/hospitals/{hospital}/enrollments/{service}", tag = "hospitals",
    params(("hospital" = HospitalId, Path), ("service" = ServiceName, Path)),
    responses((status = NO_CONTENT, description = "It is gone")))]
pub(super) async fn delete(
    State(api): State<Api>,
    At((hospital, service)): At<(HospitalId, ServiceName)>,
) -> Result<StatusCode, Problem> {
    let there_was_one = api.store.delete_enrollment(&hospital, &service).await?;
    api.catalog.renew().await?;
    deleted(there_was_one, "enrolment")
}

fn unknown_service(enrollment: &Enrollment) -> Fault {
    let place = if enrollment.version.is_some() { "/version" } else { "/service" };
    checks::fault(
        place,
        ("nothing is registered under this name and version", "この名前・バージョンのサービスは登録されていません"),
        ("see GET /api/v1/services", "GET /api/v1/services で確認してください"),
    )
}
