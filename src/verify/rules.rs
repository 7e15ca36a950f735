//! What may differ from one run of a session to the next, and what stands for it. Pure.

use regex::Regex;
use serde::Deserialize;

/// The rules where no file has others.
const BUILT_IN: &str = include_str!("../../fixtures/rules.toml");

/// Rules, in the order in which they are applied.
#[derive(Debug, Clone)]
pub struct Rules(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    regex: Regex,
    placeholder: String,
}

/// Lines of replies that have nothing in common.
const UNLIKE: [&str; 3] = ["Traceback (most recent call last):", "[1, 2]", "<<repl status: idle>>"];

impl Rule {
    fn apply(&self, line: &str) -> String {
        self.regex.replace_all(line, self.placeholder.as_str()).into_owned()
    }
}

/// Why a text has no rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is not of their form.
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    /// A regex is none.
    #[error("the rule `{0}`: {1}")]
    Regex(String, Box<regex::Error>),
    /// With a rule, nothing could fail.
    #[error("the rule `{0}` matches anything: with it, nothing could fail")]
    MatchesAnything(String),
    /// Two have the same name.
    #[error("there are two rules `{0}`")]
    Twice(String),
    /// There is none of this name.
    #[error("there is no rule `{0}`: there are {1}")]
    Unknown(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    regex: String,
    placeholder: String,
}

impl Rules {
    /// Those where no file has others.
    ///
    /// # Errors
    /// Never; they are read as a file's are.
    pub fn built_in() -> Result<Rules, RulesError> {
        Rules::parse(BUILT_IN)
    }

    /// Reads a file's.
    ///
    /// # Errors
    /// When it is malformed, or a rule would have anything match.
    pub fn parse(text: &str) -> Result<Rules, RulesError> {
        let File { rule: written } = toml::from_str(text)?;
        let rule = |Written { name, regex, placeholder }| {
            let regex = Regex::new(&regex)
                .map_err(|error| RulesError::Regex(name.clone(), Box::new(error)))?;
            let rule = Rule { name, regex, placeholder };
            // A placeholder for nothing would stand everywhere, and of lines that have nothing in
            // common none may become as another.
            let given = UNLIKE.map(|line| rule.apply(line));
            if rule.regex.is_match("") || given[0] == given[1] || given[1] == given[2] {
                return Err(RulesError::MatchesAnything(rule.name));
            }
            Ok(rule)
        };
        let rules = written.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        for (n, rule) in rules.iter().enumerate() {
            if rules[..n].iter().any(|other| other.name == rule.name) {
                return Err(RulesError::Twice(rule.name.clone()));
            }
        }
        Ok(Rules(rules))
    }

    /// Only those of these names.
    ///
    /// # Errors
    /// When there is none of such a name.
    pub fn named(self, names: &[String]) -> Result<Rules, RulesError> {
        let known = || self.0.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>();
        if let Some(unknown) = names.iter().find(|name| !known().contains(&name.as_str())) {
            return Err(RulesError::Unknown(unknown.clone(), known().join(", ")));
        }
        Ok(Rules(self.0.into_iter().filter(|rule| names.contains(&rule.name)).collect()))
    }

    /// A text with placeholders for what may differ. Lines of which nothing is left are left out.
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::new();
        for whole in text.split_inclusive('\n') {
            let end = whole.strip_suffix('\n').map_or("", |_| "\n");
            let mut line = whole.trim_end_matches('\n').to_owned();
            for rule in &self.0 {
                line = rule.apply(&line);
            }
            if !line.is_empty() || whole == end {
                out.push_str(&line);
                out.push_str(end);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_differ_has_a_placeholder() {
        let rules = Rules::built_in().unwrap();
        for (text, expected) in [
            ("<<repl status: busy, elapsed_ms=801>>\n", "<<repl status: busy, elapsed_ms=<ms>>>\n"),
            ("<object object at 0x7f3a2b1c4d50>", "<object object at <address>>"),
            (
                "  File \"/usr/lib/python3.11/json/decoder.py\", line 337, in decode\n",
                "  File \"<library>/json/decoder.py\", line <line>, in decode\n",
            ),
            ("> /opt/p/lib/python3.9/bdb.py(580)run()", "> <library>/bdb.py(<line>)run()"),
            (
                "[repl] picture: /tmp/mcp-repl-47-RqziZU/1/picture-1.png",
                "[repl] picture: <session>/picture-1.png",
            ),
            ("open('/tmp/tmpab12_x')", "open('<temporary>')"),
            ("Python 3.13.0rc1 on linux", "Python <version> on linux"),
            ("2026-11-26T20:18:14.250Z done", "<time> done"),
            ("x\n    ~~^~~\n\ny\n", "x\n\ny\n"),
            ("3 passed in 0.12 s\n", "3 passed in <duration>\n"),
            ("nothing of 12 that differs\n", "nothing of 12 that differs\n"),
        ] {
            assert_eq!(rules.apply(text), expected);
            // What is expected may have the placeholders already.
            assert_eq!(rules.apply(expected), expected);
        }
    }

    #[test]
    fn a_script_may_use_some_of_them() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let rules = Rules::built_in().unwrap().named(&names(&["address"])).unwrap();
        assert_eq!(rules.apply("0x7f3a2b1c4d50 1.5 s"), "<address> 1.5 s");
        let unknown = Rules::built_in().unwrap().named(&names(&["nothing"])).unwrap_err();
        assert!(unknown.to_string().starts_with("there is no rule `nothing`: there are elapsed, "));
    }

    #[test]
    fn rules_that_are_none_are_told() {
        let rule = |regex: &str| {
            Rules::parse(&format!("[[rule]]\nname = 'x'\nregex = '{regex}'\nplaceholder = ''\n"))
        };
        assert!(matches!(rule("("), Err(RulesError::Regex(..))));
        for regex in ["", ".*", ".+", ".{2,}", "^.*$", "x*", "[^\\n]+"] {
            assert!(matches!(rule(regex), Err(RulesError::MatchesAnything(_))), "{regex}");
        }
        assert!(rule("x+y").is_ok());
        let one = "[[rule]]\nname = 'x'\nregex = 'y'\nplaceholder = ''\n";
        assert!(matches!(Rules::parse(&one.repeat(2)), Err(RulesError::Twice(_))));
        let form = Rules::parse("[[rule]]\nname = 'x'\n").unwrap_err().to_string();
        assert!(form.contains("line 1") || form.contains("missing field"), "{form}");
        assert!(matches!(Rules::parse("[other]\n"), Err(RulesError::Form(_))));
    }
}
