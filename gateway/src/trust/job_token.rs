//! The token for one try of one run of a job: with it a service retrieves the images of this job and stores its results, and nothing
//! else.
//!
//! It is the run's id and the number under which the job was taken, under the gateway's own secret: nothing is kept of it, every process knows it, and it is
//! worth nothing when the job takes no results any more, or was taken again: results of two tries are never mixed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::Secret;
use crate::store::Job;

const PREFIX: &str = "mvj_";

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JobToken {
    run: Uuid,
    claim: u64,
}

impl JobToken {
    /// For a job as it stands now.
    pub(crate) const fn of(job: &Job) -> Self {
        Self { run: job.run, claim: job.claim }
    }

    /// Reads a token that this gateway sealed.
    pub(crate) fn read(secret: &Secret, token: &str) -> Option<Self> {
        let mut parts = token.strip_prefix(PREFIX)?.splitn(3, '_');
        let run = Uuid::try_parse(parts.next()?).ok()?;
        let token = Self { run, claim: parts.next()?.parse().ok()? };
        let sealed = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        verify_slices_are_equal(&sealed, &token.seal(secret)).is_ok().then_some(token)
    }

    /// As a service is given it.
    pub(crate) fn sealed(self, secret: &Secret) -> String {
        format!("{PREFIX}{}_{}_{}", self.run.simple(), self.claim, URL_SAFE_NO_PAD.encode(self.seal(secret)))
    }

    /// Which run's.
    pub(crate) const fn run(self) -> Uuid {
        self.run
    }

    fn seal(self, secret: &Secret) -> Vec<u8> {
        secret.tag(&["job token", &self.run.simple().to_string(), &self.claim.to_string()]).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_token_opens_its_own_try_of_its_own_run_at_its_own_gateway_only() {
        let [folder, other] = [0; 2].map(|_| tempfile::tempdir().unwrap());
        let [secret, foreign] = [&folder, &other].map(|folder| Secret::open(folder.path()).unwrap());
        let job = Job { claim: 2, ..Job::sample("kiku", "1.2.3", OffsetDateTime::UNIX_EPOCH) };
        let token = JobToken::of(&job).sealed(&secret);
        assert_eq!(JobToken::read(&secret, &token), Some(JobToken { run: job.run, claim: 2 }));
        let another_run = token.replace(&job.run.simple().to_string(), &Uuid::now_v7().simple().to_string());
        let another_try = token.replacen("_2_", "_3_", 1);
        let foreign = JobToken::of(&job).sealed(&foreign);
        for text in ["", "mvj_", "mvj_x_y", "mvj_x_1_y", &another_run, &another_try, &foreign, &token[..40]] {
            assert_eq!(JobToken::read(&secret, text), None, "{text}");
        }
    }
}
