//! The stable codes of configuration faults, for `purlin explain`.

purlin_telemetry::reason_codes! {
    /// The text is not valid TOML, YAML or JSON.
    SYNTAX = 9101, "config_syntax", "the text cannot be read",
        "The file is not valid TOML, YAML or JSON at the place shown. Nothing behind that place was read, so there may be more faults.",
        "Correct the text at the caret and check again.";
    /// One key twice in one table.
    DUPLICATE_KEY = 9102, "config_duplicate_key", "the key is set twice",
        "One table sets the same key twice. Readers of such a file disagree about which of the two counts, so it is refused.",
        "Remove one of the two.";
    /// A key that no schema knows.
    UNKNOWN_KEY = 9103, "config_unknown_key", "no such key",
        "The key is not part of the schema. A misspelt key would otherwise be ignored silently.",
        "Use the nearest known key, or list all keys with `purlin config explain`.";
    /// A required key is not there.
    MISSING_KEY = 9104, "config_missing_key", "a required key is missing",
        "The table lacks a key that has no default.", "Add the key.";
    /// The value has another type than the schema asks for.
    WRONG_TYPE = 9105, "config_wrong_type", "the value has the wrong type",
        "The value is, for example, a list where one string is expected.", "Write the value in the type named.";
    /// The value is outside its allowed range.
    OUT_OF_RANGE = 9106, "config_out_of_range", "the value is out of range",
        "The value has the right type but is smaller or larger than allowed.", "Choose a value inside the range shown.";
    /// The value is of the right type but cannot be understood.
    BAD_VALUE = 9107, "config_bad_value", "the value cannot be understood",
        "The text is not what the key holds: an address, a duration, one of a few words.", "Write it in the form shown.";
    /// A variable below `PURLIN__` that names no key.
    UNKNOWN_VARIABLE = 9108, "config_unknown_variable", "the environment variable names no key",
        "Variables that begin with PURLIN__ override one key each; the rest of the name is the key path with __ between its parts.",
        "Rename or unset the variable.";
    /// The file behind a `_FILE` variable could not be read.
    SECRET_FILE = 9109, "config_secret_file", "the file of a secret cannot be read",
        "A variable PURLIN__..._FILE names a file whose content is the value. That file could not be read.",
        "Check the path and its permissions.";
    /// The function exists in the plan but not in this version.
    NOT_YET = 9110, "config_not_yet", "this version cannot do it",
        "The section or value is known, but the function behind it is not part of this version.",
        "Remove it for now.";
    /// Checked now, effective only in a cluster.
    CLUSTER_ONLY = 9111, "config_cluster_only", "takes effect in a cluster",
        "The key describes how several nodes work together. One node alone checks its type and range and otherwise ignores it.",
        "";
    /// The same work is done by another key.
    MAPPED = 9112, "config_mapped", "honoured under another name",
        "The key is accepted for compatibility; the help says which part of Purlin does its work.", "";
    /// Two settings that cannot both hold.
    CONTRADICTION = 9113, "config_contradiction", "two settings contradict each other",
        "Each value is allowed, but not both together.", "Change one of the two.";
    /// Limits on size, depth or aliases.
    TOO_LARGE = 9114, "config_too_large", "the document is too large",
        "Documents are limited in nesting, in number of values and in what aliases may expand to, so that a file cannot exhaust memory.",
        "Split or simplify the document.";
    /// A section of a service that is not in the binary.
    BUILT_WITHOUT = 9115, "config_built_without", "this binary was built without the service",
        "The section belongs to a service that was left out when this binary was built; each service is a cargo feature.",
        "Remove the section, or use a binary that has the service; `purlin version` lists what is in.";
}
