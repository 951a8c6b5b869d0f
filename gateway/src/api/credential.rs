//! Credentials: 256 random bits, shown once, kept as SHA-256.
//!
//! No slow hash: those make guessing of *chosen* passwords expensive. Nobody guesses 256 random bits, and a slow hash on
//! each request would be a lever for overload.

mod first;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;

use super::rights::Role;
use crate::{
    catalog::{HospitalId, VendorId},
    store::{Store, StoreError, StoredCredential},
};

pub use first::{CredentialError, first_credentials};

/// Length of the random part: 32 bytes in base64url without padding.
const RANDOM: usize = 43;

/// Somebody who showed a valid credential. Only [`recognise`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    identity: Identity,
    credential: uuid::Uuid,
}

/// As whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The operator of the platform.
    Operator,
    /// The governor.
    Governor,
    /// This vendor.
    Vendor(VendorId),
    /// This hospital.
    Hospital(HospitalId),
}

/// A new secret, `mv_<role>_<43 characters>`.
#[derive(Debug)]
pub struct Secret(SecretString);

/// The machine has no random numbers to give.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the machine gives no random numbers")]
pub struct NoRandomness;

impl Caller {
    /// As whom they came.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Their role.
    pub const fn role(&self) -> Role {
        self.identity.role()
    }

    /// How records name them: role, whose, and by which credential.
    pub fn actor(&self) -> String {
        let (role, credential) = (self.role().word(), self.credential);
        match self.identity.subject() {
            "" => format!("{role} ({credential})"),
            subject => format!("{role} {subject} ({credential})"),
        }
    }
}

impl Identity {
    /// Its role.
    pub const fn role(&self) -> Role {
        match self {
            Self::Operator => Role::Operator,
            Self::Governor => Role::Governor,
            Self::Vendor(_) => Role::Vendor,
            Self::Hospital(_) => Role::Hospital,
        }
    }

    /// Which vendor or hospital; empty for the others.
    pub fn subject(&self) -> &str {
        match self {
            Self::Operator | Self::Governor => "",
            Self::Vendor(id) => id.as_str(),
            Self::Hospital(id) => id.as_str(),
        }
    }

    /// The identity that a stored role and subject mean.
    pub fn of(role: &str, subject: &str) -> Option<Self> {
        match Role::from_word(role)? {
            Role::Operator => Some(Self::Operator),
            Role::Governor => Some(Self::Governor),
            Role::Vendor => subject.parse().ok().map(Self::Vendor),
            Role::Hospital => subject.parse().ok().map(Self::Hospital),
        }
    }
}

impl Secret {
    /// A new secret for a role.
    ///
    /// # Errors
    /// The machine has no random numbers to give.
    pub fn mint(role: Role) -> Result<Self, NoRandomness> {
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).map_err(|_| NoRandomness)?;
        Ok(Self(SecretString::from(format!("mv_{}_{}", role.word(), URL_SAFE_NO_PAD.encode(random)))))
    }

    /// A text that has the form of a secret, with the role that it claims.
    pub fn read(text: &str) -> Option<(Role, Self)> {
        let (role, random) = text.strip_prefix("mv_")?.split_once('_')?;
        let role = Role::from_word(role)?;
        let well_formed = random.len() == RANDOM && URL_SAFE_NO_PAD.decode(random).is_ok();
        well_formed.then(|| (role, Self(SecretString::from(text))))
    }

    /// The secret itself, to be handed over once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it.
    pub fn digest(&self) -> String {
        use std::fmt::Write as _;
        digest(&SHA256, self.expose().as_bytes()).as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Who shows this credential, if it is valid now.
pub(super) async fn recognise(store: &Store, text: &str, now: OffsetDateTime) -> Result<Option<Caller>, StoreError> {
    let Some((_, secret)) = Secret::read(text) else {
        return Ok(None);
    };
    let digest = secret.digest();
    let found = store.valid_credential(&digest, now).await?;
    Ok(found.filter(|stored| is_same(&stored.digest, &digest)).and_then(|stored| caller(&stored)))
}

fn caller(stored: &StoredCredential) -> Option<Caller> {
    let identity = Identity::of(&stored.role, &stored.subject)?;
    Some(Caller { identity, credential: stored.id })
}

/// The index look-up compares early-out, though only digests, which nobody can steer; this comparison takes equal time.
fn is_same(stored: &str, shown: &str) -> bool {
    verify_slices_are_equal(stored.as_bytes(), shown.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_secret_is_read_again_and_never_printed() {
        for role in Role::ALL {
            let secret = Secret::mint(role).unwrap();
            assert_eq!(secret.expose().len(), "mv__".len() + role.word().len() + RANDOM);
            let (read, again) = Secret::read(secret.expose()).unwrap();
            assert_eq!((read, again.digest()), (role, secret.digest()));
            assert!(!format!("{secret:?}").contains(&secret.expose()[12..]));
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_secret_is_not_looked_up() {
        let random = "A".repeat(RANDOM);
        assert!(Secret::read(&format!("mv_operator_{random}")).is_some());
        for text in [
            String::new(),
            random.clone(),
            format!("mv_root_{random}"),
            format!("mv_operator_{random}A"),
            format!("mv_operator_{}", &random[1..]),
            format!("mv_operator_{}!", &random[1..]),
            format!("Mv_operator_{random}"),
        ] {
            assert!(Secret::read(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn two_secrets_are_never_equal() {
        let [one, other] = [0; 2].map(|_| Secret::mint(Role::Operator).unwrap());
        assert_ne!(one.digest(), other.digest());
    }
}
