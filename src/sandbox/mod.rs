//! The sandbox: what a session's program may reach. Pure: the platform door enforces it.
//!
//! ```text
//! mode         how strict it is: off, workspace-write, read-only
//! settings     what somebody wants: the options
//! bounds       the sandbox of a client, which is the most that its sessions get
//! names        the tables: what holds secrets, what others run or obey, where caches are
//! git          the repository of a working directory
//! place        where it is made, and the rules that come of the settings there
//! explain      whether what a cell printed tells of something that was denied
//! environment  what a program finds in its environment
//! rules        the rules: what the platform door is given
//! ```

mod bounds;
mod environment;
mod explain;
mod git;
mod mode;
mod names;
mod place;
mod rules;
mod settings;

pub use bounds::{Bounds, ClientSandbox};
pub use environment::{Changes, MODE_VARIABLE, NETWORK_VARIABLE, changes, is_secret};
pub use explain::{Confined, Denial, Facts, explain, may_tell};
pub use git::{Git, Kind, Look, find as find_repository};
pub use mode::Mode;
pub use names::{GPU_DEVICES, PROTECTED};
pub use place::{Place, RulesError};
pub use rules::{Holds, Network, Rules};
pub use settings::{Looser, Settings};
