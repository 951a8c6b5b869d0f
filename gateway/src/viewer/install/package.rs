//! [`Package`]: the version of OHIF that is known, what is taken of it, and what is changed in it.
//!
//! Its `dist/` is built for the root of a server; here it lives below `/ohif/`. The places are exact and counted: a version
//! with other counts would need a look of its own, so it is refused.

use memchr::memmem;

use super::InstallError;

/// A package whose archive is known.
#[derive(Debug)]
pub(crate) struct Package {
    /// Its name at npm.
    pub(crate) name: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// Bytes of its archive.
    pub(super) bytes: u64,
    /// SHA-512 of its archive, base64: what npm calls its integrity.
    pub(super) sha512: &'static str,
    /// What is changed in it.
    pub(super) edits: &'static [Edit],
}

/// OHIF (MIT), the version that is known.
pub(crate) const OHIF: Package = Package {
    name: "@ohif/app",
    version: "3.13.2",
    bytes: 49_906_651,
    sha512: "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==",
    edits: EDITS,
};

/// A change in files, at every place where the old text stands.
#[derive(Debug)]
pub(super) struct Edit {
    /// How the names of the files end, and how they begin.
    pub(super) files: (&'static str, &'static str),
    /// What stands there.
    pub(super) old: &'static str,
    /// What shall stand there.
    pub(super) new: &'static str,
    /// At how many places, in all files together.
    pub(super) places: usize,
}

/// In this order: a later one sees what an earlier one wrote.
const EDITS: &[Edit] = &[
    Edit { files: ("index", ".html"), old: "=\"/", new: "=\"/ohif/", places: 35 },
    // Its service worker loads a library from another host.
    Edit {
        files: ("index", ".html"),
        old: r#"<script rel="preload" as="script" type="module" src="/ohif/init-service-worker.js"></script>"#,
        new: "",
        places: 1,
    },
    Edit { files: ("", ".css"), old: "url(/", new: "url(/ohif/", places: 5 },
    Edit {
        files: ("", ".js"),
        old: r#"__webpack_require__.p = "/""#,
        new: r#"__webpack_require__.p = "/ohif/""#,
        places: 8,
    },
    Edit {
        files: ("app.bundle.", ".js"),
        old: "'/dicom-microscopy-viewer/",
        new: "'/ohif/dicom-microscopy-viewer/",
        places: 1,
    },
    Edit { files: ("manifest", ".json"), old: "\"/assets/", new: "\"/ohif/assets/", places: 9 },
    // A name's kanji, in the list of studies with its Latin letters beside them. There is no setting for it.
    Edit {
        files: ("app.bundle.", ".js"),
        old: "  if (element.Value[0].Alphabetic) {\n    return element.Value[0].Alphabetic;\n  }",
        new: "  if (element.Value[0].Ideographic) {\n    return element.Value[0].Ideographic.replace('^', ' ') + ' (' + \
              (element.Value[0].Alphabetic ?? '').replace('^', ' ') + ')';\n  }\n  \
              if (element.Value[0].Alphabetic) {\n    return element.Value[0].Alphabetic;\n  }",
        places: 1,
    },
    Edit {
        files: ("app.bundle.", ".js"),
        old: "  let nameToUse = name.Alphabetic ?? name;",
        new: "  let nameToUse = name.Ideographic || (name.Alphabetic ?? name);",
        places: 1,
    },
    // One study without Modality would empty the whole list: an attribute without a value has no `Value` (PS3.18 §F.2.5).
    Edit {
        files: ("app.bundle.", ".js"),
        old: "i < ModalitiesInStudy.Value.length",
        new: "i < (ModalitiesInStudy.Value ?? []).length",
        places: 1,
    },
];

/// What is not taken of `dist/`: a runtime of neural networks that fetches its models elsewhere (136 MB), the service worker,
/// a sign-in by another host, the configuration (ours takes its place), and files for other servers.
const LEFT_OUT: &[&str] =
    &["_headers", "_redirects", "app-config.js", "google.js", "init-service-worker.js", "serve.json", "sw.js"];

impl Package {
    /// Whether these bytes are its archive.
    pub(super) fn is(&self, archive: &[u8]) -> bool {
        use base64::Engine as _;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, archive);
        base64::engine::general_purpose::STANDARD.encode(digest) == self.sha512
    }

    /// The name below `/ohif/` of a file of the archive, if it is taken.
    pub(super) fn kept<'a>(&self, name: &'a str) -> Option<&'a str> {
        let name = name.strip_prefix("package/")?;
        if name == "LICENSE" {
            return Some(name);
        }
        let name = name.strip_prefix("dist/")?;
        let is_left_out = LEFT_OUT.contains(&name) || name.starts_with("ort/") || name.ends_with(".map");
        (!is_left_out).then_some(name)
    }

    /// Its changes, none made yet.
    pub(super) fn edits(&self) -> Edits {
        Edits { edits: self.edits, found: vec![0; self.edits.len()] }
    }
}

/// Changes under way.
#[derive(Debug)]
pub(super) struct Edits {
    edits: &'static [Edit],
    found: Vec<usize>,
}

impl Edits {
    /// Changes a file as it must be.
    pub(super) fn apply(&mut self, name: &str, mut content: Vec<u8>) -> Vec<u8> {
        for (edit, found) in self.edits.iter().zip(&mut self.found) {
            let (begin, end) = edit.files;
            if name.starts_with(begin) && name.ends_with(end) {
                let places: Vec<usize> = memmem::find_iter(&content, edit.old).collect();
                *found += places.len();
                content = replaced(content, &places, edit);
            }
        }
        content
    }

    /// Whether every place was found.
    pub(super) fn check(&self) -> Result<(), InstallError> {
        for (edit, found) in self.edits.iter().zip(&self.found) {
            if *found != edit.places {
                let Edit { files: (begin, end), old, places, .. } = edit;
                return Err(InstallError::Content(format!(
                    "{begin}*{end}: {old:?} stands at {found} places and not at {places}"
                )));
            }
        }
        Ok(())
    }
}

fn replaced(content: Vec<u8>, places: &[usize], edit: &Edit) -> Vec<u8> {
    if places.is_empty() {
        return content;
    }
    let mut changed = Vec::with_capacity(content.len() + places.len() * edit.new.len());
    let mut rest = 0;
    for place in places {
        changed.extend_from_slice(&content[rest..*place]);
        changed.extend_from_slice(edit.new.as_bytes());
        rest = place + edit.old.len();
    }
    changed.extend_from_slice(&content[rest..]);
    changed
}
