//! Stops code that runs past the deadline.

use revm::Inspector;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::{InstructionResult, Interpreter};
use std::time::Instant;

/// Steps between two looks at the clock: some microseconds of execution.
const STEPS: u32 = 1 << 12;

/// Watches the clock while code runs.
#[derive(Debug)]
pub(super) struct Deadline {
    until: Instant,
    steps: u32,
    passed: bool,
}

impl Deadline {
    pub(super) fn new(until: Instant) -> Self {
        Self {
            until,
            steps: 0,
            passed: false,
        }
    }

    /// Whether the run was cut short: its result means nothing then.
    pub(super) fn passed(&self) -> bool {
        self.passed
    }
}

impl<C> Inspector<C, EthInterpreter> for Deadline {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut C) {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS) && Instant::now() > self.until {
            self.passed = true;
        }
        if self.passed {
            // Every frame up to the first one ends at its next step.
            interpreter.halt(InstructionResult::OutOfGas);
        }
    }
}
