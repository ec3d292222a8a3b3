"""The code blocks of a document, as they are copied."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tui_chat.ui.transcript.text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


_SUFFIXES = {
    "bash": ".sh", "sh": ".sh", "shell": ".sh", "console": ".sh", "zsh": ".sh", "c": ".c", "c++": ".cpp",
    "cpp": ".cpp", "csharp": ".cs", "css": ".css", "diff": ".diff", "go": ".go", "haskell": ".hs",
    "html": ".html", "java": ".java", "javascript": ".js", "js": ".js", "json": ".json", "jsx": ".jsx",
    "kotlin": ".kt", "latex": ".tex", "lua": ".lua", "markdown": ".md", "md": ".md", "perl": ".pl",
    "php": ".php", "py": ".py", "python": ".py", "python3": ".py", "r": ".r", "ruby": ".rb", "rs": ".rs",
    "rust": ".rs", "sql": ".sql", "swift": ".swift", "toml": ".toml", "ts": ".ts", "tsx": ".tsx",
    "typescript": ".ts", "xml": ".xml", "yaml": ".yaml", "yml": ".yaml",
}  # fmt: skip


def suffix_of(language: str) -> str:
    """Return how names of files in a language end, as far as it is one of the usual ones; else ``.txt``."""
    return _SUFFIXES.get(language.lower(), ".txt")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("gfm-like", {"html": False})
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


class CodeBlock(NamedTuple):
    """A block of code without its fences, and what language its fence says it is in, if it says so."""

    text: str
    language: str = ""

    @property
    def gist(self) -> str:
        """Its first line, or what stands for one."""
        said = self.text.strip()
        return said.splitlines()[0] if said else "(empty)"


def code_blocks(source: str) -> list[CodeBlock]:
    """Return the code blocks of Markdown in order, wherever they stand."""
    tokens = _parser().parse(clean(source))
    return [
        CodeBlock(token.content, token.info.split()[0] if token.info.strip() else "")
        for token in tokens
        if token.type in ("fence", "code_block")
    ]
