"""The styles of the transcript, made from the variables of the active theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.style import Style
from textual.color import Color, ColorParseError

Variables = Mapping[str, str]

_PLAIN = Style()
_BOLD = Style(bold=True)
_DIM = Style(dim=True)
_UNDERLINED = Style(underline=True)


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by meaning. A style without background lies on whatever the widget's is.

    `code_block` is the ground of code; where it has no colour (16-colour themes) code is marked by
    a thin bar instead. `syntax` maps names of Pygments token types to styles.
    """

    user: Style = _BOLD
    model: Style = _BOLD
    muted: Style = _DIM
    faint: Style = _DIM
    bar: Style = _DIM
    focus: Style = _BOLD
    heading: Style = _BOLD
    code: Style = _PLAIN
    code_block: Style = _PLAIN
    link: Style = _UNDERLINED
    error: Style = _BOLD
    warning: Style = _BOLD
    syntax: Mapping[str, Style] = field(default_factory=dict)

    @property
    def tinted(self) -> bool:
        """Whether code blocks have a ground of their own."""
        return self.code_block.bgcolor is not None

    @classmethod
    def from_variables(cls, variables: Variables, ansi: bool = False) -> Palette:
        """Return the palette of a theme.

        Args:
            variables: Textual's theme variables, as `App.theme_variables` has them. `role-user` and
                `role-assistant` are used where a theme has them.
            ansi: Whether the theme uses the terminal's own 16 colours; shades are then left to `dim`.
        """
        return _ansi(variables) if ansi else _shaded(variables)


def _colour(variables: Variables, *names: str) -> Color:
    for name in names:
        try:
            return Color.parse(variables[name])
        except (KeyError, ColorParseError):
            continue
    return Color.parse("ansi_default")


def _shaded(variables: Variables) -> Palette:
    ground = _colour(variables, "background")
    text = _colour(variables, "foreground")
    accent = _colour(variables, "accent", "primary")

    def ink(*names: str, bold: bool | None = None, underline: bool | None = None) -> Style:
        return Style(color=_colour(variables, *names).rich_color, bold=bold, underline=underline)

    def shade(amount: float) -> Style:
        return Style(color=text.blend(ground, amount).rich_color)

    block = ground.blend(text, 0.055)
    muted, faint = shade(0.38), shade(0.62)
    return Palette(
        user=ink("role-user", "text-accent", "accent", bold=True),
        model=ink("role-assistant", "text-primary", "primary", bold=True),
        muted=muted,
        faint=faint,
        bar=Style(color=_colour(variables, "role-user", "accent").blend(ground, 0.45).rich_color),
        focus=Style(color=accent.rich_color, bold=True),
        heading=ink("text-primary", "primary", bold=True),
        code=Style(
            color=_colour(variables, "text-secondary", "secondary").blend(text, 0.55).rich_color,
            bgcolor=block.rich_color,
        ),
        code_block=Style(bgcolor=block.rich_color),
        link=ink("text-primary", "primary", underline=True),
        error=ink("text-error", "error"),
        warning=ink("text-warning", "warning"),
        syntax={
            "Comment": faint + Style(italic=True),
            "Keyword": ink("text-accent", "accent"),
            "Operator.Word": ink("text-accent", "accent"),
            "Name.Builtin": ink("text-primary", "primary"),
            "Name.Function": ink("text-primary", "primary", bold=True),
            "Name.Class": ink("text-primary", "primary", bold=True),
            "Name.Decorator": ink("text-warning", "warning"),
            "Name.Exception": ink("text-error", "error"),
            "Name.Attribute": ink("text-primary", "primary"),
            "Name.Tag": ink("text-primary", "primary"),
            "Literal.String": ink("text-success", "success"),
            "Literal.Number": ink("text-warning", "warning"),
            "Generic.Heading": ink("text-primary", "primary", bold=True),
            "Generic.Subheading": ink("text-primary", "primary"),
            "Generic.Deleted": ink("text-error", "error"),
            "Generic.Inserted": ink("text-success", "success"),
            "Generic.Prompt": faint,
        },
    )


def _ansi(variables: Variables) -> Palette:
    dim = Style(dim=True)

    def ink(*names: str, bold: bool | None = None, underline: bool | None = None) -> Style:
        return Style(color=_colour(variables, *names).rich_color, bold=bold, underline=underline)

    return Palette(
        user=ink("role-user", "accent", bold=True),
        model=ink("role-assistant", "primary", bold=True),
        muted=dim,
        faint=dim,
        bar=ink("role-user", "accent") + _DIM,
        focus=ink("accent", bold=True),
        heading=ink("primary", bold=True),
        code=Style(color="yellow"),
        link=ink("primary", underline=True),
        error=ink("error"),
        warning=ink("warning"),
        syntax={
            "Comment": Style(dim=True, italic=True),
            "Keyword": Style(color="magenta"),
            "Operator.Word": Style(color="magenta"),
            "Name.Builtin": Style(color="cyan"),
            "Name.Function": Style(color="blue"),
            "Name.Class": Style(color="blue"),
            "Name.Decorator": Style(color="yellow"),
            "Literal.String": Style(color="green"),
            "Literal.Number": Style(color="yellow"),
            "Generic.Deleted": Style(color="red"),
            "Generic.Inserted": Style(color="green"),
        },
    )
