//! The clock of the machine.

use jiff::Timestamp;
use kyc_core::ports::Clock;

/// The time as the operating system tells it, UTC. It follows every correction of that clock, back too.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the Clock port meets the machine"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_holds() {
        kyc_core::contract::clock::all(&SystemClock);
    }
}
