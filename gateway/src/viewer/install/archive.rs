//! Reading a package's archive (gzip, tar) within bounds. Its digest was right, so this is the second lock of the door.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::InstallError;

/// Entries of an archive.
const MOST_ENTRIES: usize = 10_000;
/// Bytes of all files together.
const MOST_BYTES: u64 = 512 << 20;
/// Bytes of one file.
const MOST_OF_A_FILE: u64 = 64 << 20;

/// A file of an archive.
#[derive(Debug)]
pub(super) struct File {
    /// Its path inside the archive: names of letters, digits, `.`, `_`, `-`, `@` and `+`, with `/` between them.
    pub(super) name: String,
    /// Its bytes.
    pub(super) content: Vec<u8>,
}

/// Goes through the files in their order. Folders are passed over; anything else is an error.
pub(super) fn each_file(
    archive: &[u8],
    mut take: impl FnMut(File) -> Result<(), InstallError>,
) -> Result<(), InstallError> {
    // Headers and padding count too: three times is more than they can need.
    let mut archive = Archive::new(GzDecoder::new(archive).take(MOST_BYTES + MOST_ENTRIES as u64 * 3 * 512));
    let mut bytes = 0;
    for (number, entry) in archive.entries().map_err(unreadable)?.enumerate() {
        let mut entry = entry.map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let fault = |reason: &str| Err(InstallError::Content(format!("{}: {reason}", name.escape_default())));
        bytes += entry.size();
        match entry.header().entry_type() {
            _ if number >= MOST_ENTRIES => return fault("too many entries"),
            _ if !is_plain(name.trim_end_matches('/')) => return fault("a name that leads somewhere else"),
            _ if entry.size() > MOST_OF_A_FILE || bytes > MOST_BYTES => return fault("too large"),
            EntryType::Directory => {}
            EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).map_err(unreadable)?;
                take(File { name, content })?;
            }
            _ => return fault("neither a file nor a folder"),
        }
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn unreadable(error: io::Error) -> InstallError {
    InstallError::Content(format!("it is no whole gzip and tar file ({error})"))
}

fn is_plain(name: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
    name.split('/').all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(is_known))
}
