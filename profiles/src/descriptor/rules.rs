//! What a schema cannot say: rules between the members of a descriptor, each a pure function.

mod hooks;
pub(super) mod images;
mod inference;
mod regulatory;
mod urls;

use super::{Descriptor, Fault};

/// A rule: the faults that it finds.
pub type Rule = fn(&Descriptor) -> Vec<Fault>;

/// Every rule, in the order in which they are asked.
pub fn rules() -> &'static [Rule] {
    &[
        regulatory::status_is_complete,
        urls::all_parse,
        urls::base_is_safe,
        urls::discovery_stays_below_the_base,
        hooks::ids_are_unique,
        hooks::every_prefetch_key_has_a_reason,
        images::something_is_offered,
        images::ids_are_unique,
        images::ranges_hold_something,
        inference::inputs_can_be_made,
        inference::outputs_can_be_told,
    ]
}
