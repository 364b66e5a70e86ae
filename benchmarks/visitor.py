"""A visitor without a browser: a real websocket to a running server, which opens views, pastes texts and reads back."""

import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

VIEWS = {
    "overview": (None,),
    "geometry": ("Map", "Anisotropy", "Dimension", "Labels", "Hubs", "Outliers"),
    "layers": ("Build-up", "Heads"),
    "retrieval": (
        "Quality", "Hard negatives", "Search", "Comparison", "Reranking", "Sizes", "Late interaction", "Prompts",
        "Chunks", "Faithfulness",
    ),
    "finetune_diff": ("Drift", "Space", "Ranks", "Texts", "Concepts", "Monitor", "Train"),
    "sae_features": ("Decompose", "Contrast", "Browser", "Match", "Train"),
    "network": (None,),
    "circuits": ("Trace", "Births", "Writers"),
    "steering": ("Steer", "Dose-response"),
    "diagnostics": ("Absorption", "Polysemy", "Faithfulness", "Health"),
    "glossary": (None,),
}  # fmt: skip
"""Every page and its views."""

PLACES = tuple((page, view) for page, views in VIEWS.items() for view in views)
"""Every page and view, one after another."""

_DONE = ForwardMsg.ScriptFinishedStatus
_QUIET = 0.15  # seconds without a message after which a finished run is taken to be the last


@dataclass
class Seen:
    """What a run of a page brought."""

    seconds: float
    """From the request until the script had run to its end."""
    texts: list[str] = field(default_factory=list)
    """Every element that came, as protocol buffers write them."""
    ids: dict[str, str] = field(default_factory=dict)
    """Widgets: key to id."""
    exceptions: list[str] = field(default_factory=list)
    """Exceptions on the page."""
    alerts: list[str] = field(default_factory=list)
    """Errors, warnings and notes on the page."""

    def holds(self, text: str) -> bool:
        """Whether `text` came anywhere."""
        return any(text in one for one in self.texts)


class Visitor:
    """One session of a running app; use it as a context."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("http://", "ws://", 1)
        self._states: dict[str, WidgetState] = {}
        self._query = ""
        self._page = ""
        self._tabs = ""
        self._socket: ClientConnection

    def __enter__(self) -> Self:
        """Connect."""
        self._socket = connect(
            f"{self._url}/_stcore/stream",
            subprotocols=["streamlit"],
            origin=self._url.replace("ws://", "http://", 1),
            max_size=None,
            open_timeout=60,
            ping_interval=None,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Go."""
        self._socket.close()

    def open(self, page: str, view: str | None = None, **query: str) -> Seen:
        """Open a view: by its address where its page is another than before, else by its tab."""
        path = "" if page == "overview" else page
        if path == self._page and view and self._tabs and not query:
            return self.write(self._tabs, view)
        self._states.clear()
        self._page, self._tabs = path, ""
        self._query = urlencode(({"view": view} if view else {}) | query, quote_via=quote)
        seen = self._run()
        self._tabs = seen.ids.get("view", "")
        return seen

    def write(self, where: str, text: str) -> Seen:
        """Put `text` into the text field of the id `where`."""
        self._states[where] = WidgetState(id=where, string_value=text)
        return self._run()

    def _run(self) -> Seen:
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string, run.page_name = self._query, self._page
        run.context_info.url = f"{self._url.replace('ws://', 'http://', 1)}/{self._page}?{self._query}"
        run.widget_states.widgets.extend(self._states.values())
        start = time.perf_counter()
        self._socket.send(asked.SerializeToString())
        return self._until_done(start)

    def _until_done(self, start: float) -> Seen:
        seen, end, finished = Seen(0.0), start, False
        while True:
            try:
                raw = self._socket.recv(timeout=_QUIET if finished else 600, decode=False)
            except TimeoutError:
                if not finished:
                    raise
                seen.seconds = end - start
                return seen
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "script_finished":
                finished, end = message.script_finished != _DONE.FINISHED_EARLY_FOR_RERUN, time.perf_counter()
            elif kind == "new_session":
                finished = False
            elif kind == "delta":
                _note(message, seen)


def _note(message: ForwardMsg, seen: Seen) -> None:
    seen.texts.append(str(message.delta))
    if tabs := message.delta.add_block.tab_container.id:
        seen.ids["view"] = tabs
    if message.delta.WhichOneof("type") != "new_element":
        return
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    if kind == "exception":
        seen.exceptions.append(element.exception.message)
    elif kind == "alert":
        seen.alerts.append(element.alert.body)
    else:
        named = getattr(element, kind or "", None)
        if identity := getattr(named, "id", ""):
            seen.ids[identity.rsplit("-", 1)[-1]] = identity
