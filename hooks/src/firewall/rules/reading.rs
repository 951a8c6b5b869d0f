//! What the reader notices by itself, whatever object it reads.

use super::{Look, Rule};

pub(in crate::firewall) const EMPTY_MEMBER: Rule = Rule {
    id: "empty-member",
    basis: "CDS Hooks 2.0.1, Use of JSON: elements SHALL NOT be null or empty",
    does: "leaves the member out",
    look: Look::OnTheWay,
};

pub(in crate::firewall) const WRONG_KIND: Rule = Rule {
    id: "wrong-kind",
    basis: "CDS Hooks 2.0.1, the tables of each object",
    does: "leaves an optional member of the wrong JSON kind out; holds back what cannot be without it",
    look: Look::OnTheWay,
};

pub(in crate::firewall) const UNKNOWN_MEMBER: Rule = Rule {
    id: "unknown-member",
    basis: "CDS Hooks 2.0.1, Extensions: additions belong into `extension`",
    does: "leaves the members out",
    look: Look::OnTheWay,
};

pub(in crate::firewall) const MISSING_MEMBER: Rule = Rule {
    id: "missing-member",
    basis: "CDS Hooks 2.0.1, the tables of each object: REQUIRED",
    does: "holds back what lacks the member",
    look: Look::OnTheWay,
};

pub(in crate::firewall) const UNKNOWN_CODE: Rule = Rule {
    id: "unknown-code",
    basis: "CDS Hooks 2.0.1: an unknown selectionBehavior MUST be treated as an error; the other closed lists alike",
    does: "holds back what carries the code",
    look: Look::OnTheWay,
};
