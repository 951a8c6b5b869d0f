//! Reading a query string (PS3.18 §8.3.4).

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{
    DEPTH, Include, KEYS, Key, Level, Matching, Query, QueryError, Selector, Text, Warning, at_level,
    error::plain,
    key::{Kinds, attribute_named, creator_of, is_creator, is_known, is_private, path_name, vr_of},
    matching::bare,
    moment,
};

/// Parameters of content negotiation: not of the search.
const ELSEWHERE: &[&str] = &["accept", "charset"];

impl Query {
    /// Reads the parameters of a search, names and values already percent-decoded.
    ///
    /// A name that is no attribute is left aside with a warning; an attribute that cannot be searched is an error,
    /// because to leave it aside would give every study away as a result.
    ///
    /// # Errors
    /// A parameter is wrong: its name is told, never its value.
    pub fn from_parameters<'a>(
        level: Level,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(Self, Vec<Warning>), QueryError> {
        let mut parameters = Parameters::default();
        for (name, value) in pairs {
            parameters.take(name, value)?;
        }
        parameters.query(level)
    }
}

#[derive(Default)]
struct Parameters<'a> {
    attributes: Vec<(Vec<Tag>, &'a str)>,
    creators: Creators,
    all: bool,
    include: Vec<Vec<Tag>>,
    limit: Option<u64>,
    offset: Option<u64>,
    zone: Option<i64>,
    kinds: Kinds,
    seen: BTreeSet<Vec<Tag>>,
    flags: BTreeSet<&'static str>,
    warnings: Vec<Warning>,
}

/// Private Creators that a query names: the way to the element, and who it is.
#[derive(Default)]
pub(super) struct Creators {
    names: BTreeMap<Vec<Tag>, Box<str>>,
    used: BTreeSet<Vec<Tag>>,
}

impl<'a> Parameters<'a> {
    fn take(&mut self, name: &str, value: &'a str) -> Result<(), QueryError> {
        match name {
            "fuzzymatching" => self.kinds.fuzzy = self.flag("fuzzymatching", value)?,
            "emptyvaluematching" => self.kinds.empty_value = self.flag("emptyvaluematching", value)?,
            "multiplevaluematching" => self.kinds.multiple_value = self.flag("multiplevaluematching", value)?,
            "limit" => self.limit = Some(self.number("limit", value)?),
            "offset" => self.offset = Some(self.number("offset", value)?),
            "includefield" => self.includefield(value)?,
            _ if ELSEWHERE.contains(&name) => {}
            _ => match attribute_path(name)? {
                Some(path) => self.attribute(path, value)?,
                None => self.warn(name),
            },
        }
        Ok(())
    }

    fn flag(&mut self, name: &'static str, value: &str) -> Result<bool, QueryError> {
        self.once(name)?;
        match value.trim() {
            value if value.eq_ignore_ascii_case("true") => Ok(true),
            value if value.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(QueryError::Parameter { parameter: name, expected: "true or false" }),
        }
    }

    fn number(&mut self, name: &'static str, value: &str) -> Result<u64, QueryError> {
        self.once(name)?;
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| digits);
        number.ok_or(QueryError::Parameter { parameter: name, expected: "an unsigned integer" })
    }

    fn once(&mut self, name: &'static str) -> Result<(), QueryError> {
        let first = self.flags.insert(name);
        if first { Ok(()) } else { Err(QueryError::Repeated { attribute: name.to_owned() }) }
    }

    fn warn(&mut self, name: &str) {
        const ENOUGH: usize = 16;
        if self.warnings.len() < ENOUGH {
            self.warnings.push(Warning::Ignored(plain(name)));
        }
    }

    /// A comma list, or `all`. What is not known here cannot be returned: that is no error (§10.6.3.3: "that are supported").
    fn includefield(&mut self, value: &str) -> Result<(), QueryError> {
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name.eq_ignore_ascii_case("all") {
                self.all = true;
                continue;
            }
            match attribute_path(name) {
                Ok(Some(path)) if self.include.len() < KEYS => self.include.push(path),
                Ok(Some(_)) => return Err(QueryError::TooMuch),
                Ok(None) | Err(_) => self.warn(name),
            }
        }
        Ok(())
    }

    fn attribute(&mut self, path: Vec<Tag>, value: &'a str) -> Result<(), QueryError> {
        if self.attributes.len() >= KEYS {
            return Err(QueryError::TooMuch);
        }
        if !self.seen.insert(path.clone()) {
            return Err(QueryError::Repeated { attribute: path_name(&path) });
        }
        match path.as_slice() {
            // Never matched (PS3.4 §C.2.2.2), and said by the resource.
            [tags::SPECIFIC_CHARACTER_SET | tags::QUERY_RETRIEVE_LEVEL] => {}
            [tags::TIMEZONE_OFFSET_FROM_UTC] if !bare(value).is_empty() => {
                self.zone = Some(zone(value)?);
            }
            [.., last] if is_creator(*last) && !bare(value).is_empty() => self.creators.put(path, bare(value)),
            _ => self.attributes.push((path, value)),
        }
        Ok(())
    }

    fn query(mut self, level: Level) -> Result<(Query, Vec<Warning>), QueryError> {
        let mut keys = Vec::with_capacity(self.attributes.len());
        for (path, value) in std::mem::take(&mut self.attributes) {
            keys.push(self.creators.key(level, &path, value, self.kinds)?);
        }
        let include: Vec<_> = self.include.iter().map(|path| self.creators.selectors(path)).collect();
        keys.extend(self.creators.unused());
        let searches_name = keys.iter().any(|key| key.vr == VR::PN);
        if self.kinds.fuzzy && !searches_name && !keys.is_empty() {
            self.warnings.push(Warning::NoFuzzyMatching);
        }
        let mut query = Query::new(level, keys, self.kinds, true)?;
        query.include = if self.all { Include::All } else { Include::Only(include) };
        query.limit = self.limit;
        query.offset = self.offset.unwrap_or(0);
        query.zone = self.zone;
        Ok((query, self.warnings))
    }
}

