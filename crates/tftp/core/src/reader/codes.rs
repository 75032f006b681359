//! The stable codes of faults between boot-file settings: 9200 to 9249.

purlin_telemetry::reason_codes! {
    NOWHERE = 9200, "tftp_listens_nowhere", "boot files are configured but served nowhere",
        "Files are configured, or enabled = true is set, but there is no address to listen on.",
        "Set tftp.listen or tftp.http.listen, or tftp.enabled = false.";
    NOTHING = 9201, "tftp_serves_nothing", "there is nothing to serve",
        "The service would listen, but there is neither a root nor a rule with a tree nor a template.",
        "Set tftp.root.";
    ROOT_RELATIVE = 9202, "tftp_root_relative", "the tree is no absolute path",
        "A relative path would mean another tree when the process is started elsewhere. It has no \"..\" in it either.",
        "Write the whole path, beginning with /.";
    BAD_PATTERN = 9203, "tftp_bad_pattern", "the pattern cannot be understood",
        "Patterns over names are regular expressions as in egrep, without references back. They are compiled when the configuration is read.",
        "Correct the pattern at the caret.";
    NAME_TWICE = 9204, "tftp_name_twice", "a name is used twice",
        "Classes and profiles are addressed by name, and templates answer to one.",
        "Rename one of the two, or give templates of one name different clients.";
    BAD_TEMPLATE = 9205, "tftp_bad_template", "the template cannot be understood",
        "A mark such as {{hostname}} does not end, or has no proper name.", "Correct the mark at the caret.";
    UNKNOWN_MARK = 9206, "tftp_unknown_mark", "no value has that name",
        "A template's mark is neither built in nor a value of any boot profile, so it would never be filled.",
        "Use the nearest name, add the value to a profile, or give the mark a default: {{name|text}}.";
    UPLOADS_NO_ROOT = 9207, "tftp_uploads_without_root", "uploads have no place to go",
        "Names may be written, but there is no root to write them below.", "Set tftp.root.";
    TIMES_ORDER = 9208, "tftp_times_order", "times contradict each other",
        "It must hold that shortest <= first <= longest.", "Change one of the times shown.";
    RULE_SHAPE = 9209, "tftp_rule_shape", "a rule must do one thing",
        "A rule replaces, chooses a tree or refuses; `inverse` and `replace` exclude each other.",
        "Keep one of `replace`, `root` and `refuse = true`; with none of them the rule needs `last` or `restart`.";
    BAD_REMAP = 9210, "tftp_bad_remap", "a line of the map cannot be understood",
        "tftp.remap takes the text of a map file of tftpd-hpa: flags, pattern, replacement.",
        "Correct the line at the caret; see in.tftpd(8).";
    LISTEN_TWICE = 9211, "tftp_listens_twice", "one address is listed twice",
        "Two sockets cannot have one address and port.", "Remove one of the two.";
    NEVER_REACHED = 9212, "boot_profile_never_reached", "an earlier profile takes all its clients",
        "Of the profiles that fit the first counts that names the user class, else the first; an earlier one fits whenever this one does.",
        "Move the profile with more conditions to the front.";
    UNKNOWN_ARCHITECTURE = 9213, "boot_unknown_architecture", "no architecture has that name",
        "Architectures are named as in the DHCP service: bios, uefi-x64, uefi-arm64, uefi-x64-http and others.",
        "Use the nearest name.";
    BAD_NAME = 9214, "tftp_bad_name", "the name cannot be used",
        "Names of values are letters, digits, _ and -, begin with a letter and are none of the built-in marks.",
        "Choose another name.";
    OTHER_CACHE = 9215, "cache_of_another_guide", "the table is another service's",
        "A table `cache` at the top belongs to the TFTP performance guide or to the guide of the control platform for OVN; this one has keys of the latter.",
        "Nothing for boot files; their cache is tftp.cache.";
}
