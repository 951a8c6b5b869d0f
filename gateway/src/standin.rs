//! Signatures that the lower crates will bring.
#![allow(missing_docs)]

pub mod template {
    #[derive(Debug, Clone)]
    pub struct Template(pub String);
    #[derive(Debug, thiserror::Error)]
    #[error("not a template")]
    pub struct TemplateError;
    impl Template {
        pub fn parse(text: &str) -> Result<Self, TemplateError> {
            if text.is_empty() {
                Err(TemplateError)
            } else {
                Ok(Self(text.to_owned()))
            }
        }
    }
}

pub mod plan {
    use super::template::Template;
    use indexmap::IndexMap;
    #[derive(Debug, Clone, Default)]
    pub struct Union {
        pub prefetch: IndexMap<String, String>,
    }
    pub fn union(members: &[(&str, &IndexMap<String, Template>)]) -> Union {
        let mut union = Union::default();
        for (_, templates) in members {
            for (key, template) in *templates {
                union.prefetch.insert(key.clone(), template.0.clone());
            }
        }
        union
    }
}
