//! Installing small archives that are made here; the real one is installed by the interoperability tests.

use std::{collections::BTreeMap, fs, io::Read as _};

use base64::Engine as _;
use tar::{EntryType, Header};

use super::{npm::fetch_with, package::Edit, *};

const EDITS: &[Edit] = &[
    Edit { files: ("index", ".html"), old: "=\"/", new: "=\"/ohif/", places: 2 },
    Edit { files: ("index", ".html"), old: "<script src=\"/ohif/worker.js\"></script>", new: "", places: 1 },
    Edit { files: ("", ".js"), old: "p = '/'", new: "p = '/ohif/'", places: 3 },
];

const DIST: &[(&str, &str)] = &[
    ("package/LICENSE", "MIT"),
    ("package/package.json", "{}"),
    ("package/dist/index.html", "<link href=\"/a.css\"><script src=\"/worker.js\"></script>"),
    ("package/dist/app.bundle.0123456789abcdef.js", "p = '/'; p = '/'; q = '/'"),
    ("package/dist/deep/er/2.js", "p = '/'"),
    ("package/dist/deep/er/2.js.map", "p = '/'"),
    ("package/dist/ort/runtime.wasm", "136 MB"),
    ("package/dist/sw.js", "p = '/'"),
    ("package/dist/app-config.js", "window.config = {}"),
    ("package/dist/assets/a.png", "\u{1}"),
    ("README.md", "outside of the package"),
];

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> &Path {
        self.dir.path()
    }

    /// Installs an archive that is known.
    fn install(&self, archive: &[u8]) -> Result<Installed, InstallError> {
        self.install_as(archive, &known(archive))
    }

    fn install_as(&self, archive: &[u8], package: &Package) -> Result<Installed, InstallError> {
        let path = self.dir.path().join("ohif.tgz");
        fs::write(&path, archive).unwrap();
        install(&path, package, self.data())
    }

    /// Every file of the installed folder.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.data().join("ohif")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.data().join("ohif")).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
        found
    }

    /// Names in the data folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn known(archive: &[u8]) -> Package {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, archive);
    let sha512 = base64::engine::general_purpose::STANDARD.encode(digest);
    Package {
        name: "@ohif/app",
        version: "0.0.1",
        bytes: archive.len() as u64,
        sha512: Box::leak(sha512.into_boxed_str()),
        edits: EDITS,
    }
}

fn archive_of(files: &[(&str, &str)]) -> Vec<u8> {
    let entries = files.iter().map(|(name, content)| (EntryType::Regular, *name, content.as_bytes()));
    zipped(&tar_of(entries))
}

/// Entries as they are, also those that a careful writer would refuse.
fn tar_of<'a>(entries: impl IntoIterator<Item = (EntryType, &'a str, &'a [u8])>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn unzipped(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_known_archive_is_unpacked_changed_and_compressed() {
    let place = Place::new();
    let installed = place.install(&archive_of(DIST)).unwrap();
    let files = place.files();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "LICENSE",
            "app.bundle.0123456789abcdef.js",
            "app.bundle.0123456789abcdef.js.gz",
            "assets/a.png",
            "deep/er/2.js",
            "deep/er/2.js.gz",
            "index.html",
        ]
    );
    assert_eq!(files["index.html"], b"<link href=\"/ohif/a.css\">");
    assert_eq!(files["app.bundle.0123456789abcdef.js"], b"p = '/ohif/'; p = '/ohif/'; q = '/'");
    assert_eq!(unzipped(&files["deep/er/2.js.gz"]), "p = '/ohif/'");
    assert_eq!(installed.files, 5);
    assert_eq!(installed.folder, place.data().join("ohif"));
    assert_eq!(place.names(), ["ohif", "ohif.tgz"], "nothing is left beside it");
}

#[test]
fn a_second_install_leaves_nothing_of_the_first() {
    let place = Place::new();
    place.install(&archive_of(DIST)).unwrap();
    fs::write(place.data().join("ohif/of-the-first.js"), "").unwrap();
    place.install(&archive_of(DIST)).unwrap();
    assert!(!place.files().contains_key("of-the-first.js"));
    assert_eq!(place.names(), ["ohif", "ohif.tgz"]);
}

#[test]
fn another_archive_is_refused_with_the_version_that_is_known() {
    let place = Place::new();
    let known = known(&archive_of(DIST));
    for other in [archive_of(&DIST[1..]), Vec::new(), vec![0; archive_of(DIST).len()], vec![0; 1 << 20]] {
        let refused = place.install_as(&other, &known).unwrap_err().to_string();
        assert!(refused.contains("not the archive of @ohif/app 0.0.1"), "{refused}");
        assert!(refused.contains("npm pack @ohif/app@0.0.1"), "{refused}");
    }
    assert_eq!(place.names(), ["ohif.tgz"]);
}

