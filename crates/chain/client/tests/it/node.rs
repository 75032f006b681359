//! A node in memory: transfers only, a block for whoever asks for the next one, and one bad habit.

use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{EthereumTxEnvelope, Transaction, TxEip4844};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use purlin_chain_client::Endpoint;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a node does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    LosesAReceipt,
    GivesAWei,
    /// Closes the connection instead of taking every third batch.
    DropsConnections,
    /// Refuses every fifth transaction at first.
    IsFull,
}

/// It lives as long as the test.
pub(crate) struct Node {
    address: SocketAddr,
}

struct Chain {
    lie: Lie,
    blocks: Vec<Value>,
    receipts: HashMap<B256, Value>,
    accounts: HashMap<Address, (u64, U256)>,
    pool: Vec<EthereumTxEnvelope<TxEip4844>>,
    requests: u64,
    sent: u64,
}

const PRICE: u64 = 1_000_000_000;

impl Node {
    pub(crate) fn start(lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let chain = Arc::new(Mutex::new(Chain::new(lie)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let chain = Arc::clone(&chain);
                thread::spawn(move || serve(stream, |body| chain.lock().unwrap().request(body)));
            }
        });
        Self { address }
    }

    /// A node that answers a method as this does; null becomes a null result.
    pub(crate) fn answering(answer: impl Fn(&str, &Value) -> Value + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                let reply = move |body: &[u8]| {
                    let question: Value = serde_json::from_slice(body).unwrap();
                    let result = answer(question["method"].as_str().unwrap(), &question["params"]);
                    let whole = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
                    Some(whole.to_string().into_bytes())
                };
                thread::spawn(move || serve(stream, reply));
            }
        });
        Self { address }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.address.to_string().parse().unwrap()
    }
}

