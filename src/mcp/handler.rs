//! What the server does with a request: the handshake, the list of tools, and calls.

use std::{sync::Arc, time::Instant};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorCode, ErrorData,
    InitializeRequestParams, InitializeResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ProgressToken, ServerConfig,
};
use rmcp::service::{Peer, RequestContext, RoleServer};
use rmcp::{ServerHandler, model::Tool};
use tokio::sync::mpsc;

use crate::reply::{Block, Reply};
use crate::session::client::{Answer, OnDrop, Request};

use super::arguments::Arguments;
use super::cancel::OnCancel;
use super::quirks;
use super::receipts::Receipt;
use super::sessions::Sessions;
use super::tool::{self, WorkerText};

/// The server's side of one connection.
#[derive(Debug)]
pub(super) struct Server {
    sessions: Arc<Sessions>,
    info: ServerConfig,
    tool: Tool,
    on_cancel: OnCancel,
}

impl Server {
    /// A server that makes its calls in `sessions`, in which a worker of this kind runs; one
    /// that is cancelled does this to its cell.
    pub(super) fn new(sessions: Arc<Sessions>, worker: &WorkerText, on_cancel: OnCancel) -> Self {
        let (info, tool) = (tool::server_info(worker), tool::definition(worker));
        Server { sessions, info, tool, on_cancel }
    }

    /// Makes the call, telling the client the last line on the screen while it waits.
    async fn call(
        &self,
        client: &str,
        arguments: Arguments,
        progress: Option<Progress>,
        on_drop: OnDrop,
    ) -> Result<Answer, String> {
        let Arguments { payload, timeout, session, person, .. } = arguments;
        let session = session.as_ref();
        let mut request = Request { payload, timeout, progress: None, on_drop, person };
        let Some(mut progress) = progress else {
            return self.sessions.ask(client, session, request).await;
        };
        let (sender, mut lines) = mpsc::unbounded_channel();
        request.progress = Some(sender);
        let mut reply = std::pin::pin!(self.sessions.ask(client, session, request));
        loop {
            tokio::select! {
                biased;
                reply = &mut reply => return reply,
                Some(line) = lines.recv() => progress.tell(line).await,
            }
        }
    }

    /// Shows a part of a long output.
    async fn show(
        &self,
        client: &str,
        arguments: &Arguments,
        part: String,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(ended()),
            shown = self.sessions.show(client, arguments.session.as_ref(), arguments.timeout, part) => {
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
        let answer = self.negotiate_initialize(&request)?;
        // Later requests are answered in the version agreed on, not in the one asked for.
        request.protocol_version = answer.protocol_version.clone();
        // The session starts while the client gets ready.
        self.sessions.prepare(&request.client_info.name);
        context.peer.set_peer_info(request);
        Ok(answer)
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
        let client = context.client_info().map(|client| client.name).unwrap_or_default();
        if let Some(part) = arguments.show.take() {
            return Ok(self.show(&client, &arguments, part, &context).await?.into());
        }
        let reads_json = quirks::reads_json(&client);
        let on_drop = OnDrop::default();
        let cancelled = async {
            context.ct.cancelled().await;
            // Before the call is dropped, which tells the session.
            if let Some(reason) = receipt.cancel_reason()
                && self.on_cancel.interrupts(&client, reason.as_deref())
            {
                on_drop.interrupt();
            }
        };
        tokio::select! {
            biased;
            // A client that cancelled the call gets no reply; one that closed its end gets this.
            () = cancelled => Err(ended()),
            answer = self.call(&client, arguments, progress, on_drop.clone()) => {
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
