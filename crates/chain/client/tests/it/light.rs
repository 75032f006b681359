//! What is asked of a node for a bundle.

use crate::node::Node;
use alloy_primitives::{Address, B256, U64, U256};
use purlin_chain_client::light::{FORMAT, fetch};
use purlin_chain_client::rpc::{Rpc, RpcError};
use serde_json::{Value, json};
use std::time::Duration;

const WHO: Address = Address::repeat_byte(7);

/// A node at block 0x2a that has no certificate for block 1, and answers to nothing but the right questions.
fn answer(method: &str, params: &Value) -> Value {
    let asked = params.to_string();
    match (method, asked.as_str()) {
        ("eth_blockNumber", "[]") => json!("0x2a"),
        ("eth_getBlockByNumber", r#"["0x0",false]"#) => {
            json!({ "number": "0x0", "hash": B256::repeat_byte(1) })
        }
        ("purlin_getCertificate", r#"["0x2a"]"#) => json!({ "height": "0x2a", "commits": [], "raw": "0xc0" }),
        ("debug_getRawHeader", r#"["0x2a"]"#) => json!("0xc1"),
        ("eth_getProof", _) => {
            let slot = B256::with_last_byte(3);
            assert_eq!(*params, json!([WHO, [slot], "0x2a"]));
            json!({
                "address": WHO,
                "accountProof": ["0xc2"],
                "balance": "0x10",
                "codeHash": B256::ZERO,
                "nonce": "0x5",
                "storageHash": B256::ZERO,
                "storageProof": [{ "key": slot, "value": "0x9", "proof": ["0xc3"] }],
            })
        }
        // No account is where a constitution would be.
        ("eth_call", _) => json!("0x"),
        _ => Value::Null,
    }
}

async fn fetched(block: Option<u64>) -> Result<purlin_chain_client::light::Bundle, RpcError> {
    let node = Node::answering(answer);
    let mut rpc = Rpc::new(node.endpoint(), Duration::from_secs(60));
    fetch(&mut rpc, WHO, &[B256::with_last_byte(3)], block).await
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

#[test]
fn a_bundle_is_all_of_one_block() {
    for block in [None, Some(42)] {
        let bundle = run(fetched(block)).unwrap();
        assert_eq!(
            (bundle.format.as_str(), bundle.genesis),
            (FORMAT, B256::repeat_byte(1))
        );
        assert_eq!(
            (&bundle.header[..], &bundle.certificate[..]),
            (&[0xc1][..], &[0xc0][..])
        );
        assert_eq!(
            (bundle.account.nonce, bundle.account.balance),
            (U64::from(5), U256::from(16))
        );
        assert_eq!(bundle.account.storage_proof[0].value, U256::from(9));
    }
}

#[test]
fn a_block_without_a_certificate_is_said() {
    let fault = run(fetched(Some(1))).unwrap_err();
    let words = fault.to_string();
    assert!(
        words.contains("purlin_getCertificate") && words.contains("there is none"),
        "{words}"
    );
}
