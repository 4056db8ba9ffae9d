"""A headless Chromium driven through its DevTools pipe: no package, no port, no download."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
]  # fmt: skip
PATIENCE = 60.0
"""Seconds for one answer of the browser."""


def _high(*ends: int) -> tuple[int, int]:
    """Move both ends of a pipe away from 3 and 4, which the browser reads and writes."""
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


class Browser:
    """One page in one browser; `logs` holds what its console says, `requests` every address that it asks for."""

    def __init__(self, width: int = 1100, height: int = 800) -> None:
        self.logs: list[str] = []
        self.requests: list[str] = []
        self.profile = tempfile.mkdtemp()
        (ours_in, theirs_out), (theirs_in, ours_out) = (_high(*os.pipe()) for _ in range(2))
        size = [f"--window-size={width},{height}", f"--user-data-dir={self.profile}", "about:blank"]

        def hand_over() -> None:
            os.dup2(theirs_in, 3)  # the browser reads its orders from 3 and answers on 4
            os.dup2(theirs_out, 4)

        self.process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, *size], preexec_fn=hand_over, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (theirs_in, theirs_out):
            os.close(end)
        self.pipe_in, self.pipe_out, self.rest, self.number = ours_in, ours_out, b"", 0
        self.session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.pipe_out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            piece = os.read(self.pipe_in, 1 << 16)
            assert piece, "the browser has gone"
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        found = message.get("params") or {}
        if message.get("method") == "Runtime.exceptionThrown":
            self.logs.append(str(found["exceptionDetails"]))
        elif message.get("method") == "Runtime.consoleAPICalled":
            self.logs.append(str(found["args"]))
        elif message.get("method") == "Log.entryAdded":
            self.logs.append(str(found["entry"]["text"]))
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(str(found["request"]["url"]))
        return message

    def open(self, path: Path, fragment: str = "") -> None:
        """Show a file and wait until it is there."""
        self.ask("Page.navigate", url=path.resolve().as_uri() + fragment)
        self.until("document.readyState === 'complete' && location.href.startsWith('file:')")

    def do(self, script: str) -> Any:
        """Evaluate an expression in the page."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.do(condition):
            assert time.monotonic() < end, f"never became true: {condition}"
            time.sleep(0.02)

    def point(self, selector: str, event: str = "mouseMoved") -> None:
        """Move the pointer to the middle of the first such element, scrolled into view; or click there."""
        x, y = self.do(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); const b = e.getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        if event == "click":
            for kind in ("mousePressed", "mouseReleased"):
                self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.pipe_in)
        os.close(self.pipe_out)
        shutil.rmtree(self.profile, ignore_errors=True)
