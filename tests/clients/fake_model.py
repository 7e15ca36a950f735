"""A model that is none, for agents whose base URL can be set: fake_model.py PORT CALLS.json

CALLS.json is a list of arguments of the `repl` tool. Each request for a reply gets the next of them as a
call of the tool whose name ends in `repl`, and after the last one the text "all done". What the agent gave
the model back of each call is printed. It speaks enough of the APIs of Anthropic (`/v1/messages`), OpenAI
(`/v1/responses`, `/v1/chat/completions`) and Gemini (`…:generateContent`).
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALLS = json.load(open(sys.argv[2]))
DONE = "all done"


def events(messages, named=False):
    head = (lambda message: f"event: {message['type']}\n") if named else (lambda message: "")
    return "".join(f"{head(message)}data: {json.dumps(message)}\n\n" for message in messages)


def choose(tools, results):
    """The tool's name and its next arguments; None for a text."""
    print(results[-1] if results else f"tools: {tools}", flush=True)
    found = [tool for tool in tools if tool and tool.endswith("repl")]
    if found and len(results) < len(CALLS):
        return found[-1], CALLS[len(results)]
    return None, None


def anthropic(request):
    parts = [part for message in request["messages"] for part in message["content"] if isinstance(part, dict)]
    results = [part for part in parts if part.get("type") == "tool_result"]
    name, call = choose([tool.get("name") for tool in request.get("tools") or []], results)
    if name:
        block = {"type": "tool_use", "id": f"toolu_{len(results)}", "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(call)}
    else:
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": DONE}
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg", "type": "message", "role": "assistant", "model": "fake", "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": usage}
    stop = {"stop_reason": "tool_use" if name else "end_turn", "stop_sequence": None}
    if not request.get("stream"):
        whole = {**block, "input": call} if name else {"type": "text", "text": DONE}
        return json.dumps({**message, **stop, "content": [whole]})
    return events([
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": usage},
        {"type": "message_stop"},
    ], named=True)


def responses(request):
    spaces = {}
    for tool in request.get("tools") or []:
        inner = tool.get("tools") if tool.get("type") == "namespace" else None
        spaces.update({each.get("name"): tool["name"] for each in inner or []} or {tool.get("name"): None})
    results = [item for item in request["input"] if item.get("type") == "function_call_output"]
    name, call = choose(list(spaces), results)
    if name:
        item = {"type": "function_call", "id": "fc", "call_id": f"call_{len(results)}", "name": name,
                "arguments": json.dumps(call), "status": "completed"}
        item.update({"namespace": spaces[name]} if spaces[name] else {})
    else:
        item = {"type": "message", "id": "m", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": DONE, "annotations": []}]}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    response = {"id": "r", "object": "response", "status": "completed", "output": [item], "usage": usage}
    return events([
        {"type": "response.created", "response": {**response, "output": [], "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ], named=True)


def chat(request):
    tools = [tool.get("function", {}).get("name") for tool in request.get("tools") or []]
    results = [message for message in request["messages"] if message.get("role") == "tool"]
    found = [result for result in results if result.get("tool_call_id") != "search"]
    name, call = choose(tools, found)
    identity = f"call_{len(found)}"
    if not name and "tool_search" in tools and len(found) == len(results):
        # Qwen Code offers tools of servers once they were searched for.
        name, call, identity = "tool_search", {"query": "select:mcp__repl__repl"}, "search"
    message = {"role": "assistant", "content": None if name else DONE}
    if name:
        function = {"name": name, "arguments": json.dumps(call)}
        message["tool_calls"] = [{"index": 0, "id": identity, "type": "function", "function": function}]
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    reason = "tool_calls" if name else "stop"
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    if not request.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return json.dumps({**chunk, "object": "chat.completion", "choices": [choice], "usage": usage})
    choices = [[{"index": 0, "delta": message, "finish_reason": None}],
               [{"index": 0, "delta": {}, "finish_reason": reason}]]
    chunks = [{**chunk, "choices": each} for each in choices] + [{**chunk, "choices": [], "usage": usage}]
    return events(chunks) + "data: [DONE]\n\n"


def gemini(request, streams):
    tools = [each["name"] for tool in request.get("tools") or [] for each in tool["functionDeclarations"]]
    parts = [part for content in request["contents"] for part in content["parts"]]
    name, call = choose(tools, [part for part in parts if "functionResponse" in part])
    part = {"functionCall": {"name": name, "args": call}} if name else {"text": DONE}
    content = {"role": "model", "parts": [part]}
    reply = {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}]}
    return events([reply]) if streams else json.dumps(reply)


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, body):
        kind = "application/json" if body.startswith("{") else "text/event-stream"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        self.reply(json.dumps({"data": [{"id": "fake", "object": "model"}]}))

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])) or "{}")
        path = self.path.lower()
        if "count" in path:
            self.reply(json.dumps({"input_tokens": 1, "totalTokens": 1}))
        elif "generatecontent" in path:
            self.reply(gemini(request, "stream" in path))
        else:
            apis = {"messages": anthropic, "responses": responses, "completions": chat}
            self.reply(apis[path.split("?")[0].rsplit("/", 1)[-1]](request))

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Model).serve_forever()
