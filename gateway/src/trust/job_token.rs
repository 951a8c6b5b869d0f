//! The token for one run of one job: with it a service retrieves the images of this job and stores its results, and nothing else.
//!
//! It is the run's id under the gateway's own secret: nothing is kept of it, every process knows it, and it is worth nothing when
//! the job takes no results any more.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::Secret;

const PREFIX: &str = "mvj_";

/// The token of a run.
pub(crate) fn job_token(secret: &Secret, run: Uuid) -> String {
    format!("{PREFIX}{}_{}", run.simple(), URL_SAFE_NO_PAD.encode(seal(secret, run)))
}

/// The run of which this is the token.
pub(crate) fn run_of_token(secret: &Secret, token: &str) -> Option<Uuid> {
    let (run, sealed) = token.strip_prefix(PREFIX)?.split_once('_')?;
    let run = Uuid::try_parse(run).ok()?;
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    verify_slices_are_equal(&sealed, &seal(secret, run)).is_ok().then_some(run)
}

fn seal(secret: &Secret, run: Uuid) -> Vec<u8> {
    secret.tag(&["job token", &run.simple().to_string()]).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_own_run_at_its_own_gateway_only() {
        let [folder, other] = [0; 2].map(|_| tempfile::tempdir().unwrap());
        let [secret, foreign] = [&folder, &other].map(|folder| Secret::open(folder.path()).unwrap());
        let (run, token) = (Uuid::now_v7(), |secret| job_token(secret, Uuid::nil()));
        assert_eq!(run_of_token(&secret, &job_token(&secret, run)), Some(run));
        assert_eq!(run_of_token(&secret, &token(&foreign)), None);
        let spoiled = job_token(&secret, run).replace(&run.simple().to_string(), &Uuid::now_v7().simple().to_string());
        for text in ["", "mvj_", "mvj_x_y", &spoiled, &job_token(&secret, run)[..40]] {
            assert_eq!(run_of_token(&secret, text), None, "{text}");
        }
    }
}
