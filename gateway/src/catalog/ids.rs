//! Names as types: a `HospitalId` cannot stand where a `VendorId` is meant, and none exists that is not well formed.
//!
//! All follow `^[a-z0-9][a-z0-9-]{0,62}$`: safe in a path, in a file name and in a DNS label.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// A name that does not have the form of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an id is 1 to 63 of a-z, 0-9 and '-', and starts with a letter or digit \
     (id は英小文字・数字・ハイフンの1~63文字です)"
)]
pub struct NotAnId;

/// How the type appears in the OpenAPI document: a text of a pattern.
macro_rules! described {
    ($name:ident, $pattern:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern)).into()
            }
        }

        impl ToSchema for $name {}
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        described!($name, r"^[a-z0-9][a-z0-9-]{0,62}$");

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                is_id(text).then(|| Self(text.to_owned())).ok_or(NotAnId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                if is_id(&text) { Ok(Self(text)) } else { Err(NotAnId) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A hospital: the tenant.
    HospitalId
);
id!(
    /// One system of a hospital, with its own way to prove who it is.
    ClientId
);
id!(
    /// A maker of AI services.
    VendorId
);
id!(
    /// A service of one vendor; only together with the vendor it names something: [`ServiceName`].
    ServiceId
);

/// A service's full name, written `vendor.service`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName {
    /// Who makes it.
    pub vendor: VendorId,
    /// Which of the vendor's services.
    pub service: ServiceId,
}

described!(ServiceName, r"^[a-z0-9][a-z0-9-]{0,62}\.[a-z0-9][a-z0-9-]{0,62}$");
described!(VersionNumber, r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$");

impl ServiceName {
    /// The full name of `service` of `vendor`.
    pub const fn new(vendor: VendorId, service: ServiceId) -> Self {
        Self { vendor, service }
    }
}

impl FromStr for ServiceName {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (vendor, service) = text.split_once('.').ok_or(NotAnId)?;
        Ok(Self { vendor: vendor.parse()?, service: service.parse()? })
    }
}

impl TryFrom<String> for ServiceName {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.vendor, self.service)
    }
}

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A version by semantic versioning 2.0.0; the order is that of its precedence (§11).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(semver::Version);

/// A version that is not `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is MAJOR.MINOR.PATCH by semantic versioning, for example 1.2.0")]
pub struct NotAVersion;

impl FromStr for VersionNumber {
    type Err = NotAVersion;
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        if text.len() > 64 {
            return Err(NotAVersion);
        }
        semver::Version::parse(text).map(Self).map_err(|_| NotAVersion)
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_lower_case_letters_digits_and_inner_hyphens() {
        let longest = "a".repeat(63);
        for good in ["a", "0", "asagao", "st-luke-2", "a-", longest.as_str()] {
            assert!(good.parse::<HospitalId>().is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "A", "a.b", "a/b", "..", "病院", "a b", "a\0", too_long.as_str()] {
            assert!(bad.parse::<HospitalId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_service_name_is_vendor_dot_service() {
        let name: ServiceName = "asagao.news2".parse().unwrap();
        assert_eq!((name.vendor.as_str(), name.service.as_str()), ("asagao", "news2"));
        assert_eq!(name.to_string(), "asagao.news2");
        for bad in ["asagao", "asagao.", ".news2", "a.b.c", "a b.c"] {
            assert!(bad.parse::<ServiceName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_ordered_by_precedence_not_by_text() {
        let number = |text: &str| text.parse::<VersionNumber>().unwrap();
        assert!(number("1.10.0") > number("1.9.0"));
        assert!(number("1.0.0-rc.1") < number("1.0.0"));
        assert!("1.0".parse::<VersionNumber>().is_err());
    }
}
