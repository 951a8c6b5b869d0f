//! Why a text is not a template, with the mend. Shown to the vendor at registration; templates hold no patient data.

/// A text that is not a prefetch template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {problem}", position + 1)]
pub struct TemplateError {
    /// Byte position in the template, from 0.
    pub position: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer than a template may be.
    #[error("a template has at most 4096 bytes")]
    TooLong,
    /// Too many tokens.
    #[error("a template has at most 16 tokens")]
    TooManyTokens,
    /// Too long or too deep an expression.
    #[error("an expression has at most 32 steps in each of 8 paths, nested at most 8 deep")]
    TooComplex,
    /// `{{` without `}}`, or the other way round.
    #[error("every {{{{ needs its }}}}")]
    Unbalanced,
    /// A token that starts with nothing known.
    #[error("a token is context.<field>, a user token, today() or %<key>")]
    UnknownToken,
    /// The mistake of the standard's own experimental example.
    #[error("write context.<field> without the percent sign; %<key> is the result of another template")]
    PercentContext,
    /// Not in the subset.
    #[error("known functions are ofType(Type), resolve(), extension('url'), where(path = 'text'), exists(), first()")]
    UnknownFunction,
    /// Something else was expected.
    #[error("{0} expected")]
    Expected(&'static str),
    /// Not a relative FHIR URL.
    #[error("a template is relative to the FHIR server: no scheme, no leading slash, no fragment")]
    NotRelative,
    /// Neither a read nor a search.
    #[error("a template is Type/id or Type?parameter=value; operations and history are neither")]
    NotReadOrSearch,
    /// A search over everything.
    #[error("a search needs at least one parameter of the form name=value")]
    NoParameters,
    /// A token where only text may stand.
    #[error("a parameter's name cannot hold a token")]
    TokenInName,
}

impl Problem {
    pub(super) fn at(self, position: usize) -> TemplateError {
        TemplateError { position, problem: self }
    }
}
