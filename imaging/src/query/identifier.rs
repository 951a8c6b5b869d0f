//! Reading the identifier of a C-FIND request (PS3.4 §C.4.1.1.3.1).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{
    DEPTH, KEYS, Key, Level, Query, QueryError,
    key::{Kinds, is_creator, is_known, path_name, vr_of},
    matching::bare,
    parameters::{Creators, zone},
    selection::Selection,
};
use crate::{
    attributes::{Attribute, Attributes, Content},
    json,
};

/// What was agreed on for the association (PS3.4 table C.5-2). Relational queries need no agreement here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extended {
    /// Byte 2: ranges of dates and times are matched together.
    pub combined_date_time: bool,
    /// Byte 3: fuzzy semantic matching of person names.
    pub fuzzy: bool,
    /// Byte 4: the identifier's time zone holds for its dates and times.
    pub timezone: bool,
    /// Byte 6: `""` matches what is empty.
    pub empty_value: bool,
    /// Byte 7: of several values each must match.
    pub multiple_value: bool,
}

impl Query {
    /// Reads an identifier. Whether its Query/Retrieve Level fits the information model is for the caller to see.
    ///
    /// Keys of the levels above are taken whether or not they are unique keys: every query may be relational.
    ///
    /// # Errors
    /// A key is wrong: its keyword is told, never its value.
    pub fn from_identifier(level: Level, identifier: &Attributes, extended: Extended) -> Result<Self, QueryError> {
        let kinds =
            Kinds { fuzzy: extended.fuzzy, empty_value: extended.empty_value, multiple_value: extended.multiple_value };
        let mut reader = Reader { level, kinds, creators: Creators::default(), found: Vec::new(), whole: Vec::new() };
        reader.item(identifier, &mut Vec::new())?;
        let (keys, requested) = reader.finish()?;
        let mut query = Self::new(level, keys, kinds, extended.combined_date_time)?;
        query.requested = requested;
        let offset = identifier.text(tags::TIMEZONE_OFFSET_FROM_UTC).filter(|_| extended.timezone);
        query.zone = offset.as_deref().map(zone).transpose()?;
        Ok(query)
    }
}

/// The keys of an identifier as the parameters of a search ([`Query::from_parameters`]): how a filter is kept. Keys without a value
/// match everything and are left out.
///
/// # Errors
/// There are too many keys, or a sequence has several items.
pub fn parameters_of(identifier: &Attributes) -> Result<Vec<(String, String)>, QueryError> {
    let kinds = Kinds::default();
    let level = Level::Workitem;
    let mut reader = Reader { level, kinds, creators: Creators::default(), found: Vec::new(), whole: Vec::new() };
    reader.item(identifier, &mut Vec::new())?;
    let creators = reader.creators.named().map(|(way, creator)| (way.clone(), creator.to_owned()));
    let keys = reader.found.iter().filter(|(_, value)| !bare(value).is_empty()).cloned();
    let name = |path: &[Tag]| path.iter().map(|tag| json::key(*tag)).collect::<Vec<_>>().join(".");
    Ok(creators.chain(keys).map(|(path, value)| (name(&path), value)).collect())
}

struct Reader {
    level: Level,
    kinds: Kinds,
    creators: Creators,
    /// Keys with what is asked of them.
    found: Vec<(Vec<Tag>, String)>,
    /// What is only asked for: sequences as a whole, and bulk data.
    whole: Vec<Vec<Tag>>,
}

impl Reader {
    fn item(&mut self, item: &Attributes, way: &mut Vec<Tag>) -> Result<(), QueryError> {
        if way.len() >= DEPTH {
            return Err(QueryError::TooMuch);
        }
        for (tag, attribute) in item {
            way.push(*tag);
            self.attribute(attribute, way)?;
            way.pop();
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: &Attribute, way: &mut Vec<Tag>) -> Result<(), QueryError> {
        if self.found.len() + self.whole.len() >= KEYS {
            return Err(QueryError::TooMuch);
        }
        let Some(tag) = way.last().copied() else { return Ok(()) };
        if matches!(tag, tags::SPECIFIC_CHARACTER_SET | tags::QUERY_RETRIEVE_LEVEL) || !is_known(tag) {
            return Ok(());
        }
        let items = match &attribute.content {
            Content::Items(items) => items.as_slice(),
            _ => &[],
        };
        match items {
            [] => {
                self.single(tag, attribute, way);
                Ok(())
            }
            // An item without keys asks for the whole sequence (§C.2.2.2.6).
            [item] if item.is_empty() => {
                self.whole.push(way.clone());
                Ok(())
            }
            [item] => self.item(item, way),
            _ => Err(QueryError::Items { attribute: path_name(way) }),
        }
    }

    fn single(&mut self, tag: Tag, attribute: &Attribute, way: &[Tag]) {
        let texts = attribute.texts();
        let value = texts.iter().map(|text| text.as_deref().unwrap_or_default()).collect::<Vec<_>>().join("\\");
        // A key that cannot be matched is still returned (§C.2.2.1.3).
        let bulk = matches!(vr_of(tag), VR::SQ | VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW);
        if is_creator(tag) && !bare(&value).is_empty() {
            self.creators.put(way.to_vec(), bare(&value));
        } else if bulk || tag == tags::TIMEZONE_OFFSET_FROM_UTC {
            self.whole.push(way.to_vec());
        } else {
            self.found.push((way.to_vec(), value));
        }
    }

    fn finish(mut self) -> Result<(Vec<Key>, Selection), QueryError> {
        let mut requested = Selection::default();
        let mut keys = Vec::with_capacity(self.found.len());
        for (path, value) in &self.found {
            requested.ask(&self.creators.selectors(path));
            keys.push(self.creators.key(self.level, path, value, self.kinds)?);
        }
        for path in &self.whole {
            requested.ask(&self.creators.selectors(path));
        }
        keys.extend(self.creators.unused());
        Ok((keys, requested))
    }
}
