//! Names and types of the standard options: configuration text to octets and octets to text.

mod name;

pub use name::{NameError, name_to_text, names_to_text, write_name, write_names};
