//! Signatures that the lower crates will bring.
#![allow(missing_docs)]

pub mod descriptor {
    use indexmap::IndexMap;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Descriptor {
        pub vendor: String,
        pub id: String,
        pub version: String,
        pub name: crate::catalog::Text,
        pub transport: Transport,
        pub hooks: Vec<HookService>,
    }
    #[derive(Debug, Clone, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Transport {
        pub base_url: String,
        #[serde(default = "path")]
        pub discovery_path: String,
        pub audience: Option<String>,
    }
    #[derive(Debug, Clone, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct HookService {
        pub id: String,
        pub hook: String,
        pub title: Option<String>,
        pub description: String,
        pub usage_requirements: Option<String>,
        #[serde(default)]
        pub prefetch: IndexMap<String, String>,
    }
    fn path() -> String {
        "/cds-services".to_owned()
    }
}

pub mod discovery {
    use indexmap::IndexMap;
    #[derive(Debug, Clone, Default)]
    pub struct Service {
        pub id: String,
        pub hook: String,
        pub title: Option<String>,
        pub description: String,
        pub prefetch: IndexMap<String, String>,
        pub usage_requirements: Option<String>,
    }
}

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
