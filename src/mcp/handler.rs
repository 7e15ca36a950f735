//! What the server does with a request: the handshake, the list of tools, and calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, DiscoverResult,
    ErrorCode, ErrorData, InitializeRequestParams, InitializeResult, JsonObject, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::{Peer, RequestContext, RoleServer};
use rmcp::{ServerHandler, model::Tool};
use tokio::sync::mpsc;

use crate::reply::{Block, Reply};
use crate::sandbox::ClientSandbox;
use crate::session::client::{Answer, OnDrop, Request};

use super::arguments::Arguments;
use super::cancel::OnCancel;
use super::codex::{self, StateError};
use super::quirks;
use super::receipts::Receipt;
use super::sessions::{Caller, Sessions};
use super::tool::{self, WorkerText};

/// The server's side of one connection.
#[derive(Debug)]
pub(super) struct Server {
    sessions: Arc<Sessions>,
    info: ServerConfig,
    tool: Tool,
    on_cancel: OnCancel,
    /// What the client said last of its own sandbox.
    sandbox: Mutex<Option<ClientSandbox>>,
}

impl Server {
    /// A server that makes its calls in `sessions`, in which a worker of this kind runs; one
    /// that is cancelled does this to its cell.
    pub(super) fn new(sessions: Arc<Sessions>, worker: &WorkerText, on_cancel: OnCancel) -> Self {
        let (info, tool) = (tool::server_info(worker), tool::definition(worker));
        Server { sessions, info, tool, on_cancel, sandbox: Mutex::default() }
    }

    /// Makes the call, telling the client the last line on the screen while it waits.
    async fn call(
        &self,
        caller: &Caller,
        arguments: Arguments,
        progress: Option<Progress>,
        on_drop: OnDrop,
    ) -> Result<Answer, String> {
        let Arguments { payload, timeout, session, person, .. } = arguments;
        let session = session.as_ref();
        let mut request = Request { payload, timeout, progress: None, on_drop, person };
        let Some(mut progress) = progress else {
            return self.sessions.ask(caller, session, request).await;
        };
        let (sender, mut lines) = mpsc::unbounded_channel();
        request.progress = Some(sender);
        let mut reply = std::pin::pin!(self.sessions.ask(caller, session, request));
        loop {
            tokio::select! {
                biased;
                reply = &mut reply => return reply,
                Some(line) = lines.recv() => progress.tell(line).await,
            }
        }
    }

    /// Who makes a call.
    ///
    /// # Errors
    /// When what the client says of its own sandbox can't be followed.
    fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, StateError> {
        let name = context.client_info().map(|client| client.name).unwrap_or_default();
        let told = context.meta.get(codex::CAPABILITY).map(codex::sandbox).transpose()?;
        let mut last = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        // One that leaves it out has not changed it.
        *last = told.or(last.take());
        Ok(Caller { name, sandbox: last.clone() })
    }

    /// Shows a part of a long output.
    async fn show(
        &self,
        caller: &Caller,
        arguments: &Arguments,
        part: String,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(ended()),
            shown = self.sessions.show(caller, arguments.session.as_ref(), arguments.timeout, part) => {
                Ok(match shown {
                    Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
                    Err(why) => failure(why),
                })
            }
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.info.clone()
    }

