"""A stand-in for W&B's server, as far as an agent of a sweep asks it."""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class SweepServer:
    """Hands out runs of one sweep, one after another, and then tells the agent to leave.

    Args:
        config: the sweep's file.
        runs: for each run its id and its parameters.
    """

    def __init__(self, config: str, runs: Mapping[str, Mapping[str, Any]], program: str) -> None:
        self.config, self.left, self.program = config, dict(runs), program
        self.states: list[Mapping[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                asked = json.loads(body) if self.path == "/graphql" else {}
                named = re.search(r"(?:query|mutation)\s+(\w+)", asked.get("query", ""))
                found = server.answer(named and named[1], asked.get("variables") or {})
                text = json.dumps({"data": found}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> "SweepServer":
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()

    @property
    def environment(self) -> dict[str, str]:
        """What sends an agent here."""
        return {
            "WANDB_BASE_URL": f"http://127.0.0.1:{self.http.server_port}",
            "WANDB_API_KEY": 40 * "0",
        }

    def answer(self, name: str | None, variables: Mapping[str, Any]) -> dict[str, Any]:
        """To the operation of that name."""
        if name == "Viewer":
            return {"viewer": {"id": "1", "entity": "me", "username": "me", "flags": "{}"}}
        if name == "SweepWithRuns":
            return {"project": {"sweep": {"config": self.config, "runs": {"edges": []}}}}
        if name == "CreateAgent":
            return {"createAgent": {"agent": {"id": "agent"}}}
        if name == "Heartbeat":
            running = json.loads(variables.get("runState") or "{}")
            self.states.append(running)
            commands = [] if running else self.commands()
            return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}
        return {}

    def commands(self) -> Sequence[Mapping[str, Any]]:
        """For an agent that has nothing to do."""
        if not self.left:
            return [{"type": "exit"}]
        run = next(iter(self.left))
        args = {name: {"value": value} for name, value in self.left.pop(run).items()}
        return [{"type": "run", "run_id": run, "args": args, "program": self.program}]
