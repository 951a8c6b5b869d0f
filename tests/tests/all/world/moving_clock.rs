//! [`MovingClock`]: a clock whose hands a test moves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use medvan::clock::Clock;
use time::{OffsetDateTime, macros::datetime};

/// The hands of a gateway's clock. It starts on a winter's noon; between two looks a microsecond goes by, and as much
/// as the test wants.
#[derive(Clone)]
pub struct MovingClock(Arc<Mutex<OffsetDateTime>>);

impl MovingClock {
    /// The clock, and its hands.
    pub fn new() -> (Clock, Self) {
        let hands = Self(Arc::new(Mutex::new(datetime!(2027-01-15 03:00 UTC))));
        let shown = hands.clone();
        let ticks = move || {
            shown.move_on(Duration::from_micros(1));
            shown.now()
        };
        (Clock::from_fn(ticks), hands)
    }

    pub fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }

    pub fn move_on(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}
