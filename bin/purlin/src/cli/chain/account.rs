//! `purlin chain account`: keys of accounts in files under a password, which geth, clef and wallets read too.

mod folder;
mod password;

pub(super) use folder::{Folder, write_new, write_secret};
pub(super) use password::Password;

use super::Context;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Args, Subcommand, ValueEnum};
use purlin_chain_client::{Kdf, Key, Keystore, KeystoreError, KeystoreFormat};
use purlin_chain_proto::Address;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key and keep it under a password.
    #[command(after_help = "Examples:
  purlin chain account new
  purlin chain account new --password-file ./password --data-dir ./node1
  purlin chain account new --format eip2335

Who loses the file or the password loses the account: keep a copy of both.")]
    New {
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        work: Work,
    },
    /// Take in a key that there is: a private key in a file, or another keystore file.
    #[command(after_help = "Examples:
  purlin chain account import ./key.hex
  purlin chain account import ~/.ethereum/keystore/UTC--2026-01-01T00-00-00.000000000Z--f39f...
  purlin chain account import - --password-file ./password < key.hex

A keystore file keeps its form and its password.")]
    Import {
        /// 64 hexadecimal digits, or a keystore of version 3 or 4 (EIP-2335); - for standard input.
        file: PathBuf,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        work: Work,
    },
    /// List the accounts whose keys are here.
    #[command(after_help = "Examples:
  purlin chain account list
  purlin chain account list -o json --data-dir ./node1")]
    List,
    /// Write an account's private key to a file: in clear, or under its password in another form.
    #[command(after_help = "Examples:
  purlin chain account export 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 ./key.hex
  purlin chain account export 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 - --password-file ./password
  purlin chain account export 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 ./key.json --format eip2335

The file is readable by its owner alone. Who reads it in clear owns the account.")]
    Export {
        /// The account, as `list` shows it.
        address: Address,
        /// File that must not exist yet; - for standard output.
        file: PathBuf,
        /// Write a keystore under the same password instead of the private key in clear.
        #[arg(long, value_name = "FORM")]
        format: Option<FileForm>,
        #[command(flatten)]
        password: Password,
    },
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Work {
    /// Take a thirtieth of the memory and time to try a password; for passwords that are long and random.
    #[arg(long)]
    light: bool,
    /// The form of the file.
    #[arg(long, value_name = "FORM", default_value = "web3")]
    format: FileForm,
}

/// The form of a keystore file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileForm {
    /// Web3 Secret Storage, version 3: geth, clef and wallets read it.
    Web3,
    /// EIP-2335, version 4: remote signers read it.
    Eip2335,
}

impl From<FileForm> for KeystoreFormat {
    fn from(form: FileForm) -> Self {
        match form {
            FileForm::Web3 => Self::Web3,
            FileForm::Eip2335 => Self::Eip2335,
        }
    }
}

impl Work {
    fn seal(self, key: &Key, password: &str) -> Result<Keystore, Failure> {
        let kdf = if self.light { Kdf::LIGHT } else { Kdf::STANDARD };
        seal(key, password, kdf, self.format)
    }
}

fn seal(key: &Key, password: &str, kdf: Kdf, form: FileForm) -> Result<Keystore, Failure> {
    Keystore::seal(key, password.as_bytes(), kdf, form.into()).map_err(|cause| failed(&cause))
}

const KIND: Kind = Kind {
    plural: "accounts",
    name: "address",
    columns: &[
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("FILE", "file", Show::Text),
    ],
};

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    let folder = Folder::of(context.data_dir());
    match command {
        Command::New { password, work } => {
            let password = password.choose()?;
            let key = Key::random().map_err(|cause| failed(&KeystoreError::Random(cause.to_string())))?;
            keep(&folder, &key, &work.seal(&key, &password)?, context)
        }
        Command::Import { file, password, work } => import(file, password, *work, &folder, context),
        Command::List => list(&folder, context),
        Command::Export {
            address,
            file,
            format,
            password,
        } => {
            let held = folder.find(*address)?;
            export(&held, file, *format, password, context)
        }
    }
}

fn import(file: &Path, password: &Password, work: Work, folder: &Folder, context: &Context) -> Outcome {
    let text = crate::settings::read_text(file)?;
    if !text.trim_start().starts_with('{') {
        let key = text.parse::<Key>().map_err(|cause| {
            Failure::failed(
                format!("{}: {cause}", file.display()),
                "give a file with a private key, or a keystore of version 3 or 4",
            )
        })?;
        folder.refuse_second(key.address())?;
        return keep(folder, &key, &work.seal(&key, &password.choose()?)?, context);
    }
    let keystore = Keystore::read(&text).map_err(|cause| opened(file, &cause))?;
    // Opened once: a file that nobody can open is not worth keeping, and not every file says whose it is.
    let key = keystore
        .open(password.ask("Password of the file")?.as_bytes())
        .map_err(|cause| opened(file, &cause))?;
    folder.refuse_second(key.address())?;
    let path = folder.add(key.address(), &text)?;
    tell(key.address(), &path, context)
}

fn keep(folder: &Folder, key: &Key, sealed: &Keystore, context: &Context) -> Outcome {
    let path = folder.add(key.address(), &sealed.text())?;
    tell(key.address(), &path, context)
}

fn tell(address: Address, path: &Path, context: &Context) -> Outcome {
    let about = json!({ "address": address.to_string(), "file": path });
    output::one(&context.view(), KIND, &about)?;
    Ok(Exit::Ok)
}

fn list(folder: &Folder, context: &Context) -> Outcome {
    let row = |held: &folder::Held| json!({ "address": held.address.to_string(), "file": held.path });
    let rows: Vec<_> = folder.all()?.iter().map(row).collect();
    output::list(&context.view(), KIND, &rows)?;
    Ok(Exit::Ok)
}

fn export(
    held: &folder::Held,
    file: &Path,
    form: Option<FileForm>,
    password: &Password,
    context: &Context,
) -> Outcome {
    let address = held.address;
    let password = password.ask(&format!("Password of {address}"))?;
    let key = held
        .keystore
        .open(password.as_bytes())
        .map_err(|cause| opened(&held.path, &cause))?;
    let text = match form {
        None => key.secret().to_string(),
        Some(form) => seal(&key, &password, Kdf::STANDARD, form)?.text(),
    };
    if file.as_os_str() == "-" {
        say!("{text}");
        return Ok(Exit::Ok);
    }
    write_secret(file, &format!("{text}\n"))?;
    if context.form() == Form::Table {
        let what = form.map_or("the private key", |_| "the private key under its password");
        say!("{}: {what} of {address}", file.display());
    }
    Ok(Exit::Ok)
}

fn failed(cause: &KeystoreError) -> Failure {
    Failure::failed(cause.to_string(), "")
}

fn opened(file: &Path, cause: &KeystoreError) -> Failure {
    let (exit, fix) = match cause {
        KeystoreError::Password => (
            Exit::Denied,
            "try again; nothing brings back a password that is lost",
        ),
        KeystoreError::Form(_) => (
            Exit::Failed,
            "give a keystore of version 3, as geth writes it, or of version 4 (EIP-2335)",
        ),
        KeystoreError::TooMuch(_) => (Exit::Failed, "seal the key again with the standard derivation"),
        _ => (Exit::Failed, "take the file from a backup"),
    };
    Failure::new(exit, format!("{}: {cause}", file.display()), fix)
}
