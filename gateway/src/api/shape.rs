//! Shapes of types that live on lower floors, where no OpenAPI is known. For the document only.

use utoipa::ToSchema;

/// A text in both languages.
#[derive(Debug, ToSchema)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// Whom to reach.
#[derive(Debug, ToSchema)]
pub struct Contact {
    /// A person or a desk.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Telephone number.
    pub telephone: Option<String>,
}

/// One fault of an object that was sent.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Fault {
    /// JSON Pointer (RFC 6901) to the member, also to one that is missing. Empty for the whole.
    pub place: String,
    /// What is wrong.
    pub reason: String,
    /// How to mend it.
    pub mend: String,
    /// What is wrong, in Japanese.
    pub reason_ja: String,
    /// How to mend it, in Japanese.
    pub mend_ja: String,
}
