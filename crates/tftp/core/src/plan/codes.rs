//! Why a name is not served: the stable codes 2400 to 2449 of the decisions about names.

purlin_telemetry::reason_codes! {
    NAME_EMPTY = 2400, "name_empty", "no file was named",
        "The name has no part that could be a file: it is empty or made of slashes and dots.",
        "Look at the client's boot file setting.";
    NAME_LONG = 2401, "name_too_long", "the name is too long",
        "Names have at most 512 octets when they arrive, 1024 after the rules, and 255 in each part.",
        "Shorten the name, or the rule that makes it longer.";
    NAME_CONTROL = 2402, "name_control_character", "the name has a control character",
        "Names with control characters are never served: no boot file is called so, and they would garble records.",
        "Correct the client's boot file setting; a stray line end in a DHCP option is the usual cause.";
    NAME_NOT_TEXT = 2403, "name_not_text", "the name is not UTF-8",
        "File names are UTF-8 text here.", "Rename the file or correct the client.";
    NAME_CLIMBS = 2404, "name_climbs", "the name has a part \"..\"",
        "A name with \"..\" is refused whatever it would lead to, so that nothing outside of the root can be asked for.",
        "Ask for the file by its plain path below the root.";
    NAME_DIRECTORY = 2405, "name_directory", "the name ends in a slash, as that of a directory",
        "Whether there is such a directory was not looked at; directories are not served.", "Name a file.";
    RULE_REFUSES = 2406, "rule_refuses", "a rule refuses the name",
        "One of tftp.rules (or a line with `a` in tftp.remap) fits the name and refuses it.",
        "Change the rule when the name should be served.";
    RULE_LOOP = 2407, "rules_never_rest", "the rules never come to rest",
        "A rule with `restart` or `all` fits its own result again and again.",
        "Write the pattern so that it no longer fits what it makes.";
    ROOT_MISSING = 2408, "no_root", "there is no tree to look in",
        "Neither tftp.root is set nor did a rule choose a tree, and no template has this name.",
        "Set tftp.root.";
    ROOT_MARK = 2409, "tree_name_unusable", "the tree for this client has no usable name",
        "The rule's `root` has a mark that is unknown for this client or is no plain directory name.",
        "Use marks whose values are single directory names; \\m needs a lease of this client on this node.";
    UPLOAD_OFF = 2410, "upload_off", "writing is off",
        "No name may be written: tftp.uploads.allow is empty, which is the default.",
        "Allow the names that clients shall write in tftp.uploads.allow.";
    UPLOAD_NAME = 2411, "upload_name", "this name may not be written",
        "The name fits no pattern of tftp.uploads.allow.", "Add a pattern, if it should be writable.";
    UPLOAD_CLIENT = 2412, "upload_client", "this client may not write",
        "The client's address is in none of tftp.uploads.networks.", "Add its network, if it should write.";
    TEMPLATE_VALUE = 2413, "template_value_missing", "a mark of the template has no value for this client",
        "The template uses a mark such as {{hostname}} that is not known for this client, and gives no default.",
        "Give a default, {{hostname|unnamed}}, or find out with `purlin why` why the client is not known.";
}
