//! The stable codes of faults between DHCP settings: 9150 to 9199.

purlin_telemetry::reason_codes! {
    NOWHERE = 9150, "dhcp_listens_nowhere", "DHCP is configured but listens nowhere",
        "Subnets are configured, or enabled = true is set, but there is neither an address nor an interface to listen on.",
        "Set dhcp.listen for relayed clients, dhcp.interfaces for a local segment, or dhcp.enabled = false.";
    SUBNETS_OVERLAP = 9151, "dhcp_subnets_overlap", "two subnets overlap",
        "An address would belong to two subnets, so the subnet of a client would be a matter of luck.",
        "Make the networks disjoint. Several subnets on one link go into one shared network, but stay disjoint too.";
    POOLS_OVERLAP = 9152, "dhcp_pools_overlap", "two pools overlap",
        "An address in two pools would be handed out under two sets of options.",
        "Make the ranges disjoint.";
    POOL_OUTSIDE = 9153, "dhcp_pool_outside", "a pool reaches outside its subnet",
        "Clients cannot use an address outside their subnet.", "Correct the range or the network.";
    POOL_HOLDS = 9154, "dhcp_pool_holds_special", "a pool holds an address that no client may have",
        "The network and broadcast address, the gateway and the server's own address must never be leased.",
        "Split or shorten the pool as the help shows.";
    RESERVED_TWICE = 9155, "dhcp_reserved_twice", "a client or an address is reserved twice",
        "Two reservations in one network name the same client or the same address; only one of them could be kept.",
        "Remove or correct one of the two.";
    RESERVED_OUTSIDE = 9156, "dhcp_reserved_outside", "a reserved address is in no fitting subnet",
        "The reservation's address is outside the subnet it is written in, or in none at all.",
        "Correct the address, or move the reservation to the right subnet.";
    UNKNOWN_CLASS = 9157, "dhcp_unknown_class", "no class has that name",
        "A guard or reservation names a class that is not defined, so nobody would ever match it.",
        "Define the class in dhcp.classes, name a built-in one (KNOWN, UNKNOWN, BOOTP, ALL) in a guard, or correct the name.";
    NAME_TWICE = 9158, "dhcp_name_twice", "a name is used twice",
        "Subnets, networks, classes and options are addressed by name; a name means one thing.",
        "Rename one of the two.";
    UNKNOWN_OPTION = 9159, "dhcp_unknown_option", "no option has that name",
        "The name is in neither the standard catalog nor dhcp.option_defs.",
        "Use the nearest name, or the option's number.";
    BAD_OPTION = 9160, "dhcp_bad_option", "the option's value does not fit its type",
        "Every option has a type, and its value is checked before a client ever sees it.",
        "Write the value as shown, or as hex when the type is not what you want.";
    OPTION_OF_SERVER = 9161, "dhcp_option_of_server", "the server itself sets this option",
        "Lease times, identifiers and message types follow from the exchange; a fixed value would break it.",
        "Use the key named in the help.";
    OPTION_TWICE = 9162, "dhcp_option_twice", "an option is set twice in one place",
        "Two keys of one scope set the same option, for example gateway and options.routers.",
        "Keep one of the two.";
    BAD_EXPRESSION = 9163, "dhcp_bad_expression", "the expression cannot be understood",
        "Class tests and flexible identifiers are checked when the configuration is read.",
        "Correct the expression at the caret.";
    TIMES_ORDER = 9164, "dhcp_times_order", "lease times contradict each other",
        "It must hold that T1 < T2 < lease time and lease_time_min <= lease_time <= lease_time_max, inherited values included.",
        "Change one of the times shown.";
    RESERVED_FOR = 9165, "dhcp_reserved_for", "a reservation must name one client",
        "A reservation is for one identifier: mac, client_id, circuit_id, remote_id, uuid or flex_id.",
        "Give exactly one of them.";
    RELAYS_OVERLAP = 9166, "dhcp_relays_overlap", "a relay would select two networks",
        "The same relay address is listed by subnets of different networks, so the network of its clients would be a matter of luck.",
        "List the relay in one network, or put the subnets into one shared network.";
    BAD_DEFINITION = 9167, "dhcp_bad_definition", "the option definition is not possible",
        "Own options have a free name, a free code from 1 to 254 and a known type.", "Correct the definition.";
    TOO_MANY = 9168, "dhcp_too_many", "more than the server can hold",
        "The number of classes and subnets has a fixed limit.", "Merge some of them.";
    PROXY_POOLS = 9169, "dhcp_proxy_pools", "a proxy has no addresses to give",
        "With proxy = true another DHCP server gives the addresses and this one tells boot clients what to boot, so a pool here would never be used.",
        "Remove the pools, or set proxy = false where this server shall give addresses.";
    GATEWAY_OUTSIDE = 9170, "dhcp_gateway_outside", "the gateway is outside of its subnet",
        "A client reaches its router on its own link. Most cannot use one outside of their network.",
        "Correct the address, unless the clients know a way to it.";
    NO_HOSTS = 9171, "dhcp_no_hosts", "no host has addresses of this network",
        "0.0.0.0/8 means no address yet, 224.0.0.0/4 are groups (multicast), and 127.0.0.0/8 never leaves a machine.",
        "Correct the network.";
    WHOLE_SECONDS = 9172, "dhcp_whole_seconds", "a lease time is no whole number of seconds",
        "The times of a lease are sent in whole seconds.", "Write it without a fraction.";
}