/// HTTP/1.1 as far as a test needs it.
fn serve(stream: TcpStream, mut reply: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        if length == 0 {
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let Some(answer) = reply(&body) else {
            return Ok(());
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
        writer.write_all(&[head.as_bytes(), &answer].concat())?;
    }
}

impl Chain {
    fn new(lie: Lie) -> Self {
        let rich: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let mut chain = Self {
            lie,
            blocks: Vec::new(),
            receipts: HashMap::new(),
            accounts: HashMap::from([(rich, (0, U256::MAX >> 1))]),
            pool: Vec::new(),
            requests: 0,
            sent: 0,
        };
        chain.seal();
        chain
    }

    fn request(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let sends = body.windows(13).any(|window| window == b"sendRawTransa");
        self.requests += u64::from(sends);
        if sends && self.lie == Lie::DropsConnections && self.requests.is_multiple_of(3) {
            return None;
        }
        let question: Value = serde_json::from_slice(body).unwrap();
        let answer = match &question {
            Value::Array(all) => all.iter().map(|one| self.answer(one)).collect(),
            one => self.answer(one),
        };
        Some(answer.to_string().into_bytes())
    }

    fn answer(&mut self, question: &Value) -> Value {
        let id = &question["id"];
        match self.result(question["method"].as_str().unwrap(), &question["params"]) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(text) => json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": text } }),
        }
    }

    fn result(&mut self, method: &str, params: &Value) -> Result<Value, &'static str> {
        let address = || params[0].as_str().unwrap().parse::<Address>().unwrap();
        match method {
            "eth_chainId" => Ok(json!("0x7a69")),
            "web3_clientVersion" => Ok(json!("never/was")),
            "eth_blockNumber" => Ok(json!(U64::from(self.blocks.len() - 1))),
            "eth_getTransactionCount" => Ok(json!(U64::from(self.account(address()).0))),
            "eth_getBalance" => Ok(json!(self.account(address()).1)),
            "eth_getBlockByNumber" => Ok(self.block(params[0].as_str().unwrap())),
            "eth_getTransactionReceipt" => {
                self.seal();
                let hash: B256 = params[0].as_str().unwrap().parse().unwrap();
                Ok(self.receipts.get(&hash).cloned().unwrap_or(Value::Null))
            }
            "eth_sendRawTransaction" => self.send(params[0].as_str().unwrap()),
            _ => Err("no such method"),
        }
    }

    fn account(&self, who: Address) -> (u64, U256) {
        self.accounts.get(&who).copied().unwrap_or_default()
    }

    fn block(&mut self, name: &str) -> Value {
        let number = match name.strip_prefix("0x") {
            Some(digits) => usize::from_str_radix(digits, 16).unwrap(),
            None => self.blocks.len() - 1,
        };
        if number == self.blocks.len() {
            self.seal();
        }
        self.blocks.get(number).cloned().unwrap_or(Value::Null)
    }

    fn send(&mut self, raw: &str) -> Result<Value, &'static str> {
        let raw: Bytes = raw.parse().unwrap();
        let transaction = EthereumTxEnvelope::decode_2718_exact(&raw).unwrap();
        let hash = *transaction.tx_hash();
        self.sent += 1;
        if self.lie == Lie::IsFull && self.sent.is_multiple_of(5) {
            return Err("txpool is full");
        }
        if self.receipts.contains_key(&hash) || self.pool.iter().any(|one| *one.tx_hash() == hash) {
            return Err("already known");
        }
        self.pool.push(transaction);
        Ok(json!(hash))
    }

    /// A block of everything in the pool whose turn it is; none when there is nothing, but for the first.
    fn seal(&mut self) {
        let number = self.blocks.len() as u64;
        let hash = keccak256(number.to_be_bytes());
        let mut hashes = Vec::new();
        while let Some(at) = self
            .pool
            .iter()
            .position(|one| self.account(one.recover_signer().unwrap()).0 == one.nonce())
        {
            let transaction = self.pool.remove(at);
            self.run(&transaction, number, hash, hashes.len());
            hashes.push(*transaction.tx_hash());
        }
        if hashes.is_empty() && number > 0 {
            return;
        }
        let gas = U64::from(21_000 * hashes.len());
        let parent = number
            .checked_sub(1)
            .map_or(B256::ZERO, |before| keccak256(before.to_be_bytes()));
        self.blocks.push(json!({
            "number": U64::from(number), "hash": hash, "parentHash": parent, "timestamp": "0x1",
            "gasLimit": U64::from(30_000_000), "gasUsed": gas, "baseFeePerGas": "0x7", "transactions": hashes,
        }));
    }

    fn run(&mut self, transaction: &EthereumTxEnvelope<TxEip4844>, number: u64, block: B256, index: usize) {
        let from = transaction.recover_signer().unwrap();
        let (nonce, owns) = self.account(from);
        let fee = U256::from(21_000 * PRICE);
        self.accounts
            .insert(from, (nonce + 1, owns - transaction.value() - fee));
        match transaction.to() {
            Some(to) => self.give(to, transaction.value()),
            None => self.pay(transaction.input()),
        }
        let hash = *transaction.tx_hash();
        if self.lie == Lie::LosesAReceipt
            && transaction.to().is_some()
            && number.is_multiple_of(2)
            && index == 0
        {
            return;
        }
        self.receipts.insert(
            hash,
            json!({
                "transactionHash": hash, "blockHash": block, "blockNumber": U64::from(number),
                "transactionIndex": U64::from(index), "status": "0x1", "gasUsed": U64::from(21_000),
                "effectiveGasPrice": U64::from(PRICE),
            }),
        );
    }

    fn give(&mut self, to: Address, value: U256) {
        let (nonce, owns) = self.account(to);
        let more = U256::from(u8::from(self.lie == Lie::GivesAWei));
        self.accounts.insert(to, (nonce, owns + value + more));
    }

    /// The payments of a creation, read as they are written: 49 octets each, the value from 6, the account from 23.
    fn pay(&mut self, program: &Bytes) {
        for one in program[9..program.len() - 1].chunks(49) {
            let value = U256::try_from_be_slice(&one[6..22]).unwrap();
            self.give(Address::from_slice(&one[23..43]), value);
        }
    }
}
