"""MkDocs hook: runs the Python blocks of gallery.md and puts the figure that each leaves behind under it."""

import io
import re
from typing import Any

from mkdocs.structure.files import File

BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n", re.DOTALL)
PAGE = "gallery.md"


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Replace each block by itself and its figure."""
    if page.file.src_uri != PAGE:
        return markdown
    namespace: dict[str, Any] = {}
    pictures = []

    def run(match: re.Match[str]) -> str:
        namespace.pop("figure", None)
        exec(compile(match["code"], PAGE, "exec"), namespace)
        if "figure" not in namespace:
            return match[0]
        content = io.StringIO()
        namespace["figure"].savefig(content, format="svg", metadata={"Date": None})
        pictures.append(content.getvalue())
        return f"{match[0]}\n![Figure made by the lines above](gallery-{len(pictures)}.svg)\n"

    text = BLOCK.sub(run, markdown)
    for number, content in enumerate(pictures, start=1):
        picture = File.generated(config, f"gallery-{number}.svg", content=content)
        files.append(picture)
    return text