#[test]
fn an_archive_that_is_not_there_is_said_to_be_so() {
    let place = Place::new();
    let refused = install(&place.data().join("none.tgz"), &OHIF, place.data()).unwrap_err();
    assert!(matches!(refused, InstallError::Read { .. }), "{refused}");
}

#[test]
fn a_failed_install_leaves_what_was_there() {
    let place = Place::new();
    place.install(&archive_of(DIST)).unwrap();
    let before = place.files();
    let one_place_less: Vec<(&str, &str)> = DIST.iter().copied().filter(|(name, _)| !name.contains("deep")).collect();
    let refused = place.install(&archive_of(&one_place_less)).unwrap_err().to_string();
    assert_eq!(refused, r#"the archive cannot be used: *.js: "p = '/'" stands at 2 places and not at 3"#);
    assert_eq!(place.files(), before);
    assert_eq!(place.names(), ["ohif", "ohif.tgz"]);
}

#[test]
fn an_archive_cannot_write_elsewhere_nor_anything_but_files() {
    let whole = tar_of([(EntryType::Regular, "package/dist/a.txt", &b"text"[..])]);
    for (archive, expected) in [
        (tar_of([(EntryType::Regular, "package/dist/../../../escaped", &b""[..])]), "somewhere else"),
        (tar_of([(EntryType::Regular, "/etc/passwd", &b""[..])]), "somewhere else"),
        (tar_of([(EntryType::Regular, "package/dist/a\\b", &b""[..])]), "somewhere else"),
        (tar_of([(EntryType::Regular, "package//dist/a", &b""[..])]), "somewhere else"),
        (tar_of([(EntryType::Regular, "", &b""[..])]), "somewhere else"),
        (tar_of([(EntryType::Symlink, "package/dist/link", &b""[..])]), "neither a file nor a folder"),
        (tar_of([(EntryType::Link, "package/dist/link", &b""[..])]), "neither a file nor a folder"),
        (tar_of([(EntryType::Fifo, "package/dist/pipe", &b""[..])]), "neither a file nor a folder"),
        (whole[..600].to_vec(), "no whole gzip and tar file"),
        (vec![7; 2048], "no whole gzip and tar file"),
    ] {
        let place = Place::new();
        let refused = place.install(&zipped(&archive)).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(place.names(), ["ohif.tgz"]);
    }
    let cut = zipped(&whole);
    let refused = Place::new().install(&cut[..cut.len() / 2]).unwrap_err().to_string();
    assert!(refused.contains("no whole gzip and tar file"), "{refused}");
}

#[test]
fn an_archive_is_unpacked_up_to_its_bounds_only() {
    // A header that announces 65 MB, and none of them.
    let mut large = Header::new_ustar();
    large.set_path("package/dist/large").unwrap();
    large.set_size(65 << 20);
    large.set_cksum();
    let many = (0..=10_000).map(|_| (EntryType::Directory, "package", &b""[..]));
    for archive in [large.as_bytes().to_vec(), tar_of(many)] {
        let refused = Place::new().install(&zipped(&archive)).unwrap_err().to_string();
        assert!(refused.contains("too large") || refused.contains("too many entries"), "{refused}");
    }
}

/// Something in npm's place.
fn npm(place: &Place, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = place.data().join("npm");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn npm_is_asked_for_the_known_version() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let npm = npm(&place, r#"echo "$@" > ohif-app-3.13.2.tgz"#);
    let brought = fetch_with(&npm, &OHIF, folder.path()).await.unwrap();
    let asked = fs::read_to_string(&brought).unwrap();
    let expected = "pack @ohif/app@3.13.2 --silent --loglevel=error --pack-destination";
    assert_eq!(asked.trim(), format!("{expected} {}", folder.path().display()));
}

#[tokio::test]
async fn without_npm_the_text_says_what_to_do() {
    let place = Place::new();
    let missing = fetch_with(&place.data().join("npm"), &OHIF, place.data()).await.unwrap_err().to_string();
    assert!(missing.contains("npm is not installed"), "{missing}");
    assert!(missing.contains("npm pack @ohif/app@3.13.2"), "{missing}");
    let failed = npm(&place, "echo 'E404 no such package' >&2; exit 1");
    let failed = fetch_with(&failed, &OHIF, place.data()).await.unwrap_err().to_string();
    assert_eq!(failed, "npm did not bring the archive: E404 no such package");
    let empty = npm(&place, "exit 0");
    assert!(fetch_with(&empty, &OHIF, place.data()).await.is_err());
}