/// Reads Timezone Offset From UTC (0008,0201).
pub(super) fn zone(value: &str) -> Result<i64, QueryError> {
    let attribute = || path_name(&[tags::TIMEZONE_OFFSET_FROM_UTC]);
    moment::offset(value.trim_end())
        .ok_or_else(|| QueryError::Value { attribute: attribute(), expected: "an offset from UTC such as +0900" })
}

impl Creators {
    /// Notes who holds a block.
    pub(super) fn put(&mut self, path: Vec<Tag>, creator: &str) {
        self.names.insert(path, creator.into());
    }

    /// The way to attributes with the creators of private ones, as far as they are named.
    pub(super) fn selectors(&mut self, path: &[Tag]) -> Vec<Selector> {
        let mut selectors = Vec::with_capacity(path.len());
        for (at, tag) in path.iter().enumerate() {
            let mut way = path[..at].to_vec();
            way.push(creator_of(*tag));
            let named = is_private(*tag) && !is_creator(*tag);
            let creator = if named { self.names.get(&way).cloned() } else { None };
            if creator.is_some() {
                self.used.insert(way);
            }
            selectors.push(Selector { tag: *tag, creator });
        }
        selectors
    }

    /// A key from the way to an attribute and what was asked of it.
    pub(super) fn key(&mut self, level: Level, path: &[Tag], value: &str, kinds: Kinds) -> Result<Key, QueryError> {
        let Some(last) = path.last() else { return Err(QueryError::TooMuch) };
        let vr = vr_of(*last);
        let matching = Matching::parse(path, vr, value, kinds)?;
        let mut path = self.selectors(path);
        let nameless =
            |selector: &&Selector| is_private(selector.tag) && !is_creator(selector.tag) && selector.creator.is_none();
        if let Some(selector) = path.iter().find(nameless).filter(|_| !matching.is_universal()) {
            return Err(QueryError::NoPrivateCreator { attribute: path_name(&[selector.tag]) });
        }
        at_level(level, &mut path, !matching.is_universal())?;
        Ok(Key { path, vr, matching })
    }

    /// All of them, with the way to each.
    pub(super) fn named(&self) -> impl Iterator<Item = (&Vec<Tag>, &str)> {
        self.names.iter().map(|(way, creator)| (way, &**creator))
    }

    /// Creators that no other key needs are searched themselves.
    pub(super) fn unused(&self) -> Vec<Key> {
        let unused = self.names.iter().filter(|(way, _)| !self.used.contains(*way));
        let keys = unused.map(|(way, creator)| Key {
            path: way.iter().map(|tag| Selector::of(*tag)).collect(),
            vr: VR::LO,
            matching: Matching::PrivateCreator(Text(creator.clone())),
        });
        keys.collect()
    }
}

/// The way that a parameter's name describes: eight hexadecimal digits or keywords, with dots between them, mixed as you
/// like. `None` where the name is no attribute's.
fn attribute_path(name: &str) -> Result<Option<Vec<Tag>>, QueryError> {
    let mut path = Vec::new();
    for part in name.split('.') {
        let Some(tag) = attribute_named(part) else {
            return if path.is_empty() {
                Ok(None)
            } else {
                Err(QueryError::UnknownAttribute { attribute: plain(part) })
            };
        };
        if !is_known(tag) {
            return Err(QueryError::UnknownAttribute { attribute: plain(part) });
        }
        if let Some(outer) = path.last().filter(|outer| vr_of(**outer) != VR::SQ && !is_private(**outer)) {
            return Err(QueryError::NotASequence { attribute: path_name(&[*outer]) });
        }
        if path.len() >= DEPTH {
            return Err(QueryError::TooMuch);
        }
        path.push(tag);
    }
    Ok(Some(path))
}
