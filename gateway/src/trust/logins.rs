//! [`Logins`]: how the gateway logs in at systems of hospitals that know nothing of its tokens.
//!
//! The operator keeps the secrets in files and gives each a name under its hospital (`outgoing.credentials`); the hospital's object
//! names one. No secret is in the catalog, in an answer of the management API or in a log, and no hospital can name another's.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use medvan_adapters::http::Bearer;

use crate::{
    catalog::HospitalId,
    config::{HospitalCredentials, Login},
};

/// Bytes of a secret.
const LONGEST: usize = 8_192;

/// The logins of all hospitals. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Logins(Arc<HashMap<(String, String), Bearer>>);

/// Why a login cannot be used. It says nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// What is in it cannot be sent.
    #[error(
        "outgoing.credentials.{hospital}.{name} cannot be sent: a user without colon and a password, or one token, each without control characters"
    )]
    Unusable {
        /// The hospital.
        hospital: String,
        /// The name.
        name: String,
    },
}

impl Logins {
    /// Reads all secrets.
    ///
    /// # Errors
    /// One cannot be read or sent.
    pub fn open(credentials: &HospitalCredentials) -> Result<Self, LoginError> {
        let mut logins = HashMap::new();
        for (hospital, named) in credentials {
            for (name, login) in named {
                let unusable = || LoginError::Unusable { hospital: hospital.clone(), name: name.clone() };
                let bearer = match login {
                    Login::Basic { user, password_file } => Bearer::basic(user, &secret(password_file)?),
                    Login::Token { bearer_file } => Bearer::new(&secret(bearer_file)?),
                };
                logins.insert((hospital.clone(), name.clone()), bearer.map_err(|_| unusable())?);
            }
        }
        Ok(Self(Arc::new(logins)))
    }

    /// What a hospital has under a name.
    pub(crate) fn of(&self, hospital: &HospitalId, name: &str) -> Option<Bearer> {
        self.0.get(&(hospital.to_string(), name.to_owned())).cloned()
    }
}

/// The first line of a file.
fn secret(path: &PathBuf) -> Result<String, LoginError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoginError::File { path: path.clone(), source })?;
    let line = text.lines().next().unwrap_or_default();
    Ok(line.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hospital_has_its_own_logins_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "open sesame\n").unwrap();
        std::fs::write(folder.path().join("token"), "t0ken").unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        let login = |text: &str| {
            let text = text.replace("DIR", folder.path().to_str().unwrap());
            Logins::open(&toml::from_str(&text).unwrap())
        };
        let logins = login(
            "[kiku]\nvna = {user = 'medvan', password_file = 'DIR/password'}\ncloud = {bearer_file = 'DIR/token'}",
        );
        let logins = logins.unwrap();
        let has = |hospital: &str, name| logins.of(&hospital.parse().unwrap(), name).is_some();
        assert!(has("kiku", "vna") && has("kiku", "cloud"));
        assert!(!has("kiku", "other") && !has("ran", "vna"));
        assert!(!format!("{logins:?}").contains("t0ken"));
        assert!(matches!(login("[kiku]\na = {bearer_file = 'DIR/none'}"), Err(LoginError::File { .. })));
        assert!(matches!(login("[kiku]\na = {bearer_file = 'DIR/empty'}"), Err(LoginError::Unusable { .. })));
        for text in ["[kiku]\na = {user = 'x'}", "[kiku]\na = {user = 'x', password_file = 'a', bearer_file = 'b'}"] {
            assert!(toml::from_str::<HospitalCredentials>(text).is_err(), "{text}");
        }
    }
}
