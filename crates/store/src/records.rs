//! Records: small control-plane state (revisions, tokens, audit), atomic and durable on return.

use std::fmt;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// What a batch demands of a key before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    Absent,
    Value(Vec<u8>),
}

/// Changes that happen together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub expect: Vec<(String, Vec<u8>, Expectation)>,
    pub put: Vec<(String, Vec<u8>, Vec<u8>)>,
    pub delete: Vec<(String, Vec<u8>)>,
    /// Nobody keeps these rows in memory: an engine that tells other nodes what has changed says nothing about them.
    pub quiet: bool,
}

impl Batch {
    #[must_use]
    pub fn put(mut self, table: &str, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.put.push((table.to_owned(), key.into(), value.into()));
        self
    }

    #[must_use]
    pub fn delete(mut self, table: &str, key: impl Into<Vec<u8>>) -> Self {
        self.delete.push((table.to_owned(), key.into()));
        self
    }

    /// The same, without a word to other nodes: for rows that are read from the store each time.
    #[must_use]
    pub fn quietly(mut self) -> Self {
        self.quiet = true;
        self
    }

    #[must_use]
    pub fn expect(mut self, table: &str, key: impl Into<Vec<u8>>, what: Expectation) -> Self {
        self.expect.push((table.to_owned(), key.into(), what));
        self
    }
}

/// Why records could not be read or written.
#[derive(Debug)]
pub enum RecordError {
    /// An expectation did not hold; nothing was changed. Names the first key that differed.
    Conflict {
        table: String,
        key: Vec<u8>,
    },
    Full,
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { table, key } => {
                write!(
                    f,
                    "{table}/{} was changed by someone else",
                    String::from_utf8_lossy(key)
                )
            }
            Self::Full => f.write_str("no space left for records"),
            Self::Failed(_) => f.write_str("the record store failed"),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

/// Tables of small rows ordered by key. Blocking; callers on an async runtime use a blocking thread.
pub trait Records: Send + Sync + fmt::Debug {
    /// # Errors
    /// When the engine cannot read.
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError>;

    /// Rows with keys above `after` (all when empty), in key order, at most `limit`.
    ///
    /// # Errors
    /// When the engine cannot read.
    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError>;

    /// Applies the batch; it is durable when this returns.
    ///
    /// # Errors
    /// See [`RecordError`]; in every case nothing was applied.
    fn commit(&self, batch: Batch) -> Result<(), RecordError>;

    /// The newest `limit` rows of a table, highest key first.
    ///
    /// # Errors
    /// When the engine cannot read.
    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError>;
}
