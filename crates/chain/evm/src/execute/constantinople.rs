//! Gas of SSTORE between Constantinople and Petersburg (EIP-1283), which revm does not have.
//!
//! It is EIP-2200 (Istanbul) with reads at 200 gas and without the guard of 2,300 gas, so revm's arithmetic for Istanbul
//! serves with other prices.

use super::Evm;
use purlin_chain_proto::Fork;
use revm::{
    bytecode::opcode::SSTORE,
    context_interface::{Host, cfg::gas_params::GasId},
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, InstructionResult, InterpreterTypes,
        instructions::host::sstore_with_gas_accounting,
    },
};

const READ: u64 = 200;
const SET: u64 = 20_000;
const RESET: u64 = 5_000;

pub(super) fn adapt(fork: Fork, evm: &mut Evm<'_>) {
    if fork != Fork::Constantinople {
        return;
    }
    evm.ctx.cfg.gas_params.override_gas([
        (GasId::sstore_static(), READ),
        (GasId::sstore_set_without_load_cost(), SET - READ),
        (GasId::sstore_reset_without_cold_load_cost(), RESET - READ),
        (GasId::sstore_set_refund(), SET - READ),
        (GasId::sstore_reset_refund(), RESET - READ),
    ]);
    // The fixed part is charged inside the instruction.
    evm.instruction
        .insert_instruction(SSTORE, Instruction::new(sstore), 0);
}

fn sstore<W: InterpreterTypes, H: Host + ?Sized>(
    context: InstructionContext<'_, H, W>,
) -> InstructionExecResult {
    sstore_with_gas_accounting(context, |context, _, load| {
        let prices = context.host.gas_params();
        let (gas, refund) = (
            prices.sstore_dynamic_gas(true, &load.data, false),
            prices.sstore_refund(true, &load.data),
        );
        if !context.interpreter.gas.record_regular_cost(gas) {
            return Err(InstructionResult::OutOfGas);
        }
        context.interpreter.gas.record_refund(refund);
        Ok(())
    })
}
