//! What the templates grant and list because of the faults: between `# generated: …` and `# end of generated`.
//!
//! The rest of a template is written by hand and is left alone.

mod blocks;

use std::path::{Path, PathBuf};

/// What begins a block, in front of its name.
const BEGINS: &str = "# generated: ";
/// What ends a block.
const ENDS: &str = "# end of generated";

/// A template that has such blocks.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// Where it stands in this tree.
    path: &'static str,
    /// What the names of the documents begin with, for `Fn::Sub`.
    prefix: &'static str,
}

/// Every template that has them.
pub const TEMPLATES: [Template; 2] = [
    Template { path: "template.yaml", prefix: "${AWS::StackName}-" },
    Template { path: "infra/target-account.yaml", prefix: "${DocumentPrefix}" },
];

/// What is wrong with the blocks of a template.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// It has a block that nothing makes.
    #[error("{path} has the block `{name}`, which nothing makes: correct the name")]
    Unknown {
        /// The template.
        path: &'static str,
        /// The name of the block.
        name: String,
    },
    /// A block has no end.
    #[error("{path} has no `{ENDS}` behind `{BEGINS}{name}`: write it where the block ends")]
    Open {
        /// The template.
        path: &'static str,
        /// The name of the block.
        name: String,
    },
    /// It cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// The template.
        path: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Template {
    /// Where it stands, for people.
    pub const fn name(&self) -> &'static str {
        self.path
    }

    /// Where it stands.
    pub fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(self.path)
    }

    /// Its text as it is, and as the faults make it.
    pub fn both(&self) -> Result<(String, String), BlockError> {
        let wrong = |source| BlockError::File { path: self.path, source };
        let is = std::fs::read_to_string(self.path()).map_err(wrong)?;
        let fresh = self.render(&is)?;
        Ok((is, fresh))
    }

    /// Writes what the faults make of it; a template that is fresh is not touched.
    pub fn write(&self) -> Result<(), BlockError> {
        let (is, fresh) = self.both()?;
        if is == fresh {
            return Ok(());
        }
        std::fs::write(self.path(), fresh).map_err(|source| BlockError::File { path: self.path, source })
    }

    /// A text with its blocks made again, each as deep as the line that begins it.
    pub(crate) fn render(&self, text: &str) -> Result<String, BlockError> {
        let mut fresh = String::with_capacity(text.len());
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            push(&mut fresh, "", line);
            let Some(name) = line.trim_start().strip_prefix(BEGINS) else { continue };
            let depth = &line[..line.len() - line.trim_start().len()];
            let made = blocks::block(self, name)
                .ok_or_else(|| BlockError::Unknown { path: self.path, name: name.to_owned() })?;
            made.iter().for_each(|line| push(&mut fresh, depth, line));
            let end = lines.find(|line| line.trim_start() == ENDS);
            push(&mut fresh, "", end.ok_or_else(|| BlockError::Open { path: self.path, name: name.to_owned() })?);
        }
        Ok(fresh)
    }
}

fn push(text: &mut String, depth: &str, line: &str) {
    text.push_str(depth);
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_templates_grant_what_the_faults_make_of_them() {
        for template in TEMPLATES {
            let (is, fresh) = template.both().unwrap();
            assert!(is == fresh, "{} is stale: run `make documents`", template.name());
        }
    }

    #[test]
    fn a_block_is_made_again_and_the_rest_is_left_alone() {
        let [template, _] = TEMPLATES;
        let text = "a:\n  # generated: the families of faults\n  - old\n  # end of generated\n  - kept\n";

        let fresh = template.render(text).unwrap();

        assert!(fresh.starts_with("a:\n  # generated: the families of faults\n  AllowedValues: [host, "), "{fresh}");
        assert!(fresh.ends_with("\n  # end of generated\n  - kept\n") && !fresh.contains("old"), "{fresh}");
        assert_eq!(template.render(&fresh).unwrap(), fresh);
    }

    #[test]
    fn a_block_that_nothing_makes_and_one_without_end_are_refused() {
        let [template, _] = TEMPLATES;
        let said = |text| template.render(text).unwrap_err().to_string();

        assert!(said("# generated: nothing\n# end of generated\n").contains("the block `nothing`"));
        assert!(said("# generated: the families of faults\n- kept?\n").contains("no `# end of generated`"));
    }
}
