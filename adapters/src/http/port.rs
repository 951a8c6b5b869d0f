//! Which ports a guarded URL may name.
//!
//! A URL that ends at a mail server or a database is never an AI service: HTTP sent there can still do harm, as those
//! protocols read lines and skip what they do not understand (check 21: ports 25, 22, 6379).

/// HTTPS ports that need no word from the operator.
const SECURE: &[u16] = &[443, 8443];

/// Ports above 1023 that belong to something else than HTTP: the WHATWG Fetch standard's "bad ports", and the stores
/// and control planes that take commands from whoever connects.
const TAKEN: &[u16] = &[
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672,
    6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9200, 9300, 10080, 10250, 11211, 11434, 27017,
];

/// Whether any host on the internet may be called on this port.
pub(super) fn is_secure(port: u16) -> bool {
    SECURE.contains(&port)
}

/// Whether an operator's own host may be called by DIMSE on this port without the port being named too: the registered
/// ones (PS3.8 §9.1.1, PS3.15 §B.1) and those that are free for everybody.
pub(super) fn is_for_dicom(port: u16) -> bool {
    matches!(port, 104 | 2761 | 2762) || (port > 1023 && !TAKEN.contains(&port))
}

/// Whether an operator's own host may be called on this port without the port being named too.
pub(super) fn is_plausible(port: u16) -> bool {
    matches!(port, 80 | 443) || (port > 1023 && !TAKEN.contains(&port))
}