    async fn initialize(
        &self,
        mut request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut answer = self.negotiate_initialize(&request)?;
        // Later requests are answered in the version agreed on, not in the one asked for.
        request.protocol_version = answer.protocol_version.clone();
        let client = &request.client_info.name;
        if quirks::tells_sandbox(client) {
            ask_for_sandbox(&mut answer.capabilities);
            // What a session may reach is not known before the first call.
        } else {
            // The session starts while the client gets ready.
            self.sessions.prepare(client);
        }
        context.peer.set_peer_info(request);
        Ok(answer)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let mut info = self.get_info();
        if context.client_info().is_some_and(|client| quirks::tells_sandbox(&client.name)) {
            ask_for_sandbox(&mut info.capabilities);
        }
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, info))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![self.tool.clone()]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != tool::NAME {
            let message = format!("unknown tool `{}`: the only one is `repl`", request.name);
            return Err(ErrorData::invalid_params(message, None));
        }
        let mut arguments = match Arguments::read(request.arguments) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(failure(error.to_string()).into()),
        };
        let progress = context
            .meta
            .get_progress_token()
            .map(|token| Progress::new(context.peer.clone(), token));
        let receipt = context.extensions.get::<Receipt>().cloned().unwrap_or_default();
        let caller = match self.caller(&context) {
            Ok(caller) => caller,
            Err(error) => return Ok(failure(format!("[repl] {error}. Nothing was run.")).into()),
        };
        if let Some(part) = arguments.show.take() {
            return Ok(self.show(&caller, &arguments, part, &context).await?.into());
        }
        let reads_json = quirks::reads_json(&caller.name);
        let on_drop = OnDrop::default();
        let cancelled = async {
            context.ct.cancelled().await;
            // Before the call is dropped, which tells the session.
            if let Some(reason) = receipt.cancel_reason()
                && self.on_cancel.interrupts(&caller.name, reason.as_deref())
            {
                on_drop.interrupt();
            }
        };
        tokio::select! {
            biased;
            // A client that cancelled the call gets no reply; one that closed its end gets this.
            () = cancelled => Err(ended()),
            answer = self.call(&caller, arguments, progress, on_drop.clone()) => {
                let mut answer = match answer {
                    Ok(answer) => answer,
                    Err(why) => return Ok(failure(why).into()),
                };
                let result = result(answer.to_tell(), reads_json);
                receipt.answered(answer);
                Ok(result.into())
            }
        }
    }
}

/// Asks a client that can to say what its own sandbox is.
fn ask_for_sandbox(capabilities: &mut ServerCapabilities) {
    let asked = capabilities.experimental.get_or_insert_default();
    asked.insert(codex::CAPABILITY.into(), JsonObject::new());
}

/// What is said to nobody: the client has gone, or does not ask any more.
fn ended() -> ErrorData {
    let message = "the connection ended before the reply";
    ErrorData::new(ErrorCode::INTERNAL_ERROR, message, None)
}

/// A result the agent reads as an error.
fn failure(message: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}

/// A reply as MCP content: text and images only, at least one block. A client that `reads_json`
/// looks for it in the first one.
fn result(reply: Reply, reads_json: bool) -> CallToolResult {
    let is_error = reply.is_error();
    let line = reply.status.line();
    let mut blocks = reply.merged();
    if let Some(Block::Text(text)) = blocks.first_mut()
        && reads_json
    {
        quirks::part_from_json(text, &line);
    }
    let mut content: Vec<_> = blocks.into_iter().map(block).collect();
    if content.is_empty() {
        content.push(ContentBlock::text(""));
    }
    if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) }
}

fn block(block: Block) -> ContentBlock {
    match block {
        Block::Text(text) => ContentBlock::text(text),
        Block::Image { mime, data } => ContentBlock::image(data, mime),
    }
}

/// Where the progress of one call goes.
struct Progress {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    start: Instant,
    last: f64,
}

impl Progress {
    fn new(peer: Peer<RoleServer>, token: ProgressToken) -> Self {
        Progress { peer, token, start: Instant::now(), last: 0.0 }
    }

    /// Tells the client the seconds elapsed, always more than the last time, and `line`, if there
    /// is one.
    async fn tell(&mut self, line: String) {
        let elapsed = (self.start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        self.last = elapsed.max(self.last + 0.001);
        let mut param = ProgressNotificationParam::new(self.token.clone(), self.last);
        if !line.is_empty() {
            param = param.with_message(line);
        }
        // A client that is gone ends the connection elsewhere.
        let _ = self.peer.notify_progress(param).await;
    }
}
