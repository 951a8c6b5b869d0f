//! Numbers for labels: probabilities of them, and those that are told.

use medvan_profiles::descriptor::inference::Activation;

use super::answer::Output;
use crate::finding::Refused;

/// What may be above 1 by the way in which numbers are rounded.
const ROUNDING: f64 = 1e-4;

/// Makes probabilities of numbers that belong together; nothing where they claim to be some and are not.
pub(super) fn probabilities(activation: Activation, numbers: &[f64]) -> Option<Vec<f64>> {
    match activation {
        Activation::None => numbers.iter().map(|number| probability(*number)).collect(),
        Activation::Sigmoid => Some(numbers.iter().map(|number| sigmoid(*number)).collect()),
        Activation::Softmax => {
            let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = numbers.iter().map(|number| (number - most).exp()).collect();
            let sum: f64 = powers.iter().sum();
            Some(powers.into_iter().map(|power| power / sum).collect())
        }
    }
}

pub(super) fn sigmoid(number: f64) -> f64 {
    1.0 / (1.0 + (-number).exp())
}

fn probability(number: f64) -> Option<f64> {
    (-ROUNDING..=1.0 + ROUNDING).contains(&number).then(|| number.clamp(0.0, 1.0))
}

/// Why numbers are no probabilities.
pub(super) fn no_probability(tensor: &Output) -> Refused {
    tensor.wrong("a score lies outside of 0 to 1", "declare the activation softmax or sigmoid, or give probabilities")
}

/// The places of the likeliest labels that are likely enough, the likeliest first, equal ones in their order.
pub(super) fn likeliest(probabilities: &[f64], threshold: f64, top: Option<u32>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..probabilities.len()).filter(|at| probabilities[*at] >= threshold).collect();
    places.sort_by(|one, other| probabilities[*other].total_cmp(&probabilities[*one]));
    places.truncate(top.map_or(usize::MAX, |top| top as usize));
    places
}
