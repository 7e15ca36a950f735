//! The skill: what an agent reads before it works in a Python session for longer.
//!
//! A file of it is `SKILL.md` in a directory of the name that stands in its front matter (the Agent
//! Skills specification).

use super::{
    guide,
    tool::{NAME, WorkerText},
};

/// The skill for a session of this kind, as Markdown with front matter. Under 3,000 characters: it is
/// read whole.
pub fn skill(worker: &WorkerText) -> String {
    let what = guide::what(worker.session, worker);
    let (routes, states) = (guide::routes(worker), guide::states(worker));
    let reply = guide::REPLY;
    format!(
        r#"---
name: {NAME}
description: How to work in the lasting Python session of the `{NAME}` tool (mcp-repl). Use it for data analysis, plots, debugging, long computations, and programs that ask for input.
---

# The `{NAME}` tool of mcp-repl

It is {what}

`input` goes to whatever the session waits for:
{routes}

{reply}

## The last line of a reply
```
{states}
```

## Work in steps
- Load data once, then look at it in small cells: end them with the value you want to see.
- Long output is shortened in its middle. `show` reads the rest and runs nothing: `lines 2000-2100`, `/regex/`, `tail 200`; of an earlier output `output-3 lines 1-50`.
- Plots come with the reply: `plt.show()`, or a figure as a cell's last value. Save none to look at it.
- Shell commands: `subprocess.run([...])`; `await` at the top level: `asyncio.run(main())`.

## Long work
- "busy" means that the cell goes on. Poll with an empty `input` and a larger `timeout_ms`; do not send the cell again.
- Stop it by "\u0003". Variables stay. "\u0004" is for a session that is beyond repair.
- For work beside it name another `session`; calls to two sessions run side by side.

## Debugging
- After an error: `import pdb; pdb.pm()`. Each next `input` is a line for pdb: `p x`, `up`, `w`, `q` to leave.
- `breakpoint()` in a function stops there; `c` goes on.

## Programs
- A visible prompt at the end of a reply waits for your next `input`.
- `keys` types keys, named as in tmux: `C-d`, `Down Enter`, `Escape :q Enter`. `q` leaves a pager.

## People
- A person may be in the session, too; what they ran is told first in your next reply.
- Never ask for a password in the chat and send none: `person` with a reason asks a person to type it (or to look at something). Then poll with an empty `input`, which waits for them.
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::{arguments::Arguments, tool};

    #[test]
    fn it_is_short_and_begins_as_a_skill() {
        let text = skill(&WorkerText::ANY);
        assert!(text.chars().count() < 3000, "{}", text.chars().count());
        let front = text.strip_prefix("---\nname: repl\ndescription: ").unwrap();
        let (description, _) = front.split_once("\n---\n").unwrap();
        // The specification has 1024 characters for it, in one line, and YAML no `: ` in a plain text.
        assert!(description.len() < 1024 && !description.contains(['\n', '#']));
        assert!(!description.contains(": "), "{description}");
    }

    #[test]
    fn it_names_each_argument_of_the_tool_and_no_other() {
        let text = skill(&WorkerText::ANY);
        let schema = Arguments::schema();
        for name in schema["properties"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn the_description_says_the_same() {
        let worker = WorkerText::ANY;
        let description = tool::definition(&worker).description.unwrap();
        let skill = skill(&worker);
        for said in [guide::routes(&worker), guide::states(&worker), guide::REPLY.to_owned()] {
            assert!(description.contains(&said) && skill.contains(&said), "{said}");
        }
    }
}
