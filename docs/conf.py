"""Sphinx settings."""

import pathlib
import re

project = "relaxon"
author = "The relaxon developers"
copyright = "2026, The relaxon developers"
_version = pathlib.Path(__file__).parents[1] / "src" / "relaxon" / "core" / "version.py"
release = version = re.search(r'VERSION = "(.+)"', _version.read_text())[1]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"relaxon {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Accuracy", "Cost", "Source"]


def _mathematics(app, what, name, obj, options, lines):
    """Docstrings write $...$ and $$...$$; Sphinx wants roles and directives."""
    text = "\n".join(lines)

    def display(match):
        indent = match.group(1)
        body = " ".join(line.strip() for line in match.group(2).splitlines())
        return f"\n{indent}.. math::\n\n{indent}   {body.strip()}\n"

    text = re.sub(r"^([ \t]*)\$\$(.+?)\$\$", display, text, flags=re.S | re.M)
    text = re.sub(r"\$\s?([^$\n]+?)\s?\$", lambda m: f":math:`{m.group(1).strip()}`", text)
    # What is left outside formulas and code is plain text: |v| is no substitution, *x no emphasis.
    kept = re.compile(r"(\.\. math::\n\n[^\n]*|:\w+:`[^`]*`|``[^`]*``|`[^`]*`)")
    parts = kept.split(text)
    parts[::2] = [re.sub(r"(?<![\\*])(\||\*(?=\w))", r"\\\1", part) for part in parts[::2]]
    text = "".join(parts)
    lines[:] = text.split("\n")


def setup(app):
    """Register the docstring filter."""
    app.connect("autodoc-process-docstring", _mathematics)
