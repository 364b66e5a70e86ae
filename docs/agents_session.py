"""Record docs/agents_session.md: an agent's way through the tools, asked of the real server over stdio.

Run by `python -m docs.agents_session`; the answers are those of the machine that it runs on.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

HERE = Path(__file__).parent
COURT = "The court dismissed the appeal."
BANK = "The bank raised its rates."
STEPS: tuple[tuple[str, str, dict[str, Any], str | None], ...] = (
    ("What can be opened?", "list_encoders", {}, None),
    ("How good is the default encoder on the sample?", "overview", {}, None),
    ("It retrieves worse than hoped. Where?", "evaluate_retrieval", {"limit": 3}, "agents-ranks.png"),
    ("Which wrong documents win?", "hard_negatives", {"limit": 3}, None),
    ("What is a sentence made of, for this encoder?", "decompose", {"text": COURT, "limit": 6}, "agents-decompose.png"),
    ("What tells it from another?", "contrast", {"a": COURT, "b": BANK, "limit": 4, "picture": False}, None),
    ("Can the strongest feature be believed?", "describe_feature", {"feature": 4083, "limit": 3}, None),
    ("Where in the encoder does it appear?", "circuit", {"text": COURT, "feature": 4083}, "agents-circuit.png"),
    ("Which parts write it?", "writers", {"text": COURT, "feature": 4083}, None),
    (
        "What if it were stronger?", "steer",
        {"text": COURT, "recipe": "4083:+4", "corpus": "sample:topics", "limit": 3}, None,
    ),
    ("What did a fine-tune on medical questions change?", "diff", {}, "agents-diff.png"),
    ("Something that is not allowed.", "search", {"query": "root", "corpus": "/etc/passwd"}, None),
    ("Something that makes no sense.", "decompose", {"text": COURT, "limit": 1_000}, None),
)  # fmt: skip
_MOST = 1_400


async def record() -> str:
    """The session as Markdown; its pictures are written beside it."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "lib", "mcp"], cwd=str(HERE.parent))
    lines = [
        "# A session, as an agent sees it",
        "",
        "Recorded from the real server (`python -m lib mcp`) by the SDK's own client; `python -m docs.agents_session`",
        "records it again. An answer is JSON with a schema; here its sentence is shown, and the beginning of the rest.",
        "",
    ]
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        lines += [f"The server lists {len(tools)} tools: {', '.join(f'`{tool.name}`' for tool in tools)}.", ""]
        for question, name, arguments, picture in STEPS:
            result = await client.call_tool(name, arguments)
            lines += [f"## {question}", "", f"`{name}` `{json.dumps(arguments)}`", ""]
            lines += _told(result)
            images = [content for content in result.content if content.type == "image"]
            if picture and images:
                (HERE / picture).write_bytes(base64.b64decode(images[0].data))
                lines += [f"![The picture that comes with it: {question}]({picture})", ""]
    return "\n".join(lines)


def _told(result: Any) -> list[str]:
    """An answer: its sentence, and the beginning of its JSON."""
    if result.is_error:
        return [f"> **Refused.** {result.content[0].text}", ""]
    rest = {name: value for name, value in result.structured_content.items() if name not in ("says", "cut")}
    text = json.dumps(rest, ensure_ascii=False, indent=1)
    shown = text if len(text) <= _MOST else text[: text.rindex("\n", 0, _MOST)] + "\n …"
    cut = [f"> {sentence}" for sentence in result.structured_content["cut"]]
    lines = [f"> {result.structured_content['says']}", *(part for one in cut for part in (">", one)), ""]
    return [*lines, "<details><summary>the numbers</summary>", "", "```json", shown, "```", "", "</details>", ""]


if __name__ == "__main__":
    (HERE / "agents_session.md").write_text(asyncio.run(record()), encoding="utf-8")
