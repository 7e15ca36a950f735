//! The sandbox: what a session's program may reach. Pure: the platform door enforces it.
//!
//! ```text
//! mode         how strict it is: off, workspace-write, read-only
//! settings     what somebody wants: the options
//! bounds       the sandbox of a client, which is the most that its sessions get
//! names        the tables: what holds secrets, what others run or obey, where caches are
//! git          the repository of a working directory
//! git_config   the settings of a repository
//! repositories what git obeys in any other one
//! place        where it is made, and the rules that come of the settings there
//! view         what is there at all, in the mode that shows no more than it has to
//! explain      whether what a cell printed tells of something that was denied
//! environment  what a program finds in its environment
//! rules        the rules: what the platform door is given
//! ```

mod bounds;
mod environment;
mod explain;
mod git;
mod git_config;
mod mode;
mod names;
mod place;
mod repositories;
mod rules;
mod settings;
mod telling;
#[cfg(test)]
mod testing;
mod view;

pub use bounds::{Bounds, ClientSandbox};
pub use environment::{Changes, MODE_VARIABLE, NETWORK_VARIABLE, changes, is_secret};
pub use explain::{Confined, Denial, Facts, explain};
pub use git::{Git, Kind, Look, find as find_repository};
pub use git_config::{LONGEST as GIT_SETTINGS_LONGEST, is_harmless as are_harmless_git_settings};
pub use mode::Mode;
pub use names::{GPU_DEVICES, HIDDEN, PROTECTED};
pub use place::{Place, RulesError};
pub use repositories::{Guard, Zone, guard, zone};
pub use rules::{Holds, Network, Rules};
pub use settings::{Looser, Settings};
pub use telling::telling;
pub use view::{Access, View};
